/* someip_watch: SOME/IP messages against the service matrix.
 *
 * Of a message that goes to a service (request) the sender must be a client of it, of one that comes from a service
 * (response, error, notification) it must be the host that offers it; method and interface version must be those of the
 * matrix. Services that the matrix does not have are told. A sender that collects unknown-service and unknown-method
 * answers is looking for something. A request that nobody answers in time is told, as is an answer to a request that
 * was not made. */
#include "edge/eth/watch.h"

#define REFUSALS_MAX 5u

static bool from_service(const struct someip *m)
{
    return m->type == SOMEIP_RESPONSE || m->type == SOMEIP_ERROR || m->type == SOMEIP_NOTIFICATION;
}

static struct eids_finding *tell(struct eids *e, const struct eth_packet *p, const struct someip *m, const char *reason)
{
    uint64_t subject = eids_addr_hash(&p->src) ^ (uint64_t)m->service << 16 ^ m->method;
    struct eids_finding *f = eids_raise(e, EIDS_SOMEIP, EV_SOMEIP_UNAUTHORISED_CALL, reason, subject, p);

    if (f == NULL)
        return NULL;
    f->has |= EIDS_HAS_SERVICE | EIDS_HAS_METHOD;
    f->service = m->service;
    f->method = m->method;
    if (m->type == SOMEIP_RESPONSE || m->type == SOMEIP_ERROR) {
        f->has |= EIDS_HAS_CODE;
        f->code = m->code;
    }
    return f;
}

static bool method_listed(const struct eth_policy *policy, const struct eth_service *s, uint16_t method)
{
    if (s->method_count == 0)
        return true;
    for (uint32_t i = 0; i < s->method_count; i++)
        if (policy->method[s->method_first + i] == method)
            return true;
    return false;
}

static bool client_listed(const struct eth_policy *policy, const struct eth_service *s, const struct ip_addr *a)
{
    if (s->client_count == 0)
        return true;
    for (uint32_t i = 0; i < s->client_count; i++)
        if (ip_addr_equal(&policy->client[s->client_first + i], a))
            return true;
    return false;
}

/* A service may have several instances, which the header does not tell apart: the message must fit one of them.
 * *ret_reason says what the best fit lacked. */
static bool matrix_has(const struct eth_policy *policy, const struct eth_packet *p, const struct someip *m,
                       const char **ret_reason)
{
    static const char *const REASON[] = {"service that is not in the matrix", "not the host that offers the service",
                                         "host that is no client of the service", "interface version", "method"};
    unsigned best = 0;

    for (uint32_t i = 0; i < policy->service_count; i++) {
        const struct eth_service *s = &policy->service[i];
        unsigned fit = 1;
        if (s->service != m->service)
            continue;
        if (from_service(m) ? ip_addr_equal(&s->offered_by, &p->src) : client_listed(policy, s, &p->src))
            fit = 3;
        else if (!from_service(m))
            fit = 2;
        if (fit == 3 && (s->interface_version == 0 || s->interface_version == m->interface_version))
            fit = 4;
        if (fit == 4 && method_listed(policy, s, m->method))
            return true;
        best = fit > best ? fit : best;
    }
    *ret_reason = REASON[best];
    return false;
}

/* ---- requests and their answers */

static struct eids_request *request_find(struct eids *e, const struct ip_addr *client, const struct someip *m)
{
    for (unsigned i = 0; i < EIDS_REQUESTS; i++) {
        struct eids_request *r = &e->state.request[i];
        if (r->used && r->session == m->session && r->client == m->client && r->service == m->service &&
            r->method == m->method && ip_addr_equal(&r->client_addr, client))
            return r;
    }
    return NULL;
}

static void request_add(struct eids *e, const struct eth_packet *p, const struct someip *m)
{
    size_t at = eids_place(e, EIDS_SOMEIP, e->state.request, EIDS_REQUESTS, sizeof e->state.request[0],
                           offsetof(struct eids_request, used), offsetof(struct eids_request, sent_us));
    e->state.request[at] = (struct eids_request){p->src, m->service, m->method, m->client, m->session, e->now_us, true};
}

static void pair_step(struct eids *e, const struct eth_packet *p, const struct someip *m)
{
    if (e->policy->answer_ms_max == 0)
        return;
    if (m->type == SOMEIP_REQUEST) {
        if (request_find(e, &p->src, m) == NULL)
            request_add(e, p, m);
        return;
    }
    if (m->type != SOMEIP_RESPONSE && m->type != SOMEIP_ERROR)
        return;
    struct eids_request *r = request_find(e, &p->dst, m);
    if (r != NULL)
        r->used = false;
    else if (e->counters.given_up[EIDS_SOMEIP] == 0) /* else the request may just have been let go */
        (void)tell(e, p, m, "answer without a request");
}

void eids_someip_tick(struct eids *e)
{
    for (unsigned i = 0; i < EIDS_REQUESTS && e->policy->answer_ms_max > 0; i++) {
        struct eids_request *r = &e->state.request[i];
        if (!r->used || e->now_us - r->sent_us <= (int64_t)e->policy->answer_ms_max * 1000)
            continue;
        r->used = false;
        struct eids_finding *f =
            eids_raise(e, EIDS_SOMEIP, EV_SOMEIP_UNAUTHORISED_CALL, "request without an answer",
                       eids_addr_hash(&r->client_addr) ^ (uint64_t)r->service << 16 ^ r->method, NULL);
        if (f == NULL)
            continue;
        f->src = r->client_addr;
        f->has |= EIDS_HAS_SERVICE | EIDS_HAS_METHOD;
        f->service = r->service;
        f->method = r->method;
    }
}

