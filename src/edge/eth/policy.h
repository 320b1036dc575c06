/* policy: what is allowed on a vehicle's Ethernet. Tables of the caller, borrowed by the detector.
 *
 * docs/formats/eth-policy.md is the YAML form, which says the same by the same names. An empty table arms nothing. */
#ifndef EDGE_ETH_POLICY_H
#define EDGE_ETH_POLICY_H

#include "codec/eth_packet.h"

#define ETH_PORT_ANY     0u
#define ETH_PROTOCOL_ANY 0u
#define ETH_ANY16        0xFFFFu /* instance, method: any */

/* An address, a network, or (family 0) anybody. */
struct eth_net {
    struct ip_addr addr;
    uint8_t bits;
};

struct eth_host {
    struct ip_addr addr;
    uint8_t mac[ETH_MAC_SIZE];
    uint16_t vlan; /* ETH_VLAN_NONE: untagged or not said */
};

/* Traffic that may be, in the direction given; answers are the same flow. Limits are for 100 ms, 0 = none. */
struct eth_flow {
    struct eth_net src, dst;
    uint8_t protocol; /* enum ip_protocol, ETH_PROTOCOL_ANY */
    uint16_t port;    /* destination; ETH_PORT_ANY */
    uint32_t bytes_max, packets_max;
};

/* One service and instance: who offers it and who may use it. Clients and methods are runs of the tables below. */
struct eth_service {
    uint16_t service, instance; /* instance ETH_ANY16: any */
    uint8_t interface_version;  /* 0: any */
    struct ip_addr offered_by;
    uint32_t client_first, client_count; /* 0 clients: anybody */
    uint32_t method_first, method_count; /* 0 methods: any */
};

struct eth_tester {
    struct eth_net net;
    uint16_t address_low, address_high; /* logical addresses it may use */
};

struct eth_policy {
    const struct eth_host *host;
    uint32_t host_count;
    const uint16_t *ethertype;
    uint32_t ethertype_count;
    const uint16_t *vlan;
    uint32_t vlan_count;
    const struct eth_flow *flow;
    uint32_t flow_count;
    const struct eth_service *service;
    uint32_t service_count;
    const struct ip_addr *client;
    uint32_t client_count;
    const uint16_t *method;
    uint32_t method_count;
    const struct eth_tester *tester;
    uint32_t tester_count;
    const struct ip_addr *doip_entity;
    uint32_t doip_entity_count;
    uint32_t doip_connections_max; /* open at a time; 0 = not watched */
    const uint8_t (*grandmaster)[8];
    uint32_t grandmaster_count;
    uint32_t scan_ports_max;    /* ports one source may try in 10 s; 0 = not watched */
    uint32_t subscribes_max;    /* subscriptions of one client in 1 s; 0 = not watched */
    uint32_t offer_changes_max; /* offers and stops of one service in 10 s; 0 = not watched */
    uint32_t answer_ms_max;     /* a request without an answer for so long is a finding; 0 = not watched */
};

static inline bool eth_net_has(const struct eth_net *n, const struct ip_addr *a)
{
    unsigned whole = n->bits / 8u, rest = n->bits % 8u;

    if (n->addr.family == 0)
        return true;
    if (n->addr.family != a->family || memcmp(n->addr.byte, a->byte, whole) != 0)
        return false;
    return rest == 0 || ((n->addr.byte[whole] ^ a->byte[whole]) >> (8 - rest)) == 0;
}

#endif
