/* The slot detector: every added frame is found, whatever its phase; ordinary troubles are none. */
#include "rig.h"

struct habit {
    int64_t cycle_us, jitter_us;
};

static const struct habit habits[] = {{10000, 0},     {10000, 2500},   {10000, 4000}, {20000, 1000},
                                      {50000, 12000}, {100000, 30000}, {200000, 500}, {1000000, 20000}};

static const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);

/* Runs frames of 0x100 from `from` to `to` without any attack. */
static void run_clean(struct rig *r, const struct habit *h, int64_t from, int64_t to, uint64_t *seed)
{
    for (int64_t k = from; k < to; k++) {
        int64_t at = rig_due(k, h->cycle_us, h->jitter_us, seed);
        for (int64_t t = at - h->cycle_us + 7000; t < at; t += 7000) /* keeps the bus awake */
            rig_step(r, rig_frame(t, 0x200, "can0", 2, 0x55AA));
        rig_step(r, rig_frame(at, 0x100, "can0", 8, (uint64_t)k * golden));
    }
}

static size_t timing_findings(const struct rig *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->found_count; i++)
        n += r->found[i].can_id == 0x100;
    return n;
}

static void jitter_within_half_a_cycle_is_no_alarm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        struct rig r;
        uint64_t seed = 7 + i;
        rig_init(&r);
        rig_learn_cycle(&r, habits[i].cycle_us, habits[i].jitter_us, &seed);
        rig_arm(&r);
        run_clean(&r, &habits[i], 0, 60000000 / habits[i].cycle_us, &seed);
        CHECK_ROW(i, timing_findings(&r) == 0);
        rig_done(&r);
    }
}

/* One more frame at each of 40 phases of the cycle, one at a time. */
static void one_added_frame_is_found_at_any_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        const struct habit *h = &habits[i];
        struct rig r;
        uint64_t seed = 99 + i;
        int64_t k = 0;
        rig_init(&r);
        rig_learn_cycle(&r, h->cycle_us, h->jitter_us, &seed);
        rig_arm(&r);
        for (int phase = 0; phase < 40; phase++) {
            run_clean(&r, h, k, k + 40, &seed);
            k += 40;
            size_t before = timing_findings(&r);
            int64_t at = rig_due(k - 1, h->cycle_us, 0, &seed) + h->cycle_us * phase / 40;
            if (at <= r.ids.now_us)
                at = r.ids.now_us + 1;
            rig_step(&r, rig_frame(at, 0x100, "can0", 8, (uint64_t)phase));
            for (int64_t n = 0; n < 3; n++, k++) {
                int64_t due = rig_due(k, h->cycle_us, h->jitter_us, &seed);
                rig_step(&r, rig_frame(due > at ? due : at + 1, 0x100, "can0", 8, (uint64_t)k * golden));
            }
            if (timing_findings(&r) == before)
                fail_msg("habit %zu phase %d of 40 not found", i, phase);
        }
        rig_done(&r);
    }
}

static void names_the_added_frame_when_it_is_off_the_grid(void **state)
{
    (void)state;
    struct habit h = {20000, 500};
    struct rig r;
    uint64_t seed = 3;
    rig_init(&r);
    rig_learn_cycle(&r, h.cycle_us, h.jitter_us, &seed);
    rig_arm(&r);
    run_clean(&r, &h, 0, 100, &seed);
    uint64_t index = r.ids.frame_index;
    rig_step(&r, rig_frame(rig_due(99, 20000, 0, &seed) + 7000, 0x100, "can0", 8, 1));
    const struct vids_finding *f = rig_first(&r, EV_CAN_CYCLE_TOO_FAST);
    assert_non_null(f);
    assert_int_equal(f->frame, index);
    assert_int_equal(f->detector, VIDS_SLOT_RESIDUAL);
    assert_true(f->score_centi >= 100);
    rig_done(&r);
}

static void late_and_lost_frames_are_no_alarm(void **state)
{
    (void)state;
    struct habit h = {10000, 500};
    struct rig r;
    uint64_t seed = 5;
    rig_init(&r);
    rig_learn_cycle(&r, h.cycle_us, h.jitter_us, &seed);
    rig_arm(&r);
    for (int64_t k = 0; k < 3000; k += 100) {
        run_clean(&r, &h, k, k + 60, &seed);
        int64_t hold = 10000 * (1 + k / 100 % 6), end = 1000000 + (k + 60) * 10000 + hold;
        for (int64_t late = 0; late * 10000 <= hold; late++) /* a gateway holds the bus, then sends all at once */
            rig_step(&r, rig_frame(end + late * 100, 0x100, "can0", 8, (uint64_t)(k + 60 + late) * golden));
        run_clean(&r, &h, k + 61 + hold / 10000 + 2, k + 100, &seed); /* two frames are lost */
    }
    assert_int_equal(timing_findings(&r), 0);
    rig_done(&r);
}

