/* eids: the Ethernet intrusion detector of a vehicle, the counterpart of vids.h. This header is the whole interface.
 *
 * Vehicle networks are static: who is there, who talks to whom, who offers which service and who may open a diagnosis
 * is known at design time. A policy says it (docs/formats/eth-policy.md; learned from clean traffic and reviewed by a
 * person), and every packet is held against it. A part of the policy that is empty arms nothing.
 *
 *     static struct eids ids;
 *     eids_init(&ids, &policy);
 *     n = eids_packet(&ids, PCAP_LINK_ETHERNET, bytes, wire_len, now_us, found, EIDS_FINDINGS_MAX);
 *     n = eids_tick(&ids, now_us, found, EIDS_FINDINGS_MAX);      every 100 ms or so
 *
 * Memory: the caller's struct eids, whose size is a compile-time constant; the policy is borrowed until the last call.
 * No heap, no stdio, no floating point, no recursion. Every table has a ceiling and a counter of what it gave up. Time:
 * `now_us` is the caller's clock. Cost: each packet is decoded once and costs a bounded number of table probes.
 * Threads: one owner. Hostile packets are findings (eth.malformed), never errors. */
#ifndef EDGE_EIDS_H
#define EDGE_EIDS_H

#include "codec/eth_packet.h"
#include "edge/eth/policy.h"
#include "edge/eth/state.h"
#include "event/event.h"

#define EIDS_FINDINGS_MAX 16

enum eids_detector {
    EIDS_MALFORMED,
    EIDS_BINDING,   /* ARP and neighbour discovery against the bindings */
    EIDS_ETHERTYPE, /* EtherType or VLAN that is not used here */
    EIDS_FLOW,      /* allow-list */
    EIDS_VOLUME,    /* bytes or packets of a flow in 100 ms */
    EIDS_SCAN,      /* many ports or hosts from one source */
    EIDS_SOMEIP,    /* service matrix */
    EIDS_SESSION,   /* SOME/IP sessions and reboot flag */
    EIDS_DISCOVERY, /* offers, subscriptions */
    EIDS_DOIP,
    EIDS_CLOCK, /* gPTP */
    EIDS_DETECTORS
};

/* What a finding says, besides its type. Which members hold is in `has`. */
enum eids_has {
    EIDS_HAS_SRC_MAC = 1 << 0,
    EIDS_HAS_DST_MAC = 1 << 1,
    EIDS_HAS_MAC_EXPECTED = 1 << 2,
    EIDS_HAS_VLAN = 1 << 3,
    EIDS_HAS_ETHERTYPE = 1 << 4,
    EIDS_HAS_PORTS = 1 << 5,
    EIDS_HAS_SERVICE = 1 << 6,
    EIDS_HAS_INSTANCE = 1 << 7,
    EIDS_HAS_METHOD = 1 << 8,
    EIDS_HAS_CODE = 1 << 9,
    EIDS_HAS_COUNTER = 1 << 10,
    EIDS_HAS_ADDRESS = 1 << 11,
    EIDS_HAS_ACTIVATION = 1 << 12,
    EIDS_HAS_BYTES = 1 << 13,
    EIDS_HAS_FRAMES = 1 << 14,
    EIDS_HAS_SPEED = 1 << 15,
    EIDS_HAS_JUMP = 1 << 16,
    EIDS_HAS_PROTOCOL = 1 << 17
};

struct eids_finding {
    uint16_t type;      /* enum ev_type_id */
    uint8_t detector;   /* enum eids_detector */
    const char *reason; /* static, in words; NULL when the type says it all */
    uint32_t has;       /* enum eids_has */
    uint32_t count;     /* hits it stands for: this one and those withheld since the one before */
    uint64_t packet;    /* 0-based index of the packet */
    int64_t time_us;
    struct ip_addr src, dst; /* family 0: none */
    uint8_t src_mac[ETH_MAC_SIZE], dst_mac[ETH_MAC_SIZE], mac_expected[ETH_MAC_SIZE];
    uint16_t vlan, ethertype, src_port, dst_port, service, instance, method, counter, counter_expected, address;
    uint8_t protocol, code, activation_type;
    uint64_t bytes, bytes_expected;
    uint32_t frames;
    int32_t speed_centi; /* m/s */
    int64_t jump_us;
};

struct eids_counters {
    uint64_t packets, foreign; /* foreign: of a link type that is not read */
    uint64_t findings, findings_dropped, findings_withheld;
    uint64_t hits[EIDS_DETECTORS];
    uint64_t given_up[EIDS_DETECTORS]; /* entries that a full table let go */
    uint64_t streams_given_up, stream_gaps;
};

struct eids {
    const struct eth_policy *policy;
    struct eids_state state; /* edge/eth/state.h */
    struct eids_counters counters;
    uint64_t packet; /* index of the next packet */
    int64_t now_us;
    int64_t speed_at_us;
    int32_t speed_centi;
    struct eids_finding *found; /* during a call */
    size_t found_count, found_max;
};

void eids_init(struct eids *e, const struct eth_policy *policy);
/* One captured packet; `link` is enum pcap_link. Returns how many findings were written. */
size_t eids_packet(struct eids *e, uint16_t link, struct slice data, uint32_t wire_len, int64_t now_us,
                   struct eids_finding *found, size_t max);
size_t eids_tick(struct eids *e, int64_t now_us, struct eids_finding *found, size_t max);
/* What the vehicle does, in hundredths of a metre a second: diagnosis while it moves is a finding. Stale after 5 s. */
void eids_speed(struct eids *e, int32_t speed_centi, int64_t now_us);

/* The finding as an event of the schema. Its texts stand in `text`, which must live as long as the event. */
#define EIDS_TEXT_SIZE 256
void eids_finding_event(const struct eids_finding *f, int64_t wall_us, uint8_t text[EIDS_TEXT_SIZE],
                        struct event *ret_ev);
const char *eids_detector_name(enum eids_detector d);

#endif