/* ---- refusals: the client that gets them is the one to look at */

static void refusal_step(struct eids *e, const struct eth_packet *p, const struct someip *m)
{
    if (m->code != SOMEIP_UNKNOWN_SERVICE && m->code != SOMEIP_UNKNOWN_METHOD)
        return;
    for (unsigned i = 0; i < EIDS_SUBSCRIBERS; i++) {
        struct eids_subscriber *s = &e->state.refused[i];
        if (!ip_addr_equal(&s->addr, &p->dst))
            continue;
        s->count = e->now_us - s->window_us > INT64_C(10000000) ? 1 : s->count + 1;
        s->window_us = s->count == 1 ? e->now_us : s->window_us;
        struct eids_finding *f = s->count > REFUSALS_MAX ? tell(e, p, m, "looks for services or methods") : NULL;
        if (f != NULL)
            f->src = p->dst;
        return;
    }
    size_t at = eids_place(e, EIDS_SOMEIP, e->state.refused, EIDS_SUBSCRIBERS, sizeof e->state.refused[0],
                           offsetof(struct eids_subscriber, addr.family), offsetof(struct eids_subscriber, window_us));
    e->state.refused[at] = (struct eids_subscriber){p->dst, e->now_us, 1};
}

/* ---- segments */

static struct eids_tp_stream *tp_of(struct eids *e, const struct eth_packet *p, const struct someip *m)
{
    for (unsigned i = 0; i < EIDS_TP_STREAMS; i++) {
        struct eids_tp_stream *t = &e->state.tp[i];
        if (t->used && t->service == m->service && t->method == m->method && t->client == m->client &&
            t->session == m->session && ip_addr_equal(&t->src, &p->src))
            return t;
    }
    size_t at = eids_place(e, EIDS_SOMEIP, e->state.tp, EIDS_TP_STREAMS, sizeof e->state.tp[0],
                           offsetof(struct eids_tp_stream, used), offsetof(struct eids_tp_stream, seen_us));
    struct eids_tp_stream *t = &e->state.tp[at];
    t->src = p->src;
    t->service = m->service;
    t->method = m->method;
    t->client = m->client;
    t->session = m->session;
    t->used = true;
    someip_tp_init(&t->tp, t->room, sizeof t->room);
    return t;
}

/* True when there is a whole message to look at: an ordinary one, or the last segment of a segmented one. */
static bool whole(struct eids *e, const struct eth_packet *p, struct someip *m)
{
    struct byte_fault fault;
    struct slice payload;
    bool complete;

    if (!m->segment)
        return true;
    struct eids_tp_stream *t = tp_of(e, p, m);
    t->seen_us = e->now_us;
    enum vs_err err = someip_tp_step(&t->tp, m, &complete, &payload, &fault);
    if (err == VS_ERR_MALFORMED)
        (void)tell(e, p, m, fault.reason);
    if (err != VS_OK || complete)
        t->used = false;
    if (err == VS_ERR_LIMIT)
        return true; /* longer than is kept: it is still held against the matrix, once */
    if (err != VS_OK || !complete)
        return false;
    m->payload = payload;
    return true;
}

static void message_step(struct eids *e, const struct eth_packet *p, struct someip *m, size_t at)
{
    const char *reason;

    if (m->cookie || !whole(e, p, m))
        return;
    if (someip_is_sd(m)) {
        eids_discovery_step(e, p, m, at);
        return;
    }
    if (someip_type_name(m->type) == NULL) {
        (void)tell(e, p, m, "message type");
        return;
    }
    if (e->policy->service_count > 0 && !matrix_has(e->policy, p, m, &reason))
        (void)tell(e, p, m, reason);
    eids_session_step(e, p, m);
    pair_step(e, p, m);
    if (m->type == SOMEIP_RESPONSE || m->type == SOMEIP_ERROR)
        refusal_step(e, p, m);
}

/* SOME/IP has no port of its own. A datagram is SOME/IP when it is so to its last byte, or goes to or from the port of
 * service discovery; then a broken one is told. */
static bool is_someip(const struct eth_packet *p)
{
    struct slice in = p->payload;

    if (p->src_port == SOMEIP_SD_PORT || p->dst_port == SOMEIP_SD_PORT)
        return true;
    while (in.len > 0) {
        struct someip m;
        struct byte_fault fault;
        size_t used;
        if (someip_read(in, &m, &used, &fault) != VS_OK || someip_type_name(m.type) == NULL)
            return false;
        in = slice_from(in, used);
    }
    return true;
}

void eids_someip_step(struct eids *e, const struct eth_packet *p)
{
    struct slice in = p->payload;
    size_t at = 0;

    if (!p->has_ports || p->fragment || p->cut || in.len == 0 || !is_someip(p))
        return;
    while (in.len > 0) {
        struct someip m;
        struct byte_fault fault;
        size_t used;
        if (someip_read(in, &m, &used, &fault) != VS_OK) {
            (void)eids_raise(e, EIDS_MALFORMED, EV_ETH_MALFORMED, fault.reason, eids_addr_hash(&p->src), p);
            return;
        }
        message_step(e, p, &m, at);
        in = slice_from(in, used);
        at += used;
    }
}
