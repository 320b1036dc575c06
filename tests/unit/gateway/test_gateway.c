/* gateway: the whole of layer 2 on one small flash.. */
#include "check.h"

#include <stdio.h>

#include "rig.h"

static int setup(void **state)
{
    static struct rig r;

    rig_init(&r, RIG_BLOCKS);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    rig_done(*state);
    return 0;
}

static void report(struct rig *r, const struct event *ev)
{
    assert_int_equal(gateway_report(&r->gw, ev, r->now_us), VS_OK);
}

static void tick_to(struct rig *r, int64_t now_us)
{
    r->now_us = now_us;
    assert_int_equal(gateway_tick(&r->gw, now_us), VS_OK);
}

/* 1,000 identical events are one record with count 1,000 and their first and last time. */
static void thousand_identical_events_are_one_record(void **state)
{
    struct rig *r = *state;
    struct event ev;

    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 1000; i++) {
        make_can_event(&ev, RIG_START_US + i * 1000, 7);
        report(r, &ev);
    }
    gateway_link(&r->gw, BEARER_FREE);
    assert_int_equal(gateway_due(&r->gw), 0);
    tick_to(r, RIG_START_US + 60 * INT64_C(1000000));
    assert_int_equal(gateway_due(&r->gw), 1);
    rig_finish(r);
    assert_int_equal(r->ledger.events, 1);
    assert_int_equal(r->ledger.count_total, 1000);
    assert_int_equal(r->ledger.by_filter[EV_FILTER_AGGREGATION], 999);
    assert_int_equal(r->ledger.seq_next, 1001);
    ledger_check_complete(&r->ledger);
}

static void an_aggregate_tells_first_and_last(void **state)
{
    struct rig *r = *state;
    struct event ev;
    struct outbox_cache cache = {.block = OUTBOX_STAGED};

    assert_int_equal(rig_start(r), VS_OK);
    const int64_t times[] = {50, 10, 90, 70};
    for (unsigned i = 0; i < 4; i++) {
        make_can_event(&ev, RIG_START_US + times[i], 7);
        ev.last_us += 5;
        ev.count = i + 1;
        ev.trust = i == 2 ? EV_TRUST_SUSPECT : EV_TRUST_TRUSTED;
        report(r, &ev);
    }
    assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
    assert_int_equal(r->gw.outbox.entry_count, 1);
    assert_int_equal(outbox_read(&r->gw.outbox, &r->gw.outbox.entry[0], &cache, &ev), VS_OK);
    assert_int_equal(ev.seq, 1);
    assert_int_equal(ev.count, 10);
    assert_int_equal(ev.first_us, RIG_START_US + 10);
    assert_int_equal(ev.last_us, RIG_START_US + 95);
    assert_int_equal(ev.trust, EV_TRUST_SUSPECT);
    assert_int_equal(ev.fold_count, 1);
    assert_int_equal(ev.fold[0].seq_first, 2);
    assert_int_equal(ev.fold[0].count, 3);
}

/* the first of a critical kind goes at once on any link; its repetitions follow as one record. */
static void critical_goes_at_once_and_leads(void **state)
{
    struct rig *r = *state;
    struct event ev;

    r->cfg.prioritise.window_period_s = 3600;
    assert_int_equal(rig_start(r), VS_OK);
    gateway_link(&r->gw, BEARER_METERED);
    for (unsigned i = 0; i < 1000; i++) {
        make_critical_event(&ev, RIG_START_US + i, "EngTorque");
        report(r, &ev);
        if (i == 0) {
            assert_int_equal(gateway_due(&r->gw), 1);
            rig_deliver(r);
            assert_int_equal(r->ledger.events, 1);
        }
    }
    assert_int_equal(gateway_due(&r->gw), 0);
    tick_to(r, RIG_START_US + 60 * INT64_C(1000000));
    rig_deliver(r);
    assert_int_equal(r->ledger.events, 2);
    assert_int_equal(r->ledger.count_total, 1000);
    ledger_check_complete(&r->ledger);
}

