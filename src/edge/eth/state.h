/* state: what the Ethernet detectors remember while they run. Private to src/edge/eth, here for its size only.
 *
 * Each detector has a table of fixed size. A full table lets its oldest entry go and counts it (counters.given_up), so
 * that a flood of made-up addresses costs memory of nobody but itself. */
#ifndef EDGE_ETH_STATE_H
#define EDGE_ETH_STATE_H

#include "codec/eth_packet.h"
#include "codec/someip_tp.h"

#define EIDS_EPISODES    128
#define EIDS_BINDINGS    128
#define EIDS_VOLUMES     128
#define EIDS_SOURCES     32
#define EIDS_PORTS_MAX   64
#define EIDS_SESSIONS    128
#define EIDS_OFFERS      64
#define EIDS_SUBSCRIBERS 32
#define EIDS_REQUESTS    64
#define EIDS_STREAMS     16
#define EIDS_STREAM_ROOM                                                                                               \
    2048 /* bytes of a DoIP message that are put together; of longer ones the start is looked at                       \
          */
#define EIDS_TP_STREAMS 4
#define EIDS_TP_ROOM    8192

struct eids_episode {
    uint64_t key; /* 0 = free */
    int64_t hit_us, said_us;
    uint32_t withheld;
};

struct eids_binding {
    struct ip_addr addr; /* family 0 = free */
    uint8_t mac[ETH_MAC_SIZE];
    int64_t seen_us;
    int64_t asked_us; /* somebody asked for it; 0 = nobody has */
};

struct eids_volume {
    uint32_t flow; /* index in the policy */
    struct ip_addr src, dst;
    int64_t window_us;
    uint64_t bytes;
    uint32_t packets;
    bool said, used;
};

/* Distinct destinations (host and port) of one source in its window. */
struct eids_source {
    struct ip_addr addr;
    int64_t window_us;
    uint16_t count;
    uint32_t target[EIDS_PORTS_MAX];
};

/* The sessions of one sender: of one SOME/IP service and client, or of its service discovery. */
struct eids_session {
    struct ip_addr src, dst;
    uint16_t service, client, method;
    uint16_t last;
    bool reboot, multicast, used;
    int64_t seen_us;
};

struct eids_offer {
    uint16_t service, instance;
    bool used, offered;
    struct ip_addr by;
    int64_t window_us, seen_us;
    uint32_t changes;
};

/* Something counted per host in a window. */
struct eids_subscriber {
    struct ip_addr addr;
    int64_t window_us;
    uint32_t count;
};

struct eids_request {
    struct ip_addr client_addr;
    uint16_t service, method, client, session;
    int64_t sent_us;
    bool used;
};

/* One direction of a TCP connection that carries DoIP. */
struct eids_stream {
    struct ip_addr src, dst;
    uint16_t src_port, dst_port;
    bool used, synced;
    bool from_start; /* its SYN was seen */
    bool asked, activated;
    uint32_t next_seq;
    uint32_t len, taken; /* bytes in the room, and of them those already handed out */
    uint32_t skip;       /* bytes to come of a message that is too long to be kept */
    int64_t seen_us;
    uint8_t room[EIDS_STREAM_ROOM];
};

struct eids_tp_stream {
    struct ip_addr src;
    uint16_t service, method, client, session;
    bool used;
    int64_t seen_us;
    struct someip_tp tp;
    uint8_t room[EIDS_TP_ROOM];
};

struct eids_state {
    struct eids_episode episode[EIDS_EPISODES];
    int64_t budget_us; /* when the next finding is free again: one in 50 ms on average, 64 at once */
    struct eids_binding binding[EIDS_BINDINGS];
    struct eids_volume volume[EIDS_VOLUMES];
    struct eids_source source[EIDS_SOURCES];
    struct eids_session session[EIDS_SESSIONS];
    struct eids_offer offer[EIDS_OFFERS];
    struct eids_subscriber subscriber[EIDS_SUBSCRIBERS];
    struct eids_subscriber refused[EIDS_SUBSCRIBERS]; /* clients that were told: unknown service or method */
    struct eids_request request[EIDS_REQUESTS];
    struct eids_stream stream[EIDS_STREAMS];
    struct eids_tp_stream tp[EIDS_TP_STREAMS];
    uint8_t grandmaster[8];
    bool grandmaster_known;
};

#endif
