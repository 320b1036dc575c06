/* alert_writer: an alert that grows is continued, one that changed is written again, and the database says the same
 * whichever way was taken (the case file has every event of its alert, once). */
#include <stdio.h>
#include <stdlib.h>

#include "app/alert_writer.h"
#include "check.h"
#include "seed.h"

#define MEMBERS_MAX 900
#define START_US    INT64_C(1767571200000000)

struct episode {
    struct alert_member member[MEMBERS_MAX];
    size_t count;
    uint64_t next_seq;
};

static void hand_out(void *ctx, const struct alert *al, alert_member_fn *each, void *each_ctx)
{
    const struct episode *e = ctx;

    (void)al;
    for (size_t i = 0; i < e->count && each(each_ctx, &e->member[i]); i++)
        continue;
}

static struct alert alert_of(const struct episode *e)
{
    struct alert al = {.id = {7, 1},
                       .rule = SLICE_LIT("secoc_storm"),
                       .title = SLICE_LIT("Storm"),
                       .severity = ALERT_HIGH,
                       .group_count = 1,
                       .group = {{SLICE_LIT("pdu"), SLICE_LIT("EngTorque")}},
                       .first_us = e->member[0].time_us,
                       .last_us = e->member[e->count - 1].time_us,
                       .vehicles = 3,
                       .peak = SLICE_LIT("6")};

    for (size_t i = 0; i < e->count; i++)
        al.count += e->member[i].count;
    return al;
}

static void insert(struct episode *e, size_t at, uint64_t draw)
{
    static const char *const SIGNATURE[] = {"secoc|EngTorque", "secoc|BrakePressure"};
    int64_t time_us = at == e->count ? START_US + (int64_t)e->next_seq * 1000000 : e->member[at].time_us;

    memmove(&e->member[at + 1], &e->member[at], (e->count - at) * sizeof e->member[0]);
    e->member[at] = (struct alert_member){.vid = {(uint8_t)(draw % 3)},
                                          .epoch = 1,
                                          .seq = ++e->next_seq,
                                          .time_us = time_us,
                                          .count = 1 + draw % 2,
                                          .log_offset = e->next_seq,
                                          .motion = (uint8_t)(draw % 3),
                                          .type = SLICE_LIT("secoc.verification_failed"),
                                          .signature = slice_str(SIGNATURE[draw / 8 % 2]),
                                          .model = slice_str(draw % 5 == 0 ? "M1" : "M2")};
    e->count++;
}

static void remove_one(struct episode *e, size_t at)
{
    e->count--;
    memmove(&e->member[at], &e->member[at + 1], (e->count - at) * sizeof e->member[0]);
}

static void run_sql(struct store *st, const char *sql)
{
    assert_int_equal(store_run(store_prepare(st, sql)), VS_OK);
}

/* A store that counts the member rows that are taken away. */
static struct store *new_store(void)
{
    struct store *st;
    struct store_error error;

    assert_int_equal(store_open("memory:", &st, &error), VS_OK);
    run_sql(st, "CREATE TABLE removed (vid TEXT)");
    run_sql(st, "CREATE TRIGGER counts_removed AFTER DELETE ON alert_member "
                "BEGIN INSERT INTO removed (vid) VALUES (old.vid); END");
    return st;
}

static int64_t number(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);

    assert_int_equal(store_step(q), VS_OK);
    int64_t n = store_i64(q, 0);
    store_done(q);
    return n;
}

