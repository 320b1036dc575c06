/* Priority terms and clocks: what they add up to at their limits. */
#include <string.h>

#include "check.h"
#include "respond/rank.h"
#include "respond/sla.h"
#include "store/alert_store.h"

#define HOUR INT64_C(3600000000)

static int32_t rank(struct rank_input in)
{
    struct rank_term term[RANK_TERMS];
    int32_t sum = rank_terms(&in, term), again = 0;

    for (int i = 0; i < RANK_TERMS; i++) {
        assert_true(term[i].points >= 0 && term[i].text[0] != '\0');
        again += term[i].points;
    }
    assert_int_equal(sum, again);
    return sum;
}

static void the_sum_stays_within_its_range(void **state)
{
    struct rank_input all = {.severity = ALERT_CRITICAL,
                             .safety = 3,
                             .motion = ALERT_MOTION_MOVING,
                             .vehicles = 1000000,
                             .vehicles_48h = 1000000,
                             .rules = 5};
    struct rank_input least = {.severity = ALERT_INFO,
                               .safety = 0,
                               .motion = ALERT_MOTION_PARKED,
                               .vehicles = 1,
                               .vehicles_48h = 1,
                               .all_retracted = true};

    (void)state;
    assert_int_equal(rank(all), 10000);
    assert_int_equal(rank(least), 700);
}

static void what_is_unknown_is_never_harmless(void **state)
{
    struct rank_input known = {.severity = ALERT_HIGH,
                               .safety = 0,
                               .motion = ALERT_MOTION_PARKED,
                               .vehicles = 1,
                               .vehicles_48h = 1,
                               .rules = 1};
    struct rank_input unknown = known;

    (void)state;
    unknown.safety = -1;
    assert_true(rank(unknown) > rank(known));
    unknown.safety = 0;
    unknown.motion = ALERT_MOTION_UNKNOWN;
    assert_true(rank(unknown) > rank(known));
}

static void more_is_never_less(void **state)
{
    struct rank_input in = {.severity = ALERT_LOW,
                            .safety = 1,
                            .motion = ALERT_MOTION_UNKNOWN,
                            .vehicles = 1,
                            .vehicles_48h = 1,
                            .rules = 1};
    int32_t before = 0;

    (void)state;
    for (int64_t n = 1; n < 200; n++) {
        in.vehicles_48h = n;
        assert_true(rank(in) >= before);
        before = rank(in);
    }
    assert_true(before >= 4000);
}

static void clocks_run_to_their_targets(void **state)
{
    struct sla_input in = {.severity = ALERT_CRITICAL, .malicious = true, .first_us = HOUR, .opened_us = 2 * HOUR};
    struct sla_reading r;

    (void)state;
    sla_read(&in, SLA_ACKNOWLEDGE, 2 * HOUR, &r);
    assert_int_equal(r.due_us, 3 * HOUR);
    assert_int_equal(r.state, SLA_RUNNING);
    sla_read(&in, SLA_ACKNOWLEDGE, 3 * HOUR - HOUR / 8, &r);
    assert_int_equal(r.state, SLA_DUE_SOON);
    sla_read(&in, SLA_ACKNOWLEDGE, 3 * HOUR, &r);
    assert_int_equal(r.state, SLA_DUE_SOON);
    sla_read(&in, SLA_ACKNOWLEDGE, 3 * HOUR + 1, &r);
    assert_int_equal(r.state, SLA_BREACHED);
    in.ack_us = 3 * HOUR;
    sla_read(&in, SLA_ACKNOWLEDGE, 99 * HOUR, &r);
    assert_int_equal(r.state, SLA_MET);
    in.ack_us = 3 * HOUR + 1;
    sla_read(&in, SLA_ACKNOWLEDGE, 99 * HOUR, &r);
    assert_int_equal(r.state, SLA_BREACHED);
    sla_read(&in, SLA_CONTAIN, 3 * HOUR, &r); /* 72 h for critical, as buyers ask */
    assert_int_equal(r.due_us, 74 * HOUR);
    sla_read(&in, SLA_DETECT, 3 * HOUR, &r);
    assert_int_equal(r.state, SLA_NONE);
    assert_int_equal(r.started_us, HOUR);
    assert_int_equal(r.stopped_us, 2 * HOUR);
}

static void the_high_target_for_noticing_is_a_day(void **state)
{
    struct sla_input in = {.severity = ALERT_HIGH, .opened_us = HOUR};
    struct sla_reading r;

    (void)state;
    assert_true(sla_next(&in, HOUR, &r)); /* */
    assert_int_equal(r.clock, SLA_ACKNOWLEDGE);
    assert_int_equal(r.due_us, 25 * HOUR);
}

static void what_is_no_attack_is_not_contained(void **state)
{
    struct sla_input in = {.severity = ALERT_CRITICAL, .opened_us = HOUR, .ack_us = HOUR, .triaged_us = HOUR};
    struct sla_reading r;

    (void)state;
    assert_false(sla_next(&in, 2 * HOUR, &r));
    in.malicious = true;
    assert_true(sla_next(&in, 2 * HOUR, &r));
    assert_int_equal(r.clock, SLA_CONTAIN);
    in.closed_us = 3 * HOUR;
    assert_false(sla_next(&in, 4 * HOUR, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_stays_within_its_range),
        cmocka_unit_test(what_is_unknown_is_never_harmless),
        cmocka_unit_test(more_is_never_less),
        cmocka_unit_test(clocks_run_to_their_targets),
        cmocka_unit_test(the_high_target_for_noticing_is_a_day),
        cmocka_unit_test(what_is_no_attack_is_not_contained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
