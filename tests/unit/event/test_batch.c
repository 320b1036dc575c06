/* batch: random events go in and come out the same; every cut and every flipped bit is an error or another valid batch,
 * never a crash and never half an event. */
#include "check.h"

#include <stdlib.h>

#include "event/batch.h"
#include "random_event.h"

#define TIME_US   INT64_C(1795000000000000)
#define BODY_SIZE (1u << 20)
#define EVENTS    60

struct fixture {
    struct event ev[EVENTS];
    struct batch batch;
    uint8_t *body, *envelope;
    size_t len;
    unsigned count;
};

static bool same_field(const struct ev_field *a, const struct ev_field *b)
{
    if (a->id != b->id)
        return false;
    if (ev_field_find(a->id)->kind >= EV_KIND_TEXT)
        return slice_equal(a->value.s, b->value.s);
    return a->value.u == b->value.u;
}

static void check_event(const struct event *want, const struct event *got)
{
    assert_int_equal(want->seq, got->seq);
    assert_int_equal(want->type, got->type);
    assert_int_equal(want->first_us, got->first_us);
    assert_int_equal(want->last_us, got->last_us);
    assert_int_equal(want->count, got->count);
    assert_int_equal(want->priority, got->priority);
    assert_int_equal(want->trust, got->trust);
    assert_true(slice_equal(want->ecu, got->ecu) && slice_equal(want->sensor, got->sensor) &&
                slice_equal(want->bus, got->bus));
    assert_int_equal(want->field_count, got->field_count);
    for (unsigned i = 0; i < want->field_count; i++)
        assert_true(same_field(&want->field[i], &got->field[i]));
    assert_int_equal(want->fold_count, got->fold_count);
    for (unsigned i = 0; i < want->fold_count; i++) {
        assert_int_equal(want->fold[i].seq_first, got->fold[i].seq_first);
        assert_int_equal(want->fold[i].count, got->fold[i].count);
        assert_int_equal(want->fold[i].filter, got->fold[i].filter);
    }
}

static void make_batch(struct fixture *f, unsigned count, struct seed *s)
{
    struct writer w;

    f->count = count;
    f->batch = (struct batch){
        .vid = {1, 2, 3}, .epoch = (uint32_t)seed_next(s), .time_base_us = TIME_US, .sent_us = TIME_US + 5};
    f->batch.seq_base = 1 + random_number(s, INT64_MAX - 100000);
    f->batch.epoch_started_us = seed_below(s, 2) == 0 ? TIME_US - 77 : 0;
    f->batch.count = count;
    uint64_t seq = f->batch.seq_base;
    writer_init(&w, f->body, BODY_SIZE);
    batch_body_begin(&w, count);
    for (unsigned i = 0; i < count; i++) {
        random_event(&f->ev[i], TIME_US, s);
        f->ev[i].seq = seq;
        seq += 1 + seed_below(s, 300);
        batch_body_add(&w, &f->batch, &f->ev[i]);
    }
    assert_false(w.full);
    f->batch.seq_next = seq + seed_below(s, 10);
    f->batch.body = writer_slice(&w);
    f->batch.body_len = (uint32_t)w.len;
    writer_init(&w, f->envelope, BODY_SIZE);
    batch_envelope_write(&w, &f->batch);
    assert_false(w.full);
    assert_true(w.len <= f->batch.body.len + BATCH_ENVELOPE_MAX);
    f->len = w.len;
}

static int make_fixture(void **state)
{
    static struct fixture f;

    f.body = malloc(BODY_SIZE);
    f.envelope = malloc(BODY_SIZE);
    *state = &f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;

    free(f->body);
    free(f->envelope);
    return 0;
}

static void events_come_back(void **state)
{
    struct fixture *f = *state;
    struct seed s = seed_start("events_come_back", 3);

    for (unsigned round = 0; round < 400; round++) {
        struct batch b;
        struct batch_error e;
        struct batch_reader r;
        struct event got;

        make_batch(f, (unsigned)seed_below(&s, EVENTS), &s);
        assert_int_equal(batch_envelope_read(slice_make(f->envelope, f->len), &b, &e), VS_OK);
        assert_memory_equal(b.vid, f->batch.vid, sizeof b.vid);
        assert_int_equal(b.epoch, f->batch.epoch);
        assert_int_equal(b.seq_next, f->batch.seq_next);
        assert_int_equal(b.sent_us, f->batch.sent_us);
        assert_int_equal(b.epoch_started_us, f->batch.epoch_started_us);
        assert_int_equal(batch_reader_init(&r, &b, b.body, &e), VS_OK);
        for (unsigned i = 0; i < f->count; i++) {
            assert_int_equal(batch_reader_next(&r, &got, &e), VS_OK);
            assert_int_equal(event_validate(&got, NULL), VS_OK);
            assert_int_equal(got.epoch, b.epoch);
            check_event(&f->ev[i], &got);
        }
        assert_int_equal(batch_reader_next(&r, &got, &e), VS_ERR_END);
        assert_int_equal(batch_reader_next(&r, &got, &e), VS_ERR_END);
    }
}

