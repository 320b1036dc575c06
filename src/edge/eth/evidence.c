/* evidence: from hits to findings, as for CAN: hits of one subject not more than EPISODE_US apart are one episode, told
 * when it begins and then once in REPEAT_US with the count; and all together have a budget, so that a flood of
 * different subjects cannot bury the rest. */
#include "edge/eth/watch.h"

#define EPISODE_US   INT64_C(5000000)
#define REPEAT_US    INT64_C(1000000)
#define BUDGET_STEP  INT64_C(50000)
#define BUDGET_AHEAD (64 * BUDGET_STEP)

uint64_t eids_hash(uint64_t seed, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint64_t h = seed ^ UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 29;
}

size_t eids_place(struct eids *e, enum eids_detector d, const void *table, size_t count, size_t size, size_t used_at,
                  size_t seen_at)
{
    const uint8_t *at = table;
    size_t oldest = 0;
    int64_t oldest_us = INT64_MAX;

    for (size_t i = 0; i < count; i++, at += size) {
        int64_t seen_us;
        if (at[used_at] == 0)
            return i;
        memcpy(&seen_us, at + seen_at, sizeof seen_us);
        if (seen_us < oldest_us) {
            oldest_us = seen_us;
            oldest = i;
        }
    }
    e->counters.given_up[d]++;
    return oldest;
}

static struct eids_episode *episode_of(struct eids *e, uint64_t key)
{
    struct eids_episode *oldest = &e->state.episode[0];

    for (unsigned i = 0; i < EIDS_EPISODES; i++) {
        struct eids_episode *ep = &e->state.episode[i];
        if (ep->key == key)
            return ep;
        if (ep->key == 0 || (oldest->key != 0 && ep->hit_us < oldest->hit_us))
            oldest = ep;
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->key = key;
    oldest->hit_us = INT64_MIN;
    return oldest;
}

static bool admits(struct eids *e, struct eids_episode *ep)
{
    bool begins = ep->hit_us == INT64_MIN || e->now_us - ep->hit_us > EPISODE_US;

    ep->hit_us = e->now_us;
    if (!begins && e->now_us - ep->said_us < REPEAT_US)
        return false;
    if (e->state.budget_us < e->now_us)
        e->state.budget_us = e->now_us;
    if (e->state.budget_us - e->now_us >= BUDGET_AHEAD)
        return false;
    e->state.budget_us += BUDGET_STEP;
    ep->said_us = e->now_us;
    return true;
}

static void set_packet(struct eids_finding *f, const struct eth_packet *p)
{
    f->src = p->src;
    f->dst = p->dst;
    f->protocol = p->protocol;
    if (p->src.family != 0)
        f->has |= EIDS_HAS_PROTOCOL;
    if (p->has_mac) {
        f->has |= EIDS_HAS_SRC_MAC | EIDS_HAS_DST_MAC;
        memcpy(f->src_mac, p->src_mac, ETH_MAC_SIZE);
        memcpy(f->dst_mac, p->dst_mac, ETH_MAC_SIZE);
    }
    if (p->vlan != ETH_VLAN_NONE)
        f->has |= EIDS_HAS_VLAN;
    f->vlan = p->vlan;
    if (p->has_ports)
        f->has |= EIDS_HAS_PORTS;
    f->src_port = p->src_port;
    f->dst_port = p->dst_port;
}

struct eids_finding *eids_raise(struct eids *e, enum eids_detector d, uint16_t type, const char *reason,
                                uint64_t subject, const struct eth_packet *p)
{
    uint64_t key = eids_hash(subject ^ type, reason, reason != NULL ? strlen(reason) : 0) | 1;
    struct eids_episode *ep = episode_of(e, key);

    e->counters.hits[d]++;
    if (!admits(e, ep)) {
        e->counters.findings_withheld++;
        ep->withheld += ep->withheld < UINT32_MAX;
        return NULL;
    }
    if (e->found_count == e->found_max) {
        e->counters.findings_dropped++;
        return NULL;
    }
    struct eids_finding *f = &e->found[e->found_count++];
    e->counters.findings++;
    memset(f, 0, sizeof *f);
    f->type = type;
    f->detector = (uint8_t)d;
    f->reason = reason;
    f->count = ep->withheld < UINT32_MAX ? 1 + ep->withheld : UINT32_MAX;
    ep->withheld = 0;
    f->packet = e->packet;
    f->time_us = e->now_us;
    if (p != NULL)
        set_packet(f, p);
    return f;
}
