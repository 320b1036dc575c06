/* folds, qualify and prioritise by themselves: runs against a naive twin, each filter's rule, windows and budgets. */
#include "check.h"

#include "gateway/folds.h"
#include "gateway/prioritise.h"
#include "gateway/qualify.h"
#include "seed.h"

#define NUMBERS 64u

/* Random runs into folds and into a bitmap: the same set, or a refusal that changes nothing. */
static void folds_are_a_set_of_numbers(void **state)
{
    struct seed s = seed_start("folds_are_a_set_of_numbers", 10);

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct folds f = {0};
        uint64_t want = 0, got = 0;

        for (unsigned i = 0; i < 20; i++) {
            uint64_t first = 1 + seed_below(&s, NUMBERS - 4);
            uint32_t count = 1 + (uint32_t)seed_below(&s, 3);
            uint64_t bits = ((UINT64_C(1) << count) - 1) << (first - 1);

            if ((want & bits) != 0)
                continue;
            if (folds_add(&f, (struct ev_fold){.seq_first = first, .count = count, .filter = EV_FILTER_RATE}))
                want |= bits;
            else
                assert_int_equal(f.count, EV_FOLDS_MAX);
        }
        for (unsigned i = 0; i < f.count; i++)
            got |= ((f.run[i].count == 64 ? 0 : UINT64_C(1) << f.run[i].count) - 1) << (f.run[i].seq_first - 1);
        assert_true(got == want);
        assert_int_equal(folds_total(&f), __builtin_popcountll(want));
    }
}

static void neighbours_join_and_filters_do_not_mix(void **state)
{
    struct folds f = {0};

    (void)state;
    assert_true(folds_add(&f, (struct ev_fold){10, 5, EV_FILTER_RATE}));
    assert_true(folds_add(&f, (struct ev_fold){20, 5, EV_FILTER_RATE}));
    assert_true(folds_add(&f, (struct ev_fold){15, 5, EV_FILTER_RATE}));
    assert_int_equal(f.count, 1);
    assert_int_equal(f.run[0].count, 15);
    assert_true(folds_add(&f, (struct ev_fold){9, 1, EV_FILTER_RATE}));
    assert_int_equal(f.run[0].seq_first, 9);
    assert_true(folds_add(&f, (struct ev_fold){25, 1, EV_FILTER_TRAFFIC}));
    assert_int_equal(f.count, 2);
    f.run[0].count = UINT32_MAX;
    assert_true(folds_add(&f, (struct ev_fold){9 + (uint64_t)UINT32_MAX, 1, EV_FILTER_RATE}));
    assert_int_equal(f.count, 3);
}

static void rules_that_cannot_work_are_refused(void **state)
{
    static const struct {
        struct qualify_rule rule;
        enum vs_err err;
    } row[] = {
        {{.type = 0}, VS_OK},
        {{.type = EV_HOST_AUDIT, .sample_every = 5, .threshold = 2, .threshold_ms = 1}, VS_OK},
        {{.type = 0xFFFF}, VS_ERR_CONFIG},
        {{.mode = 9}, VS_ERR_CONFIG},
        {{.sample_every = 5}, VS_ERR_CONFIG},
        {{.threshold = 5, .threshold_ms = 1}, VS_ERR_CONFIG},
        {{.type = EV_HOST_AUDIT, .threshold = 5}, VS_ERR_CONFIG},
    };
    const struct qualify_limits limits = {0};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct qualify q;
        struct qualify_state st;

        CHECK_ROW(i, qualify_init(&q, &row[i].rule, &st, 1, &limits) == row[i].err);
    }
}

static void the_first_rule_that_matches_counts(void **state)
{
    const struct qualify_rule rule[] = {{.type = EV_HOST_AUDIT, .ecu = SLICE_LIT("A")},
                                        {.type = EV_HOST_AUDIT, .sensor = SLICE_LIT("s")},
                                        {.type = EV_HOST_AUDIT}};
    const struct qualify_limits limits = {0};
    struct qualify_state st[3];
    struct qualify q;
    struct event ev;

    (void)state;
    assert_int_equal(qualify_init(&q, rule, st, 3, &limits), VS_OK);
    event_init(&ev, EV_HOST_AUDIT, 0);
    assert_int_equal(qualify_rule_for(&q, &ev), 2);
    ev.sensor = slice_str("s");
    assert_int_equal(qualify_rule_for(&q, &ev), 1);
    ev.ecu = slice_str("A");
    assert_int_equal(qualify_rule_for(&q, &ev), 0);
    event_init(&ev, EV_SECOC_VERIFICATION_FAILED, 0);
    assert_true(qualify_rule_at(&q, qualify_rule_for(&q, &ev))->lead);
}

/* AUTOSAR: brief takes the context away, and what identifies the event stays. */
static void brief_keeps_what_identifies(void **state)
{
    const struct qualify_rule rule = {.type = EV_CAN_SIGNAL_OUT_OF_RANGE, .mode = QUALIFY_BRIEF};
    const struct qualify_limits limits = {0};
    struct qualify_state st;
    struct qualify q;
    struct event ev;

    (void)state;
    assert_int_equal(qualify_init(&q, &rule, &st, 1, &limits), VS_OK);
    event_init(&ev, EV_CAN_SIGNAL_OUT_OF_RANGE, 0);
    event_set_uint(&ev, EV_F_CAN_ID, 1);
    event_set_text(&ev, EV_F_SIGNAL, slice_str("S"));
    event_set_int(&ev, EV_F_VALUE, 2);
    event_set_int(&ev, EV_F_LIMIT_MAX, 1);
    event_set_text(&ev, EV_F_DETECTOR, slice_str("d"));
    assert_int_equal(qualify_before(&q, 0, &ev), 0);
    assert_int_equal(ev.field_count, 3);
    assert_non_null(event_get(&ev, EV_F_CAN_ID));
    assert_non_null(event_get(&ev, EV_F_SIGNAL));
    assert_int_equal(event_validate(&ev, NULL), VS_OK);
}