static void a_restarted_sender_is_no_alarm(void **state)
{
    (void)state;
    struct habit h = {20000, 400};
    struct rig r;
    uint64_t seed = 11;
    rig_init(&r);
    rig_learn_cycle(&r, h.cycle_us, h.jitter_us, &seed);
    rig_arm(&r);
    run_clean(&r, &h, 0, 100, &seed);
    int64_t shifted = r.ids.now_us + 400000 + 7300;
    for (int64_t k = 0; k < 200; k++)
        rig_step(&r, rig_frame(shifted + k * 20000, 0x100, "can0", 8, (uint64_t)k * golden));
    assert_int_equal(rig_count(&r, EV_CAN_CYCLE_TOO_FAST), 0);
    rig_done(&r);
}

/* 0x100 every 100 ms with a payload that stays, sent out of turn when it changes. */
static void sending_on_change_is_no_alarm_but_a_payload_that_goes_back_is(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (int64_t k = 0; k < 400; k++)
        rig_learn(&r, rig_frame(1000000 + k * 100000, 0x100, "can0", 8, 0x1111));
    for (int64_t k = 0; k < 400; k++) /* otherwise nothing tells a pause of the bus from one of the sender */
        rig_learn(&r, rig_frame(41000000 + k * 10000, 0x200, "can0", 8, 0));
    rig_arm(&r);
    uint64_t payload = 0x1111;
    for (int64_t k = 0; k < 200; k++) {
        int64_t at = 1000000 + k * 100000;
        rig_step(&r, rig_frame(at, 0x100, "can0", 8, payload));
        if (k % 20 == 10)
            rig_step(&r, rig_frame(at + 37000, 0x100, "can0", 8, payload ^= 0x10));
    }
    assert_int_equal(rig_count(&r, EV_CAN_CYCLE_TOO_FAST), 0);
    int64_t at = 1000000 + 200 * INT64_C(100000);
    rig_step(&r, rig_frame(at, 0x100, "can0", 8, payload));
    uint64_t index = r.ids.frame_index;
    rig_step(&r, rig_frame(at + 37000, 0x100, "can0", 8, 0xBAD));
    rig_step(&r, rig_frame(at + 100000, 0x100, "can0", 8, payload));
    const struct vids_finding *f = rig_first(&r, EV_CAN_CYCLE_TOO_FAST);
    assert_non_null(f);
    assert_int_equal(f->frame, index);
    rig_done(&r);
}

/* Pages: four frames back to back each 200 ms. A fifth is one too many. */
static void pages_are_one_slot(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (int64_t k = 0; k < 200; k++)
        for (int64_t page = 0; page < 4; page++)
            rig_learn(
                &r, rig_frame(1000000 + k * 200000 + page * 900, 0x100, "can0", 8, (uint64_t)(k * 4 + page) * golden));
    rig_arm(&r);
    assert_int_equal(r.report.ids_cyclic, 1);
    for (int64_t k = 0; k < 100; k++)
        for (int64_t page = 0; page < 4 + (k == 60); page++)
            rig_step(&r,
                     rig_frame(1000000 + k * 200000 + page * 900, 0x100, "can0", 8, (uint64_t)(k * 5 + page) * golden));
    assert_int_equal(r.found_count, 1);
    assert_int_equal(r.found[0].frame, 60 * 4 + 4);
    rig_done(&r);
}

/* R-072, the example of the requirement: a 10 ms message at 1 ms; the same payload again and again is a replay. */
static void ten_times_too_fast(void **state)
{
    (void)state;
    struct habit h = {10000, 1000};
    struct rig r;
    uint64_t seed = 1;
    rig_init(&r);
    rig_learn_cycle(&r, h.cycle_us, h.jitter_us, &seed);
    rig_arm(&r);
    run_clean(&r, &h, 0, 100, &seed);
    for (int64_t k = 0; k < 100; k++)
        rig_step(&r, rig_frame(2000000 + k * 1000, 0x100, "can0", 8, 0xFFFF));
    assert_true(rig_count(&r, EV_CAN_CYCLE_TOO_FAST) >= 1);
    assert_true(rig_count(&r, EV_CAN_REPLAY) >= 1);
    assert_true(r.found_count < 10); /* an episode, not a hundred alarms */
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jitter_within_half_a_cycle_is_no_alarm),
        cmocka_unit_test(one_added_frame_is_found_at_any_phase),
        cmocka_unit_test(names_the_added_frame_when_it_is_off_the_grid),
        cmocka_unit_test(late_and_lost_frames_are_no_alarm),
        cmocka_unit_test(a_restarted_sender_is_no_alarm),
        cmocka_unit_test(sending_on_change_is_no_alarm_but_a_payload_that_goes_back_is),
        cmocka_unit_test(pages_are_one_slot),
        cmocka_unit_test(ten_times_too_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
