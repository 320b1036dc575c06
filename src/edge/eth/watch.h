/* watch: what the Ethernet detectors share, and one function of each. Private to src/edge/eth. */
#ifndef EDGE_ETH_WATCH_H
#define EDGE_ETH_WATCH_H

#include "codec/someip.h"
#include "edge/eids.h"

/* evidence.c: asks for room to tell a hit of this subject (any number that tells it apart within its type). NULL when
 * it belongs to a finding already told, is over the budget, or does not fit; it is counted then. The finding has type,
 * detector, reason, count, packet, time, and the packet's addresses (p may be NULL). */
struct eids_finding *eids_raise(struct eids *e, enum eids_detector d, uint16_t type, const char *reason,
                                uint64_t subject, const struct eth_packet *p);
/* A number for an address, a hardware address, or anything else of a few bytes; not for security. */
uint64_t eids_hash(uint64_t seed, const void *bytes, size_t size);
static inline uint64_t eids_addr_hash(const struct ip_addr *a)
{
    return eids_hash(a->family, a->byte, sizeof a->byte);
}

/* The place for an entry: a free one, else the one not seen for longest, which is counted as given up. `used` tells
 * which are taken, `seen_us` when; both are offsets of members. */
size_t eids_place(struct eids *e, enum eids_detector d, const void *table, size_t count, size_t size, size_t used_at,
                  size_t seen_at);

/* Detectors, one file each. */
void eids_binding_step(struct eids *e, const struct eth_packet *p);
void eids_ethertype_step(struct eids *e, const struct eth_packet *p);
void eids_flow_step(struct eids *e, const struct eth_packet *p, uint32_t wire_len);
void eids_scan_step(struct eids *e, const struct eth_packet *p);
void eids_clock_step(struct eids *e, const struct eth_packet *p);
void eids_someip_step(struct eids *e, const struct eth_packet *p);
void eids_someip_tick(struct eids *e);
/* sessions.c: true when the session goes on as it should. */
void eids_session_step(struct eids *e, const struct eth_packet *p, const struct someip *m);
void eids_reboot_step(struct eids *e, const struct eth_packet *p, const struct someip *m, bool reboot);
void eids_discovery_step(struct eids *e, const struct eth_packet *p, const struct someip *m, size_t at);
void eids_doip_step(struct eids *e, const struct eth_packet *p);

#endif
