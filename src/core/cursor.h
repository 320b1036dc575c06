/* cursor: reads a slice from front to back, never past its end.
 *
 * The first read that does not fit makes the cursor fail and stay failed: later reads return zero and change nothing,
 * so a reader may take a whole structure and ask once at the end. `cursor_pos` then still names the byte of the
 * failure. All multi-byte reads name their byte order. No allocation, constant time per read (cursor_bytes does not
 * copy). */
#ifndef CORE_CURSOR_H
#define CORE_CURSOR_H

#include "core/slice.h"

struct cursor {
    struct slice in; /* borrowed */
    size_t pos;      /* next byte; never above in.len */
    bool failed;
};

static inline void cursor_init(struct cursor *c, struct slice in)
{
    c->in = in;
    c->pos = 0;
    c->failed = false;
}

static inline size_t cursor_left(const struct cursor *c)
{
    return c->in.len - c->pos;
}

static inline size_t cursor_pos(const struct cursor *c)
{
    return c->pos;
}

/* Takes n bytes; NULL when fewer are left, and then nothing is taken. n > 0. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
    if (c->failed || n > cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    c->pos += n;
    return c->in.ptr + (c->pos - n);
}

/* Takes n bytes, borrowed from the input; an empty slice when fewer are left. */
static inline struct slice cursor_bytes(struct cursor *c, size_t n)
{
    /* An empty input may have a NULL ptr, to which not even 0 may be added. */
    const uint8_t *p = n > 0 ? cursor_take(c, n) : NULL;

    return p != NULL ? slice_make(p, n) : slice_make(c->in.ptr, 0);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);
    return p != NULL ? p[0] : 0;
}

static inline uint16_t cursor_u16be(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    return p != NULL ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u32be(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    return p != NULL ? (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
                           (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7]
                     : 0;
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    return p != NULL ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p != NULL ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    return p != NULL ? p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
                           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56
                     : 0;
}

#endif
