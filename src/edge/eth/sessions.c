/* sessions: the session of a sender's messages counts up from 1 and wraps from 65535 to 1.
 *
 * A message whose session is that of the one before, or lies behind it, was sent before or by somebody else: replayed
 * messages cannot avoid that. Gaps are lost packets and no finding. Session 0 means that sessions are not used. Service
 * discovery carries a reboot flag besides, which is set until the counter wraps for the first time: a session that
 * starts anew without the flag, or the flag coming back without the session starting anew, contradicts itself
 * (PRS_SOMEIPServiceDiscovery 4.1.2). */
#include "edge/eth/watch.h"

#define BEHIND_MAX 1000u /* farther back is a sender that started anew, or a wrap that was not seen */
#define FORGET_US  INT64_C(300000000)

static struct eids_session *session_of(struct eids *e, const struct eth_packet *p, const struct someip *m,
                                       bool *ret_known)
{
    bool multicast = (p->dst.family == 4 && p->dst.byte[0] >= 224 && p->dst.byte[0] < 240) ||
                     (p->dst.family == 6 && p->dst.byte[0] == 0xFF);

    for (unsigned i = 0; i < EIDS_SESSIONS; i++) {
        struct eids_session *s = &e->state.session[i];
        if (s->used && s->service == m->service && s->method == m->method && s->client == m->client &&
            s->multicast == multicast && ip_addr_equal(&s->src, &p->src) && ip_addr_equal(&s->dst, &p->dst)) {
            *ret_known = e->now_us - s->seen_us < FORGET_US;
            return s;
        }
    }
    size_t at = eids_place(e, EIDS_SESSION, e->state.session, EIDS_SESSIONS, sizeof e->state.session[0],
                           offsetof(struct eids_session, used), offsetof(struct eids_session, seen_us));
    struct eids_session *s = &e->state.session[at];
    *s = (struct eids_session){.src = p->src,
                               .dst = p->dst,
                               .service = m->service,
                               .client = m->client,
                               .method = m->method,
                               .multicast = multicast,
                               .used = true};
    *ret_known = false;
    return s;
}

static void tell(struct eids *e, const struct eth_packet *p, const struct someip *m, const char *reason,
                 uint16_t expected)
{
    struct eids_finding *f = eids_raise(e, EIDS_SESSION, EV_SOMEIP_SESSION_ANOMALY, reason,
                                        eids_addr_hash(&p->src) ^ (uint64_t)m->service << 16 ^ m->client, p);

    if (f == NULL)
        return;
    f->has |= EIDS_HAS_SERVICE | EIDS_HAS_COUNTER;
    f->service = m->service;
    f->counter = m->session;
    f->counter_expected = expected;
}

static uint16_t after(uint16_t session)
{
    return session == UINT16_MAX ? 1 : (uint16_t)(session + 1);
}

void eids_session_step(struct eids *e, const struct eth_packet *p, const struct someip *m)
{
    bool known;

    /* Answers carry the session of their request, so it is the asking side that counts. */
    if (m->session == 0 || m->type == SOMEIP_RESPONSE || m->type == SOMEIP_ERROR)
        return;
    struct eids_session *s = session_of(e, p, m, &known);
    uint16_t behind = (uint16_t)(s->last - m->session);
    if (known && m->session == s->last)
        tell(e, p, m, "session used twice", after(s->last));
    else if (known && behind < BEHIND_MAX && m->session != 1)
        tell(e, p, m, "session goes back", after(s->last));
    s->seen_us = e->now_us;
    if (!known || behind >= BEHIND_MAX || m->session == 1)
        s->last = m->session;
}

void eids_reboot_step(struct eids *e, const struct eth_packet *p, const struct someip *m, bool reboot)
{
    bool known;

    if (m->session == 0) {
        tell(e, p, m, "service discovery without a session", 1);
        return;
    }
    struct eids_session *s = session_of(e, p, m, &known);
    uint16_t behind = (uint16_t)(s->last - m->session);
    if (known && reboot && !s->reboot && m->session != 1 && behind >= BEHIND_MAX)
        tell(e, p, m, "reboot flag without a new session", after(s->last));
    else if (known && m->session == s->last && reboot == s->reboot)
        tell(e, p, m, "session used twice", after(s->last));
    else if (known && !reboot && behind != 0 && behind < BEHIND_MAX)
        tell(e, p, m, "session goes back", after(s->last));
    s->last = m->session;
    s->reboot = reboot;
    s->seen_us = e->now_us;
}