/* medium waits for the window, low for a link that costs nothing. */
static void priorities_choose_their_way_out(void **state)
{
    struct rig *r = *state;
    struct event ev;
    const int64_t hour = INT64_C(3600000000);

    r->cfg.prioritise.window_period_s = 3600;
    assert_int_equal(rig_start(r), VS_OK);
    gateway_link(&r->gw, BEARER_METERED);
    make_can_event(&ev, r->now_us, 1);
    report(r, &ev);
    make_low_event(&ev, r->now_us, "sshd");
    report(r, &ev);
    assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
    tick_to(r, r->now_us + 1);
    assert_int_equal(gateway_due(&r->gw), 0);
    tick_to(r, (r->now_us / hour + 1) * hour);
    assert_int_equal(gateway_due(&r->gw), 1);
    rig_deliver(r);
    assert_int_equal(r->ledger.of_type[EV_CAN_SIGNAL_OUT_OF_RANGE], 1);
    assert_int_equal(r->ledger.of_type[EV_HOST_AUDIT], 0);
    make_can_event(&ev, r->now_us, 2);
    report(r, &ev);
    assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
    assert_int_equal(gateway_due(&r->gw), 0);
    gateway_link(&r->gw, BEARER_FREE);
    assert_int_equal(gateway_due(&r->gw), 2);
    gateway_link(&r->gw, BEARER_NONE);
    assert_int_equal(gateway_due(&r->gw), 0);
    rig_finish(r);
    ledger_check_complete(&r->ledger);
}

/* Interleaved kinds fragment the folds: at eight runs a record is sent and the next begins. */
static void interleaved_kinds_stay_accounted(void **state)
{
    struct rig *r = *state;
    struct event ev;

    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 3000; i++) {
        make_can_event(&ev, r->now_us + i, i % 3);
        report(r, &ev);
        if (i % 100 == 99) {
            gateway_link(&r->gw, BEARER_FREE);
            rig_deliver(r);
        }
    }
    rig_finish(r);
    assert_int_equal(r->ledger.count_total, 3000);
    assert_int_equal(r->ledger.seq_next, 3001);
    assert_true(r->ledger.events <= 3000 / 9 + 3);
    ledger_check_complete(&r->ledger);
}

/* More kinds than slots: the oldest is closed, nothing is lost. */
static void more_kinds_than_slots(void **state)
{
    struct rig *r = *state;
    struct event ev;

    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 400; i++) {
        make_can_event(&ev, r->now_us + i, i % 20);
        report(r, &ev);
    }
    rig_finish(r);
    assert_int_equal(r->ledger.count_total, 400);
    assert_true(r->gw.aggregate.evicted_count > 0);
    ledger_check_complete(&r->ledger);
}

/* Each filter that withholds keeps the numbers in accounting events under its own id. */
static void withheld_numbers_are_accounted(void **state)
{
    struct rig *r = *state;
    struct event ev;
    static const struct {
        struct qualify_rule rule;
        uint8_t filter;
        unsigned passed, withheld; /* of 100 */
    } row[] = {
        {{.type = EV_HOST_AUDIT, .mode = QUALIFY_OFF}, EV_FILTER_REPORTING_MODE, 0, 100},
        {{.type = EV_HOST_AUDIT, .blocked_states = 2}, EV_FILTER_BLOCK_STATE, 0, 100},
        {{.type = EV_HOST_AUDIT, .blocked_states = 1}, EV_FILTER_BLOCK_STATE, 100, 0},
        {{.type = EV_HOST_AUDIT, .sample_every = 10}, EV_FILTER_SAMPLING, 10, 90},
        {{.type = EV_HOST_AUDIT, .threshold = 31, .threshold_ms = 10000}, EV_FILTER_THRESHOLD, 70, 30},
        {{.type = EV_HOST_AUDIT, .mode = QUALIFY_DETAILED_BYPASS, .sample_every = 10}, EV_FILTER_SAMPLING, 100, 0},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        rig_done(r);
        rig_init(r, RIG_BLOCKS);
        r->rule[0] = row[i].rule;
        r->cfg.rule_count = 1;
        assert_int_equal(rig_start(r), VS_OK);
        gateway_vehicle_state(&r->gw, 2);
        for (unsigned k = 0; k < 100; k++) {
            make_low_event(&ev, r->now_us + k, "sshd");
            report(r, &ev);
        }
        rig_finish(r);
        CHECK_ROW(i, r->ledger.of_type[EV_HOST_AUDIT] == row[i].passed);
        CHECK_ROW(i, r->ledger.by_filter[row[i].filter] == row[i].withheld);
        ledger_check_complete(&r->ledger);
    }
}

