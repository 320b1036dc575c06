/* trc: the columns of every version, what is no frame, and errors with their column; whole files are checked against
 * python-can in tests/oracle. R-249. */
#include "check.h"

#include <stdio.h>

#include "codec/trc.h"
#include "core/hex.h"
#include "core/timestamp.h"

struct good {
    const char *version, *columns, *line;
    const char *bus;
    int64_t time_us;
    uint32_t id;
    uint8_t flags, dlc;
    const char *data;
};

#define V2 "N,O,T,B,I,d,R,L,D"
static const struct good good[] = {
    {NULL, NULL, "     1)     17535  00000100  2  00 FF", "1", 17535000, 0x100, CAN_FRAME_EXT, 2, "00FF"},
    {NULL, NULL, "12)  48937  0704  1  RTR\r\n", "1", 48937000, 0x704, CAN_FRAME_RTR, 1, ""},
    {"1.1", NULL, " 1)  17535.4  Tx  0100  1  AB ", "1", 17535400, 0x100, CAN_FRAME_TX, 1, "AB"},
    {"1.2", NULL, " 1)  17535.412 2 Rx  0100  1  AB", "2", 17535412, 0x100, 0, 1, "AB"},
    {"1.3", NULL, " 1)  17535.400 1  Rx  00000100 -  0", "1", 17535400, 0x100, CAN_FRAME_EXT, 0, ""},
    {"1.1", NULL, " 1)  1.0  Error 0000 0", "1", 1000, CAN_ERROR_BUS, CAN_FRAME_ERR, 8, "0000000000000000"},
    {"2.0", "N,O,T,I,d,l,D", " 1 1.5 FB 00C8 Tx 12 09 08 07 06 05 04 03 02 01 00 0A 0B", "1", 1500, 0xC8,
     CAN_FRAME_FD | CAN_FRAME_BRS | CAN_FRAME_TX, 9, "090807060504030201000A0B"},
    {"2.1", V2, " 7 0.001 BI 3 18EBFF00 Rx - 2 01A0", "3", 1, 0x18EBFF00, CAN_FRAME_FD | CAN_FRAME_ESI | CAN_FRAME_EXT,
     2, "01A0"},
    {"2.1", V2, " 7 10 RR 1 0704 Rx - 1", "1", 10000, 0x704, CAN_FRAME_RTR, 1, ""},
    {"2.1", V2, " 7 10 ER 1 - Rx - 5 00 01 02 03 04", "1", 10000, CAN_ERROR_BUS, CAN_FRAME_ERR, 8, "0000000000000000"},
};
#define GOOD_COUNT (sizeof good / sizeof good[0])

static void tell(struct trc *t, const char *head, const char *value)
{
    struct trc_item item;
    struct line_fault fault;
    char line[64];

    if (value == NULL)
        return;
    snprintf(line, sizeof line, "%s%s", head, value);
    assert_int_equal(trc_line(t, slice_str(line), &item, &fault), VS_OK);
    assert_int_equal(item.kind, TRC_OTHER);
}

static size_t unhex(const char *text, uint8_t *data)
{
    size_t len = 0;

    for (; text[0] != '\0'; text++)
        if (text[0] != ' ') {
            data[len / 2] = (uint8_t)(data[len / 2] << 4 | hex_digit((uint8_t)text[0]));
            len++;
        }
    return len / 2;
}

static void every_version_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct good *g = &good[i];
        uint8_t data[64] = {0};
        struct trc t;
        struct trc_item item;
        struct line_fault fault = {0, ""};

        trc_init(&t);
        tell(&t, ";$FILEVERSION=", g->version);
        tell(&t, ";$COLUMNS=", g->columns);
        if (trc_line(&t, slice_str(g->line), &item, &fault) != VS_OK)
            fail_msg("%s: column %u: %s", g->line, fault.column, fault.reason);
        assert_int_equal(item.kind, TRC_FRAME);
        assert_true(slice_equal_str(item.frame.bus, g->bus));
        assert_int_equal(item.frame.time_us, g->time_us);
        assert_int_equal(item.frame.id, g->id);
        assert_int_equal(item.frame.flags, g->flags);
        assert_int_equal(item.frame.dlc, g->dlc);
        assert_int_equal(item.frame.len, unhex(g->data, data));
        assert_memory_equal(item.frame.data, data, item.frame.len);
    }
}

static void lines_without_a_frame_are_passed_over(void **state)
{
    static const char *const LINE[] = {"",
                                       "; note",
                                       "   0.000000 Start of measurement",
                                       "2 1.0 ST Rx 00 00 00 08",
                                       "3 1.0 EC 1 - Rx - 2 01 02",
                                       "4 1.0 EV 1 user event"};
    struct trc t;
    struct trc_item item;
    struct line_fault fault;

    (void)state;
    trc_init(&t);
    tell(&t, ";$FILEVERSION=", "2.1");
    tell(&t, ";$COLUMNS=", V2);
    for (size_t i = 0; i < sizeof LINE / sizeof LINE[0]; i++) {
        assert_int_equal(trc_line(&t, slice_str(LINE[i]), &item, &fault), VS_OK);
        assert_int_equal(item.kind, TRC_OTHER);
    }
    trc_init(&t);
    assert_int_equal(trc_line(&t, slice_str("2) 17540 FFFFFFFF 4 00 00 00 08 -- BUSHEAVY"), &item, &fault), VS_OK);
    assert_int_equal(item.kind, TRC_OTHER);
}

static void the_start_is_a_date(void **state)
{
    struct trc t;
    int64_t want_us;

    (void)state;
    trc_init(&t);
    assert_int_equal(t.start_us, -1);
    tell(&t, ";$STARTTIME=", "44548.6028595139");
    assert_true(timestamp_parse(slice_str("2021-12-18T14:28:07.062000Z"), &want_us));
    assert_true(t.start_us > want_us - 1000 && t.start_us < want_us + 1000);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *version, *line;
        enum vs_err err;
        unsigned column;
    } BAD[] = {
        {NULL, ";$FILEVERSION=3.0", VS_ERR_UNSUPPORTED, 15}, {NULL, ";$COLUMNS=N,O,T,Z", VS_ERR_MALFORMED, 17},
        {NULL, ";$COLUMNS=N,O,I,L,D", VS_ERR_TRUNCATED, 20}, {NULL, "1 17535 0100 0", VS_ERR_MALFORMED, 2},
        {NULL, "1) 17535 0800 0", VS_ERR_RANGE, 10},         {NULL, "1) 17535 20000000 0", VS_ERR_RANGE, 10},
        {NULL, "1) 17535 0100 2 00", VS_ERR_TRUNCATED, 19},  {NULL, "1) 17535 0100 2 00 11 22", VS_ERR_MALFORMED, 23},
        {NULL, "1) 17535 0100 16", VS_ERR_RANGE, 15},        {"2.1", "1 1.0 DT 1 0100 Rx - 0", VS_ERR_MALFORMED, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct trc t;
        struct trc_item item = {.kind = TRC_FRAME, .frame = {.id = 99}};
        struct line_fault fault = {0, ""};

        trc_init(&t);
        tell(&t, ";$FILEVERSION=", BAD[i].version);
        assert_int_equal(trc_line(&t, slice_str(BAD[i].line), &item, &fault), BAD[i].err);
        assert_int_equal(fault.column, BAD[i].column);
        assert_int_equal(item.frame.id, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_version_reads),
                                       cmocka_unit_test(lines_without_a_frame_are_passed_over),
                                       cmocka_unit_test(the_start_is_a_date), cmocka_unit_test(what_is_wrong_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
