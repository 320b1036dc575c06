/* The detectors other than the slot grid, one claim each. */
#include "rig.h"

static uint64_t field_uint(const struct vids_finding *f, enum ev_field_id id)
{
    for (unsigned i = 0; i < f->field_count; i++)
        if (f->field[i].id == id)
            return f->field[i].value.u;
    fail_msg("no field %d", (int)id);
    return 0;
}

/* Two segments: 0x100 on can0, 0x300 on can1, both every 10 ms for 20 s. */
static void learn_two_segments(struct rig *r)
{
    rig_init(r);
    for (int64_t k = 0; k < 2000; k++) {
        rig_learn(r, rig_frame(1000000 + k * 10000, 0x100, "can0", 8, (uint64_t)k & 0xF));
        rig_learn(r, rig_frame(1003000 + k * 10000, 0x300, "can1", 4, (uint64_t)k * (uint64_t)k * 7919 >> 3));
    }
    rig_arm(r);
}

static void run_two_segments(struct rig *r, int64_t from, int64_t to)
{
    for (int64_t k = from; k < to; k++) {
        rig_step(r, rig_frame(1000000 + k * 10000, 0x100, "can0", 8, (uint64_t)k & 0xF));
        rig_step(r, rig_frame(1003000 + k * 10000, 0x300, "can1", 4, (uint64_t)k * (uint64_t)k * 7919 >> 3));
    }
}

/* and lengths. */
static void strangers_segments_and_lengths(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 50);
    assert_int_equal(r.found_count, 0);
    rig_step(&r, rig_frame(1500100, 0x7AB, "can0", 8, 0xDEAD));
    assert_int_equal(r.found_count, 1);
    assert_int_equal(r.found[0].type, EV_CAN_UNKNOWN_ID);
    assert_int_equal(r.found[0].frame, 100);
    rig_step(&r, rig_frame(1500200, 0x100, "can1", 8, 0));
    assert_int_equal(r.found_count, 2);
    assert_int_equal(r.found[1].type, EV_CAN_WRONG_SEGMENT);
    check_slice(r.found[1].field[0].value.s, "can0");
    check_slice(r.found[1].bus, "can1");
    rig_step(&r, rig_frame(1503000, 0x300, "can1", 5, 0));
    const struct vids_finding *f = rig_first(&r, EV_CAN_WRONG_DLC);
    assert_non_null(f);
    assert_int_equal(field_uint(f, EV_F_DLC), 5);
    assert_int_equal(field_uint(f, EV_F_DLC_EXPECTED), 4);
    rig_step(&r, rig_frame(1503100, 0x100, "can9", 8, 0));
    assert_int_equal(r.ids.counters.frames_unknown_bus, 1);
    rig_done(&r);
}

static void silence_is_told_once_per_outage(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 100);
    for (int64_t k = 100; k < 300; k++) { /* 0x300 alone; can0 stays awake through a stranger that is told once */
        rig_step(&r, rig_frame(1003000 + k * 10000, 0x300, "can1", 4, (uint64_t)k * (uint64_t)k * 7919 >> 3));
        rig_tick(&r, 1003000 + k * 10000 + 5000);
    }
    assert_int_equal(rig_count(&r, EV_CAN_SILENT), 0); /* its whole bus is silent: asleep */
    run_two_segments(&r, 300, 400);
    for (int64_t k = 400; k < 600; k++) {
        rig_step(&r, rig_frame(1000000 + k * 10000, 0x555, "can0", 8, 0));
        rig_step(&r, rig_frame(1003000 + k * 10000, 0x300, "can1", 4, (uint64_t)k * (uint64_t)k * 7919 >> 3));
    }
    assert_int_equal(rig_count(&r, EV_CAN_SILENT), 1);
    assert_int_equal(rig_first(&r, EV_CAN_SILENT)->can_id, 0x100);
    assert_true(rig_first(&r, EV_CAN_SILENT)->raised_us < 1000000 + 400 * 10000 + 200000);
    rig_done(&r);
}

