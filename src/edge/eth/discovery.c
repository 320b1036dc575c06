/* discovery: who offers a service, and who subscribes how often.
 *
 * An offer or its withdrawal must come from the host of the matrix, and the endpoint it gives must be that host's.
 * Without a matrix entry the first host that offers a service and instance keeps it until it withdraws. A service that
 * comes and goes, and a client that floods a server with subscriptions, are told. */
#include "codec/someip_sd.h"
#include "edge/eth/watch.h"

#define OFFER_WINDOW_US     INT64_C(10000000)
#define SUBSCRIBE_WINDOW_US INT64_C(1000000)

static const struct eth_service *matrix_entry(const struct eth_policy *policy, const struct someip_sd_entry *entry,
                                              const struct ip_addr *src)
{
    const struct eth_service *any = NULL;

    for (uint32_t i = 0; i < policy->service_count; i++) {
        const struct eth_service *s = &policy->service[i];
        if (s->service != entry->service || (s->instance != ETH_ANY16 && s->instance != entry->instance))
            continue;
        if (ip_addr_equal(&s->offered_by, src))
            return s;
        any = s;
    }
    return any;
}

static struct eids_finding *tell(struct eids *e, const struct eth_packet *p, const struct someip_sd_entry *entry,
                                 uint16_t type, const char *reason)
{
    uint64_t subject = eids_addr_hash(&p->src) ^ (uint64_t)entry->service << 16 ^ entry->instance;
    struct eids_finding *f = eids_raise(e, EIDS_DISCOVERY, type, reason, subject, p);

    if (f == NULL)
        return NULL;
    f->has |= EIDS_HAS_SERVICE | EIDS_HAS_INSTANCE;
    f->service = entry->service;
    f->instance = entry->instance;
    return f;
}

static struct eids_offer *offer_of(struct eids *e, const struct someip_sd_entry *entry, bool *ret_known)
{
    for (unsigned i = 0; i < EIDS_OFFERS; i++) {
        struct eids_offer *o = &e->state.offer[i];
        if (o->used && o->service == entry->service && o->instance == entry->instance) {
            *ret_known = true;
            return o;
        }
    }
    size_t at = eids_place(e, EIDS_DISCOVERY, e->state.offer, EIDS_OFFERS, sizeof e->state.offer[0],
                           offsetof(struct eids_offer, used), offsetof(struct eids_offer, seen_us));
    struct eids_offer *o = &e->state.offer[at];
    *o = (struct eids_offer){
        .service = entry->service, .instance = entry->instance, .used = true, .window_us = e->now_us};
    *ret_known = false;
    return o;
}

/* Offers are repeated all the time; what counts is a change between offered and not. */
static void flap_step(struct eids *e, const struct eth_packet *p, const struct someip_sd_entry *entry,
                      struct eids_offer *o)
{
    if (e->now_us - o->window_us >= OFFER_WINDOW_US || e->now_us < o->window_us) {
        o->window_us = e->now_us;
        o->changes = 0;
    }
    o->changes += o->offered == entry->stop;
    o->offered = !entry->stop;
    if (e->policy->offer_changes_max == 0 || o->changes <= e->policy->offer_changes_max)
        return;
    struct eids_finding *f = tell(e, p, entry, EV_SOMEIP_SUBSCRIBE_FLOOD, "service comes and goes");
    if (f == NULL)
        return;
    f->has |= EIDS_HAS_FRAMES;
    f->frames = o->changes;
}

/* An endpoint of another host sends everybody who believes the offer there. */
static bool endpoints_fit(const struct someip_sd *sd, const struct someip_sd_entry *entry, const struct ip_addr *src)
{
    struct someip_sd_option o;

    for (unsigned n = 0; someip_sd_option_of(entry, n) >= 0; n++) {
        someip_sd_option(sd, (unsigned)someip_sd_option_of(entry, n), &o);
        if ((o.kind == SOMEIP_SD_IP4 || o.kind == SOMEIP_SD_IP6) && !ip_addr_equal(&o.addr, src))
            return false;
    }
    return true;
}

static void offer_step(struct eids *e, const struct eth_packet *p, const struct someip_sd *sd,
                       const struct someip_sd_entry *entry)
{
    const struct eth_service *s = matrix_entry(e->policy, entry, &p->src);
    bool known, rightful = true;
    struct eids_offer *o = offer_of(e, entry, &known);

    o->seen_us = e->now_us;
    if (s != NULL)
        rightful = ip_addr_equal(&s->offered_by, &p->src);
    else if (e->policy->service_count > 0)
        rightful = false;
    else if (known && o->offered)
        rightful = ip_addr_equal(&o->by, &p->src);
    if (!rightful)
        (void)tell(e, p, entry, EV_SOMEIP_UNAUTHORISED_OFFER,
                   entry->stop ? "withdrawn by a stranger" : "offered by a stranger");
    else if (!entry->stop && !endpoints_fit(sd, entry, &p->src))
        (void)tell(e, p, entry, EV_SOMEIP_UNAUTHORISED_OFFER, "endpoint of another host");
    if (!rightful)
        return;
    o->by = p->src;
    flap_step(e, p, entry, o);
}

static void subscribe_step(struct eids *e, const struct eth_packet *p, const struct someip_sd_entry *entry)
{
    struct eids_subscriber *s = NULL;

    if (e->policy->subscribes_max == 0)
        return;
    for (unsigned i = 0; i < EIDS_SUBSCRIBERS && s == NULL; i++)
        if (ip_addr_equal(&e->state.subscriber[i].addr, &p->src))
            s = &e->state.subscriber[i];
    if (s == NULL) {
        s = &e->state.subscriber[eids_place(e, EIDS_DISCOVERY, e->state.subscriber, EIDS_SUBSCRIBERS, sizeof *s,
                                            offsetof(struct eids_subscriber, addr.family),
                                            offsetof(struct eids_subscriber, window_us))];
        *s = (struct eids_subscriber){p->src, e->now_us, 0};
    }
    if (e->now_us - s->window_us >= SUBSCRIBE_WINDOW_US || e->now_us < s->window_us) {
        s->window_us = e->now_us;
        s->count = 0;
    }
    if (++s->count <= e->policy->subscribes_max)
        return;
    struct eids_finding *f = tell(e, p, entry, EV_SOMEIP_SUBSCRIBE_FLOOD, "subscriptions");
    if (f == NULL)
        return;
    f->has |= EIDS_HAS_FRAMES;
    f->frames = s->count;
}

void eids_discovery_step(struct eids *e, const struct eth_packet *p, const struct someip *m, size_t at)
{
    struct someip_sd sd;
    struct byte_fault fault;

    (void)at;
    if (someip_sd_open(m->payload, &sd, &fault) != VS_OK) {
        (void)eids_raise(e, EIDS_MALFORMED, EV_ETH_MALFORMED, fault.reason, eids_addr_hash(&p->src), p);
        return;
    }
    eids_reboot_step(e, p, m, (sd.flags & SOMEIP_SD_REBOOT) != 0);
    for (unsigned i = 0; i < sd.entry_count; i++) {
        struct someip_sd_entry entry;
        someip_sd_entry(&sd, i, &entry);
        if (entry.kind == SOMEIP_SD_OFFER)
            offer_step(e, p, &sd, &entry);
        else if (entry.kind == SOMEIP_SD_SUBSCRIBE && !entry.stop)
            subscribe_step(e, p, &entry);
    }
}
