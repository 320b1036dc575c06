/* The sets behind deduplication and the ledger, against arrays of flags. R-097. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/ledger.h"
#include "ingest/seq_set.h"
#include "seed.h"

#define NUMBERS 2000 /* too few for SEQ_GAPS_MAX gaps */

static void test_in_order_needs_no_heap(void **state)
{
    struct seq_set s = {0};

    (void)state;
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(seq_set_add(&s, i), SEQ_NEW);
    for (uint64_t i = 1001; i <= 1200; i += 2) {
        assert_int_equal(seq_set_add(&s, i + 1), SEQ_NEW);
        assert_int_equal(seq_set_add(&s, i), SEQ_NEW);
    }
    assert_int_equal(s.low, 1200);
    assert_null(s.ahead);
    assert_int_equal(seq_set_add(&s, 1), SEQ_THERE);
    assert_int_equal(seq_set_add(&s, 1200), SEQ_THERE);
}

/* Runs over all numbers must agree with the flags, and cover everything without gaps. */
static void check_runs(const struct seq_set *s, const bool *there)
{
    uint64_t at = 1, count = 0;

    while (at < NUMBERS) {
        uint64_t until;
        bool is = seq_set_run(s, at, &until);

        assert_true(until >= at);
        for (uint64_t i = at; i <= until && i < NUMBERS; i++) {
            assert_int_equal(there[i], is);
            count += is;
        }
        at = until < NUMBERS ? until + 1 : NUMBERS;
    }
    assert_int_equal(seq_set_count(s), count);
}

static void random_set(struct seed *seed, uint64_t spread, uint64_t adds)
{
    struct seq_set s = {0};
    bool *there = calloc(NUMBERS, sizeof *there);
    uint64_t middle = 1;

    for (uint64_t i = 0; i < adds; i++) {
        uint64_t from = middle > spread ? middle - spread : 1;
        uint64_t seq = from + seed_below(seed, 2 * spread);

        middle += seed_below(seed, 3);
        if (seq >= NUMBERS)
            break;
        assert_int_equal(seq_set_look(&s, seq), there[seq] ? SEQ_THERE : SEQ_NEW);
        assert_int_equal(seq_set_add(&s, seq), there[seq] ? SEQ_THERE : SEQ_NEW);
        there[seq] = true;
        if (i % 97 == 0)
            check_runs(&s, there);
    }
    check_runs(&s, there);
    /* Then everything that is left, in random order: no gap may be left over. */
    for (uint64_t left = 0; left < NUMBERS * 3; left++) {
        uint64_t seq = 1 + seed_below(seed, NUMBERS - 1);
        assert_int_equal(seq_set_add(&s, seq), there[seq] ? SEQ_THERE : SEQ_NEW);
        there[seq] = true;
    }
    for (uint64_t seq = 1; seq < NUMBERS; seq++)
        assert_int_equal(seq_set_add(&s, seq), there[seq] ? SEQ_THERE : SEQ_NEW);
    assert_int_equal(s.low, NUMBERS - 1);
    seq_set_done(&s);
    free(there);
}

static void test_agrees_with_flags(void **state)
{
    struct seed seed = seed_start("seq_set", 42);

    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        random_set(&seed, 5, 3000);
        random_set(&seed, 70, 3000);
        random_set(&seed, 400, 2000);
    }
}

/* More gaps than are kept: the lowest are closed, their numbers are neither taken nor forgotten silently. */
static void test_gaps_are_bounded(void **state)
{
    struct seq_set s = {0};
    uint64_t last = 1;

    (void)state;
    for (uint64_t i = 0; i < SEQ_GAPS_MAX + 500; i++) {
        last = 100 + i * 200;
        assert_int_equal(seq_set_add(&s, last), SEQ_NEW);
    }
    assert_true(s.ahead->closed_gaps > 0);
    assert_true(s.ahead->set.count <= SEQ_GAPS_MAX);
    assert_int_equal(seq_set_count(&s), SEQ_GAPS_MAX + 500);
    assert_int_equal(seq_set_add(&s, 50), SEQ_CLOSED);
    assert_int_equal(seq_set_add(&s, last), SEQ_THERE);
    assert_int_equal(seq_set_add(&s, last - 1), SEQ_NEW);
    struct ledger_sets sets = {last, &s, NULL, NULL};
    struct ledger l = {0};
    ledger_count(&sets, &l, NULL, NULL);
    assert_int_equal(l.stored, SEQ_GAPS_MAX + 501);
    assert_int_equal(l.missing, last - (SEQ_GAPS_MAX + 501));
    seq_set_done(&s);
}

