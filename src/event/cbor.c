/* An item starts with one byte: three bits of major type, five bits of argument. Arguments 0 to 23 are the value; 24,
 * 25, 26, 27 say that 1, 2, 4, 8 bytes of it follow, big endian; 28 to 30 are reserved; 31 means indefinite length. */
#include "event/cbor.h"

void cbor_init(struct cbor *r, struct slice in)
{
    cursor_init(&r->c, in);
}

static void cbor_fail(struct cbor *r, size_t pos)
{
    r->c.failed = true;
    r->c.pos = pos;
}

/* Takes a head of any major type with its argument in shortest form. */
static uint64_t take_long_head(struct cbor *r, enum cbor_major *ret_major)
{
    size_t start = r->c.pos;
    uint8_t first = cursor_u8(&r->c);
    unsigned info = first & 31;
    uint64_t v = info;
    uint64_t least = 0;

    *ret_major = (enum cbor_major)(first >> 5);
    if (info >= 24) {
        switch (info) {
        case 24:
            v = cursor_u8(&r->c);
            least = 24;
            break;
        case 25:
            v = cursor_u16be(&r->c);
            least = UINT64_C(1) << 8;
            break;
        case 26:
            v = cursor_u32be(&r->c);
            least = UINT64_C(1) << 16;
            break;
        case 27:
            v = cursor_u64be(&r->c);
            least = UINT64_C(1) << 32;
            break;
        default:
            cbor_fail(r, start);
        }
        if (v < least)
            cbor_fail(r, start);
    }
    return r->c.failed ? 0 : v;
}

static inline uint64_t take_head(struct cbor *r, enum cbor_major *ret_major)
{
    uint64_t v;

    return cbor_short_head(r, ret_major, &v) ? v : take_long_head(r, ret_major);
}

static inline uint64_t take(struct cbor *r, enum cbor_major want)
{
    size_t start = r->c.pos;
    enum cbor_major major;

    if (r->c.failed)
        return 0;
    uint64_t v = take_head(r, &major);
    if (!r->c.failed && major != want)
        cbor_fail(r, start);
    return r->c.failed ? 0 : v;
}

uint64_t cbor_uint(struct cbor *r)
{
    uint64_t quick;
    enum cbor_major major = cbor_peek(r);

    if (major == CBOR_UINT && cbor_short_head(r, &major, &quick))
        return quick;
    return take(r, CBOR_UINT);
}

int64_t cbor_int(struct cbor *r)
{
    int64_t quick;

    if (cbor_short_int(r, &quick))
        return quick;
    size_t start = r->c.pos;
    enum cbor_major major = cbor_peek(r);
    uint64_t v = take(r, major == CBOR_NEGATIVE ? CBOR_NEGATIVE : CBOR_UINT);

    if (v > INT64_MAX) {
        cbor_fail(r, start);
        return 0;
    }
    return major == CBOR_NEGATIVE && !r->c.failed ? -1 - (int64_t)v : (int64_t)v;
}

bool cbor_bool(struct cbor *r)
{
    size_t start = r->c.pos;
    uint64_t v = take(r, CBOR_SIMPLE);

    if (!r->c.failed && v != 20 && v != 21)
        cbor_fail(r, start);
    return !r->c.failed && v == 21;
}

static struct slice take_string(struct cbor *r, enum cbor_major major)
{
    size_t start = r->c.pos;
    uint64_t len = take(r, major);

    if (len > cursor_left(&r->c)) {
        cbor_fail(r, start);
        len = 0;
    }
    return cursor_bytes(&r->c, (size_t)len);
}

struct slice cbor_bytes(struct cbor *r)
{
    return take_string(r, CBOR_BYTES);
}

struct slice cbor_text(struct cbor *r)
{
    return take_string(r, CBOR_TEXT);
}

