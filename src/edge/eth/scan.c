/* scan: one source that tries many ports or hosts. Counted are distinct destinations of packets that begin something:
 * TCP with SYN and without ACK, and UDP to ports below those that hosts choose for themselves. */
#include "edge/eth/watch.h"

#define WINDOW_US      INT64_C(10000000)
#define EPHEMERAL_PORT 32768u

static bool begins(const struct eth_packet *p)
{
    if (!p->has_ports)
        return false;
    if (p->protocol == IP_TCP)
        return (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return p->dst_port < EPHEMERAL_PORT && p->dst_port < p->src_port;
}

static struct eids_source *source_of(struct eids *e, const struct ip_addr *a)
{
    for (unsigned i = 0; i < EIDS_SOURCES; i++)
        if (ip_addr_equal(&e->state.source[i].addr, a))
            return &e->state.source[i];
    size_t at = eids_place(e, EIDS_SCAN, e->state.source, EIDS_SOURCES, sizeof e->state.source[0],
                           offsetof(struct eids_source, addr.family), offsetof(struct eids_source, window_us));
    struct eids_source *s = &e->state.source[at];
    memset(s, 0, sizeof *s);
    s->addr = *a;
    s->window_us = e->now_us;
    return s;
}

void eids_scan_step(struct eids *e, const struct eth_packet *p)
{
    uint32_t limit = e->policy->scan_ports_max;

    if (limit == 0 || !begins(p))
        return;
    struct eids_source *s = source_of(e, &p->src);
    if (e->now_us - s->window_us >= WINDOW_US || e->now_us < s->window_us) {
        s->window_us = e->now_us;
        s->count = 0;
    }
    uint32_t target = (uint32_t)(eids_addr_hash(&p->dst) * 31 + p->dst_port);
    for (unsigned i = 0; i < s->count; i++)
        if (s->target[i] == target)
            return;
    if (s->count < EIDS_PORTS_MAX)
        s->target[s->count++] = target;
    if (s->count <= limit && s->count < EIDS_PORTS_MAX)
        return;
    struct eids_finding *f = eids_raise(e, EIDS_SCAN, EV_ETH_PORT_SCAN, NULL, eids_addr_hash(&p->src), p);
    if (f == NULL)
        return;
    f->has |= EIDS_HAS_FRAMES;
    f->frames = s->count;
}
