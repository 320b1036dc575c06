/* Hostile packets through every Ethernet detector: u16 length and bytes, one after the other; the first byte of each
 * chooses how far the clock goes on. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "codec/pcap.h"
#include "edge/eids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct eth_host HOST[] = {{{4, {10, 0, 0, 1}}, {2, 0, 0, 0, 0, 1}, ETH_VLAN_NONE}};
static const struct eth_flow FLOW[] = {{{{4, {10}}, 8}, {{0}, 0}, 0, 0, 500, 5}};
static const struct eth_service SERVICE[] = {{0x1234, 1, 1, {4, {10, 0, 0, 1}}, 0, 1, 0, 1}};
static const struct ip_addr CLIENT[] = {{4, {10, 0, 0, 2}}};
static const uint16_t METHOD[] = {1};
static const struct eth_tester TESTER[] = {{{{4, {10, 0, 0, 9}}, 32}, 0x0E80, 0x0E8F}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct eids ids;
    static const struct eth_policy policy = {.host = HOST,
                                             .host_count = 1,
                                             .flow = FLOW,
                                             .flow_count = 1,
                                             .service = SERVICE,
                                             .service_count = 1,
                                             .client = CLIENT,
                                             .client_count = 1,
                                             .method = METHOD,
                                             .method_count = 1,
                                             .tester = TESTER,
                                             .tester_count = 1,
                                             .doip_connections_max = 1,
                                             .scan_ports_max = 3,
                                             .subscribes_max = 3,
                                             .offer_changes_max = 2,
                                             .answer_ms_max = 100};
    struct eids_finding found[EIDS_FINDINGS_MAX];
    struct slice in = slice_make(data, size);
    int64_t now_us = 1;

    eids_init(&ids, &policy);
    while (in.len > 3) {
        size_t len = in.ptr[1] | (size_t)in.ptr[2] << 8;
        now_us += (int64_t)in.ptr[0] * in.ptr[0] * 1000;
        in = slice_from(in, 3);
        len = len < in.len ? len : in.len;
        size_t count =
            eids_packet(&ids, PCAP_LINK_ETHERNET, slice_head(in, len), (uint32_t)len, now_us, found, EIDS_FINDINGS_MAX);
        count += eids_tick(&ids, now_us, found + count, EIDS_FINDINGS_MAX - count);
        for (size_t i = 0; i < count; i++) {
            uint8_t text[EIDS_TEXT_SIZE];
            struct event ev;
            uint8_t field;
            eids_finding_event(&found[i], 0, text, &ev);
            if (event_validate(&ev, &field) != VS_OK)
                abort();
        }
        in = slice_from(in, len);
    }
    return 0;
}
