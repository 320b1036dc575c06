#include "detect/sigma/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double val_double(const struct val *v)
{
    if (v->kind == VAL_INT)
        return (double)v->num.i;
    return v->kind == VAL_UINT ? (double)v->num.u : v->num.d;
}

static int compare_double(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) ? (isnan(b) ? 0 : -1) : 1;
    return a < b ? -1 : a > b;
}

/* An integer against a double without rounding the integer: beyond 2^53 the double is an integer itself. */
static int compare_int_double(int64_t i, double d)
{
    if (isnan(d))
        return 1;
    if (d >= 9223372036854775808.0)
        return -1;
    if (d < -9223372036854775808.0)
        return 1;
    double whole = floor(d);
    int64_t w = (int64_t)whole;
    if (i != w)
        return i < w ? -1 : 1;
    return d > whole ? -1 : 0;
}

int val_compare(const struct val *a, const struct val *b)
{
    if (a->kind == VAL_DOUBLE && b->kind == VAL_DOUBLE)
        return compare_double(a->num.d, b->num.d);
    if (a->kind == VAL_INT && b->kind == VAL_INT)
        return a->num.i < b->num.i ? -1 : a->num.i > b->num.i;
    if (a->kind == VAL_INT && b->kind == VAL_DOUBLE)
        return compare_int_double(a->num.i, b->num.d);
    if (a->kind == VAL_DOUBLE && b->kind == VAL_INT)
        return -compare_int_double(b->num.i, a->num.d);
    if (a->kind == VAL_UINT && b->kind == VAL_UINT)
        return a->num.u < b->num.u ? -1 : a->num.u > b->num.u;
    if (a->kind == VAL_UINT && b->kind == VAL_INT)
        return 1; /* VAL_UINT is above INT64_MAX */
    if (a->kind == VAL_INT && b->kind == VAL_UINT)
        return -1;
    return compare_double(val_double(a), val_double(b));
}

/* The shortest decimal that reads back as the same double. */
static int double_text(double d, char *text, size_t size)
{
    int len = 0;

    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, size, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    return len;
}

struct slice val_canonical(const struct val *v, struct arena *a)
{
    char text[40];
    int len = 0;

    switch ((enum val_kind)v->kind) {
    case VAL_TEXT:
        return v->text;
    case VAL_BOOL:
        return slice_str(v->num.b ? "true" : "false");
    case VAL_INT:
        len = snprintf(text, sizeof text, "%" PRId64, v->num.i);
        break;
    case VAL_UINT:
        len = snprintf(text, sizeof text, "%" PRIu64, v->num.u);
        break;
    case VAL_DOUBLE:
        len = double_text(v->num.d, text, sizeof text);
        break;
    case VAL_NONE:
    case VAL_NULL:
        return slice_str("");
    }
    return arena_copy(a, slice_make(text, (size_t)len));
}

struct slice val_text(struct val *v, struct arena *a)
{
    if (!v->has_text) {
        v->text = val_canonical(v, a);
        v->has_text = true;
    }
    return v->text;
}

struct slice val_fold(struct val *v, struct arena *a)
{
    if (!v->has_fold) {
        struct slice text = val_text(v, a);
        uint8_t *out = arena_alloc(a, text.len + 1);
        fold_text(text, out);
        v->fold = slice_make(out, text.len);
        v->has_fold = true;
    }
    return v->fold;
}

static struct hash128 hash_number(uint64_t kind, uint64_t bits, uint64_t seed)
{
    struct hash128 h = {hash_mix(seed + kind, bits), hash_mix(~seed + kind, ~bits)};
    return h;
}

struct hash128 val_hash(const struct val *v, uint64_t seed)
{
    double d = v->num.d;

    switch ((enum val_kind)v->kind) {
    case VAL_TEXT:
        return hash128_bytes(v->text, seed);
    case VAL_BOOL:
        return hash_number(2, v->num.b, seed);
    case VAL_DOUBLE:
        if (d >= -9223372036854775808.0 && d < 9223372036854775808.0 && floor(d) == d)
            return hash_number(3, (uint64_t)(int64_t)d, seed);
        if (d >= 9223372036854775808.0 && d < 18446744073709551616.0)
            return hash_number(3, (uint64_t)d, seed); /* same as the unsigned integer */
        return hash_number(5, v->num.u, seed);
    case VAL_INT:
    case VAL_UINT:
        return hash_number(3, v->num.u, seed);
    case VAL_NONE:
    case VAL_NULL:
        break;
    }
    return hash_number(1, 0, seed);
}

