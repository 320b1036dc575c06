/* binding: which hardware address an IP address has, as ARP and neighbour discovery say.
 *
 * The policy's hosts are fixed: whoever claims one of their addresses with another hardware address, or claims another
 * address with the hardware address of one of them, lies. Addresses that the policy does not name are bound by who is
 * first seen with them; a change is told. An answer that nobody asked for is told when it comes for a named host,
 * because that is how a cache is poisoned; gratuitous requests for one's own address, which hosts send when they start,
 * are not. */
#include "edge/eth/watch.h"

#define ASKED_US INT64_C(3000000)

static const struct eth_host *host_by_addr(const struct eth_policy *p, const struct ip_addr *a)
{
    for (uint32_t i = 0; i < p->host_count; i++)
        if (ip_addr_equal(&p->host[i].addr, a))
            return &p->host[i];
    return NULL;
}

static bool mac_equal(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, ETH_MAC_SIZE) == 0;
}

static struct eids_binding *binding_of(struct eids *e, const struct ip_addr *a, bool make)
{
    for (unsigned i = 0; i < EIDS_BINDINGS; i++)
        if (ip_addr_equal(&e->state.binding[i].addr, a))
            return &e->state.binding[i];
    if (!make)
        return NULL;
    size_t at = eids_place(e, EIDS_BINDING, e->state.binding, EIDS_BINDINGS, sizeof e->state.binding[0],
                           offsetof(struct eids_binding, addr.family), offsetof(struct eids_binding, seen_us));
    struct eids_binding *b = &e->state.binding[at];
    memset(b, 0, sizeof *b);
    b->addr = *a;
    return b;
}

static void accuse(struct eids *e, const struct eth_packet *p, const char *reason, const struct ip_addr *addr,
                   const uint8_t *claimed, const uint8_t *expected)
{
    struct eids_finding *f = eids_raise(e, EIDS_BINDING, EV_ETH_ARP_SPOOF, reason,
                                        eids_hash(eids_addr_hash(addr), claimed, ETH_MAC_SIZE), p);

    if (f == NULL)
        return;
    f->src = *addr;
    memcpy(f->src_mac, claimed, ETH_MAC_SIZE);
    f->has |= EIDS_HAS_SRC_MAC;
    if (expected != NULL) {
        memcpy(f->mac_expected, expected, ETH_MAC_SIZE);
        f->has |= EIDS_HAS_MAC_EXPECTED;
    }
}

/* Somebody says that `addr` is at `mac`. */
static void claim(struct eids *e, const struct eth_packet *p, const struct ip_addr *addr, const uint8_t *mac,
                  bool answer)
{
    static const uint8_t none[ETH_MAC_SIZE];
    const struct eth_host *host = host_by_addr(e->policy, addr);
    struct eids_binding *b = binding_of(e, addr, true);
    bool asked = b->asked_us != 0 && e->now_us - b->asked_us <= ASKED_US;
    bool known = !mac_equal(b->mac, none);

    b->seen_us = e->now_us;
    if (host != NULL && !mac_equal(host->mac, mac))
        accuse(e, p, "address of another host", addr, mac, host->mac);
    else if (host != NULL && answer && !asked)
        accuse(e, p, "answer that nobody asked for", addr, mac, NULL);
    else if (host == NULL && known && !mac_equal(b->mac, mac))
        accuse(e, p, "binding changed", addr, mac, b->mac);
    memcpy(b->mac, mac, ETH_MAC_SIZE);
}

static void ask(struct eids *e, const struct ip_addr *addr)
{
    struct eids_binding *b = binding_of(e, addr, true);

    b->asked_us = e->now_us;
    b->seen_us = e->now_us;
}

static void arp_step(struct eids *e, const struct eth_packet *p)
{
    const struct eth_arp *a = &p->arp;
    static const uint8_t none[4];

    if (p->has_mac && !mac_equal(a->sender_mac, p->src_mac))
        accuse(e, p, "sender differs from the Ethernet header", &a->sender, a->sender_mac, p->src_mac);
    if (memcmp(a->sender.byte, none, sizeof none) != 0)
        claim(e, p, &a->sender, a->sender_mac, a->operation == 2);
    if (a->operation == 1 && !ip_addr_equal(&a->sender, &a->target))
        ask(e, &a->target);
}

static void neighbour_step(struct eids *e, const struct eth_packet *p)
{
    static const uint8_t none[ETH_MAC_SIZE];
    const uint8_t *mac = mac_equal(p->neighbour_mac, none) ? p->src_mac : p->neighbour_mac;

    if (p->neighbour_advertised)
        claim(e, p, &p->neighbour, mac, true);
    else
        ask(e, &p->neighbour);
}

/* An IP packet of a named host from another hardware address needs no ARP to lie. Routers change addresses, so this
 * holds for hosts of the same segment only, which the policy's hosts are. */
static void source_step(struct eids *e, const struct eth_packet *p)
{
    const struct eth_host *host = host_by_addr(e->policy, &p->src);

    if (host == NULL || !p->has_mac || mac_equal(host->mac, p->src_mac))
        return;
    struct eids_finding *f = eids_raise(e, EIDS_BINDING, EV_ETH_ARP_SPOOF, "sends from the address of another host",
                                        eids_hash(eids_addr_hash(&p->src), p->src_mac, ETH_MAC_SIZE), p);
    if (f == NULL)
        return;
    memcpy(f->mac_expected, host->mac, ETH_MAC_SIZE);
    f->has |= EIDS_HAS_MAC_EXPECTED;
}

void eids_binding_step(struct eids *e, const struct eth_packet *p)
{
    if (p->is_arp)
        arp_step(e, p);
    else if (p->is_neighbour)
        neighbour_step(e, p);
    else if (p->src.family != 0)
        source_step(e, p);
}