/* Reads as ingest does. The number of events that were valid; -1 when the envelope or the body as such was refused. */
static int read_all(struct slice in)
{
    struct batch b;
    struct batch_error e = {SIZE_MAX, NULL};
    struct batch_reader r;
    struct event ev;
    int valid = 0;

    if (batch_envelope_read(in, &b, &e) != VS_OK || batch_reader_init(&r, &b, b.body, &e) != VS_OK) {
        assert_true(e.byte <= in.len && e.reason != NULL);
        return -1;
    }
    for (uint32_t i = 0; i <= b.count; i++) {
        enum vs_err err = batch_reader_next(&r, &ev, &e);

        if (err == VS_ERR_END)
            return batch_reader_broken(&r) ? -1 : valid;
        assert_true(err == VS_OK || e.reason != NULL);
        assert_true(ev.seq == 0 || (ev.seq >= b.seq_base && ev.seq < b.seq_next));
        assert_true(ev.field_count <= EV_FIELDS_MAX && ev.fold_count <= EV_FOLDS_MAX);
        if (err == VS_OK && event_validate(&ev, NULL) == VS_OK)
            valid++;
        if (batch_reader_broken(&r))
            return -1;
    }
    fail_msg("more events than told");
    return -1;
}

static void every_cut_is_refused(void **state)
{
    struct fixture *f = *state;
    struct seed s = seed_start("every_cut_is_refused", 4);

    for (unsigned round = 0; round < 10; round++) {
        make_batch(f, 1 + (unsigned)seed_below(&s, 6), &s);
        for (size_t cut = 0; cut < f->len; cut++) {
            /* A copy of its own size, so that a read past the end is seen. */
            uint8_t *copy = malloc(cut + 1);

            memcpy(copy, f->envelope, cut);
            assert_int_equal(read_all(slice_make(copy, cut)), -1);
            free(copy);
        }
        f->envelope[f->len] = 0;
        assert_int_equal(read_all(slice_make(f->envelope, f->len + 1)), -1);
    }
}

