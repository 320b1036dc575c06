/* eids: the order in which a packet passes the detectors. */
#include "edge/eids.h"

#include "edge/eth/watch.h"

void eids_init(struct eids *e, const struct eth_policy *policy)
{
    memset(e, 0, sizeof *e);
    e->policy = policy;
}

static void begin(struct eids *e, int64_t now_us, struct eids_finding *found, size_t max)
{
    e->now_us = now_us;
    e->found = found;
    e->found_count = 0;
    e->found_max = max;
}

static void layers_step(struct eids *e, const struct eth_packet *p, uint32_t wire_len)
{
    eids_ethertype_step(e, p);
    eids_binding_step(e, p);
    if (p->type == ETH_TYPE_PTP) {
        eids_clock_step(e, p);
        return;
    }
    if (p->src.family == 0)
        return;
    eids_flow_step(e, p, wire_len);
    eids_scan_step(e, p);
    if (p->has_ports && (p->protocol == IP_UDP || p->protocol == IP_TCP)) {
        eids_doip_step(e, p);
        eids_someip_step(e, p);
    }
}

size_t eids_packet(struct eids *e, uint16_t link, struct slice data, uint32_t wire_len, int64_t now_us,
                   struct eids_finding *found, size_t max)
{
    struct eth_packet p;
    struct byte_fault fault;

    begin(e, now_us, found, max);
    e->counters.packets++;
    enum vs_err err = eth_packet_read(link, data, &p, &fault);
    if (err == VS_ERR_NOT_FOUND)
        e->counters.foreign++;
    else if (err != VS_OK)
        (void)eids_raise(e, EIDS_MALFORMED, EV_ETH_MALFORMED, fault.reason, eids_hash(0, p.src_mac, ETH_MAC_SIZE), &p);
    else
        layers_step(e, &p, wire_len);
    e->packet++;
    e->found = NULL;
    return e->found_count;
}

size_t eids_tick(struct eids *e, int64_t now_us, struct eids_finding *found, size_t max)
{
    begin(e, now_us, found, max);
    eids_someip_tick(e);
    e->found = NULL;
    return e->found_count;
}

void eids_speed(struct eids *e, int32_t speed_centi, int64_t now_us)
{
    e->speed_centi = speed_centi;
    e->speed_at_us = now_us;
}
