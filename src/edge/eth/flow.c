/* flow: who may talk to whom, and how much in 100 ms.
 *
 * A packet belongs to the first flow of the policy that fits it, in either direction. One that fits none is a finding,
 * named by its addresses and the port that is served. Limits hold for each pair of hosts of a flow on its own, in
 * windows of 100 ms. */
#include "edge/eth/watch.h"

#define WINDOW_US INT64_C(100000)

static bool fits(const struct eth_flow *f, const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol,
                 uint16_t port)
{
    return (f->protocol == ETH_PROTOCOL_ANY || f->protocol == protocol) &&
           (f->port == ETH_PORT_ANY || f->port == port) && eth_net_has(&f->src, src) && eth_net_has(&f->dst, dst);
}

static int flow_of(const struct eth_policy *policy, const struct eth_packet *p)
{
    for (uint32_t i = 0; i < policy->flow_count; i++)
        if (fits(&policy->flow[i], &p->src, &p->dst, p->protocol, p->dst_port) ||
            fits(&policy->flow[i], &p->dst, &p->src, p->protocol, p->src_port))
            return (int)i;
    return -1;
}

/* Later fragments have no ports: they go with their first one, and only their hosts and protocol are held against the
 * list. */
static bool hosts_fit(const struct eth_policy *policy, const struct eth_packet *p)
{
    for (uint32_t i = 0; i < policy->flow_count; i++) {
        const struct eth_flow *f = &policy->flow[i];
        if (fits(f, &p->src, &p->dst, p->protocol, f->port) || fits(f, &p->dst, &p->src, p->protocol, f->port))
            return true;
    }
    return false;
}

static struct eids_volume *volume_of(struct eids *e, uint32_t flow, const struct eth_packet *p)
{
    for (unsigned i = 0; i < EIDS_VOLUMES; i++) {
        struct eids_volume *v = &e->state.volume[i];
        if (v->used && v->flow == flow && ip_addr_equal(&v->src, &p->src) && ip_addr_equal(&v->dst, &p->dst))
            return v;
    }
    size_t at = eids_place(e, EIDS_VOLUME, e->state.volume, EIDS_VOLUMES, sizeof e->state.volume[0],
                           offsetof(struct eids_volume, used), offsetof(struct eids_volume, window_us));
    struct eids_volume *v = &e->state.volume[at];
    memset(v, 0, sizeof *v);
    v->used = true;
    v->flow = flow;
    v->src = p->src;
    v->dst = p->dst;
    v->window_us = e->now_us;
    return v;
}

static void volume_step(struct eids *e, const struct eth_packet *p, uint32_t flow, uint32_t wire_len)
{
    const struct eth_flow *f = &e->policy->flow[flow];

    if (f->bytes_max == 0 && f->packets_max == 0)
        return;
    struct eids_volume *v = volume_of(e, flow, p);
    if (e->now_us - v->window_us >= WINDOW_US || e->now_us < v->window_us) {
        v->window_us = e->now_us;
        v->bytes = v->packets = 0;
        v->said = false;
    }
    v->bytes += wire_len;
    v->packets++;
    bool over_bytes = f->bytes_max != 0 && v->bytes > f->bytes_max;
    bool over_packets = f->packets_max != 0 && v->packets > f->packets_max;
    if (v->said || (!over_bytes && !over_packets))
        return;
    v->said = true;
    struct eids_finding *found = eids_raise(e, EIDS_VOLUME, EV_ETH_VOLUME, over_bytes ? "bytes" : "packets",
                                            eids_addr_hash(&p->src) ^ eids_addr_hash(&p->dst) * 3 ^ flow, p);
    if (found == NULL)
        return;
    found->has |= EIDS_HAS_BYTES | EIDS_HAS_FRAMES;
    found->bytes = v->bytes;
    found->bytes_expected = f->bytes_max;
    found->frames = v->packets;
}

void eids_flow_step(struct eids *e, const struct eth_packet *p, uint32_t wire_len)
{
    if (e->policy->flow_count == 0 || p->src.family == 0)
        return;
    if (p->fragment_later) {
        if (!hosts_fit(e->policy, p))
            (void)eids_raise(e, EIDS_FLOW, EV_ETH_UNEXPECTED_ADDRESS, "fragment outside the allow-list",
                             eids_addr_hash(&p->src) ^ eids_addr_hash(&p->dst) * 3, p);
        return;
    }
    int flow = flow_of(e->policy, p);
    if (flow >= 0) {
        volume_step(e, p, (uint32_t)flow, wire_len);
        return;
    }
    uint64_t subject = eids_addr_hash(&p->src) ^ eids_addr_hash(&p->dst) * 3 ^ p->protocol;
    uint16_t served = p->src_port < p->dst_port ? p->src_port : p->dst_port;
    (void)eids_raise(e, EIDS_FLOW, EV_ETH_UNEXPECTED_ADDRESS, "outside the allow-list", subject ^ served, p);
}

static bool listed(const uint16_t *list, uint32_t count, uint16_t value)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}

void eids_ethertype_step(struct eids *e, const struct eth_packet *p)
{
    const struct eth_policy *policy = e->policy;
    const char *reason = NULL;

    if (policy->ethertype_count > 0 && !listed(policy->ethertype, policy->ethertype_count, p->type))
        reason = "EtherType";
    else if (policy->vlan_count > 0 && p->vlan != ETH_VLAN_NONE && !listed(policy->vlan, policy->vlan_count, p->vlan))
        reason = "VLAN";
    if (reason == NULL)
        return;
    struct eids_finding *f = eids_raise(e, EIDS_ETHERTYPE, EV_ETH_UNKNOWN_ETHERTYPE, reason,
                                        eids_hash((uint64_t)p->type << 16 | p->vlan, p->src_mac, ETH_MAC_SIZE), p);
    if (f == NULL)
        return;
    f->has |= EIDS_HAS_ETHERTYPE;
    f->ethertype = p->type;
}
