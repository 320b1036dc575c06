/* Diagnostic conversations. */
#include "rig.h"

struct line {
    uint32_t id;
    uint64_t data; /* first byte on the wire lowest */
};

#define B(a, b, c, d, e, f, g, h)                                                                                      \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32 |            \
     (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)

static void play(struct rig *r, const struct line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rig_step(r, rig_frame(r->ids.now_us + 10000, lines[i].id, "can0", 8, lines[i].data));
}

static void start(struct rig *r)
{
    rig_init(r);
    for (int64_t k = 0; k < 100; k++)
        rig_learn(r, rig_frame(k * 10000, 0x100, "can0", 8, 0));
    rig_arm(r);
}

static void wrong_keys_are_told_with_service_and_code(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {0x7E0, B(2, 0x10, 3, 0, 0, 0, 0, 0)},       {0x7E8, B(6, 0x50, 3, 0, 0x32, 1, 0xF4, 0)},
        {0x7E0, B(2, 0x27, 1, 0, 0, 0, 0, 0)},       {0x7E8, B(6, 0x67, 1, 1, 2, 3, 4, 0)},
        {0x7E0, B(6, 0x27, 2, 1, 1, 1, 1, 0)},       {0x7E8, B(3, 0x7F, 0x27, 0x78, 0, 0, 0, 0)},
        {0x7E8, B(3, 0x7F, 0x27, 0x35, 0, 0, 0, 0)},
    };
    struct rig r;
    start(&r);
    play(&r, lines, sizeof lines / sizeof lines[0]);
    assert_int_equal(rig_count(&r, EV_UDS_NEGATIVE_RESPONSE), 1); /* "pending" is none */
    assert_int_equal(rig_count(&r, EV_UDS_SESSION_CHANGED), 1);
    assert_int_equal(r.found_count, 2);
    const struct vids_finding *f = rig_first(&r, EV_UDS_NEGATIVE_RESPONSE);
    assert_int_equal(f->field[0].value.u, 0x27);
    assert_int_equal(f->field[1].value.u, 3);
    assert_int_equal(f->field[2].value.u, 0x35);
    rig_done(&r);
}

static void download_without_unlock_is_a_violation(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {0x7E0, B(5, 0x34, 0, 0x11, 0, 0, 0, 0)},
        {0x7E0, B(3, 0x36, 1, 0xAA, 0, 0, 0, 0)},
        {0x7E0, B(6, 0x27, 2, 1, 1, 1, 1, 0)},
    };
    struct rig r;
    start(&r);
    play(&r, lines, 3);
    assert_int_equal(rig_count(&r, EV_UDS_SEQUENCE_VIOLATION), 3);
    rig_done(&r);
}

static void unlocked_download_is_told_but_no_violation(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {0x7E0, B(2, 0x27, 1, 0, 0, 0, 0, 0)},    {0x7E8, B(4, 0x67, 1, 1, 2, 0, 0, 0)},
        {0x7E0, B(4, 0x27, 2, 1, 1, 0, 0, 0)},    {0x7E8, B(2, 0x67, 2, 0, 0, 0, 0, 0)},
        {0x7E0, B(5, 0x34, 0, 0x11, 0, 0, 0, 0)}, {0x7E8, B(3, 0x74, 0x10, 0x80, 0, 0, 0, 0)},
        {0x7E0, B(3, 0x36, 1, 0xAA, 0, 0, 0, 0)},
    };
    struct rig r;
    start(&r);
    play(&r, lines, 7);
    assert_int_equal(rig_count(&r, EV_UDS_SEQUENCE_VIOLATION), 0);
    assert_int_equal(rig_count(&r, EV_UDS_SECURITY_UNLOCKED), 1);
    assert_int_equal(rig_count(&r, EV_UDS_DOWNLOAD_REQUESTED), 1);
    rig_done(&r);
}

static void a_scan_is_told_once(void **state)
{
    (void)state;
    struct rig r;
    start(&r);
    for (unsigned did = 0; did < 40; did++) {
        struct line lines[] = {{0x7E0, B(3, 0x22, 0xF1, did, 0, 0, 0, 0)}, {0x7E8, B(3, 0x7F, 0x22, 0x31, 0, 0, 0, 0)}};
        play(&r, lines, 2);
    }
    assert_int_equal(rig_count(&r, EV_UDS_SCAN), 1);
    for (unsigned i = 0; i < 40; i++) { /* the same refusal again and again is no scan */
        struct line lines[] = {{0x7E1, B(3, 0x22, 0xF1, 0x90, 0, 0, 0, 0)},
                               {0x7E9, B(3, 0x7F, 0x22, 0x31, 0, 0, 0, 0)}};
        play(&r, lines, 2);
    }
    assert_int_equal(rig_count(&r, EV_UDS_SCAN), 1);
    rig_done(&r);
}

/* An identifier of the diagnostic range with a payload that is no diagnosis is a stranger like any other. */
static void nonsense_on_a_diagnostic_identifier_is_unknown(void **state)
{
    (void)state;
    struct rig r;
    start(&r);
    struct line nonsense = {0x7E3, B(0xFD, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE)};
    play(&r, &nonsense, 1);
    assert_int_equal(rig_count(&r, EV_CAN_UNKNOWN_ID), 1);
    rig_done(&r);
}

/* More conversations than places: the oldest gives way, and it is counted. */
static void conversations_are_bounded(void **state)
{
    (void)state;
    struct rig r;
    start(&r);
    for (uint32_t ecu = 0; ecu < 8; ecu++) {
        struct line line = {0x7E0 + ecu, B(2, 0x3E, 0, 0, 0, 0, 0, 0)};
        play(&r, &line, 1);
    }
    assert_int_equal(r.ids.counters.diag_evicted, 8 - VIDS_DIAG_MAX);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_keys_are_told_with_service_and_code),
        cmocka_unit_test(download_without_unlock_is_a_violation),
        cmocka_unit_test(unlocked_download_is_told_but_no_violation),
        cmocka_unit_test(a_scan_is_told_once),
        cmocka_unit_test(nonsense_on_a_diagnostic_identifier_is_unknown),
        cmocka_unit_test(conversations_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
