#include "codec/someip_tp.h"

#define UNIT 16u

void someip_tp_init(struct someip_tp *t, void *buf, uint32_t room)
{
    memset(t, 0, sizeof *t);
    t->buf = buf;
    t->room = room;
}

static enum vs_err give_up(struct someip_tp *t, struct byte_fault *fault, enum vs_err err, const char *reason)
{
    t->given_up += t->active;
    t->active = false;
    return byte_fault_set(fault, err, SOMEIP_HEADER_SIZE, reason);
}

enum vs_err someip_tp_step(struct someip_tp *t, const struct someip *segment, bool *ret_complete,
                           struct slice *ret_payload, struct byte_fault *ret_fault)
{
    uint32_t len = (uint32_t)segment->payload.len;

    *ret_complete = false;
    if (segment->offset == 0) {
        t->given_up += t->active;
        t->active = true;
        t->len = 0;
    } else if (!t->active || segment->offset != t->len) {
        return give_up(t, ret_fault, VS_ERR_MALFORMED, "segment that does not follow the one before");
    }
    if (segment->more && (len == 0 || len % UNIT != 0))
        return give_up(t, ret_fault, VS_ERR_MALFORMED, "segment whose length is not a multiple of 16");
    if (len > t->room - t->len) {
        t->too_long++;
        return give_up(t, ret_fault, VS_ERR_LIMIT, "message longer than is put together");
    }
    memcpy(t->buf + t->len, segment->payload.ptr, len);
    t->len += len;
    if (segment->more)
        return VS_OK;
    t->active = false;
    *ret_complete = true;
    *ret_payload = slice_make(t->buf, t->len);
    return VS_OK;
}
