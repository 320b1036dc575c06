/* cbor: the part of CBOR (RFC 8949) that batches use, read without copying and written without memory.
 *
 * Reading is a pull cursor in the manner of core/cursor.h: a failure sticks, and `cbor_failed` is asked once. Accepted:
 * definite lengths only, integers within 64 bits, byte and text strings, arrays, maps, false, true, null, and tags
 * (their number is read, the content follows). Refused as malformed: indefinite lengths, floats, other simple values,
 * and heads that are not in their shortest form (RFC 8949 section 4.2.1), so that one value has one encoding.
 * `cbor_skip` passes over any one item with a nesting of at most CBOR_DEPTH_MAX, without recursion. No allocation; each
 * call is constant time except cbor_skip, which is linear in the item. */
#ifndef EVENT_CBOR_H
#define EVENT_CBOR_H

#include "core/cursor.h"
#include "core/writer.h"

#define CBOR_DEPTH_MAX 16

enum cbor_major {
    CBOR_UINT = 0,
    CBOR_NEGATIVE = 1,
    CBOR_BYTES = 2,
    CBOR_TEXT = 3,
    CBOR_ARRAY = 4,
    CBOR_MAP = 5,
    CBOR_TAG = 6,
    CBOR_SIMPLE = 7
};

struct cbor {
    struct cursor c;
};

void cbor_init(struct cbor *r, struct slice in);
static inline bool cbor_failed(const struct cbor *r)
{
    return r->c.failed;
}

/* Byte of the failure, or of the next item. */
static inline size_t cbor_pos(const struct cbor *r)
{
    return cursor_pos(&r->c);
}

static inline bool cbor_at_end(const struct cbor *r)
{
    return cursor_left(&r->c) == 0;
}

/* Kind of the next item without taking it; CBOR_SIMPLE at the end or after a failure. */
static inline enum cbor_major cbor_peek(const struct cbor *r)
{
    if (r->c.failed || cursor_left(&r->c) == 0)
        return CBOR_SIMPLE;
    return (enum cbor_major)(r->c.in.ptr[r->c.pos] >> 5);
}

/* The head of any item when it is one byte long, which most are: true, and major and argument are set. False: nothing
 * is taken, and the functions below do it the long way. */
static inline bool cbor_short_head(struct cbor *r, enum cbor_major *ret_major, uint64_t *ret_argument)
{
    if (r->c.failed || r->c.pos >= r->c.in.len || (r->c.in.ptr[r->c.pos] & 31) >= 24)
        return false;
    uint8_t head = r->c.in.ptr[r->c.pos++];
    *ret_major = (enum cbor_major)(head >> 5);
    *ret_argument = head & 31;
    return true;
}

/* An integer of up to two bytes of argument, in the same manner. Together with the one above this is nearly every
 * number of a batch. */
static inline bool cbor_short_int(struct cbor *r, int64_t *ret)
{
    if (r->c.failed || r->c.in.len - r->c.pos < 3)
        return false;
    const uint8_t *p = r->c.in.ptr + r->c.pos;
    unsigned info = p[0] & 31;
    unsigned v = info;
    if (p[0] > 0x3F || info > 25)
        return false;
    if (info == 24)
        v = p[1];
    else if (info == 25)
        v = (unsigned)p[1] << 8 | p[2];
    if ((info == 24 && v < 24) || (info == 25 && v < 256)) /* not the shortest form */
        return false;
    r->c.pos += info < 24 ? 1 : info - 22;
    *ret = p[0] < 0x20 ? (int64_t)v : -1 - (int64_t)v;
    return true;
}

/* Each takes one item of that kind, and fails the reader on another kind. 0 or empty after a failure. */
uint64_t cbor_uint(struct cbor *r);
int64_t cbor_int(struct cbor *r); /* unsigned or negative, within int64 */
bool cbor_bool(struct cbor *r);
struct slice cbor_bytes(struct cbor *r); /* borrowed from the input */
struct slice cbor_text(struct cbor *r);  /* borrowed; UTF-8 is not checked here */
uint64_t cbor_array(struct cbor *r);     /* number of items that follow; never more than the bytes left */
uint64_t cbor_map(struct cbor *r);       /* number of pairs that follow; never more than half the bytes left */
uint64_t cbor_tag(struct cbor *r);
void cbor_skip(struct cbor *r);

/* Writing: always the shortest head. Fullness is in the writer. */
void cbor_put_uint(struct writer *w, uint64_t v);
void cbor_put_int(struct writer *w, int64_t v);
void cbor_put_bool(struct writer *w, bool v);
void cbor_put_bytes(struct writer *w, struct slice s);
void cbor_put_text(struct writer *w, struct slice s);
void cbor_put_array(struct writer *w, uint64_t count);
void cbor_put_map(struct writer *w, uint64_t count);
void cbor_put_tag(struct writer *w, uint64_t tag);

#endif
