/* candump: both forms, every refusal with its column, and no byte of a broken line that makes it misbehave. R-249. */
#include "check.h"
#include "seed.h"

#include "codec/candump.h"
#include "core/hex.h"

struct good {
    const char *line;
    int64_t time_us;
    const char *bus;
    uint32_t id;
    uint8_t flags, dlc;
    const char *data; /* hex */
};

#define T 1436509052249713
static const struct good good[] = {
    {"(1436509052.249713) can0 123#11223344", T, "can0", 0x123, 0, 4, "11223344"},
    {"(1436509052.249713) can0 123#11223344\r\n", T, "can0", 0x123, 0, 4, "11223344"},
    {"(1436509052.249713999) vcan1 7ff#", T, "vcan1", 0x7FF, 0, 0, ""},
    {"(1436509052.2) c 1#aB", INT64_C(1436509052200000), "c", 1, 0, 1, "AB"},
    {"  (0000000000.000000)  can0  1FFFFFFF#00.11.22 T", 0, "can0", 0x1FFFFFFF, CAN_FRAME_EXT | CAN_FRAME_TX, 3,
     "001122"},
    {"(5) can0 00000001#FF R", 5000000, "can0", 1, CAN_FRAME_EXT, 1, "FF"},
    {"(5.0) can0 123#1122334455667788_B", 5000000, "can0", 0x123, 0, 11, "1122334455667788"},
    {"(5.0) can0 123#R", 5000000, "can0", 0x123, CAN_FRAME_RTR, 0, ""},
    {"(5.0) can0 123#R7 T", 5000000, "can0", 0x123, CAN_FRAME_RTR | CAN_FRAME_TX, 7, ""},
    {"(5.0) can0 123#r8_F", 5000000, "can0", 0x123, CAN_FRAME_RTR, 15, ""},
    {"(5.0) can0 123##0", 5000000, "can0", 0x123, CAN_FRAME_FD, 0, ""},
    {"(5.0) can0 123##311223344556677889900", 5000000, "can0", 0x123, CAN_FRAME_FD | CAN_FRAME_BRS | CAN_FRAME_ESI, 9,
     "11223344556677889900"},
    {"(5.0) can0 20000088#0000000000000000", 5000000, "can0", 0x88, CAN_FRAME_ERR, 8, "0000000000000000"},
    {"(5.0)  can0  123   [2]  11 22", 5000000, "can0", 0x123, 0, 2, "1122"},
    {"(5.0)  can0  123   [0] ", 5000000, "can0", 0x123, 0, 0, ""},
    {"(5.0)  can0  123  [04]  11 22 33 44", 5000000, "can0", 0x123, CAN_FRAME_FD, 4, "11223344"},
    {"(5.0)  can0  00000123   [8]  11 22 33 44 55 66 77 88   '.\"3DUfw.'", 5000000, "can0", 0x123, CAN_FRAME_EXT, 8,
     "1122334455667788"},
    {"(5.0)  can0  RX - -  123   [1]  11", 5000000, "can0", 0x123, 0, 1, "11"},
    {"(5.0)  can0  TX B E  123  [01]  11", 5000000, "can0", 0x123,
     CAN_FRAME_FD | CAN_FRAME_BRS | CAN_FRAME_ESI | CAN_FRAME_TX, 1, "11"},
    {"(5.0)  can0  123   [3]  remote request", 5000000, "can0", 0x123, CAN_FRAME_RTR, 3, ""},
    {"(5.0)  can0  20000080   [8]  00 00 00 00 00 00 00 00   ERRORFRAME", 5000000, "can0", 0x80, CAN_FRAME_ERR, 8,
     "0000000000000000"},
};
#define GOOD_COUNT (sizeof good / sizeof good[0])

static void every_form_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        struct candump_item item;
        struct line_fault fault;
        uint8_t data[64];
        size_t len = strlen(good[i].data) / 2;

        assert_true(hex_read(slice_str(good[i].data), data, len));
        enum vs_err err = candump_line(slice_str(good[i].line), &item, &fault);
        if (err != VS_OK)
            fail_msg("%s: column %u: %s", good[i].line, fault.column, fault.reason);
        CHECK_ROW(i, item.kind == CANDUMP_FRAME);
        CHECK_ROW(i, item.frame.time_us == good[i].time_us);
        check_slice(item.frame.bus, good[i].bus);
        CHECK_ROW(i, item.frame.id == good[i].id);
        CHECK_ROW(i, item.frame.flags == good[i].flags);
        CHECK_ROW(i, item.frame.dlc == good[i].dlc);
        CHECK_ROW(i, slice_equal(can_frame_data(&item.frame), slice_make(data, len)));
    }
}