static void put(struct store *st, struct alert_book *book, struct episode *e, int64_t now_us)
{
    const struct alert_source source = {hand_out, e};
    const struct alert_context rule = {.safety = -1};
    const struct alert al = alert_of(e);
    bool changed;

    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(alert_writer_grow(st, &source, &rule, &al, now_us, book, &changed), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
}

static void same_rows(struct store *a, struct store *b, const char *sql, int columns)
{
    struct store_stmt *qa = store_prepare(a, sql), *qb = store_prepare(b, sql);
    enum vs_err err;

    do {
        err = store_step(qa);
        assert_int_equal(store_step(qb), err);
        for (int i = 0; err == VS_OK && i < columns; i++)
            assert_true(slice_equal(store_text(qa, i), store_text(qb, i)));
    } while (err == VS_OK);
    assert_int_equal(err, VS_ERR_END);
    store_done(qa);
    store_done(qb);
}

static void the_same_database(struct store *a, struct store *b)
{
    same_rows(a, b,
              "SELECT vid, epoch, seq, time_us, count, log_partition, log_offset, type, signature, ecu, bus "
              "FROM alert_member ORDER BY alert, vid, epoch, seq",
              11);
    same_rows(a, b,
              "SELECT vid, signature, events, first_us, last_us, model, motion FROM alert_vehicle "
              "ORDER BY alert, vid, signature",
              7);
    same_rows(a, b, "SELECT id, first_us, last_us, count, revision, members_total FROM alert", 6);
}

static void an_alert_that_grows_keeps_the_rows_it_has(void **state)
{
    static struct episode e;
    struct store *st = new_store();
    struct alert_book *book;

    (void)state;
    e = (struct episode){.count = 0};
    assert_int_equal(alert_book_new(&book), VS_OK);
    for (uint64_t i = 0; i < 600; i++) {
        insert(&e, e.count, i);
        if (i % 6 == 5)
            put(st, book, &e, (int64_t)i);
    }
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member"), 600);
    assert_int_equal(number(st, "SELECT members_total FROM alert"), 600);
    assert_int_equal(number(st, "SELECT count(*) FROM removed"), 0);
    /* One in the middle changes place with another one: as many members, the same sum, the same last one. */
    remove_one(&e, 300);
    insert(&e, 300, 300);
    insert(&e, e.count, 1);
    put(st, book, &e, 1000);
    assert_int_equal(number(st, "SELECT count(*) FROM removed"), 600);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member WHERE seq = 301"), 0);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member WHERE seq = 601"), 1);
    /* A process that knows nothing yet writes all of them once. */
    alert_book_free(book);
    assert_int_equal(alert_book_new(&book), VS_OK);
    for (uint64_t i = 0; i < 3; i++) {
        insert(&e, e.count, i);
        put(st, book, &e, 2000 + (int64_t)i);
    }
    assert_int_equal(number(st, "SELECT count(*) FROM removed"), 600 + 601);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member"), 604);
    alert_book_free(book);
    store_close(st);
}

/* Random growth, late events, events that are taken back, restarts: against a twin that always writes everything. */
static void continuing_and_rewriting_end_the_same(void **state)
{
    static struct episode e;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct seed s = {seed};
        struct store *one = new_store(), *twin = new_store();
        struct alert_book *book;

        e = (struct episode){.count = 0};
        assert_int_equal(alert_book_new(&book), VS_OK);
        for (int turn = 0; turn < 40; turn++) {
            for (uint64_t n = 1 + seed_next(&s) % 20; n > 0; n--)
                insert(&e, e.count, seed_next(&s));
            if (seed_next(&s) % 4 == 0)
                insert(&e, seed_next(&s) % e.count, seed_next(&s));
            if (seed_next(&s) % 8 == 0 && e.count > 1)
                remove_one(&e, seed_next(&s) % e.count);
            if (seed_next(&s) % 10 == 0) {
                alert_book_free(book);
                assert_int_equal(alert_book_new(&book), VS_OK);
            }
            put(one, book, &e, turn);
            put(twin, NULL, &e, turn);
            the_same_database(one, twin);
        }
        assert_true(number(one, "SELECT count(*) FROM removed") < number(twin, "SELECT count(*) FROM removed"));
        alert_book_free(book);
        store_close(one);
        store_close(twin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_that_grows_keeps_the_rows_it_has),
        cmocka_unit_test(continuing_and_rewriting_end_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
