/* pcap, can_packet, blf: byte orders, cut and broken records. Whole files by scapy and python-can are in tests/oracle.
 * */
#include "check.h"
#include "hex_bytes.h"

#include "codec/blf.h"
#include "codec/can_packet.h"

#define BYTES_MAX 512

#define PCAP_LE    "D4C3B2A1 0200 0400 00000000 00000000 00000400 "
#define CAN_PACKET "00000123 02 00 00 00 AABB"
#define FRAME_LE   "00000065 05000000 0A000000 0A000000 " CAN_PACKET

static enum vs_err run(const char *hex, struct can_frame *ret, unsigned *ret_count, const char **ret_reason)
{
    uint8_t buf[BYTES_MAX];
    struct slice in = hex_bytes(hex, buf);
    struct pcap p;

    pcap_init(&p);
    *ret_count = 0;
    *ret_reason = "";
    while (in.len > 0) {
        struct pcap_packet packet;
        bool is_packet;
        size_t used;
        enum vs_err err = pcap_record(&p, in, &packet, &is_packet, &used, ret_reason);
        if (err == VS_OK && is_packet)
            err = can_packet_read(&packet, ret, ret_reason);
        if (err != VS_OK)
            return err;
        *ret_count += is_packet;
        in = slice_from(in, used);
    }
    return VS_OK;
}

static void both_byte_orders_say_the_same(void **state)
{
    static const char *const FILE_[] = {
        PCAP_LE "E3000000" FRAME_LE,
        "A1B2C3D4 0002 0004 00000000 00000000 00040000 000000E3 65000000 00000005 0000000A 0000000A " CAN_PACKET,
        "A1B23C4D 0002 0004 00000000 00000000 00040000 000000E3 65000000 000017A2 0000000A 0000000A " CAN_PACKET,
        "0A0D0D0A 1C000000 4D3C2B1A 0100 0000 FFFFFFFFFFFFFFFF 1C000000 01000000 14000000 E300 0000 00000000 14000000 "
        "06000000 2C000000 00000000 A6040600 05403700 0A000000 0A000000 " CAN_PACKET "0000 2C000000",
        "0A0D0D0A 0000001C 1A2B3C4D 0001 0000 FFFFFFFFFFFFFFFF 0000001C 00000001 00000014 00E3 0000 00000000 00000014 "
        "00000006 0000002C 00000000 000604A6 00374005 0000000A 0000000A " CAN_PACKET "0000 0000002C",
        PCAP_LE
        "71000000 00000065 05000000 1A000000 1A000000 0004 0118 0000 0000000000000000 000C 23010000 02 00 00 00 AABB",
    };

    (void)state;
    for (size_t i = 0; i < sizeof FILE_ / sizeof FILE_[0]; i++) {
        struct can_frame fr;
        unsigned count;
        const char *reason;

        if (run(FILE_[i], &fr, &count, &reason) != VS_OK)
            fail_msg("capture %zu: %s", i, reason);
        assert_int_equal(count, 1);
        assert_int_equal(fr.id, 0x123);
        assert_int_equal(fr.len, 2);
        assert_int_equal(fr.data[1], 0xBB);
        if (i < 3)
            assert_int_equal(fr.time_us, INT64_C(0x65000000) * 1000000 + (i == 2 ? 6 : 5));
    }
}