/* Sampling counts occurrences, not events: an event that stands for many passes when one of the n-th is in it. */
static void sampling_counts_occurrences(void **state)
{
    const struct qualify_rule rule = {.type = EV_HOST_AUDIT, .sample_every = 4};
    const struct qualify_limits limits = {0};
    struct qualify_state st;
    struct qualify q;
    struct event ev;
    static const struct {
        uint32_t count;
        bool passes;
    } row[] = {{1, true}, {1, false}, {2, false}, {1, true}, {3, false}, {2, true}, {2, false}, {5, true}, {100, true}};

    (void)state;
    assert_int_equal(qualify_init(&q, &rule, &st, 1, &limits), VS_OK);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        event_init(&ev, EV_HOST_AUDIT, 0);
        ev.count = row[i].count;
        CHECK_ROW(i, (qualify_before(&q, 0, &ev) == 0) == row[i].passes);
    }
}

static void thresholds_start_over_with_their_window(void **state)
{
    const struct qualify_rule rule = {.type = EV_HOST_AUDIT, .threshold = 3, .threshold_ms = 1000};
    const struct qualify_limits limits = {.window_ms = 1000, .bytes_max = 250};
    struct qualify_state st;
    struct qualify q;
    struct event ev;

    (void)state;
    assert_int_equal(qualify_init(&q, &rule, &st, 1, &limits), VS_OK);
    event_init(&ev, EV_HOST_AUDIT, 0);
    for (int64_t window = 1; window < 4; window++) {
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000), EV_FILTER_THRESHOLD);
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000 + 1), EV_FILTER_THRESHOLD);
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000 + 2), 0);
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000 + 3), 0);
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000 + 4), EV_FILTER_TRAFFIC);
        ev.priority = EV_PRIORITY_CRITICAL;
        assert_int_equal(qualify_after(&q, 0, &ev, 100, window * 1000000 + 5), 0);
        ev.priority = EV_PRIORITY_LOW;
    }
}

static void who_may_go_on_which_link(void **state)
{
    static const struct {
        enum bearer bearer;
        bool low_on_metered, window_open, low, medium, critical;
    } row[] = {
        {BEARER_NONE, true, true, false, false, false},       {BEARER_METERED, false, false, false, false, true},
        {BEARER_METERED, false, true, false, true, true},     {BEARER_METERED, true, false, false, false, true},
        {BEARER_METERED, true, true, true, true, true},       {BEARER_FREE, false, false, true, true, true},
        {BEARER_MAINTENANCE, false, false, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct prioritise_config cfg = {.window_period_s = 60, .low_on_metered = row[i].low_on_metered};
        struct prioritise p;

        prioritise_init(&p, &cfg);
        p.bearer = (uint8_t)row[i].bearer;
        prioritise_tick(&p, 10, 1000000);
        if (row[i].window_open)
            prioritise_tick(&p, 10, 60000000);
        CHECK_ROW(i, prioritise_allows(&p, EV_PRIORITY_LOW, 5) == row[i].low);
        CHECK_ROW(i, prioritise_allows(&p, EV_PRIORITY_MEDIUM, 5) == row[i].medium);
        CHECK_ROW(i, prioritise_allows(&p, EV_PRIORITY_CRITICAL, 5) == row[i].critical);
        /* What was numbered after the window opened waits for the next one. */
        CHECK_ROW(i,
                  prioritise_allows(&p, EV_PRIORITY_MEDIUM, 10) == (row[i].medium && row[i].bearer != BEARER_METERED));
    }
}

static void budget_holds_back_until_its_period_is_over(void **state)
{
    const struct prioritise_config cfg = {.budget_bytes = 1000, .budget_period_s = 60};
    struct prioritise p;

    (void)state;
    prioritise_init(&p, &cfg);
    p.bearer = BEARER_METERED;
    prioritise_tick(&p, 1, 1000000);
    prioritise_spent(&p, 999);
    assert_true(prioritise_allows(&p, EV_PRIORITY_MEDIUM, 0));
    prioritise_spent(&p, 1);
    assert_false(prioritise_allows(&p, EV_PRIORITY_MEDIUM, 0));
    assert_true(prioritise_allows(&p, EV_PRIORITY_CRITICAL, 0));
    assert_int_equal(p.budget_hit_count, 1);
    prioritise_tick(&p, 1, 60000000);
    assert_true(prioritise_allows(&p, EV_PRIORITY_MEDIUM, 0));
    p.bearer = BEARER_FREE;
    prioritise_spent(&p, 5000);
    p.bearer = BEARER_METERED;
    assert_true(prioritise_allows(&p, EV_PRIORITY_MEDIUM, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_a_set_of_numbers),
        cmocka_unit_test(neighbours_join_and_filters_do_not_mix),
        cmocka_unit_test(rules_that_cannot_work_are_refused),
        cmocka_unit_test(the_first_rule_that_matches_counts),
        cmocka_unit_test(brief_keeps_what_identifies),
        cmocka_unit_test(sampling_counts_occurrences),
        cmocka_unit_test(thresholds_start_over_with_their_window),
        cmocka_unit_test(who_may_go_on_which_link),
        cmocka_unit_test(budget_holds_back_until_its_period_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
