/* cursor: reads a slice from front to back, never past its end.
 *
 * The first read that does not fit makes the cursor fail and stay failed: later reads return zero and change nothing, so
 * a reader may take a whole structure and ask once at the end. `cursor_pos` then still names the byte of the failure.
 * All multi-byte reads name their byte order. No allocation, constant time per read (cursor_bytes does not copy). */
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

/* Takes n bytes, borrowed from the input; an empty slice when fewer are left. */
static inline struct slice cursor_bytes(struct cursor *c, size_t n)
{
    if (c->failed || n > cursor_left(c)) {
        c->failed = true;
        return slice_make(c->in.ptr, 0);
    }
    struct slice s = slice_make(c->in.ptr + c->pos, n);
    c->pos += n;
    return s;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    struct slice s = cursor_bytes(c, 1);
    return s.len == 1 ? s.ptr[0] : 0;
}

static inline uint16_t cursor_u16be(struct cursor *c)
{
    struct slice s = cursor_bytes(c, 2);
    return s.len == 2 ? (uint16_t)(s.ptr[0] << 8 | s.ptr[1]) : 0;
}

static inline uint32_t cursor_u32be(struct cursor *c)
{
    uint32_t hi = cursor_u16be(c);
    return hi << 16 | cursor_u16be(c);
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
    uint64_t hi = cursor_u32be(c);
    return hi << 32 | cursor_u32be(c);
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
    uint16_t lo = cursor_u8(c);
    return (uint16_t)(lo | (uint16_t)cursor_u8(c) << 8);
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
    uint32_t lo = cursor_u16le(c);
    return lo | (uint32_t)cursor_u16le(c) << 16;
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
    uint64_t lo = cursor_u32le(c);
    return lo | (uint64_t)cursor_u32le(c) << 32;
}

#endif