static void every_flipped_bit_is_harmless(void **state)
{
    struct fixture *f = *state;
    struct seed s = seed_start("every_flipped_bit_is_harmless", 5);

    for (unsigned round = 0; round < 6; round++) {
        make_batch(f, 1 + (unsigned)seed_below(&s, 5), &s);
        for (size_t bit = 0; bit < 8 * f->len; bit++) {
            f->envelope[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(read_all(slice_make(f->envelope, f->len)) <= (int)f->count);
            f->envelope[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(read_all(slice_make(f->envelope, f->len)), f->count);
    }
}

/* One event with a fault costs that event only, and its number is told when it could be read. */
static void a_bad_event_costs_only_itself(void **state)
{
    static const struct {
        const char *name;
        uint8_t map[24];
        size_t len;
        enum vs_err err;
        uint64_t seq;
    } row[] = {
        {"sound", {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x0D, 0x61, 'P'}, 12, VS_OK, 5},
        {"no type", {0xA2, 0x21, 0x04, 0x22, 0x00}, 5, VS_ERR_MALFORMED, 5},
        {"no time", {0xA2, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04}, 7, VS_ERR_MALFORMED, 5},
        {"no number", {0xA2, 0x20, 0x19, 0x02, 0x01, 0x22, 0x00}, 7, VS_ERR_MALFORMED, 0},
        {"unknown type", {0xA3, 0x20, 0x19, 0xFF, 0xFE, 0x21, 0x04, 0x22, 0x00}, 9, VS_ERR_UNKNOWN_TYPE, 5},
        {"number not below seq_next",
         {0xA3, 0x20, 0x19, 0x02, 0x01, 0x21, 0x18, 0x64, 0x22, 0x00},
         10,
         VS_ERR_RANGE,
         0},
        {"text where a number belongs",
         {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x00, 0x61, 'x'},
         12,
         VS_ERR_MALFORMED,
         5},
        {"a key twice", {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x21, 0x05, 0x22, 0x00}, 11, VS_ERR_MALFORMED, 6},
        {"a field twice",
         {0xA5, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x0D, 0x61, 'P', 0x0D, 0x61, 'Q'},
         15,
         VS_ERR_MALFORMED,
         5},
        {"count 0", {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x24, 0x00}, 11, VS_ERR_RANGE, 5},
        {"priority 3", {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x28, 0x03}, 11, VS_ERR_RANGE, 5},
        {"trust 3", {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x29, 0x03}, 11, VS_ERR_RANGE, 5},
        {"fold before number 1",
         {0xA4, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x2A, 0x81, 0x83, 0x01, 0x29, 0x01},
         15,
         VS_ERR_RANGE,
         5},
        {"unknown keys are passed over",
         {0xA6, 0x20, 0x19, 0x02, 0x01, 0x21, 0x04, 0x22, 0x00, 0x0D, 0x61, 'P', 0x38, 0x40, 0xA0, 0x19, 0x01, 0x00,
          0xF6},
         19,
         VS_OK,
         5},
    };
    uint8_t body[128];

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct batch b = {.seq_base = 1, .seq_next = 50, .time_base_us = TIME_US, .count = 2};
        struct batch_reader r;
        struct batch_error e;
        struct event ev;
        struct writer w;

        writer_init(&w, body, sizeof body);
        batch_body_begin(&w, 2);
        writer_bytes(&w, row[i].map, row[i].len);
        writer_bytes(&w, row[0].map, row[0].len);
        assert_int_equal(batch_reader_init(&r, &b, writer_slice(&w), &e), VS_OK);
        enum vs_err err = batch_reader_next(&r, &ev, &e);
        if (err != row[i].err || ev.seq != row[i].seq)
            fail_msg("%s: code %d, number %llu", row[i].name, (int)err, (unsigned long long)ev.seq);
        assert_false(batch_reader_broken(&r));
        assert_int_equal(batch_reader_next(&r, &ev, &e), VS_OK);
        assert_int_equal(batch_reader_next(&r, &ev, &e), VS_ERR_END);
    }
}

/* Each value of the envelope at its bound and one past it. */
static void envelope_bounds(void **state)
{
    struct fixture *f = *state;
    struct batch b, got;
    struct batch_error e;
    static const struct {
        uint64_t seq_base, seq_next;
        uint32_t count, body_len;
        uint8_t encoding;
        enum vs_err err;
    } row[] = {
        {1, 1, 0, 1, BATCH_PLAIN, VS_OK},
        {0, 1, 0, 1, BATCH_PLAIN, VS_ERR_RANGE},
        {2, 1, 0, 1, BATCH_PLAIN, VS_ERR_RANGE},
        {1, INT64_MAX, 0, 1, BATCH_PLAIN, VS_OK},
        {1, UINT64_C(1) << 63, 0, 1, BATCH_PLAIN, VS_ERR_RANGE},
        {1, 1, BATCH_EVENTS_MAX, 1, BATCH_PLAIN, VS_OK},
        {1, 1, BATCH_EVENTS_MAX + 1, 1, BATCH_PLAIN, VS_ERR_RANGE},
        {1, 1, 0, 2, BATCH_PLAIN, VS_ERR_MALFORMED},
        {1, 1, 0, BATCH_BODY_MAX, BATCH_ZSTD, VS_OK},
        {1, 1, 0, BATCH_BODY_MAX + 1, BATCH_ZSTD, VS_ERR_RANGE},
        {1, 1, 0, 1, 2, VS_ERR_RANGE},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct writer w;

        b = (struct batch){.seq_base = row[i].seq_base,
                           .seq_next = row[i].seq_next,
                           .count = row[i].count,
                           .encoding = row[i].encoding,
                           .body_len = row[i].body_len,
                           .body = slice_str("\x80")};
        writer_init(&w, f->envelope, BODY_SIZE);
        batch_envelope_write(&w, &b);
        CHECK_ROW(i, batch_envelope_read(writer_slice(&w), &got, &e) == row[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flipped_bit_is_harmless),
        cmocka_unit_test(a_bad_event_costs_only_itself),
        cmocka_unit_test(envelope_bounds),
    };

    return cmocka_run_group_tests(tests, make_fixture, drop_fixture);
}