/* An item takes at least one byte, so a count above the bytes left is a lie that need not be believed. */
static uint64_t take_count(struct cbor *r, enum cbor_major major, unsigned bytes_each)
{
    size_t start = r->c.pos;
    uint64_t count = take(r, major);

    if (count > cursor_left(&r->c) / bytes_each) {
        cbor_fail(r, start);
        return 0;
    }
    return count;
}

uint64_t cbor_array(struct cbor *r)
{
    return take_count(r, CBOR_ARRAY, 1);
}

uint64_t cbor_map(struct cbor *r)
{
    return take_count(r, CBOR_MAP, 2);
}

uint64_t cbor_tag(struct cbor *r)
{
    return take(r, CBOR_TAG);
}

/* Takes the head of any item and says how many items belong to it. */
static uint64_t skip_one(struct cbor *r)
{
    size_t start = r->c.pos;
    enum cbor_major major;
    uint64_t v = take_head(r, &major);

    if (r->c.failed)
        return 0;
    switch (major) {
    case CBOR_BYTES:
    case CBOR_TEXT:
        if (v > cursor_left(&r->c))
            cbor_fail(r, start);
        else
            (void)cursor_bytes(&r->c, (size_t)v);
        return 0;
    case CBOR_ARRAY:
        if (v > cursor_left(&r->c))
            cbor_fail(r, start);
        return v;
    case CBOR_MAP:
        if (v > cursor_left(&r->c) / 2)
            cbor_fail(r, start);
        return v * 2;
    case CBOR_TAG:
        return 1;
    case CBOR_SIMPLE:
        if (v < 20 || v > 22)
            cbor_fail(r, start);
        return 0;
    case CBOR_UINT:
    case CBOR_NEGATIVE:
        break;
    }
    return 0;
}

void cbor_skip(struct cbor *r)
{
    uint64_t open[CBOR_DEPTH_MAX + 1];
    unsigned depth = 0;

    open[0] = 1;
    while (!r->c.failed) {
        while (open[depth] == 0) {
            if (depth == 0)
                return;
            depth--;
        }
        open[depth]--;
        size_t start = r->c.pos;
        uint64_t inside = skip_one(r);
        if (inside == 0)
            continue;
        if (depth == CBOR_DEPTH_MAX)
            cbor_fail(r, start);
        else
            open[++depth] = inside;
    }
}

static void put_head(struct writer *w, enum cbor_major major, uint64_t v)
{
    uint8_t m = (uint8_t)(major << 5);

    if (v < 24) {
        writer_u8(w, (uint8_t)(m | v));
    } else if (v <= UINT8_MAX) {
        writer_u16be(w, (uint16_t)((m | 24) << 8 | v));
    } else if (v <= UINT16_MAX) {
        writer_u8(w, m | 25);
        writer_u16be(w, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        writer_u8(w, m | 26);
        writer_u32be(w, (uint32_t)v);
    } else {
        writer_u8(w, m | 27);
        writer_u64be(w, v);
    }
}

void cbor_put_uint(struct writer *w, uint64_t v)
{
    put_head(w, CBOR_UINT, v);
}

void cbor_put_int(struct writer *w, int64_t v)
{
    if (v < 0)
        put_head(w, CBOR_NEGATIVE, (uint64_t)(-1 - v));
    else
        put_head(w, CBOR_UINT, (uint64_t)v);
}

void cbor_put_bool(struct writer *w, bool v)
{
    put_head(w, CBOR_SIMPLE, v ? 21 : 20);
}

void cbor_put_bytes(struct writer *w, struct slice s)
{
    put_head(w, CBOR_BYTES, s.len);
    writer_put(w, s);
}

void cbor_put_text(struct writer *w, struct slice s)
{
    put_head(w, CBOR_TEXT, s.len);
    writer_put(w, s);
}

void cbor_put_array(struct writer *w, uint64_t count)
{
    put_head(w, CBOR_ARRAY, count);
}

void cbor_put_map(struct writer *w, uint64_t count)
{
    put_head(w, CBOR_MAP, count);
}

void cbor_put_tag(struct writer *w, uint64_t tag)
{
    put_head(w, CBOR_TAG, tag);
}
