/* One packet through every layer: link, IP, ARP, gPTP, SOME/IP with service discovery, DoIP. The first byte is the link
 * type. */
#include <assert.h>
#include <stddef.h>

#include "codec/doip.h"
#include "codec/eth_packet.h"
#include "codec/gptp.h"
#include "codec/pcap.h"
#include "codec/someip_sd.h"
#include "codec/someip_tp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sd(struct slice payload)
{
    struct someip_sd d;
    struct byte_fault fault;

    if (someip_sd_open(payload, &d, &fault) != VS_OK) {
        assert(fault.byte <= payload.len);
        return;
    }
    for (unsigned i = 0; i < d.entry_count; i++) {
        struct someip_sd_entry e;
        struct someip_sd_option o;
        someip_sd_entry(&d, i, &e);
        for (unsigned n = 0; someip_sd_option_of(&e, n) >= 0; n++) {
            assert((unsigned)someip_sd_option_of(&e, n) < d.option_count);
            someip_sd_option(&d, (unsigned)someip_sd_option_of(&e, n), &o);
        }
    }
}

static void someip(struct slice in)
{
    static uint8_t room[256];
    struct someip_tp tp;

    someip_tp_init(&tp, room, sizeof room);
    while (in.len > 0) {
        struct someip m;
        struct byte_fault fault;
        struct slice whole;
        size_t used;
        bool complete;
        if (someip_read(in, &m, &used, &fault) != VS_OK) {
            assert(fault.byte <= in.len);
            return;
        }
        if (someip_is_sd(&m))
            sd(m.payload);
        if (m.segment && someip_tp_step(&tp, &m, &complete, &whole, &fault) == VS_OK && complete)
            assert(whole.len <= sizeof room);
        in = slice_from(in, used);
    }
}

static void doip(struct slice in)
{
    while (in.len > 0) {
        struct doip m;
        struct byte_fault fault;
        size_t used;
        if (doip_read(in, &m, &used, &fault) != VS_OK) {
            assert(fault.byte <= in.len);
            return;
        }
        assert(m.uds.len <= m.payload.len && doip_type_name(m.type) != NULL);
        in = slice_from(in, used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t LINK[] = {PCAP_LINK_ETHERNET, PCAP_LINK_RAW_IP, PCAP_LINK_SLL, PCAP_LINK_SLL2};
    struct eth_packet p;
    struct byte_fault fault;
    struct gptp clock;

    if (size == 0)
        return 0;
    struct slice in = slice_make(data + 1, size - 1);
    if (eth_packet_read(LINK[data[0] % 4], in, &p, &fault) != VS_OK)
        assert(fault.byte <= in.len);
    assert(p.payload.len <= in.len);
    someip(p.payload);
    doip(p.payload);
    if (gptp_read(p.payload, &clock, &fault) != VS_OK)
        assert(fault.byte <= p.payload.len);
    return 0;
}
