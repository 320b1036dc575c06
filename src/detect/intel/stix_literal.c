#include "detect/intel/stix_literal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/hex.h"
#include "core/timestamp.h"

bool stix_room(void **array, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint32_t more = *room == 0 ? 16 : *room * 2;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static bool text_room(struct stix_pattern *p, size_t len)
{
    if (p->text_len + len <= p->text_room && p->text != NULL)
        return true;
    uint32_t room = p->text_room == 0 ? 256 : p->text_room;
    while (room < p->text_len + len)
        room *= 2;
    uint8_t *grown = realloc(p->text, room);
    if (grown == NULL)
        return false;
    p->text = grown;
    p->text_room = room;
    return true;
}

enum vs_err stix_add_text(struct stix_pattern *p, struct slice quoted, uint32_t *ret_at, uint32_t *ret_len)
{
    if (!text_room(p, quoted.len))
        return VS_ERR_NO_MEMORY;
    *ret_at = p->text_len;
    for (size_t i = 0; i < quoted.len; i++) {
        i += quoted.ptr[i] == '\\';
        p->text[p->text_len++] = quoted.ptr[i];
    }
    *ret_len = p->text_len - *ret_at;
    return VS_OK;
}

static bool read_hex(struct stix_pattern *p, struct slice in, struct stix_literal *l)
{
    uint32_t at = p->text_len, len = (uint32_t)(in.len / 2);

    if (in.len % 2 != 0 || (len > 0 && !hex_read(in, p->text + at, len)))
        return false;
    l->value.s.at = at;
    l->value.s.len = len;
    p->text_len += len;
    return true;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Groups of four, the last one padded. */
static bool read_base64(struct stix_pattern *p, struct slice in, struct stix_literal *l)
{
    uint32_t bits = 0, at = p->text_len;
    size_t pad = 0;

    if (in.len == 0 || in.len % 4 != 0)
        return false;
    while (pad < 2 && in.ptr[in.len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < in.len; i++) {
        int digit = i >= in.len - pad ? 0 : base64_digit(in.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 3)
            for (int k = 2; k >= 0; k--)
                p->text[p->text_len++] = (uint8_t)(bits >> (8 * k));
    }
    p->text_len -= (uint32_t)pad;
    l->value.s.at = at;
    l->value.s.len = p->text_len - at;
    return true;
}

static bool read_int(struct slice in, int64_t *ret)
{
    bool negative = in.ptr[0] == '-';
    uint64_t v = 0;

    for (size_t i = in.ptr[0] == '-' || in.ptr[0] == '+'; i < in.len; i++) {
        uint64_t digit = (uint64_t)(in.ptr[i] - '0');
        if (v > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool read_float(struct slice in, double *ret)
{
    char text[64];

    if (!slice_to_str(in, text, sizeof text))
        return false;
    *ret = strtod(text, NULL);
    return true;
}

/* YYYY-MM-DDTHH:MM:SS[.digits]Z and nothing else. */
static bool read_time(struct slice in, int64_t *ret)
{
    struct slice head = in;
    char cut[32];

    if (in.len < 20 || in.ptr[10] != 'T' || in.ptr[in.len - 1] != 'Z' || (in.len > 20 && in.ptr[19] != '.'))
        return false;
    if (in.len > 29) { /* digits beyond the ninth say nothing here */
        for (size_t i = 20; i + 1 < in.len; i++)
            if (in.ptr[i] < '0' || in.ptr[i] > '9')
                return false;
        snprintf(cut, sizeof cut, "%.28sZ", (const char *)in.ptr);
        head = slice_str(cut);
    }
    return timestamp_parse(head, ret);
}

enum vs_err stix_add_literal(struct stix_pattern *p, const struct stix_token *t, const char **ret_reason)
{
    struct stix_literal l = {0};
    enum vs_err err = VS_OK;
    bool ok = true;

    if (!stix_room((void **)&p->literal, p->literal_count, &p->literal_room, sizeof *p->literal) ||
        !text_room(p, t->text.len + 3))
        return VS_ERR_NO_MEMORY;
    switch (t->kind) {
    case TOKEN_INT:
        l.kind = STIX_INT;
        ok = read_int(t->text, &l.value.i);
        *ret_reason = "a whole number of at most 63 bits";
        break;
    case TOKEN_FLOAT:
        l.kind = STIX_FLOAT;
        ok = read_float(t->text, &l.value.d);
        *ret_reason = "a number of at most 63 digits";
        break;
    case TOKEN_BOOL:
        l.kind = STIX_BOOL;
        l.value.b = t->text.ptr[0] == 't';
        break;
    case TOKEN_HEX:
        l.kind = STIX_BYTES;
        ok = read_hex(p, t->text, &l);
        *ret_reason = "pairs of hex digits";
        break;
    case TOKEN_BASE64:
        l.kind = STIX_BYTES;
        ok = read_base64(p, t->text, &l);
        *ret_reason = "base64 in groups of four";
        break;
    case TOKEN_TIME:
        l.kind = STIX_TIME;
        ok = read_time(t->text, &l.value.i);
        *ret_reason = "a time like t'2026-03-01T12:00:00Z', year 1970 to 9999";
        break;
    case TOKEN_TEXT:
        l.kind = STIX_TEXT;
        err = stix_add_text(p, t->text, &l.value.s.at, &l.value.s.len);
        break;
    default:
        ok = false;
        *ret_reason = "a literal";
        break;
    }
    if (err == VS_OK && !ok)
        err = VS_ERR_MALFORMED;
    if (err == VS_OK)
        p->literal[p->literal_count++] = l;
    return err;
}