static void test_span_set_agrees_with_flags(void **state)
{
    struct seed seed = seed_start("span_set", 43);
    struct span_set s = {0};
    bool there[1000] = {false};

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t first = 1 + seed_below(&seed, 990), last = first + seed_below(&seed, 9), fresh = 0, want = 0;

        if (i % 300 == 299) {
            span_set_done(&s);
            memset(there, 0, sizeof there);
        }
        for (uint64_t n = first; n <= last; n++) {
            want += !there[n];
            there[n] = true;
        }
        assert_int_equal(span_set_add(&s, first, last, 1000, &fresh), VS_OK);
        assert_int_equal(fresh, want);
        uint64_t count = 0;
        for (uint64_t n = 1; n < 1000; n++) {
            assert_int_equal(span_set_has(&s, n), there[n]);
            count += there[n];
        }
        assert_int_equal(span_set_count(&s), count);
        for (uint32_t n = 0; n + 1 < s.count; n++)
            assert_true(s.span[n].last + 1 < s.span[n + 1].first);
    }
    span_set_done(&s);
}

static void test_span_set_tells_its_bound(void **state)
{
    struct span_set s = {0};

    (void)state;
    assert_int_equal(span_set_add(&s, 10, 10, 2, NULL), VS_OK);
    assert_int_equal(span_set_add(&s, 20, 20, 2, NULL), VS_OK);
    assert_int_equal(span_set_add(&s, 30, 30, 2, NULL), VS_ERR_LIMIT);
    assert_false(span_set_has(&s, 30));
    assert_int_equal(span_set_add(&s, 11, 19, 2, NULL), VS_OK);
    assert_int_equal(s.count, 1);
    span_set_done(&s);
}

struct gaps {
    uint64_t first[100], last[100];
    unsigned count;
};

static void note_gap(uint64_t first, uint64_t last, void *ctx)
{
    struct gaps *g = ctx;

    g->first[g->count] = first;
    g->last[g->count++] = last;
}

/* A number counts as the first of stored, merged, dead-lettered that applies. */
static void test_ledger_counts_each_number_once(void **state)
{
    struct seq_set stored = {0};
    struct span_set merged = {0}, dead = {0};
    struct gaps g = {.count = 0};
    struct ledger l = {.duplicates = 7};

    (void)state;
    for (uint64_t i = 1; i <= 10; i++)
        assert_int_equal(seq_set_add(&stored, i), SEQ_NEW);
    assert_int_equal(seq_set_add(&stored, 15), SEQ_NEW);
    assert_int_equal(span_set_add(&merged, 9, 12, 9, NULL), VS_OK);
    assert_int_equal(span_set_add(&dead, 12, 13, 9, NULL), VS_OK);
    assert_int_equal(span_set_add(&dead, 90, 99, 9, NULL), VS_OK); /* beyond what was produced: not counted */
    struct ledger_sets sets = {20, &stored, &merged, &dead};
    ledger_count(&sets, &l, note_gap, &g);
    assert_int_equal(l.produced, 20);
    assert_int_equal(l.stored, 11);
    assert_int_equal(l.merged, 2);
    assert_int_equal(l.dead_lettered, 1);
    assert_int_equal(l.missing, 6);
    assert_int_equal(l.duplicates, 7);
    assert_true(ledger_balanced(&l));
    assert_int_equal(g.count, 2);
    assert_int_equal(g.first[0], 14);
    assert_int_equal(g.last[0], 14);
    assert_int_equal(g.first[1], 16);
    assert_int_equal(g.last[1], 20);
    seq_set_done(&stored);
    span_set_done(&merged);
    span_set_done(&dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_needs_no_heap),   cmocka_unit_test(test_agrees_with_flags),
        cmocka_unit_test(test_gaps_are_bounded),         cmocka_unit_test(test_span_set_agrees_with_flags),
        cmocka_unit_test(test_span_set_tells_its_bound), cmocka_unit_test(test_ledger_counts_each_number_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