static void alive_counter_of_someone_else(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    assert_int_equal(r.report.ids_counter, 1);
    run_two_segments(&r, 0, 100);
    run_two_segments(&r, 103, 200); /* three frames lost: no finding */
    assert_int_equal(rig_count(&r, EV_CAN_COUNTER), 0);
    /* A frame replaced in its own slot: timing sees nothing, the counter does. */
    uint64_t index = r.ids.frame_index;
    rig_step(&r, rig_frame(1000000 + 200 * 10000, 0x100, "can0", 8, 3));
    run_two_segments(&r, 201, 203);
    assert_int_equal(rig_count(&r, EV_CAN_COUNTER), 1);
    assert_int_equal(rig_first(&r, EV_CAN_COUNTER)->frame, index);
    rig_done(&r);
}

static void floods_of_an_identifier_without_a_cycle(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    uint64_t seed = 4;
    int64_t at = 1000000;
    for (int64_t k = 0; k < 4000; k++) {
        rig_learn(&r, rig_frame(1000000 + k * 10000, 0x100, "can0", 8, (uint64_t)k));
        if (k == 1234)
            rig_learn(&r, rig_frame(1000000 + k * 10000 + 1, 0x001, "can0", 8, 0));
    }
    rig_arm(&r);
    for (int64_t k = 0; k < 4000; k++, at += 10000) { /* now and then, with news: nothing */
        rig_step(&r, rig_frame(at, 0x100, "can0", 8, (uint64_t)k));
        if (rig_random(&seed) % 1000 == 0)
            rig_step(&r, rig_frame(at + 1, 0x001, "can0", 8, (uint64_t)k));
    }
    assert_int_equal(r.found_count, 0);
    for (int64_t k = 0; k < 90; k++)
        rig_step(&r, rig_frame(at + k * 222, 0x001, "can0", 8, 0x39));
    assert_int_equal(rig_count(&r, EV_CAN_RATE), 1);
    assert_true(rig_first(&r, EV_CAN_RATE)->time_us < at + 5000);
    rig_done(&r);
}

/* one transient error is nothing; a climb to bus-off, a storm, lost arbitrations are told. */
static void error_frames(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 10);
    struct can_frame e = rig_frame(1100000, CAN_ERROR_PROTOCOL | CAN_ERROR_COUNTERS, "can0", 8, 0);
    e.flags = CAN_FRAME_ERR;
    rig_step(&r, e);
    assert_int_equal(r.found_count, 0);
    for (int i = 1; i <= 6; i++) {
        e.time_us += 300;
        e.data[6] = (uint8_t)(8 * i);
        rig_step(&r, e);
    }
    assert_int_equal(rig_count(&r, EV_CAN_ERROR_FRAMES), 1);
    e.id = CAN_ERROR_BUS_OFF;
    rig_step(&r, e);
    rig_step(&r, e);
    assert_int_equal(rig_count(&r, EV_CAN_BUS_OFF), 1);
    e.id = CAN_ERROR_LOST_ARBITRATION;
    e.time_us += 5000000;
    for (int i = 0; i < 20; i++, e.time_us += 500)
        rig_step(&r, e);
    assert_int_equal(rig_count(&r, EV_CAN_ARBITRATION), 1);
    rig_done(&r);
}

static void bus_load_above_the_fullest_window(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 50);
    for (int64_t k = 0; k < 400; k++)
        rig_step(&r, rig_frame(1500000 + k * 500, 0x7AB, "can0", 8, 0));
    const struct vids_finding *f = rig_first(&r, EV_CAN_BUS_LOAD);
    assert_non_null(f);
    assert_true(field_uint(f, EV_F_FRAMES) > field_uint(f, EV_F_FRAMES_EXPECTED));
    rig_done(&r);
}