static void rate_and_traffic_limits(void **state)
{
    struct rig *r = *state;
    struct event ev;

    r->rule[0] = (struct qualify_rule){.type = EV_HOST_AUDIT};
    r->rule[1] = (struct qualify_rule){.type = EV_SECOC_VERIFICATION_FAILED};
    r->cfg.rule_count = 2;
    r->cfg.limits = (struct qualify_limits){.window_ms = 1000, .events_max = 5};
    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned second = 0; second < 4; second++) {
        for (unsigned k = 0; k < 20; k++) {
            make_low_event(&ev, r->now_us, "sshd");
            report(r, &ev);
        }
        make_critical_event(&ev, r->now_us, "P");
        report(r, &ev);
        tick_to(r, r->now_us + 1000000);
    }
    rig_finish(r);
    assert_int_equal(r->ledger.of_type[EV_HOST_AUDIT], 20);
    assert_int_equal(r->ledger.of_type[EV_SECOC_VERIFICATION_FAILED], 4);
    assert_int_equal(r->ledger.by_filter[EV_FILTER_RATE], 60);
    ledger_check_complete(&r->ledger);
}

/* An aggregate that the threshold withholds gives all its numbers to the account. */
static void a_withheld_aggregate_is_accounted_whole(void **state)
{
    struct rig *r = *state;
    struct event ev;

    r->rule[0] = (struct qualify_rule){
        .type = EV_CAN_SIGNAL_OUT_OF_RANGE, .aggregate_ms = 1000, .threshold = 1000, .threshold_ms = 3600000};
    r->cfg.rule_count = 1;
    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 600; i++) {
        make_can_event(&ev, r->now_us, i % 2);
        report(r, &ev);
        if (i % 50 == 0)
            tick_to(r, r->now_us + 700000);
    }
    rig_finish(r);
    assert_int_equal(r->ledger.of_type[EV_CAN_SIGNAL_OUT_OF_RANGE], 0);
    assert_int_equal(r->ledger.by_filter[EV_FILTER_THRESHOLD], 600);
    ledger_check_complete(&r->ledger);
}

static unsigned waiting_of(const struct rig *r, uint8_t priority)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < r->gw.outbox.entry_count; i++)
        count += r->gw.outbox.entry[i].priority == priority && r->gw.outbox.entry[i].state == OUTBOX_WAITING;
    return count;
}

