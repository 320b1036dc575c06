/* A vehicle's page reads from the log what was written to it, newest first, each event once, page after page. */
#include "check.h"

#include <stdlib.h>

#include "batch_maker.h"
#include "ingest/history.h"
#include "seed.h"
#include "temp_dir.h"

#define S       INT64_C(1000000)
#define NOW     INT64_C(1780000000000000)
#define CARS    4
#define UPLOADS 120
#define EVENTS  2000

struct truth {
    int64_t time[CARS][EVENTS]; /* by number */
    uint64_t next[CARS];
};

static void upload(struct stream *s, struct batch_maker *m, int64_t received_us)
{
    struct stream_record rec = batch_maker_record(m, received_us);
    uint64_t offset;

    assert_int_equal(stream_append(s, &rec, &offset), VS_OK);
}

/* Batches of random cars with late events; every third one comes twice. */
static void fill(struct stream *s, struct seed *seed, struct truth *t)
{
    struct batch_maker *m = calloc(1, sizeof *m);

    for (unsigned i = 0; i < UPLOADS; i++) {
        uint32_t car = (uint32_t)seed_below(seed, CARS);
        int64_t received = NOW + (int64_t)i * 60 * S;

        batch_maker_begin(m, car, 1, received);
        for (unsigned k = 0; k < 10; k++) {
            uint64_t seq = ++t->next[car];

            t->time[car][seq] = received - (int64_t)seed_below(seed, 3 * 3600) * S;
            batch_maker_add(m, seq, t->time[car][seq])->ecu = slice_str("GW");
        }
        upload(s, m, received);
        if (i % 3 == 0)
            upload(s, m, received + S);
        if (i % 5 == 0)
            assert_int_equal(stream_sync(s), VS_OK);
    }
    assert_int_equal(stream_sync(s), VS_OK);
    free(m);
}

struct pages {
    const struct truth *t;
    uint32_t car;
    int64_t last_us;
    bool seen[EVENTS];
    uint64_t count;
};

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct pages *p = ctx;

    (void)no;
    assert_int_equal(ev->vid[15], p->car);
    assert_int_equal(ev->first_us, p->t->time[p->car][ev->seq]);
    assert_true(ev->first_us <= p->last_us);
    assert_false(p->seen[ev->seq]);
    check_slice(ev->ecu, "GW");
    check_slice(event_get(ev, EV_F_PDU)->value.s, "EngTorque");
    p->seen[ev->seq] = true;
    p->last_us = ev->first_us;
    p->count++;
}

static bool odd(const struct event *ev, void *ctx)
{
    (void)ctx;
    return ev->seq % 2 == 1;
}

static void read_car(struct stream *s, const struct truth *t, uint32_t car, int64_t from_us, int64_t to_us,
                     uint32_t limit, bool odd_only)
{
    struct history_query q = {
        .vid = {[EV_VID_SIZE - 1] = (uint8_t)car}, .from_us = from_us, .to_us = to_us, .limit = limit};
    struct pages *p = calloc(1, sizeof *p);
    struct history_result r;
    uint64_t want = 0;

    p->t = t;
    p->car = car;
    p->last_us = INT64_MAX;
    q.want = odd_only ? odd : NULL;
    for (uint64_t seq = 1; seq <= t->next[car]; seq++)
        want += t->time[car][seq] >= from_us && t->time[car][seq] < to_us && (!odd_only || seq % 2 == 1);
    do {
        assert_int_equal(history_page(s, NULL, &q, on_event, p, &r), VS_OK);
        assert_int_equal(r.total, want);
        assert_true(r.count <= limit && (r.count == limit || !r.more));
        assert_int_equal(r.damaged, 0);
        q.has_before = true;
        q.before = r.last;
    } while (r.more);
    assert_int_equal(p->count, want);
    free(p);
}

static void on_address(const char *address)
{
    struct seed seed = seed_start("history", 5);
    struct truth *t = calloc(1, sizeof *t);
    struct stream_error error;
    struct stream *s;

    assert_int_equal(stream_open(address, true, &s, &error), VS_OK);
    fill(s, &seed, t);
    for (uint32_t car = 0; car < CARS; car++) {
        read_car(s, t, car, 0, INT64_MAX, 7, false);
        read_car(s, t, car, 0, INT64_MAX, 1000, true);
        read_car(s, t, car, NOW + 1800 * S, NOW + 5400 * S, 13, false);
        read_car(s, t, car, NOW + 1000000 * S, INT64_MAX, 10, false);
    }
    struct history_query q = {.vid = {1}, .to_us = INT64_MAX, .limit = 5};
    struct history_result r;
    assert_int_equal(history_page(s, NULL, &q, on_event, NULL, &r), VS_OK);
    assert_int_equal(r.total, 0);
    stream_close(s);
    free(t);
}

static void test_in_memory(void **state)
{
    (void)state;
    on_address("memory:?partitions=3");
}

static void test_in_segments(void **state)
{
    struct temp_dir dir = temp_dir_make();
    char address[128];

    (void)state;
    snprintf(address, sizeof address, "segment:%s/log?partitions=2&segment_bytes=4096", dir.path);
    on_address(address);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_memory), cmocka_unit_test(test_in_segments)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