static void what_is_wrong_is_told(void **state)
{
    static const struct {
        const char *hex;
        enum vs_err err;
    } BAD[] = {
        {"4D5A0000", VS_ERR_MALFORMED},
        {"D4C3B2A1 0300 0400 00000000 00000000 00000400 E3000000", VS_ERR_UNSUPPORTED},
        {PCAP_LE "E300", VS_ERR_TRUNCATED},
        {PCAP_LE "E3000000 00000065 05000000 0B000000 0A000000 " CAN_PACKET, VS_ERR_TRUNCATED},
        {PCAP_LE "E3000000 00000065 05000000 FFFFFF7F 0A000000 " CAN_PACKET, VS_ERR_RANGE},
        {PCAP_LE "E3000000 00000065 05000000 08000000 08000000 00000123 09 00 00 00", VS_ERR_RANGE},
        {PCAP_LE "E3000000 00000065 05000000 08000000 08000000 00000123 02 00 00 00", VS_ERR_TRUNCATED},
        {PCAP_LE "E3000000 00000065 05000000 05000000 05000000 00000123 02", VS_ERR_TRUNCATED},
        {PCAP_LE "E3000000 00000065 05000000 08000000 08000000 00000123 80 00 00 00", VS_ERR_UNSUPPORTED},
        {PCAP_LE "01000000 00000065 05000000 08000000 08000000 00000123 02 00 00 00", VS_ERR_NOT_FOUND},
        {"0A0D0D0A 1C000000 4D3C2B1A 0100 0000 FFFFFFFFFFFFFFFF 18000000", VS_ERR_MALFORMED},
        {"0A0D0D0A 1C000000 4D3C2B1A 0100 0000 FFFFFFFFFFFFFFFF 1C000000 06000000 20000000 00000000 00000000 00000000 "
         "00000000 "
         "00000000 20000000",
         VS_ERR_MALFORMED},
        {"0A0D0D0A 1C000000 4D3C2B1A 0100 0000 FFFFFFFFFFFFFFFF 1C000000 01000000 1C000000 E300 0000 00000000 0900 "
         "0100 14000000 "
         "1C000000",
         VS_ERR_RANGE},
        {"0A0D0D0A 1C000000 4D3C2B1A 0100 0000 FFFFFFFFFFFFFFFF 1C000000 01000000 0A000000 0000 0A000000",
         VS_ERR_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct can_frame fr;
        unsigned count;
        const char *reason;

        enum vs_err err = run(BAD[i].hex, &fr, &count, &reason);
        if (err != BAD[i].err || reason[0] == '\0')
            fail_msg("capture %zu: %s, %s", i, vs_err_info(err)->name, reason);
    }
}

/* One classic frame: channel 3, id 123, data AA BB. */
#define BLF_HEAD(size_) "4C4F424A 2000 0100 " size_ " 01000000 01000000 0000 0000 0500000000000000 "
#define CLASSIC         BLF_HEAD("30000000") "0300 01 02 23010000 AABB000000000000"

static void a_vector_object_is_read_or_refused(void **state)
{
    static const struct {
        const char *hex;
        enum vs_err err;
        enum blf_kind kind;
        size_t used;
    } CASE[] = {
        {CLASSIC, VS_OK, BLF_FRAME, 48},
        {"000000" CLASSIC, VS_OK, BLF_FRAME, 51},
        {"00000000 00000000" CLASSIC, VS_ERR_MALFORMED, 0, 0},
        {"4C4F424A 2000", VS_ERR_TRUNCATED, 0, 0},
        {BLF_HEAD("30000000") "0300", VS_ERR_TRUNCATED, 0, 48},
        {BLF_HEAD("22000000") "0300", VS_ERR_MALFORMED, 0, 34},
        {BLF_HEAD("FFFFFF7F") "0300", VS_ERR_RANGE, 0, 0},
        {"4C4F424A 2000 0100 08000000 01000000 0000000000000000", VS_ERR_RANGE, 0, 0},
        {"4C4F424A 2000 0900 20000000 01000000 01000000 0000 0000 0500000000000000", VS_OK, BLF_OTHER, 32},
        {"4C4F424A 1000 0100 22000000 0A000000 0200 000000000000 00010000 00000000 AABB", VS_OK, BLF_CONTAINER, 34},
        {"4C4F424A 1000 0100 22000000 0A000000 0700 000000000000 00010000 00000000 AABB", VS_ERR_UNSUPPORTED, 0, 34}};

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        uint8_t buf[BYTES_MAX];
        struct blf b;
        struct blf_item item;
        size_t used;
        const char *reason = "";

        enum vs_err err = blf_object(&b, hex_bytes(CASE[i].hex, buf), &item, &used, &reason);
        if (err != CASE[i].err || used != CASE[i].used)
            fail_msg("object %zu: %s, used %zu, %s", i, vs_err_info(err)->name, used, reason);
        if (err != VS_OK)
            continue;
        assert_int_equal(item.kind, CASE[i].kind);
        if (item.kind == BLF_FRAME) {
            assert_true(slice_equal_str(item.frame.bus, "3"));
            assert_int_equal(item.frame.id, 0x123);
            assert_int_equal(item.frame.flags, CAN_FRAME_TX);
            assert_int_equal(item.frame.time_us, 50);
            assert_int_equal(item.frame.data[1], 0xBB);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_byte_orders_say_the_same),
                                       cmocka_unit_test(what_is_wrong_is_told),
                                       cmocka_unit_test(a_vector_object_is_read_or_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
