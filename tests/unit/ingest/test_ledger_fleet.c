/* A fleet over a bad link, and a ledger kept by hand beside the one under test: what is stored, merged, refused and
 * missing must agree number by number, in any order of arrival. R-097. */
#include "check.h"

#include <stdlib.h>

#include "batch_maker.h"
#include "ingest/normalise.h"
#include "seed.h"

#define S   INT64_C(1000000)
#define NOW INT64_C(1780000000000000)

struct fixture {
    struct normalise *n;
    struct batch_maker *maker;
    uint64_t events, offset;
};

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    (void)ev, (void)no;
    ((struct fixture *)ctx)->events++;
}

static void begin(struct fixture *f)
{
    struct normalise_config cfg = {.event = on_event, .ctx = f};

    memset(f, 0, sizeof *f);
    f->maker = calloc(1, sizeof *f->maker);
    assert_int_equal(normalise_new(&cfg, &f->n), VS_OK);
}

static void end(struct fixture *f)
{
    normalise_free(f->n);
    free(f->maker);
}

static struct ledger ledger(const struct fixture *f)
{
    struct ledger l;

    normalise_ledger(f->n, &l);
    assert_true(ledger_balanced(&l));
    return l;
}

#define CARS      8
#define SEQ_COUNT 400
#define EPOCHS    2
#define RECORDS   1500

enum fate { LOST, SENT, FOLDED, BROKEN };

struct by_hand {
    enum fate fate[CARS][EPOCHS][SEQ_COUNT + 1]; /* of numbers that arrived so far */
    uint64_t next[CARS][EPOCHS];
    uint64_t copies;
};

struct upload {
    uint8_t bytes[2000];
    size_t len;
    uint8_t vid[EV_VID_SIZE];
};

/* One batch with some numbers, now and then broken ones and folds. Returns the copies of numbers known already. */
static void random_upload(struct seed *seed, struct batch_maker *m, struct by_hand *h, struct upload *up)
{
    uint32_t car = (uint32_t)seed_below(seed, CARS), epoch = (uint32_t)seed_below(seed, EPOCHS);
    unsigned count = 1 + (unsigned)seed_below(seed, 12);
    uint64_t seq = 1 + seed_below(seed, SEQ_COUNT - 40);

    batch_maker_begin(m, car, epoch + 1, NOW);
    for (unsigned i = 0; i < count && seq < SEQ_COUNT; i++) {
        struct event *ev = batch_maker_add(m, seq, NOW - (int64_t)seed_below(seed, 1000) * S);
        /* What a number is does not change from one upload to the next: a third of them never fits the schema. */
        bool broken = (seq * 7 + car * 3 + epoch) % 9 == 0;

        if (broken)
            ev->field_count = 0;
        if (!broken && seq > 20 && (seq * 5 + car) % 11 == 0) {
            ev->fold_count = 1;
            ev->fold[0] = (struct ev_fold){seq - 3, 2, EV_FILTER_AGGREGATION};
        }
        seq += 1 + seed_below(seed, 3);
    }
    if (m->batch.seq_next < h->next[car][epoch] || seed_below(seed, 3) > 0)
        m->batch.seq_next = m->batch.seq_next > h->next[car][epoch] ? m->batch.seq_next : h->next[car][epoch];
    struct stream_record rec = batch_maker_record(m, NOW);
    assert_true(rec.value.len <= sizeof up->bytes);
    memcpy(up->bytes, rec.value.ptr, rec.value.len);
    up->len = rec.value.len;
    memcpy(up->vid, m->batch.vid, EV_VID_SIZE);
}