/* when the journal is full low goes before medium, critical never, and what went is told by number. */
static void a_full_journal_gives_up_low_first(void **state)
{
    struct rig *r = *state;
    struct event ev;
    char name[32];
    unsigned critical = 0;

    for (unsigned i = 0; i < 3; i++)
        r->rule[i] = (struct qualify_rule){
            .type = (uint16_t[]){EV_HOST_AUDIT, EV_CAN_SIGNAL_OUT_OF_RANGE, EV_SECOC_VERIFICATION_FAILED}[i]};
    r->cfg.rule_count = 3;
    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "unit-%u", i);
        make_low_event(&ev, r->now_us, name);
        enum vs_err err = gateway_report(&r->gw, &ev, r->now_us);
        assert_true(err == VS_OK || err == VS_ERR_FULL);
        make_can_event(&ev, r->now_us, i);
        uint64_t medium_before = r->gw.outbox.counters.given_up[EV_PRIORITY_MEDIUM];
        unsigned low = waiting_of(r, EV_PRIORITY_LOW);
        if (i % 2 == 0)
            report(r, &ev);
        if (low > 0)
            assert_int_equal(r->gw.outbox.counters.given_up[EV_PRIORITY_MEDIUM], medium_before);
        make_critical_event(&ev, r->now_us, name);
        if (i % 10 == 0) {
            report(r, &ev);
            critical++;
        }
        tick_to(r, r->now_us + 100000);
    }
    const struct outbox_counters *c = &r->gw.outbox.counters;
    assert_true(c->given_up[EV_PRIORITY_LOW] > 0);
    assert_int_equal(c->given_up[EV_PRIORITY_CRITICAL], 0);
    assert_true(c->given_up[EV_PRIORITY_MEDIUM] > 0);
    assert_int_equal(r->gw.counters.unaccounted, 0);
    rig_finish(r);
    assert_int_equal(r->ledger.of_type[EV_SECOC_VERIFICATION_FAILED], critical);
    assert_true(r->ledger.by_filter[EV_FILTER_JOURNAL_FULL] >= c->given_up[0] + c->given_up[1]);
    ledger_check_complete(&r->ledger);
}

/* Full of critical ones: what is there stays, what comes is counted by number. */
static void full_of_critical_keeps_the_first(void **state)
{
    struct rig *r = *state;
    struct event ev;
    char name[32];
    unsigned taken = 0;
    bool full = false;

    r->rule[0] = (struct qualify_rule){.type = EV_SECOC_VERIFICATION_FAILED};
    r->cfg.rule_count = 1;
    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "pdu-%u", i);
        make_critical_event(&ev, r->now_us, name);
        enum vs_err err = gateway_report(&r->gw, &ev, r->now_us);
        assert_true(err == VS_OK || err == VS_ERR_FULL);
        taken += err == VS_OK;
        full |= err == VS_ERR_FULL;
        tick_to(r, r->now_us + 1000);
    }
    assert_true(full && taken > 100);
    rig_finish(r);
    assert_int_equal(r->ledger.of_type[EV_SECOC_VERIFICATION_FAILED], taken);
    assert_true(r->ledger.of_type[EV_GATEWAY_JOURNAL_FULL] >= 1);
    assert_int_equal(r->ledger.by_filter[EV_FILTER_JOURNAL_FULL], 2000 - taken);
    ledger_check_complete(&r->ledger);
}

/* seven days offline, a restart each night, then everything arrives. */
static void seven_days_offline(void **state)
{
    struct rig *r = *state;
    struct event ev;
    unsigned sent = 0;

    assert_int_equal(rig_start(r), VS_OK);
    for (unsigned hour = 0; hour < 7 * 24; hour++) {
        tick_to(r, r->now_us + INT64_C(3600000000));
        make_can_event(&ev, r->now_us, hour);
        report(r, &ev);
        sent++;
        if (hour % 24 == 23) {
            assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
            assert_int_equal(rig_start(r), VS_OK);
            assert_int_equal(r->finding.fault, JOURNAL_SOUND);
        }
    }
    rig_finish(r);
    assert_int_equal(r->ledger.events, sent);
    ledger_check_complete(&r->ledger);
}

