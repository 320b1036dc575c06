/* What the network description says, without any recording. */
#include "rig.h"

static const char description[] = "VERSION \"\"\nNS_ :\nBS_:\nBU_: A\n"
                                  "BO_ 256 Engine: 8 A\n"
                                  " SG_ Speed : 0|16@1+ (0.1,0) [0|250] \"km/h\" A\n"
                                  " SG_ Temp : 16|8@1- (1,0) [-40|100] \"C\" A\n"
                                  " SG_ Gear : 31|4@0+ (1,0) [0|6] \"\" A\n"
                                  " SG_ Page M : 32|8@1+ (1,0) [0|255] \"\" A\n"
                                  " SG_ Inner m1 : 40|8@1+ (1,0) [10|20] \"\" A\n"
                                  "BO_ 2147484177 Wide: 4 A\n"
                                  "VAL_ 256 Gear 15 \"not available\" 1 \"first\" ;\n"
                                  "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 10000;\nBA_DEF_DEF_ \"GenMsgCycleTime\" 0;\n"
                                  "BA_ \"GenMsgCycleTime\" BO_ 256 10;\n";

struct desk {
    struct rig rig;
    struct dbc db;
    struct dbc_memory m;
};

static void desk_init(struct desk *d)
{
    struct dbc_fault fault;
    struct slice text = slice_str(description);

    rig_init(&d->rig);
    memset(&d->m, 0, sizeof d->m);
    dbc_need(text, &d->m);
    d->m.messages = calloc(d->m.messages_max + 1u, sizeof *d->m.messages);
    d->m.signals = calloc(d->m.signals_max + 1u, sizeof *d->m.signals);
    d->m.ranges = calloc(d->m.ranges_max + 1u, sizeof *d->m.ranges);
    d->m.texts = calloc(d->m.texts_max + 1u, sizeof *d->m.texts);
    d->m.pool = malloc(d->m.pool_size + 1u);
    dbc_init(&d->db, &d->m);
    assert_int_equal(dbc_parse(&d->db, text, 0, &fault), VS_OK);
    learner_dbc(d->rig.learner, &d->db);
}

static void desk_done(struct desk *d)
{
    rig_done(&d->rig);
    free(d->m.messages);
    free(d->m.signals);
    free(d->m.ranges);
    free(d->m.texts);
    free(d->m.pool);
}

/* Payloads at the limits and one beyond; the name is the signal that must be told, NULL = none. */
static const struct {
    uint8_t data[8];
    const char *signal;
} cases[] = {
    {{0xC4, 0x09, 0, 0, 0, 0, 0, 0}, NULL},    /* 250.0 */
    {{0xC5, 0x09, 0, 0, 0, 0, 0, 0}, "Speed"}, /* 250.1 */
    {{0, 0, 0xD8, 0, 0, 0, 0, 0}, NULL},       /* -40 */
    {{0, 0, 0xD7, 0, 0, 0, 0, 0}, "Temp"},     /* -41 */
    {{0, 0, 100, 0, 0, 0, 0, 0}, NULL},        {{0, 0, 101, 0, 0, 0, 0, 0}, "Temp"},
    {{0, 0, 0, 0x60, 0, 0, 0, 0}, NULL},   /* gear 6 */
    {{0, 0, 0, 0x70, 0, 0, 0, 0}, "Gear"}, /* gear 7 */
    {{0, 0, 0, 0xF0, 0, 0, 0, 0}, NULL},   /* named value */
    {{0, 0, 0, 0, 0, 99, 0, 0}, NULL},     /* multiplexer selects something else */
    {{0, 0, 0, 0, 1, 20, 0, 0}, NULL},         {{0, 0, 0, 0, 1, 21, 0, 0}, "Inner"},
    {{0, 0, 0, 0, 1, 9, 0, 0}, "Inner"},
};

static void ranges_hold_at_the_limit_and_not_beyond(void **state)
{
    (void)state;
    struct desk d;
    desk_init(&d);
    rig_arm(&d.rig);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct can_frame fr = rig_frame((int64_t)i * 1010000, 256, "can0", 8, 0);
        memcpy(fr.data, cases[i].data, 8);
        d.rig.found_count = 0;
        rig_step(&d.rig, fr);
        const struct vids_finding *f = rig_first(&d.rig, EV_CAN_SIGNAL_OUT_OF_RANGE);
        CHECK_ROW(i, (f != NULL) == (cases[i].signal != NULL));
        if (f != NULL)
            check_slice(f->field[0].value.s, cases[i].signal);
    }
    desk_done(&d);
}

static void identifiers_and_lengths_of_the_description(void **state)
{
    (void)state;
    struct desk d;
    desk_init(&d);
    rig_arm(&d.rig);
    struct can_frame wide = rig_frame(0, 529, "can0", 4, 0);
    rig_step(&d.rig, wide); /* standard frame with the number of an extended one: unknown */
    assert_int_equal(rig_count(&d.rig, EV_CAN_UNKNOWN_ID), 1);
    wide.flags = CAN_FRAME_EXT;
    wide.time_us = 1000000;
    rig_step(&d.rig, wide);
    assert_int_equal(d.rig.found_count, 1);
    wide.len = wide.dlc = 3;
    wide.time_us = 2000000;
    rig_step(&d.rig, wide);
    assert_int_equal(rig_count(&d.rig, EV_CAN_WRONG_DLC), 1);
    desk_done(&d);
}

/* A cycle that was only written down: jitter of a fifth is nothing, ten times too fast is told. */
static void specified_cycle(void **state)
{
    (void)state;
    struct desk d;
    uint64_t seed = 6;
    desk_init(&d);
    rig_arm(&d.rig);
    for (int64_t k = 0; k < 1000; k++)
        rig_step(&d.rig, rig_frame(rig_due(k, 10000, 2000, &seed), 256, "can0", 8, (uint64_t)k % 2000));
    assert_int_equal(d.rig.found_count, 0);
    for (int64_t k = 0; k < 50; k++)
        rig_step(&d.rig, rig_frame(11000000 + k * 1000, 256, "can0", 8, (uint64_t)k));
    assert_true(rig_count(&d.rig, EV_CAN_CYCLE_TOO_FAST) >= 1);
    desk_done(&d);
}

/* A range that clean recordings contradict is not armed, and the report says so. */
static void a_wrong_range_is_disarmed(void **state)
{
    (void)state;
    struct desk d;
    desk_init(&d);
    for (int64_t k = 0; k < 1000; k++)
        rig_learn(&d.rig, rig_frame(k * 10000, 256, "can0", 8, 0x0000C8)); /* fine */
    rig_learn(&d.rig, rig_frame(10000000, 256, "can0", 8, 0xFFFF));        /* 6553.5 km/h */
    rig_arm(&d.rig);
    assert_int_equal(d.rig.report.signals_disarmed, 1);
    rig_step(&d.rig, rig_frame(0, 256, "can0", 8, 0xFFFE));
    assert_int_equal(rig_count(&d.rig, EV_CAN_SIGNAL_OUT_OF_RANGE), 0);
    desk_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_hold_at_the_limit_and_not_beyond),
        cmocka_unit_test(identifiers_and_lengths_of_the_description),
        cmocka_unit_test(specified_cycle),
        cmocka_unit_test(a_wrong_range_is_disarmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
