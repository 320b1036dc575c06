/* doip_watch: who opens a diagnosis over IP, and in which order.
 *
 * A tester activates routing before it may send diagnoses, from an address and with a logical address that the policy
 * allows, one connection each up to a limit. Version and length must fit. Diagnosis while the vehicle moves is told
 * with the speed. Announcements come from the policy's entities only. Over UDP each datagram is looked at by itself;
 * over TCP the messages of each direction are put together within bounds (stream.c). */
#include "codec/doip.h"
#include "edge/eth/stream.h"
#include "edge/eth/watch.h"

#define SPEED_STALE_US INT64_C(5000000)
#define MOVING_CENTI   100 /* 1 m/s */

static struct eids_finding *tell(struct eids *e, const struct eth_packet *p, const struct doip *m, uint16_t type,
                                 const char *reason)
{
    struct eids_finding *f = eids_raise(e, EIDS_DOIP, type, reason, eids_addr_hash(&p->src) ^ m->source, p);

    if (f == NULL)
        return NULL;
    if (m->has_source) {
        f->has |= EIDS_HAS_ADDRESS;
        f->address = m->source;
    }
    if (m->type == DOIP_ACTIVATION) {
        f->has |= EIDS_HAS_ACTIVATION;
        f->activation_type = m->activation_type;
    }
    if (m->has_code) {
        f->has |= EIDS_HAS_CODE;
        f->code = m->code;
    }
    return f;
}

static bool tester_allowed(const struct eth_policy *policy, const struct ip_addr *addr, uint16_t logical)
{
    for (uint32_t i = 0; i < policy->tester_count; i++)
        if (eth_net_has(&policy->tester[i].net, addr) && logical >= policy->tester[i].address_low &&
            logical <= policy->tester[i].address_high)
            return true;
    return false;
}

static bool entity_allowed(const struct eth_policy *policy, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < policy->doip_entity_count; i++)
        if (ip_addr_equal(&policy->doip_entity[i], addr))
            return true;
    return policy->doip_entity_count == 0;
}

static void moving_step(struct eids *e, const struct eth_packet *p, const struct doip *m)
{
    if (e->speed_at_us == 0 || e->now_us - e->speed_at_us > SPEED_STALE_US || e->speed_centi < MOVING_CENTI)
        return;
    struct eids_finding *f = tell(e, p, m, EV_DOIP_UNEXPECTED_TESTER, "diagnosis while the vehicle moves");
    if (f == NULL)
        return;
    f->has |= EIDS_HAS_SPEED;
    f->speed_centi = e->speed_centi;
}

static void activation_step(struct eids *e, const struct eth_packet *p, const struct doip *m, struct eids_stream *s)
{
    if (s == NULL)
        (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION, "activation over UDP");
    else
        s->asked = true;
    if (e->policy->tester_count > 0 && !tester_allowed(e->policy, &p->src, m->source))
        (void)tell(e, p, m, EV_DOIP_UNEXPECTED_TESTER, "tester that is not allowed");
    moving_step(e, p, m);
}

static unsigned connections_open(const struct eids *e)
{
    unsigned count = 0;

    for (unsigned i = 0; i < EIDS_STREAMS; i++)
        count += e->state.stream[i].used && e->state.stream[i].activated;
    return count;
}

/* The entity's answer opens the other direction for diagnoses. */
static void answer_step(struct eids *e, const struct eth_packet *p, const struct doip *m)
{
    struct eids_stream *tester = eids_stream_find(e, p, true);

    if (m->code != DOIP_ACTIVATED) {
        (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION, "activation refused");
        return;
    }
    if (tester != NULL)
        tester->activated = true;
    struct eids_finding *f = tell(e, p, m, EV_DOIP_ROUTING_ACTIVATED, NULL);
    if (f != NULL)
        f->src = p->dst;
    if (e->policy->doip_connections_max > 0 && connections_open(e) > e->policy->doip_connections_max)
        (void)tell(e, p, m, EV_DOIP_UNEXPECTED_TESTER, "more connections than allowed");
}

static void diagnostic_step(struct eids *e, const struct eth_packet *p, const struct doip *m, struct eids_stream *s)
{
    if (s == NULL) {
        (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION, "diagnosis over UDP");
        return;
    }
    if (p->dst_port != DOIP_PORT)
        return; /* the entity's side */
    if (s->from_start && !s->activated)
        (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION,
                   s->asked ? "diagnosis before the activation was granted" : "diagnosis without activation");
    if (e->policy->tester_count > 0 && !tester_allowed(e->policy, &p->src, m->source))
        (void)tell(e, p, m, EV_DOIP_UNEXPECTED_TESTER, "tester that is not allowed");
    moving_step(e, p, m);
}

static void message_step(struct eids *e, const struct eth_packet *p, const struct doip *m, struct eids_stream *s)
{
    switch (m->type) {
    case DOIP_ACTIVATION:
        activation_step(e, p, m, s);
        break;
    case DOIP_ACTIVATION_ANSWER:
        answer_step(e, p, m);
        break;
    case DOIP_DIAGNOSTIC:
        diagnostic_step(e, p, m, s);
        break;
    case DOIP_ANNOUNCEMENT:
    case DOIP_ENTITY_STATUS:
        if (!entity_allowed(e->policy, &p->src))
            (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION, "announced by a stranger");
        break;
    case DOIP_HEADER_NACK:
        (void)tell(e, p, m, EV_DOIP_PROTOCOL_VIOLATION, "header refused");
        break;
    default:
        break;
    }
}

static void broken(struct eids *e, const struct eth_packet *p, const char *reason)
{
    const struct doip none = {0};

    (void)tell(e, p, &none, EV_DOIP_PROTOCOL_VIOLATION, reason);
}

static void datagram_step(struct eids *e, const struct eth_packet *p)
{
    struct doip m;
    struct byte_fault fault;
    size_t used;

    if (doip_read(p->payload, &m, &used, &fault) != VS_OK) {
        broken(e, p, fault.reason);
        return;
    }
    message_step(e, p, &m, NULL);
    if (used < p->payload.len)
        broken(e, p, "bytes behind the message");
}

static void segment_step(struct eids *e, const struct eth_packet *p)
{
    struct eids_stream *s = eids_stream_take(e, p);
    const char *reason = NULL;
    struct doip m;

    while (s != NULL && eids_stream_next(s, &m, &reason))
        message_step(e, p, &m, s);
    if (reason != NULL)
        broken(e, p, reason);
}

void eids_doip_step(struct eids *e, const struct eth_packet *p)
{
    if (!p->has_ports || (p->src_port != DOIP_PORT && p->dst_port != DOIP_PORT) || p->fragment || p->cut)
        return;
    if (p->protocol == IP_TCP)
        segment_step(e, p);
    else if (p->protocol == IP_UDP && p->payload.len > 0)
        datagram_step(e, p);
}