static void an_answer_that_never_comes_sends_again(void **state)
{
    struct rig *r = *state;
    struct event ev;
    size_t len;

    assert_int_equal(rig_start(r), VS_OK);
    gateway_link(&r->gw, BEARER_FREE);
    make_critical_event(&ev, r->now_us, "P");
    report(r, &ev);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(gateway_next_batch(&r->gw, r->now_us, r->out, r->out_size, &len), VS_OK);
        assert_int_equal(gateway_next_batch(&r->gw, r->now_us, r->out, r->out_size, &len), VS_ERR_BUSY);
        ledger_take(&r->ledger, slice_make(r->out, len));
        gateway_returned(&r->gw);
    }
    assert_int_equal(r->ledger.duplicates, 2);
    assert_int_equal(gateway_next_batch(&r->gw, r->now_us, r->out, r->out_size, &len), VS_OK);
    gateway_refused(&r->gw, r->now_us);
    assert_int_equal(gateway_next_batch(&r->gw, r->now_us, r->out, r->out_size, &len), VS_ERR_END);
    assert_int_equal(r->gw.outbox.counters.refused, 1);
}

static void invalid_events_get_no_number(void **state)
{
    struct rig *r = *state;
    struct event ev;
    char text[256];

    assert_int_equal(rig_start(r), VS_OK);
    make_critical_event(&ev, r->now_us, "P");
    ev.count = 0;
    assert_int_equal(gateway_report(&r->gw, &ev, r->now_us), VS_ERR_RANGE);
    make_critical_event(&ev, r->now_us, "\xff");
    assert_int_equal(gateway_report(&r->gw, &ev, r->now_us), VS_ERR_MALFORMED);
    memset(text, 'x', sizeof text);
    make_low_event(&ev, r->now_us, "p");
    ev.ecu = ev.sensor = ev.bus = slice_make(text, sizeof text);
    assert_int_equal(gateway_report(&r->gw, &ev, r->now_us), VS_ERR_LIMIT);
    assert_int_equal(gateway_seq_next(&r->gw), 1);
    assert_int_equal(r->gw.counters.invalid, 2);
    assert_int_equal(r->gw.counters.too_large, 1);
}

/* A device that fails once: the caller is told, nothing is lost, no nonce and no number is used twice. */
static void a_failing_device_loses_nothing(void **state)
{
    struct rig *r = *state;
    struct event ev;

    for (uint64_t fail = 1; fail < 60; fail++) {
        rig_done(r);
        rig_init(r, RIG_BLOCKS);
        r->flash.io_fail = fail;
        enum vs_err err = rig_start(r);
        if (err != VS_OK)
            assert_int_equal(rig_start(r), VS_OK);
        for (unsigned i = 0; i < 40; i++) {
            make_can_event(&ev, r->now_us, i);
            if (gateway_report(&r->gw, &ev, r->now_us) == VS_ERR_IO)
                report(r, &ev);
            make_critical_event(&ev, r->now_us, "P");
            if (i % 7 == 0)
                report(r, &ev);
            err = gateway_tick(&r->gw, r->now_us += 1000000);
            assert_true(err == VS_OK || err == VS_ERR_IO);
        }
        if (gateway_flush(&r->gw, r->now_us) != VS_OK)
            assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
        assert_int_equal(rig_start(r), VS_OK);
        assert_int_equal(r->finding.fault, JOURNAL_SOUND);
        r->flash.io_fail = 0;
        rig_finish(r);
        assert_int_equal(r->ledger.count_total, 40 + 6);
        ledger_check_complete(&r->ledger);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thousand_identical_events_are_one_record), TEST(an_aggregate_tells_first_and_last),
        TEST(critical_goes_at_once_and_leads),          TEST(priorities_choose_their_way_out),
        TEST(interleaved_kinds_stay_accounted),         TEST(more_kinds_than_slots),
        TEST(withheld_numbers_are_accounted),           TEST(rate_and_traffic_limits),
        TEST(a_withheld_aggregate_is_accounted_whole),  TEST(a_full_journal_gives_up_low_first),
        TEST(full_of_critical_keeps_the_first),         TEST(seven_days_offline),
        TEST(an_answer_that_never_comes_sends_again),   TEST(invalid_events_get_no_number),
        TEST(a_failing_device_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
