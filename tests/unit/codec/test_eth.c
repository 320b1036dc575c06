/* eth_packet, someip_tp, gptp, addresses as text. Whole messages by scapy, tcpdump and PcapPlusPlus are in
 * tests/oracle. */
#include "check.h"
#include "hex_bytes.h"

#include "codec/eth_packet.h"
#include "codec/gptp.h"
#include "codec/pcap.h"
#include "codec/someip_tp.h"
#include "core/writer.h"

#define BYTES_MAX 256

#define MACS      "0200000000AA 0200000000BB "
#define IP4       "45000020 00000000 40110000 0A000001 0A000002 "
#define UDP4      "04D2 7718 000C 0000 "
#define IP4_LATER "45000020 00000020 40110000 0A000001 0A000002 "

static void layers_are_found(void **state)
{
    static const struct {
        const char *hex;
        uint16_t link, type, vlan, src_port;
        uint8_t family;
        size_t payload_at, payload_len;
        bool cut, later;
    } CASE[] = {
        {MACS "0800" IP4 UDP4 "01020304", PCAP_LINK_ETHERNET, 0x0800, ETH_VLAN_NONE, 1234, 4, 42, 4, false, false},
        {MACS "8100 2007 0800" IP4 UDP4 "01020304 0000", PCAP_LINK_ETHERNET, 0x0800, 7, 1234, 4, 46, 4, false, false},
        {MACS "88A8 0064 8100 0007 0800" IP4 UDP4 "0102", PCAP_LINK_ETHERNET, 0x0800, 7, 1234, 4, 50, 2, true, false},
        {IP4 UDP4 "01020304", PCAP_LINK_RAW_IP, 0x0800, ETH_VLAN_NONE, 1234, 4, 28, 4, false, false},
        {MACS "0800" IP4_LATER "0102030405060708 090A0B0C", PCAP_LINK_ETHERNET, 0x0800, ETH_VLAN_NONE, 0, 4, 34, 12,
         false, true},
        {MACS "88F7 0011", PCAP_LINK_ETHERNET, 0x88F7, ETH_VLAN_NONE, 0, 0, 14, 2, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        uint8_t buf[BYTES_MAX];
        struct eth_packet p;
        struct byte_fault fault = {0, ""};

        if (eth_packet_read(CASE[i].link, hex_bytes(CASE[i].hex, buf), &p, &fault) != VS_OK)
            fail_msg("case %zu: byte %zu: %s", i, fault.byte, fault.reason);
        assert_int_equal(p.type, CASE[i].type);
        assert_int_equal(p.vlan, CASE[i].vlan);
        assert_int_equal(p.src_port, CASE[i].src_port);
        assert_int_equal(p.src.family, CASE[i].family);
        assert_int_equal(p.payload_at, CASE[i].payload_at);
        assert_int_equal(p.payload.len, CASE[i].payload_len);
        assert_int_equal(p.cut, CASE[i].cut);
        assert_int_equal(p.fragment_later, CASE[i].later);
    }
}

static void contradictions_are_named(void **state)
{
    static const struct {
        const char *hex;
        enum vs_err err;
        size_t byte;
    } CASE[] = {
        {MACS "08", VS_ERR_TRUNCATED, 13},
        {MACS "8100 8100 8100 8100 8100 8100 8100 8100 0000", VS_ERR_MALFORMED, 26},
        {MACS "0800 65000020 00000000 40110000 0A000001 0A000002", VS_ERR_MALFORMED, 14},
        {MACS "0800 44000020 00000000 40110000 0A000001 0A000002", VS_ERR_MALFORMED, 14},
        {MACS "0800 45000010 00000000 40110000 0A000001 0A000002", VS_ERR_MALFORMED, 16},
        {MACS "0800" IP4 "04D2 7718 0007 0000 01020304", VS_ERR_MALFORMED, 38},
        {MACS "0800" IP4 "04D2 7718 00FF 0000 01020304", VS_ERR_MALFORMED, 38},
        {MACS "0806 0002 0800 06 04 0001 0200000000BB 0A000001 000000000000 0A000002", VS_ERR_MALFORMED, 14},
        {MACS "0806 0001 0800 06 04 0009 0200000000BB 0A000001 000000000000 0A000002", VS_ERR_MALFORMED, 20},
        {MACS "0806 0001 0800 06 04 0001 0200000000BB", VS_ERR_MALFORMED, 14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        uint8_t buf[BYTES_MAX];
        struct eth_packet p;
        struct byte_fault fault = {0, ""};

        enum vs_err err = eth_packet_read(PCAP_LINK_ETHERNET, hex_bytes(CASE[i].hex, buf), &p, &fault);
        if (err != CASE[i].err || fault.byte != CASE[i].byte)
            fail_msg("case %zu: %s, byte %zu: %s", i, vs_err_info(err)->name, fault.byte, fault.reason);
    }
}

static void addresses_are_written_as_rfc_5952_wants(void **state)
{
    static const char *const CASE[][2] = {{"00000000000000000000000000000000", "::"},
                                          {"00000000000000000000000000000001", "::1"},
                                          {"20010DB8000000000001000000000001", "2001:db8::1:0:0:1"},
                                          {"20010DB8000000010001000100010001", "2001:db8:0:1:1:1:1:1"},
                                          {"FE800000000000000000000000000000", "fe80::"},
                                          {"20010DB80000000100000000000000FF", "2001:db8:0:1::ff"}};

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        struct ip_addr a = {.family = 6};
        uint8_t text[IP_TEXT];
        struct writer w;

        assert_true(hex_read(slice_str(CASE[i][0]), a.byte, 16));
        writer_init(&w, text, sizeof text);
        ip_addr_write(&w, &a);
        check_slice(writer_slice(&w), CASE[i][1]);
    }
}

static struct someip segment(uint32_t offset, bool more, struct slice payload)
{
    struct someip m = {.segment = true, .offset = offset, .more = more, .payload = payload};
    return m;
}

static void segments_are_put_together_in_order_only(void **state)
{
    static const uint8_t data[48] = {1, 2, 3};
    uint8_t room[64];
    struct someip_tp t;
    struct slice whole;
    struct byte_fault fault;
    bool complete;
    struct someip a = segment(0, true, slice_make(data, 32)), b = segment(32, false, slice_make(data + 32, 9)),
                  odd = segment(32, true, slice_make(data, 9)), wide = segment(32, false, slice_make(data, 33));

    (void)state;
    someip_tp_init(&t, room, sizeof room);
    assert_int_equal(someip_tp_step(&t, &a, &complete, &whole, &fault), VS_OK);
    assert_false(complete);
    assert_int_equal(someip_tp_step(&t, &b, &complete, &whole, &fault), VS_OK);
    assert_true(complete);
    assert_int_equal(whole.len, 41);
    assert_memory_equal(whole.ptr, data, 41);
    assert_int_equal(someip_tp_step(&t, &b, &complete, &whole, &fault), VS_ERR_MALFORMED);
    assert_int_equal(t.given_up, 0);
    assert_int_equal(someip_tp_step(&t, &a, &complete, &whole, &fault), VS_OK);
    assert_int_equal(someip_tp_step(&t, &odd, &complete, &whole, &fault), VS_ERR_MALFORMED);
    assert_int_equal(t.given_up, 1);
    assert_int_equal(someip_tp_step(&t, &a, &complete, &whole, &fault), VS_OK);
    assert_int_equal(someip_tp_step(&t, &wide, &complete, &whole, &fault), VS_ERR_LIMIT);
    assert_int_equal(t.too_long, 1);
    assert_int_equal(someip_tp_step(&t, &a, &complete, &whole, &fault), VS_OK);
    assert_int_equal(someip_tp_step(&t, &a, &complete, &whole, &fault), VS_OK);
    assert_int_equal(t.given_up, 3);
}

static void an_announced_grandmaster_is_read(void **state)
{
    uint8_t buf[BYTES_MAX];
    struct gptp m;
    struct byte_fault fault;
    struct slice in = hex_bytes("1B02 0040 00 00 0008 0000000000000000 00000000 AABBCCFFFEDDEE01 0001 1234 05 00 "
                                "00000000000000000000 0025 00 F6 F8 FE 4E5D F8 1122334455667788 0001 A0",
                                buf);

    (void)state;
    assert_int_equal(gptp_read(in, &m, &fault), VS_OK);
    assert_int_equal(m.type, GPTP_ANNOUNCE);
    assert_int_equal(m.sequence, 0x1234);
    assert_int_equal(m.source[7], 0x01);
    assert_int_equal(m.priority1, 0xF6);
    assert_int_equal(m.priority2, 0xF8);
    assert_int_equal(m.grandmaster[0], 0x11);
    assert_int_equal(m.grandmaster[7], 0x88);
    assert_int_equal(m.steps_removed, 1);
    assert_int_equal(gptp_read(slice_head(in, 60), &m, &fault), VS_ERR_MALFORMED);
    assert_int_equal(gptp_read(slice_head(in, 20), &m, &fault), VS_ERR_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers_are_found), cmocka_unit_test(contradictions_are_named),
                                       cmocka_unit_test(addresses_are_written_as_rfc_5952_wants),
                                       cmocka_unit_test(segments_are_put_together_in_order_only),
                                       cmocka_unit_test(an_announced_grandmaster_is_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