/* The ledger kept by hand: plain flags, nothing of the code under test. */
static void note_by_hand(struct by_hand *h, const struct batch_maker *m)
{
    uint32_t car = m->batch.vid[EV_VID_SIZE - 1], epoch = m->batch.epoch - 1;
    enum fate *fate = h->fate[car][epoch];

    if (m->batch.seq_next > h->next[car][epoch])
        h->next[car][epoch] = m->batch.seq_next;
    for (uint32_t i = 0; i < m->batch.count; i++) {
        const struct event *ev = &m->event[i];

        if (ev->field_count == 0) {
            h->copies += fate[ev->seq] == BROKEN;
            if (fate[ev->seq] == LOST)
                fate[ev->seq] = BROKEN;
            continue;
        }
        h->copies += fate[ev->seq] == SENT;
        fate[ev->seq] = SENT;
        for (unsigned k = 0; k < ev->fold_count; k++)
            for (uint64_t n = ev->fold[k].seq_first; n < ev->fold[k].seq_first + ev->fold[k].count; n++)
                if (fate[n] == LOST || fate[n] == BROKEN)
                    fate[n] = FOLDED;
    }
}

static struct ledger count_by_hand(const struct by_hand *h)
{
    struct ledger l = {0};

    for (unsigned car = 0; car < CARS; car++)
        for (unsigned epoch = 0; epoch < EPOCHS; epoch++)
            for (uint64_t n = 1; n < h->next[car][epoch]; n++) {
                l.produced++;
                l.stored += h->fate[car][epoch][n] == SENT;
                l.merged += h->fate[car][epoch][n] == FOLDED;
                l.dead_lettered += h->fate[car][epoch][n] == BROKEN;
                l.missing += h->fate[car][epoch][n] == LOST;
            }
    return l;
}

static void same_ledger(const struct ledger *a, const struct ledger *b)
{
    assert_int_equal(a->produced, b->produced);
    assert_int_equal(a->stored, b->stored);
    assert_int_equal(a->merged, b->merged);
    assert_int_equal(a->dead_lettered, b->dead_lettered);
    assert_int_equal(a->missing, b->missing);
}

static void take_upload(struct fixture *f, const struct upload *up)
{
    struct stream_record rec = {.offset = f->offset++,
                                .received_us = NOW,
                                .door = 1,
                                .format = STREAM_FORMAT_BATCH,
                                .key = slice_make(up->vid, EV_VID_SIZE),
                                .value = slice_make(up->bytes, up->len)};

    assert_int_equal(normalise_step(f->n, &rec), VS_OK);
}

static void add_changed(const struct normalise_vehicle *v, void *ctx)
{
    ledger_add(ctx, &v->sum);
}

static void test_ledger_of_a_fleet_over_a_bad_link(void **state)
{
    struct seed seed = seed_start("normalise", 20260402);
    struct upload *up = calloc(RECORDS, sizeof *up);
    struct by_hand *h = calloc(1, sizeof *h);
    struct fixture f, shuffled;
    struct ledger changed = {0}, nothing = {0};

    (void)state;
    begin(&f);
    for (unsigned i = 0; i < RECORDS; i++) {
        random_upload(&seed, f.maker, h, &up[i]);
        note_by_hand(h, f.maker);
        take_upload(&f, &up[i]);
        if (i % 100 == 99) {
            struct ledger want = count_by_hand(h), got = ledger(&f);

            same_ledger(&got, &want);
            assert_int_equal(f.events, want.stored);
        }
    }
    struct ledger want = count_by_hand(h), got = ledger(&f);
    same_ledger(&got, &want);
    assert_true(want.missing > 0 && want.merged > 0 && want.dead_lettered > 0);
    normalise_changed(f.n, add_changed, &changed);
    same_ledger(&changed, &want);
    normalise_changed(f.n, add_changed, &nothing);
    assert_int_equal(nothing.produced, 0);

    /* In any other order, and twice: the same ledger, the same number of events. */
    begin(&shuffled);
    for (unsigned i = RECORDS; i > 1; i--) {
        unsigned j = (unsigned)seed_below(&seed, i);
        struct upload other = up[i - 1];

        up[i - 1] = up[j];
        up[j] = other;
    }
    for (unsigned i = 0; i < 2 * RECORDS; i++)
        take_upload(&shuffled, &up[i % RECORDS]);
    got = ledger(&shuffled);
    same_ledger(&got, &want);
    assert_int_equal(shuffled.events, f.events);
    end(&shuffled);
    end(&f);
    free(up);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ledger_of_a_fleet_over_a_bad_link)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
