#include "gateway/outbox_entry.h"

#include "core/cursor.h"

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
    return p + bytes;
}

void outbox_head_write(uint8_t *p, enum outbox_kind kind, const struct outbox_entry *e)
{
    p = put(p, kind, 1);
    p = put(p, e->priority, 1);
    p = put(p, e->len, 2);
    p = put(p, e->epoch, 4);
    put(p, e->seq, 8);
}

void outbox_run_write(uint8_t *p, const struct ev_fold *run)
{
    put(put(p, run->seq_first, 8), run->count, 4);
}

bool outbox_reader_next(struct outbox_reader *r, enum outbox_kind *ret_kind, struct outbox_entry *ret,
                        struct slice *ret_bytes)
{
    struct outbox_entry e = {0};
    struct cursor c;

    cursor_init(&c, slice_from(r->contents, r->pos));
    if (cursor_left(&c) == 0)
        return false;
    uint8_t kind = cursor_u8(&c);
    e.priority = cursor_u8(&c);
    e.len = cursor_u16le(&c);
    e.epoch = cursor_u32le(&c);
    e.seq = cursor_u64le(&c);
    struct slice bytes = cursor_bytes(&c, e.len);
    if (c.failed || kind < OUTBOX_KIND_EVENT || kind > OUTBOX_KIND_GONE || e.priority > EV_PRIORITY_CRITICAL)
        return false;
    e.offset = (uint16_t)(r->pos + OUTBOX_HEAD_SIZE);
    e.state = kind == OUTBOX_KIND_OPEN ? OUTBOX_OPEN : OUTBOX_WAITING;
    r->pos += OUTBOX_HEAD_SIZE + bytes.len;
    *ret_kind = (enum outbox_kind)kind;
    *ret = e;
    *ret_bytes = bytes;
    return true;
}

static size_t part(const struct outbox *o)
{
    return journal_record_size(o->journal.device, o->staging_size);
}

uint8_t *outbox_write_scratch(const struct outbox *o)
{
    return o->scratch;
}

uint8_t *outbox_read_scratch(const struct outbox *o)
{
    return o->scratch + part(o);
}

uint8_t *outbox_copy_scratch(const struct outbox *o)
{
    return o->scratch + 3 * part(o);
}