/* Payload models are armed by time alone when nothing new came late; before that they only count. */
static void payload_models_arm_late(void **state)
{
    (void)state;
    for (int long_enough = 0; long_enough < 2; long_enough++) {
        struct rig r;
        int64_t seconds = long_enough ? 1300 : 60;
        rig_init(&r);
        for (int64_t k = 0; k < seconds * 10; k++)
            rig_learn(&r, rig_frame(k * 100000, 0x100, "can0", 8, 0xA500 | ((uint64_t)k % 50)));
        rig_arm(&r);
        assert_int_equal(r.report.ids_payload, long_enough);
        for (int64_t k = 0; k < 100; k++)
            rig_step(&r, rig_frame(k * 100000, 0x100, "can0", 8, (k == 50 ? 0xFF00u : 0xA500u) | ((uint64_t)k % 50)));
        assert_int_equal(rig_count(&r, EV_CAN_PAYLOAD_ANOMALY), long_enough);
        rig_done(&r);
    }
}

/* Hits of one episode are one finding; what was held back is in the count of the next. */
static void episodes_hold_back_and_count(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    for (int64_t k = 0; k < 1500; k++)
        rig_step(&r, rig_frame(1000000 + k * 1000, 0x7AB, "can0", 8, 0));
    assert_int_equal(rig_count(&r, EV_CAN_UNKNOWN_ID), 2); /* at once, and after a second */
    assert_int_equal(r.found[0].count, 1);
    const struct vids_finding *last = &r.found[r.found_count - 1];
    for (size_t i = 0; i < r.found_count; i++)
        if (r.found[i].type == EV_CAN_UNKNOWN_ID)
            last = &r.found[i];
    assert_int_equal(last->count, 1000);
    rig_done(&r);
}

/* A thousand different strangers cannot make more findings than the detector's budget. */
static void a_scan_over_identifiers_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    for (int64_t k = 0; k < 1000; k++)
        rig_step(&r, rig_frame(1000000 + k * 250, (uint32_t)(0x301 + k), "can0", 8, 0));
    assert_in_range(rig_count(&r, EV_CAN_UNKNOWN_ID), 16, 150);
    assert_int_equal(r.ids.counters.hits[VIDS_UNKNOWN_ID], 1000);
    rig_done(&r);
}

/* A clock that leaps or steps back makes the timing detectors start again; it is counted, not alarmed about. */
static void clock_steps(void **state)
{
    (void)state;
    struct rig r;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 100);
    for (int64_t step = -1; step <= 1; step += 2)
        for (int64_t k = 0; k < 200; k++) {
            rig_step(&r, rig_frame(5000000 + step * 3600000000 + k * 10000, 0x100, "can0", 8, (uint64_t)k & 0xF));
            rig_step(&r, rig_frame(5003000 + step * 3600000000 + k * 10000, 0x300, "can1", 4, 5));
        }
    assert_int_equal(r.found_count, 0);
    assert_int_equal(r.ids.counters.time_steps, 2);
    rig_done(&r);
}

static void findings_become_valid_events(void **state)
{
    (void)state;
    struct rig r;
    struct event ev;
    learn_two_segments(&r);
    run_two_segments(&r, 0, 50);
    for (int64_t k = 0; k < 400; k++)
        rig_step(&r, rig_frame(1500000 + k * 500, (uint32_t)(k % 3 == 0 ? 0x7AB : 0x100), k % 7 ? "can0" : "can1",
                               (uint8_t)(k % 9), 0));
    assert_true(r.found_count > 3);
    for (size_t i = 0; i < r.found_count; i++) {
        uint8_t field = 0;
        vids_finding_event(&r.found[i], 1700000000000000, &ev);
        if (event_validate(&ev, &field) != VS_OK)
            fail_msg("finding %zu of type %x: field %u", i, r.found[i].type, field);
    }
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_segments_and_lengths),
        cmocka_unit_test(silence_is_told_once_per_outage),
        cmocka_unit_test(alive_counter_of_someone_else),
        cmocka_unit_test(floods_of_an_identifier_without_a_cycle),
        cmocka_unit_test(error_frames),
        cmocka_unit_test(bus_load_above_the_fullest_window),
        cmocka_unit_test(payload_models_arm_late),
        cmocka_unit_test(episodes_hold_back_and_count),
        cmocka_unit_test(a_scan_over_identifiers_is_bounded),
        cmocka_unit_test(clock_steps),
        cmocka_unit_test(findings_become_valid_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
