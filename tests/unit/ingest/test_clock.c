/* What is thought of a vehicle's clock. R-129. */
#include "check.h"

#include "ingest/clock.h"

#define S      INT64_C(1000000)
#define MIN_US (60 * S)
#define NOW    INT64_C(1780000000000000)

static const struct clock_limits LIMITS = {5 * MIN_US, 60 * MIN_US, 5 * MIN_US, INT64_C(1262304000000000)};

static void test_verdicts(void **state)
{
    static const struct {
        int64_t sent, before, shift;
        uint8_t trust;
    } ROW[] = {
        {NOW, CLOCK_UNKNOWN, 0, EV_TRUST_TRUSTED},
        {NOW - 5 * MIN_US, CLOCK_UNKNOWN, 0, EV_TRUST_TRUSTED},
        {NOW + 5 * MIN_US, CLOCK_UNKNOWN, 0, EV_TRUST_TRUSTED},
        {NOW - 5 * MIN_US - 1, CLOCK_UNKNOWN, 5 * MIN_US + 1, EV_TRUST_REPAIRED},
        {NOW + 5 * MIN_US + 1, CLOCK_UNKNOWN, -5 * MIN_US - 1, EV_TRUST_REPAIRED},
        {NOW - 7200 * S, 7100 * S, 7200 * S, EV_TRUST_REPAIRED},
        {NOW - 7200 * S, 7200 * S + 60 * MIN_US, 7200 * S, EV_TRUST_REPAIRED},
        {NOW - 7200 * S, 7200 * S + 60 * MIN_US + 1, 7200 * S, EV_TRUST_SUSPECT},
        {NOW - 7200 * S, 0, 7200 * S, EV_TRUST_SUSPECT},
        {NOW, 7200 * S, 0, EV_TRUST_TRUSTED},                     /* the clock was set right in between */
        {12 * S, CLOCK_UNKNOWN, NOW - 12 * S, EV_TRUST_REPAIRED}, /* never set, but it counts */
        {0, CLOCK_UNKNOWN, 0, EV_TRUST_TRUSTED},                  /* not told */
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        struct clock_verdict v = clock_judge(&LIMITS, NOW, ROW[i].sent, ROW[i].before);

        CHECK_ROW(i, v.shift_us == ROW[i].shift);
        CHECK_ROW(i, v.trust == ROW[i].trust);
        CHECK_ROW(i, v.offset_us == (ROW[i].sent == 0 ? CLOCK_UNKNOWN : NOW - ROW[i].sent));
    }
}

static void test_applied_to_events(void **state)
{
    static const struct {
        int64_t sent, first, last;
        uint8_t trust;
        bool taken;
        int64_t want_first, want_last;
        uint8_t want_trust;
    } ROW[] = {
        {NOW, NOW - 10 * S, NOW - 5 * S, EV_TRUST_TRUSTED, true, NOW - 10 * S, NOW - 5 * S, EV_TRUST_TRUSTED},
        {NOW, NOW - 10 * S, NOW - 5 * S, EV_TRUST_SUSPECT, true, NOW - 10 * S, NOW - 5 * S, EV_TRUST_SUSPECT},
        /* three weeks late is not wrong */
        {NOW, NOW - 21 * 86400 * S, NOW - 21 * 86400 * S, 0, true, NOW - 21 * 86400 * S, NOW - 21 * 86400 * S, 0},
        {NOW, NOW + 5 * MIN_US, NOW + 5 * MIN_US, 0, true, NOW + 5 * MIN_US, NOW + 5 * MIN_US, 0},
        {NOW, NOW, NOW + 5 * MIN_US + 1, 0, false, 0, 0, 0},
        {NOW - 7200 * S, NOW - 7210 * S, NOW - 7205 * S, 0, true, NOW - 10 * S, NOW - 5 * S, EV_TRUST_REPAIRED},
        {NOW + 7200 * S, NOW + 7190 * S, NOW + 7195 * S, 0, true, NOW - 10 * S, NOW - 5 * S, EV_TRUST_REPAIRED},
        {NOW + 7200 * S, NOW + 7200 * S + 6 * MIN_US, NOW + 7200 * S + 6 * MIN_US, 0, false, 0, 0, 0},
        /* before any gateway of ours existed: its clock was set only later */
        {NOW, 5 * S, 6 * S, 0, true, NOW, NOW, EV_TRUST_SUSPECT},
        {12 * S, 5 * S, 6 * S, 0, true, NOW - 7 * S, NOW - 6 * S, EV_TRUST_REPAIRED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        struct clock_verdict v = clock_judge(&LIMITS, NOW, ROW[i].sent, CLOCK_UNKNOWN);
        struct event ev = {.first_us = ROW[i].first, .last_us = ROW[i].last, .trust = ROW[i].trust};

        CHECK_ROW(i, clock_apply(&LIMITS, &v, NOW, &ev) == ROW[i].taken);
        if (!ROW[i].taken) {
            CHECK_ROW(i, ev.first_us == ROW[i].first && ev.last_us == ROW[i].last && ev.trust == ROW[i].trust);
            continue;
        }
        CHECK_ROW(i, ev.first_us == ROW[i].want_first);
        CHECK_ROW(i, ev.last_us == ROW[i].want_last);
        CHECK_ROW(i, ev.trust == ROW[i].want_trust);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts), cmocka_unit_test(test_applied_to_events)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