static bool parse_unsigned(struct slice text, unsigned base, uint64_t *ret)
{
    uint64_t v = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        unsigned digit = 99;
        if (c >= '0' && c <= '9')
            digit = c - (unsigned)'0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (c | 32u) - 'a' + 10;
        if (digit >= base || v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *ret = v;
    return true;
}

static bool parse_fraction(struct slice text, double *ret)
{
    char buf[64];
    bool digit = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        digit |= c >= '0' && c <= '9';
        if (!(c >= '0' && c <= '9') && c != '.' && (c | 32) != 'e' && c != '+' && c != '-')
            return false;
    }
    if (!digit || (text.ptr[0] | 32) == 'e' || !slice_to_str(text, buf, sizeof buf))
        return false;
    char *end;
    double v = strtod(buf, &end);
    if (*end != '\0' || !isfinite(v))
        return false;
    *ret = v;
    return true;
}

bool val_parse_number(struct slice text, struct val *ret)
{
    bool minus = text.len > 0 && text.ptr[0] == '-';
    struct slice digits = slice_from(text, minus ? 1 : 0);
    uint64_t u;
    bool hex = digits.len > 2 && digits.ptr[0] == '0' && (digits.ptr[1] | 32) == 'x';

    memset(ret, 0, sizeof *ret);
    if (parse_unsigned(hex ? slice_from(digits, 2) : digits, hex ? 16 : 10, &u)) {
        if (minus && u > (uint64_t)INT64_MAX + 1)
            return false;
        ret->kind = u > INT64_MAX && !minus ? VAL_UINT : VAL_INT;
        ret->num.u = minus ? (uint64_t)0 - u : u;
        return true;
    }
    if (hex || text.len == 0 || !parse_fraction(text, &ret->num.d))
        return false;
    ret->kind = VAL_DOUBLE;
    return true;
}

/* Two-byte letters (U+0080 to U+07FF) whose lower case has two bytes as well. */
static unsigned fold_char(unsigned c)
{
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) || (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177) ||
        (c >= 0x460 && c <= 0x481))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
        return (c & 1) != 0 ? c + 1 : c;
    return c;
}

/* Lower-cases eight bytes of ASCII at once: a letter is where adding 0x3F reaches the high bit and adding 0x25 does
 * not. */
static uint64_t fold_word(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t upper = (w + 0x3F * ones) & ~(w + 0x25 * ones) & 0x80 * ones;

    return w | upper >> 2;
}

/* The longest start of plain ASCII in whole words; returns its length. */
static size_t fold_ascii(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t i = 0;
    uint64_t w;

    for (; i + 8 <= len; i += 8) {
        memcpy(&w, in + i, 8);
        if ((w & UINT64_C(0x8080808080808080)) != 0)
            break;
        w = fold_word(w);
        memcpy(out + i, &w, 8);
    }
    return i;
}

/* One character of ASCII or of two bytes, or one byte of anything else; returns how many it took. */
static size_t fold_one(struct slice text, uint8_t *out)
{
    uint8_t c = text.ptr[0];

    out[0] = c < 0x80 && c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    if (c < 0xC2 || c > 0xDF || text.len < 2)
        return 1;
    unsigned folded = fold_char((c & 0x1Fu) << 6 | (text.ptr[1] & 0x3Fu));
    out[0] = (uint8_t)(0xC0 | folded >> 6);
    out[1] = (uint8_t)(0x80 | (folded & 0x3F));
    return 2;
}

void fold_text(struct slice text, uint8_t *out)
{
    size_t i = 0;

    while (i < text.len) {
        i += fold_ascii(text.ptr + i, text.len - i, out + i);
        if (i < text.len)
            i += fold_one(slice_from(text, i), out + i);
    }
}
