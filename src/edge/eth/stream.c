#include "edge/eth/stream.h"

#include "edge/eth/watch.h"

struct eids_stream *eids_stream_find(struct eids *e, const struct eth_packet *p, bool other)
{
    const struct ip_addr *src = other ? &p->dst : &p->src, *dst = other ? &p->src : &p->dst;
    uint16_t src_port = other ? p->dst_port : p->src_port, dst_port = other ? p->src_port : p->dst_port;

    for (unsigned i = 0; i < EIDS_STREAMS; i++) {
        struct eids_stream *s = &e->state.stream[i];
        if (s->used && s->src_port == src_port && s->dst_port == dst_port && ip_addr_equal(&s->src, src) &&
            ip_addr_equal(&s->dst, dst))
            return s;
    }
    return NULL;
}

static struct eids_stream *stream_new(struct eids *e, const struct eth_packet *p)
{
    size_t at = eids_place(e, EIDS_DOIP, e->state.stream, EIDS_STREAMS, sizeof e->state.stream[0],
                           offsetof(struct eids_stream, used), offsetof(struct eids_stream, seen_us));
    struct eids_stream *s = &e->state.stream[at];

    memset(s, 0, offsetof(struct eids_stream, room));
    s->src = p->src;
    s->dst = p->dst;
    s->src_port = p->src_port;
    s->dst_port = p->dst_port;
    s->used = true;
    return s;
}

static bool begins_with_header(struct slice in)
{
    return in.len >= 2 && (in.ptr[0] ^ in.ptr[1]) == 0xFF;
}

/* Bytes that belong to a message too long to keep are passed over; the rest goes to what is there already. */
static void append(struct eids *e, struct eids_stream *s, struct slice in)
{
    size_t pass = s->skip < in.len ? s->skip : in.len;

    s->skip -= (uint32_t)pass;
    in = slice_from(in, pass);
    size_t fits = EIDS_STREAM_ROOM - s->len;
    if (in.len > fits) { /* more whole messages in one segment than there is room for */
        e->counters.stream_gaps++;
        s->synced = false;
        in.len = fits;
    }
    memcpy(s->room + s->len, in.ptr, in.len);
    s->len += (uint32_t)in.len;
}

static void restart(struct eids_stream *s, uint32_t seq)
{
    s->next_seq = seq;
    s->len = s->skip = 0;
    s->synced = true;
}

/* Drops what was seen before. False when the segment has nothing new. */
static bool drop_repeated(const struct eids_stream *s, const struct eth_packet *p, struct slice *in)
{
    uint32_t behind = s->next_seq - p->tcp_seq;

    if (behind == 0)
        return true;
    if (behind > UINT32_MAX / 2 || behind >= in->len)
        return false;
    *in = slice_from(*in, behind);
    return true;
}

struct eids_stream *eids_stream_take(struct eids *e, const struct eth_packet *p)
{
    struct eids_stream *s = eids_stream_find(e, p, false);
    struct slice in = p->payload;

    if ((p->tcp_flags & TCP_SYN) != 0 || (s == NULL && in.len > 0)) {
        s = s != NULL ? s : stream_new(e, p);
        s->activated = s->asked = false;
        s->from_start = (p->tcp_flags & TCP_SYN) != 0;
        restart(s, p->tcp_seq + ((p->tcp_flags & TCP_SYN) != 0));
        s->synced = s->from_start || begins_with_header(in);
    }
    if (s == NULL)
        return NULL;
    s->seen_us = e->now_us;
    uint32_t ahead = p->tcp_seq + ((p->tcp_flags & TCP_SYN) != 0) - s->next_seq;
    if (in.len > 0 && ((ahead != 0 && ahead <= UINT32_MAX / 2) || !s->synced)) {
        e->counters.stream_gaps += s->synced;
        restart(s, p->tcp_seq);
        s->synced = begins_with_header(in);
    }
    if (in.len > 0 && s->synced && drop_repeated(s, p, &in)) {
        append(e, s, in);
        s->next_seq += (uint32_t)in.len;
    }
    if ((p->tcp_flags & (TCP_RST | TCP_FIN)) != 0)
        s->used = false;
    return s->synced ? s : NULL;
}

/* The header of a long message says more than will ever be in the room: its start is made to look whole. */
static bool cut_long(struct eids_stream *s, size_t whole, struct doip *ret)
{
    struct byte_fault fault;
    uint8_t head[DOIP_HEADER_SIZE];
    size_t used;
    uint32_t kept = EIDS_STREAM_ROOM - DOIP_HEADER_SIZE;

    if (whole <= EIDS_STREAM_ROOM || s->len < EIDS_STREAM_ROOM)
        return false;
    memcpy(head, s->room, sizeof head);
    s->room[4] = s->room[5] = 0;
    s->room[6] = (uint8_t)(kept >> 8);
    s->room[7] = (uint8_t)kept;
    bool good = doip_read(slice_make(s->room, EIDS_STREAM_ROOM), ret, &used, &fault) == VS_OK;
    memcpy(s->room, head, sizeof head);
    s->skip = (uint32_t)(whole - EIDS_STREAM_ROOM);
    s->taken = EIDS_STREAM_ROOM;
    return good;
}

bool eids_stream_next(struct eids_stream *s, struct doip *ret, const char **ret_reason)
{
    struct byte_fault fault;
    size_t used;

    if (s->taken > 0) {
        memmove(s->room, s->room + s->taken, s->len - s->taken);
        s->len -= s->taken;
        s->taken = 0;
    }
    if (s->len == 0)
        return false;
    enum vs_err err = doip_read(slice_make(s->room, s->len), ret, &used, &fault);
    if (err == VS_OK) {
        s->taken = (uint32_t)used;
        return true;
    }
    if (err == VS_ERR_TRUNCATED)
        return used > 0 && cut_long(s, used, ret);
    *ret_reason = fault.reason;
    s->synced = false;
    s->len = 0;
    return false;
}
