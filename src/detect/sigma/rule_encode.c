#include "detect/sigma/rule_encode.h"

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct slice rule_encode_base64(struct arena *a, struct slice in)
{
    uint8_t *out = arena_alloc(a, (in.len + 2) / 3 * 4 + 1);
    size_t n = 0;

    for (size_t i = 0; i < in.len; i += 3) {
        uint32_t v = (uint32_t)in.ptr[i] << 16;
        if (i + 1 < in.len)
            v |= (uint32_t)in.ptr[i + 1] << 8;
        if (i + 2 < in.len)
            v |= in.ptr[i + 2];
        out[n++] = (uint8_t)BASE64[v >> 18];
        out[n++] = (uint8_t)BASE64[v >> 12 & 63];
        out[n++] = i + 1 < in.len ? (uint8_t)BASE64[v >> 6 & 63] : '=';
        out[n++] = i + 2 < in.len ? (uint8_t)BASE64[v & 63] : '=';
    }
    return slice_make(out, n);
}

/* The part of the encoding that does not depend on the bytes around the value when it starts `shift` bytes into a group
 * of three: the first characters mix in the bytes before it, the last ones the bytes behind it. */
struct slice rule_encode_base64_inner(struct arena *a, struct slice in, size_t shift)
{
    static const uint8_t SKIP[3] = {0, 2, 3};
    static const uint8_t DROP[3] = {0, 3, 2};
    uint8_t *padded = arena_alloc(a, in.len + 2);

    memset(padded, ' ', shift);
    if (in.len > 0)
        memcpy(padded + shift, in.ptr, in.len);
    struct slice all = rule_encode_base64(a, slice_make(padded, in.len + shift));
    size_t drop = DROP[(in.len + shift) % 3];
    size_t skip = SKIP[shift];
    return all.len <= skip + drop ? slice_make("", 0) : slice_make(all.ptr + skip, all.len - skip - drop);
}

static size_t decode_utf8(struct slice s, uint32_t *ret)
{
    uint8_t c = s.ptr[0];
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    if (len > s.len || (c >= 0x80 && c < 0xC2)) {
        *ret = c;
        return 1;
    }
    uint32_t v = len == 1 ? c : c & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++)
        v = v << 6 | (s.ptr[i] & 0x3F);
    *ret = v;
    return len;
}

struct slice rule_encode_utf16(struct arena *a, struct slice in, bool big, bool mark)
{
    uint8_t *out = arena_alloc(a, in.len * 2 + 4);
    size_t n = 0;

    if (mark) {
        out[n++] = 0xFF;
        out[n++] = 0xFE;
    }
    for (size_t i = 0; i < in.len;) {
        uint32_t c;
        i += decode_utf8(slice_from(in, i), &c);
        uint32_t unit[2] = {c, 0};
        unsigned units = 1;
        if (c > 0xFFFF) {
            unit[0] = 0xD800 + ((c - 0x10000) >> 10);
            unit[1] = 0xDC00 + ((c - 0x10000) & 0x3FF);
            units = 2;
        }
        for (unsigned u = 0; u < units; u++) {
            out[n++] = (uint8_t)(big ? unit[u] >> 8 : unit[u]);
            out[n++] = (uint8_t)(big ? unit[u] : unit[u] >> 8);
        }
    }
    return slice_make(out, n);
}
