/* writer: fills caller memory from front to back, never past its end.
 *
 * A write that does not fit makes the writer full and stay full: nothing of it and nothing after it is written, so a
 * caller may write a whole structure and ask once. `writer_mark`/`writer_rewind` undo a record that did not fit. */
#ifndef CORE_WRITER_H
#define CORE_WRITER_H

#include "core/slice.h"

struct writer {
    uint8_t *buf; /* borrowed */
    size_t size;
    size_t len; /* bytes written */
    bool full;
};

static inline void writer_init(struct writer *w, void *buf, size_t size)
{
    w->buf = (uint8_t *)buf;
    w->size = size;
    w->len = 0;
    w->full = false;
}

static inline struct slice writer_slice(const struct writer *w)
{
    return slice_make(w->buf, w->len);
}

static inline void writer_bytes(struct writer *w, const void *ptr, size_t len)
{
    if (w->full || len > w->size - w->len) {
        w->full = true;
        return;
    }
    if (len > 0)
        memcpy(w->buf + w->len, ptr, len);
    w->len += len;
}

static inline void writer_put(struct writer *w, struct slice s)
{
    writer_bytes(w, s.ptr, s.len);
}

static inline void writer_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
    writer_bytes(w, &v, 1);
}

static inline void writer_u16be(struct writer *w, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    writer_bytes(w, b, sizeof b);
}

static inline void writer_u32be(struct writer *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    writer_bytes(w, b, sizeof b);
}

static inline void writer_u64be(struct writer *w, uint64_t v)
{
    uint8_t b[8] = {(uint8_t)(v >> 56), (uint8_t)(v >> 48), (uint8_t)(v >> 40), (uint8_t)(v >> 32),
                    (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),  (uint8_t)v};
    writer_bytes(w, b, sizeof b);
}

/* A place to come back to. Opaque: the mark of a full writer is none, so that a rewind to it leaves it full. */
static inline size_t writer_mark(const struct writer *w)
{
    return w->full ? SIZE_MAX : w->len;
}

/* Takes back everything written since the mark, and the fullness that it caused. */
static inline void writer_rewind(struct writer *w, size_t mark)
{
    if (mark == SIZE_MAX)
        return;
    w->len = mark;
    w->full = false;
}

/* Ends a value that is written in pieces: when one did not fit, takes back those before it, and the writer stays full.
 * `start` is w->len from before the first piece. */
static inline void writer_whole(struct writer *w, size_t start)
{
    if (w->full)
        w->len = start;
}

/* Decimal text of v, no padding. */
void writer_u64_text(struct writer *w, uint64_t v);
void writer_i64_text(struct writer *w, int64_t v);
/* v / 10^decimals as decimal text with trailing zeros of the fraction cut, e.g. (-123400000, 7) -> "-12.34".
 * decimals <= 19. */
void writer_fixed_text(struct writer *w, int64_t v, unsigned decimals);
/* Lower or upper case hex of the bytes, no separators. */
void writer_hex(struct writer *w, struct slice bytes, bool upper);
/* A JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD, control characters are escaped. */
void writer_json_text(struct writer *w, struct slice text);

#endif
