#include "codec/line_scan.h"

#include "core/hex.h"
#include "core/timestamp.h"

void line_scan_init(struct line_scan *s, struct slice line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    memset(s, 0, sizeof *s);
    s->line = line;
    s->err = VS_OK;
}

void line_scan_fail_at(struct line_scan *s, size_t pos, enum vs_err err, const char *reason)
{
    if (s->err != VS_OK)
        return;
    s->err = err;
    s->fault.column = (unsigned)pos + 1;
    s->fault.reason = reason;
}

void line_scan_fail(struct line_scan *s, const char *reason)
{
    line_scan_fail_at(s, s->pos, s->pos < s->line.len ? VS_ERR_MALFORMED : VS_ERR_TRUNCATED, reason);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool line_scan_char(struct line_scan *s, char c)
{
    if (c == '\0' || line_scan_peek(s) != (uint8_t)c)
        return false;
    s->pos++;
    return true;
}

bool line_scan_text(struct line_scan *s, const char *text)
{
    struct slice want = slice_str(text);

    if (s->err != VS_OK || !slice_starts(slice_from(s->line, s->pos), want))
        return false;
    s->pos += want.len;
    return true;
}

size_t line_scan_blanks(struct line_scan *s)
{
    size_t from = s->pos;

    while (line_scan_peek(s) == ' ' || line_scan_peek(s) == '\t')
        s->pos++;
    return s->pos - from;
}

struct slice line_scan_word(struct line_scan *s)
{
    size_t from = s->pos;

    while (line_scan_peek(s) > ' ')
        s->pos++;
    return slice_make(s->line.ptr + from, s->pos - from);
}

uint64_t line_scan_number(struct line_scan *s, const char *reason)
{
    uint64_t v = 0;

    if (!is_digit(line_scan_peek(s)))
        line_scan_fail(s, reason);
    for (; is_digit(line_scan_peek(s)); s->pos++) {
        if (v > (UINT64_MAX - 9) / 10)
            line_scan_fail_at(s, s->pos, VS_ERR_RANGE, "number too big");
        v = v * 10 + (uint64_t)(s->line.ptr[s->pos] - '0');
    }
    return s->err == VS_OK ? v : 0;
}

bool line_scan_hex_byte(struct line_scan *s, uint8_t *ret)
{
    if (s->err != VS_OK || !hex_read(slice_head(slice_from(s->line, s->pos), 2), ret, 1))
        return false;
    s->pos += 2;
    return true;
}

static int64_t take_fraction_us(struct line_scan *s)
{
    size_t from = s->pos;
    int64_t unit_us = US_PER_S;
    int64_t fraction_us = 0;

    for (; is_digit(line_scan_peek(s)); s->pos++) {
        unit_us /= 10;
        fraction_us += (line_scan_peek(s) - '0') * unit_us;
    }
    if (s->pos == from || s->pos - from > 9)
        line_scan_fail(s, "expected 1 to 9 digits of a second");
    return fraction_us;
}

int64_t line_scan_seconds_us(struct line_scan *s, const char *separators)
{
    size_t from = s->pos;
    int64_t fraction_us = 0;
    uint64_t seconds = line_scan_number(s, "expected seconds");
    uint8_t c = line_scan_peek(s);

    if (c != 0 && strchr(separators, c) != NULL) {
        s->pos++;
        fraction_us = take_fraction_us(s);
    }
    if (seconds >= (uint64_t)(INT64_MAX / US_PER_S))
        line_scan_fail_at(s, from, VS_ERR_RANGE, "time too big");
    return s->err == VS_OK ? (int64_t)seconds * US_PER_S + fraction_us : 0;
}
