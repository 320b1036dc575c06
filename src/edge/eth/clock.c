/* clock: who is the grandmaster. A policy names the clocks that may be; without one the first that is announced stands,
 * and a change is told, because whoever is the grandmaster sets everybody's time. */
#include "codec/gptp.h"
#include "edge/eth/watch.h"

static bool allowed(const struct eth_policy *p, const uint8_t *identity)
{
    for (uint32_t i = 0; i < p->grandmaster_count; i++)
        if (memcmp(p->grandmaster[i], identity, GPTP_IDENTITY_SIZE) == 0)
            return true;
    return false;
}

void eids_clock_step(struct eids *e, const struct eth_packet *p)
{
    struct eids_state *s = &e->state;
    struct gptp m;
    struct byte_fault fault;
    const char *reason = NULL;

    if (gptp_read(p->payload, &m, &fault) != VS_OK) {
        (void)eids_raise(e, EIDS_MALFORMED, EV_ETH_MALFORMED, fault.reason, eids_hash(0, p->src_mac, ETH_MAC_SIZE), p);
        return;
    }
    if (m.type != GPTP_ANNOUNCE)
        return;
    bool changed = s->grandmaster_known && memcmp(s->grandmaster, m.grandmaster, sizeof s->grandmaster) != 0;
    if (e->policy->grandmaster_count > 0 && !allowed(e->policy, m.grandmaster))
        reason = "clock that may not be grandmaster";
    else if (e->policy->grandmaster_count == 0 && changed)
        reason = "grandmaster changed";
    memcpy(s->grandmaster, m.grandmaster, sizeof s->grandmaster);
    s->grandmaster_known = true;
    if (reason != NULL)
        (void)eids_raise(e, EIDS_CLOCK, EV_ETH_GRANDMASTER_CHANGED, reason,
                         eids_hash(0, m.grandmaster, sizeof m.grandmaster), p);
}
