#include <stdlib.h>

#include "app/trace_source.h"

#define INNER_MAX (BLF_CONTAINER_MAX + BLF_OBJECT_MAX)

void trace_blf_init(struct trace_blf *b, uint64_t *lost)
{
    memset(b, 0, sizeof *b);
    b->lost = lost;
}

void trace_blf_done(struct trace_blf *b)
{
    free(b->inner);
    b->inner = NULL;
}

static enum vs_err begin(struct trace_blf *b, struct trace_input *in, struct trace_fault *fault)
{
    struct blf_head head;
    enum vs_err err;

    do {
        err = blf_header(trace_input_window(in), &head, &fault->reason);
    } while (err == VS_ERR_TRUNCATED && trace_input_more(in));
    b->begun = true;
    b->stopped = err != VS_OK;
    if (err == VS_OK)
        trace_input_take(in, head.size);
    return err;
}

/* Room for n more bytes behind what is left of the containers before. */
static bool make_room(struct trace_blf *b, size_t n)
{
    if (b->inner_pos > 0)
        memmove(b->inner, b->inner + b->inner_pos, b->inner_len - b->inner_pos);
    b->inner_len -= b->inner_pos;
    b->inner_pos = 0;
    if (b->inner_len + n <= b->inner_room)
        return true;
    uint8_t *inner = b->inner_len + n <= INNER_MAX ? realloc(b->inner, b->inner_len + n) : NULL;
    if (inner == NULL)
        return false;
    b->inner = inner;
    b->inner_room = b->inner_len + n;
    return true;
}

static enum vs_err unpack(struct trace_blf *b, const struct blf_item *item, const char **ret_reason)
{
    uLongf size = item->packing == BLF_PLAIN ? item->packed.len : item->unpacked_size;

    *ret_reason = "container of more than 16 MB, or memory is out";
    if (size > BLF_CONTAINER_MAX || !make_room(b, size + 1))
        return VS_ERR_LIMIT;
    uint8_t *to = b->inner + b->inner_len;
    *ret_reason = "container that does not unpack to what it says";
    if (item->packing == BLF_PLAIN)
        memcpy(to, item->packed.ptr, size);
    else if (uncompress(to, &size, item->packed.ptr, (uLong)item->packed.len) != Z_OK)
        return VS_ERR_MALFORMED;
    b->inner_len += size;
    return VS_OK;
}

/* An object of the file itself: mostly a container, whose objects are then read first. */
static enum vs_err next_outer(struct trace_blf *b, struct trace_input *in, struct blf_item *item,
                              struct trace_fault *fault)
{
    size_t used;
    enum vs_err err;

    fault->byte = in->offset;
    do {
        err = blf_object(&b->blf, trace_input_window(in), item, &used, &fault->reason);
    } while (err == VS_ERR_TRUNCATED && trace_input_more(in));
    b->stopped = err != VS_OK && (used == 0 || err == VS_ERR_TRUNCATED);
    if (err == VS_ERR_TRUNCATED && used == 0)
        return VS_ERR_END; /* nothing but padding is left */
    fault->reason = err == VS_ERR_TRUNCATED ? "the file ends within an object" : fault->reason;
    if (err == VS_OK && item->kind == BLF_CONTAINER)
        err = unpack(b, item, &fault->reason);
    trace_input_take(in, used);
    return err;
}

/* The next object out of the containers. VS_ERR_TRUNCATED: its rest is in the next one. */
static enum vs_err next_inner(struct trace_blf *b, struct blf_item *item, const char **ret_reason)
{
    struct slice left = slice_make(b->inner + b->inner_pos, b->inner_len - b->inner_pos);
    size_t used;
    enum vs_err err = blf_object(&b->blf, left, item, &used, ret_reason);

    if (err == VS_ERR_TRUNCATED)
        return err;
    if (err == VS_OK && item->kind == BLF_CONTAINER) {
        *ret_reason = "container within a container";
        err = VS_ERR_UNSUPPORTED;
    }
    /* Without a place to go on from, the rest of the container is lost. */
    b->inner_pos = err != VS_OK && used == 0 ? b->inner_len : b->inner_pos + used;
    return err;
}

enum vs_err trace_blf_next(struct trace_blf *b, struct trace_input *in, struct can_frame *ret,
                           struct trace_fault *fault)
{
    struct blf_item item;
    enum vs_err err = VS_OK;

    fault->line = 0;
    fault->byte = in->offset;
    if (!b->begun)
        err = begin(b, in, fault);
    while (err == VS_OK) {
        err = b->inner_pos < b->inner_len ? next_inner(b, &item, &fault->reason) : VS_ERR_TRUNCATED;
        if (err == VS_ERR_TRUNCATED)
            err = b->stopped ? VS_ERR_END : next_outer(b, in, &item, fault);
        if (err == VS_OK && item.kind == BLF_LOST)
            *b->lost += item.lost;
        if (err == VS_OK && item.kind == BLF_FRAME) {
            *ret = item.frame;
            return VS_OK;
        }
    }
    return err;
}
