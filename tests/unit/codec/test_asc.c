/* asc: line kinds, bases, times and dates; the whole files are checked against python-can in tests/oracle. R-249. */
#include "check.h"
#include "seed.h"

#include "codec/asc.h"
#include "codec/asc_date.h"
#include "core/hex.h"
#include "core/timestamp.h"

struct good {
    bool decimal;
    const char *line;
    const char *bus;
    uint32_t id;
    uint8_t flags, dlc;
    const char *data;
};

#define FD CAN_FRAME_FD
static const struct good good[] = {
    {false, "   2.501000 1  C8             Tx   d 3 09 08 FF", "1", 0xC8, CAN_FRAME_TX, 3, "0908FF"},
    {false, "2.501000 12 18EBFF00x Rx d 2 01 A0 Length = 273910 BitCount = 141 ID = 418119424x\r\n", "12", 0x18EBFF00,
     CAN_FRAME_EXT, 2, "01A0"},
    {false, "2.501000 1 3FF Tx d D 55 AA 01 02 03 04 05 06", "1", 0x3FF, CAN_FRAME_TX, 13, "55AA010203040506"},
    {true, "2.501000 1 1023 rx D 2 85 170", "1", 0x3FF, 0, 2, "55AA"},
    {false, "2.501000 1 12 Rx d a 01 02 03 04 05 06 07 08 ", "1", 0x12, 0, 10, "0102030405060708"},
    {false, "2.501000 1 12 Rx d 10 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F", "1", 0x12, FD, 10,
     "000102030405060708090A0B0C0D0E0F"},
    {false, "2.501000 2 100 Rx r", "2", 0x100, CAN_FRAME_RTR, 0, ""},
    {false, "2.501000 2 100 Rx r 8 Length = 1704000", "2", 0x100, CAN_FRAME_RTR, 8, ""},
    {false, "2.501000 2 100 Rx r Length = 1704000", "2", 0x100, CAN_FRAME_RTR, 0, ""},
    {false, "2.501000 2 ErrorFrame ECC: 10100010", "2", CAN_ERROR_BUS, CAN_FRAME_ERR, 8, "0000000000000000"},
    {false, "2.501 CANFD 1 Rx 300 1 0 8 8 11 c2 03 04 05 06 07 08 102203 133 303000 e0006659", "1", 0x300,
     FD | CAN_FRAME_BRS, 8, "11C2030405060708"},
    {true, "2.501 CANFD 3 Tx 30ax Name_1 0 1 9 12 00 01 02 03 04 05 06 07 08 09 0a 0b 1 1 5000 0", "3", 0x30A,
     FD | CAN_FRAME_EXT | CAN_FRAME_ESI | CAN_FRAME_TX, 9, "000102030405060708090A0B"},
    {false, "2.501 CANFD 3 Rx 123 0 0 2 2 01 02 102203 133 0 e0006659", "3", 0x123, 0, 2, "0102"},
    {false, "2.501 CANFD 3 Rx 123 0 0 0 0 102203 133 1000 e0006659", "3", 0x123, FD, 0, ""},
    {false, "2.501 CANFD 3 Rx 123 0 0 5 0 140000 73 200050 7a60", "3", 0x123, CAN_FRAME_RTR, 5, ""},
    {false, "2.501 CANFD 3 Rx 123 0 0 1 1 07", "3", 0x123, FD, 1, "07"},
    {false, "2.501 CANFD 5 Tx ErrorFrame Not Acknowledge error", "5", CAN_ERROR_BUS, FD | CAN_FRAME_TX | CAN_FRAME_ERR,
     8, "0000000000000000"},
};
#define GOOD_COUNT (sizeof good / sizeof good[0])

static void every_frame_line_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        struct asc a;
        struct asc_item item;
        struct line_fault fault;
        uint8_t data[64];
        size_t len = strlen(good[i].data) / 2;

        assert_true(hex_read(slice_str(good[i].data), data, len));
        asc_init(&a);
        a.decimal = good[i].decimal;
        enum vs_err err = asc_line(&a, slice_str(good[i].line), &item, &fault);
        if (err != VS_OK)
            fail_msg("%s: column %u: %s", good[i].line, fault.column, fault.reason);
        CHECK_ROW(i, item.kind == ASC_FRAME && item.frame.time_us == 2501000);
        check_slice(item.frame.bus, good[i].bus);
        CHECK_ROW(i, item.frame.id == good[i].id);
        CHECK_ROW(i, item.frame.flags == good[i].flags);
        CHECK_ROW(i, item.frame.dlc == good[i].dlc);
        CHECK_ROW(i, slice_equal(can_frame_data(&item.frame), slice_make(data, len)));
    }
}