static void what_is_wrong_is_refused_with_its_column(void **state)
{
    static const struct {
        const char *line;
        enum vs_err err;
        unsigned column;
    } row[] = {
        {"(", VS_ERR_TRUNCATED, 2},
        {"(x) can0 123#", VS_ERR_MALFORMED, 2},
        {"(1.) can0 123#", VS_ERR_MALFORMED, 4},
        {"(1.0123456789) can0 123#", VS_ERR_MALFORMED, 14},
        {"(99999999999999999999) can0 123#", VS_ERR_RANGE, 21},
        {"(9999999999999) can0 123#", VS_ERR_RANGE, 2},
        {"(1.0 can0 123#", VS_ERR_MALFORMED, 5},
        {"(1.0)can0 123#", VS_ERR_MALFORMED, 6},
        {"(1.0)", VS_ERR_TRUNCATED, 6},
        {"(1.0) can0", VS_ERR_TRUNCATED, 11},
        {"(1.0) can0 #11", VS_ERR_MALFORMED, 12},
        {"(1.0) can0 1234#11", VS_ERR_MALFORMED, 12},
        {"(1.0) can0 800#11", VS_ERR_RANGE, 12},
        {"(1.0) can0 40000000#11", VS_ERR_RANGE, 12},
        {"(1.0) can0 123456789#11", VS_ERR_MALFORMED, 12},
        {"(1.0) can0 00123#81:00:12345678#11", VS_ERR_UNSUPPORTED, 12},
        {"(1.0) can0 123#112233445566778899", VS_ERR_RANGE, 32},
        {"(1.0) can0 123#1", VS_ERR_MALFORMED, 16},
        {"(1.0) can0 123#11 X", VS_ERR_MALFORMED, 19},
        {"(1.0) can0 123#R9", VS_ERR_MALFORMED, 17},
        {"(1.0) can0 123#11_A", VS_ERR_MALFORMED, 19},
        {"(1.0) can0 123#1122334455667788_8", VS_ERR_MALFORMED, 33},
        {"(1.0) can0 123##", VS_ERR_TRUNCATED, 17},
        {"(1.0) can0 123 [9] 11", VS_ERR_RANGE, 17},
        {"(1.0) can0 123 [65]", VS_ERR_RANGE, 17},
        {"(1.0) can0 123 [2] 11", VS_ERR_TRUNCATED, 22},
        {"(1.0) can0 123 [1] 11 22", VS_ERR_MALFORMED, 23},
        {"(1.0) can0 123", VS_ERR_TRUNCATED, 15},
        {"DROPCOUNT: dropped x", VS_ERR_MALFORMED, 20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct candump_item item, before;
        struct line_fault fault;

        memset(&item, 0xA5, sizeof item);
        before = item;
        enum vs_err err = candump_line(slice_str(row[i].line), &item, &fault);
        if (err != row[i].err || fault.column != row[i].column)
            fail_msg("%s: got %d at %u: %s", row[i].line, err, fault.column, err != VS_OK ? fault.reason : "ok");
        assert_memory_equal(&item, &before, sizeof item);
    }
}

static void comments_pass_and_losses_are_told(void **state)
{
    static const char text[] =
        "# a comment\n\n(1.0) can0 001#\n   \nDROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 12)\n"
        "(2.0) can0 bad\n(3.0) can0 003#";
    struct candump cd;
    struct candump_item item;

    (void)state;
    candump_init(&cd, slice_str(text));
    assert_int_equal(candump_next(&cd, &item), VS_OK);
    assert_int_equal(item.frame.id, 1);
    assert_int_equal(cd.line, 3);
    assert_int_equal(candump_next(&cd, &item), VS_OK);
    assert_int_equal(item.kind, CANDUMP_DROPS);
    check_slice(item.bus, "can0");
    assert_int_equal(item.drops, 3);
    assert_int_equal(item.drops_total, 12);
    assert_int_equal(candump_next(&cd, &item), VS_ERR_RANGE); /* BAD is above 7FF */
    assert_int_equal(cd.line, 6);
    assert_int_equal(candump_next(&cd, &item), VS_OK);
    assert_int_equal(item.frame.id, 3);
    assert_int_equal(candump_next(&cd, &item), VS_ERR_END);
    assert_int_equal(candump_next(&cd, &item), VS_ERR_END);
}

/* Whatever a line becomes, the answer is a frame that keeps its own bounds, or a place within the line. */
static void check_sane(const uint8_t *bytes, size_t len)
{
    struct candump_item item;
    struct line_fault fault = {0, NULL};
    uint8_t *exact = malloc(len + 1); /* exactly as long, so that the sanitizer sees one byte too many */

    assert_non_null(exact);
    memcpy(exact, bytes, len);
    enum vs_err err = candump_line(slice_make(exact, len), &item, &fault);
    if (err != VS_OK) {
        assert_non_null(fault.reason);
        assert_true(fault.column >= 1 && fault.column <= len + 2);
    } else if (item.kind == CANDUMP_FRAME) {
        assert_true(item.frame.len <= CAN_FRAME_DATA_MAX && item.frame.dlc <= 15);
        assert_true(item.frame.id <= CAN_FRAME_ID_EXT && item.frame.time_us >= 0);
    }
    free(exact);
}

static void broken_lines_are_taken_or_refused_whole(void **state)
{
    struct seed seed = seed_start("candump", 4);

    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        uint8_t line[256];
        size_t len = strlen(good[i].line);

        for (size_t cut = 0; cut < len; cut++)
            check_sane((const uint8_t *)good[i].line, cut);
        for (size_t bit = 0; bit < len * 8; bit++) {
            memcpy(line, good[i].line, len);
            line[bit / 8] ^= (uint8_t)(1u << bit % 8);
            check_sane(line, len);
        }
        for (unsigned round = 0; round < 500; round++) {
            memcpy(line, good[i].line, len);
            for (unsigned k = 0; k < 4; k++)
                line[seed_below(&seed, len)] = (uint8_t)seed_next(&seed);
            check_sane(line, len);
        }
    }
}

static void a_line_longer_than_any_frame_is_refused(void **state)
{
    static uint8_t line[CANDUMP_LINE_MAX + 1];
    struct candump_item item;
    struct line_fault fault;

    (void)state;
    memset(line, ' ', sizeof line);
    assert_int_equal(candump_line(slice_make(line, CANDUMP_LINE_MAX), &item, &fault), VS_OK);
    assert_int_equal(candump_line(slice_make(line, sizeof line), &item, &fault), VS_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_reads),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_column),
        cmocka_unit_test(comments_pass_and_losses_are_told),
        cmocka_unit_test(broken_lines_are_taken_or_refused_whole),
        cmocka_unit_test(a_line_longer_than_any_frame_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