static void other_lines_are_passed_over(void **state)
{
    static const char *const row[] = {
        "",
        "// version 9.0.0",
        "internal events logged",
        "End TriggerBlock",
        "   0.000000 Start of measurement",
        "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0",
        "1.0 1  Statistic: D 0 R 0 XD 0 XR 0 E 0",
        "1.0 1 100 TxRq d 1 00",
        "10.5 J1939TP FEE3p 6 0 0 - Rx d 23 A0",
        "1.0 Li 3C Rx 8 00 01",
        "1.0 CANXL 1 Rx XLFF 10 20 123",
        "1.0",
        "1.0 ",
        "2026-01-01 text",
        "x",
        "1.0 1 100 Rx",
        "1.0 1 100 Rx s 1 00",
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct asc a;
        struct asc_item item;
        struct line_fault fault;

        asc_init(&a);
        CHECK_ROW(i, asc_line(&a, slice_str(row[i]), &item, &fault) == VS_OK && item.kind == ASC_OTHER);
    }
}

static void broken_frames_are_refused_with_their_column(void **state)
{
    static const struct {
        const char *line;
        enum vs_err err;
        unsigned column;
    } row[] = {
        {"1.0 1 800 Rx d 1 00", VS_ERR_RANGE, 7},
        {"1.0 1 20000000x Rx d 1 00", VS_ERR_RANGE, 7},
        {"1.0 1 GGG Rx d 1 00", VS_ERR_MALFORMED, 7},
        {"1.0 1 100 Rx d", VS_ERR_TRUNCATED, 15},
        {"1.0 1 100 Rx d 2 00", VS_ERR_TRUNCATED, 20},
        {"1.0 1 100 Rx d 2 00 1FF", VS_ERR_RANGE, 21},
        {"1.0 1 100 Rx d 41 00", VS_ERR_RANGE, 16},
        {"1.0 CANFD 1 Rx 100 0", VS_ERR_TRUNCATED, 21},
        {"1.0 CANFD 1 Rx 100 0 0 f 65 00", VS_ERR_RANGE, 26},
        {"1.0 CANFD 1 Rx 100 0 0 10 1 00", VS_ERR_RANGE, 24},
        {"99999999999999.0 1 100 Rx d 0", VS_ERR_RANGE, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct asc a;
        struct asc_item item;
        struct line_fault fault = {0, ""};

        asc_init(&a);
        enum vs_err err = asc_line(&a, slice_str(row[i].line), &item, &fault);
        if (err != row[i].err || fault.column != row[i].column)
            fail_msg("%s: got %d at %u: %s", row[i].line, err, fault.column, fault.reason);
    }
}

static void dates_read_in_the_languages_of_their_writers(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: no date */
    } row[] = {
        {"Sam Sep 30 15:06:13.191 2017", "2017-09-30T15:06:13.191Z"},
        {"Thu Apr 28 10:44:52.480 am 2022", "2022-04-28T10:44:52.480Z"},
        {"Tue May 27 04:09:35.000 pm 2014", "2014-05-27T16:09:35Z"},
        {"Mon Jan 1 12:00:00 am 2024", "2024-01-01T00:00:00Z"},
        {"Mon Jan 1 12:00:00 PM 2024", "2024-01-01T12:00:00Z"},
        {"Mit M\xC3\xA4r 3 1:02:03 2021", "2021-03-03T01:02:03Z"},
        {"Mit M\xE4r 3 01:02:03 2021", "2021-03-03T01:02:03Z"},
        {"Don Okt 7 01:02:03 2021", "2021-10-07T01:02:03Z"},
        {"Fre Dez 31 23:59:59.999 2021", "2021-12-31T23:59:59.999Z"},
        {"mar. ao\xC3\xBBt 3 01:02:03 2021", "2021-08-03T01:02:03Z"},
        {"Sep 30 15:06:13 2017", "2017-09-30T15:06:13Z"},
        {"Sam Xyz 30 15:06:13 2017", NULL},
        {"Sam Sep 31 15:06:13 2017", NULL},
        {"Sam Sep 30 25:06:13 2017", NULL},
        {"Sam Sep 30", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t want = -1;
        if (row[i].want != NULL)
            assert_true(timestamp_parse(slice_str(row[i].want), &want));
        CHECK_ROW(i, asc_date_us(slice_str(row[i].text)) == want);
    }
}

static int64_t feed(struct asc *a, const char *line)
{
    struct asc_item item;
    struct line_fault fault;

    assert_int_equal(asc_line(a, slice_str(line), &item, &fault), VS_OK);
    return item.kind == ASC_FRAME ? item.frame.time_us : -1;
}

static void times_of_later_blocks_never_start_again(void **state)
{
    struct asc a;

    (void)state;
    asc_init(&a);
    feed(&a, "date Tue Mar 3 07:00:00 am 2026");
    feed(&a, "base hex timestamps absolute");
    feed(&a, "Begin Triggerblock Tue Mar 3 07:00:00 am 2026");
    assert_int_equal(feed(&a, "9.0 1 1 Rx d 0"), 9000000);
    assert_int_equal(feed(&a, "8.9 2 1 Rx d 0"), 8900000);
    feed(&a, "Begin Triggerblock Tue Mar 3 07:01:00 am 2026");
    assert_int_equal(feed(&a, "0.5 1 1 Rx d 0"), 60500000);
    feed(&a, "Begin Triggerblock no date");
    assert_int_equal(feed(&a, "0.25 1 1 Rx d 0"), 60750000);
    feed(&a, "Begin Triggerblock Tue Mar 3 07:02:00 am 2026");
    assert_int_equal(feed(&a, "70.0 1 1 Rx d 0"), 130500000);
}

static void relative_times_are_added_up_over_every_line(void **state)
{
    struct asc a;

    (void)state;
    asc_init(&a);
    feed(&a, "BASE DEC TIMESTAMPS RELATIVE");
    assert_int_equal(feed(&a, "1.5 1 291 Rx d 1 255"), 1500000);
    feed(&a, "0.5 1 Statistic: D 0");
    assert_int_equal(feed(&a, "0.25 1 ErrorFrame"), 2250000);
}

static void broken_lines_are_taken_or_refused_whole(void **state)
{
    struct seed seed = seed_start("asc", 5);

    (void)state;
    for (unsigned round = 0; round < 60000; round++) {
        const char *from = good[round % GOOD_COUNT].line;
        size_t len = seed_below(&seed, strlen(from) + 1);
        uint8_t *line = malloc(len + 1);
        struct asc a;
        struct asc_item item;
        struct line_fault fault = {0, NULL};

        assert_non_null(line);
        memcpy(line, from, len);
        for (unsigned k = 0; k < round % 4 && len > 0; k++)
            line[seed_below(&seed, len)] ^= (uint8_t)(1u << seed_below(&seed, 8));
        asc_init(&a);
        enum vs_err err = asc_line(&a, slice_make(line, len), &item, &fault);
        if (err != VS_OK)
            assert_true(fault.reason != NULL && fault.column >= 1 && fault.column <= len + 1);
        else if (item.kind == ASC_FRAME)
            assert_true(item.frame.len <= 64 && item.frame.dlc <= 15 && item.frame.id <= CAN_FRAME_ID_EXT);
        free(line);
    }
}

static void only_its_own_first_lines_are_its_header(void **state)
{
    (void)state;
    assert_true(asc_is_header(slice_str("date Sam Sep 30 15:06:13.191 2017\r\n")));
    assert_true(asc_is_header(slice_str("Base hex timestamps absolute")));
    assert_false(asc_is_header(slice_str("(1.0) can0 123#")));
    assert_false(asc_is_header(slice_str("// date")));
    assert_false(asc_is_header(slice_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_line_reads),
        cmocka_unit_test(other_lines_are_passed_over),
        cmocka_unit_test(broken_frames_are_refused_with_their_column),
        cmocka_unit_test(dates_read_in_the_languages_of_their_writers),
        cmocka_unit_test(times_of_later_blocks_never_start_again),
        cmocka_unit_test(relative_times_are_added_up_over_every_line),
        cmocka_unit_test(broken_lines_are_taken_or_refused_whole),
        cmocka_unit_test(only_its_own_first_lines_are_its_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
