#include "codec/dbc_lex.h"

void dbc_lex_init(struct dbc_lex *lex, struct slice text, bool lenient)
{
    memset(lex, 0, sizeof *lex);
    lex->text = text;
    lex->line = 1;
    lex->lenient = lenient;
}

static uint8_t at(const struct dbc_lex *lex, size_t pos)
{
    return pos < lex->text.len ? lex->text.ptr[pos] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static void new_line(struct dbc_lex *lex)
{
    lex->line++;
    lex->line_from = lex->pos + 1;
}

static void skip_comment(struct dbc_lex *lex)
{
    while (lex->pos < lex->text.len && at(lex, lex->pos) != '\n')
        lex->pos++;
}

static void skip_blanks(struct dbc_lex *lex)
{
    while (lex->pos < lex->text.len) {
        uint8_t c = at(lex, lex->pos);
        if (c == '/' && at(lex, lex->pos + 1) == '/') {
            skip_comment(lex);
            continue;
        }
        if (c == '\n')
            new_line(lex);
        else if (c != ' ' && c != '\t' && c != '\r')
            return;
        lex->pos++;
    }
}

/* The end of the number that begins at from; from itself when none does. */
static size_t number_end(const struct dbc_lex *lex, size_t from)
{
    size_t end = from;

    if (at(lex, end) == '+' || at(lex, end) == '-')
        end++;
    if (!is_digit(at(lex, end)))
        return from;
    while (is_digit(at(lex, end)))
        end++;
    if (at(lex, end) == '.')
        end++;
    while (is_digit(at(lex, end)))
        end++;
    if (at(lex, end) == 'e' || at(lex, end) == 'E') {
        size_t exponent = end + 1;
        if (at(lex, exponent) == '+' || at(lex, exponent) == '-')
            exponent++;
        if (is_digit(at(lex, exponent)))
            for (end = exponent; is_digit(at(lex, end));)
                end++;
    }
    return end;
}

static size_t word_end(const struct dbc_lex *lex, size_t from)
{
    size_t end = from;

    while (is_word(at(lex, end)))
        end++;
    return end;
}

/* From the opening quote; lines are counted on the way. */
static void take_string(struct dbc_lex *lex, struct dbc_token *t)
{
    size_t from = lex->pos + 1;

    t->kind = DBC_TOKEN_OPEN_STRING;
    for (lex->pos = from; lex->pos < lex->text.len; lex->pos++) {
        uint8_t c = at(lex, lex->pos);
        if (c == '"') {
            t->kind = DBC_TOKEN_STRING;
            t->text = slice_make(lex->text.ptr + from, lex->pos - from);
            lex->pos++;
            return;
        }
        if (c == '\\' && at(lex, lex->pos + 1) == '"')
            lex->pos++;
        else if (c == '\n')
            new_line(lex);
    }
}

struct dbc_token dbc_lex_next(struct dbc_lex *lex)
{
    skip_blanks(lex);
    size_t from = lex->pos;
    struct dbc_token t = {DBC_TOKEN_END, slice_make(lex->text.ptr + from, 0), lex->line,
                          (uint32_t)(from - lex->line_from) + 1};
    if (from >= lex->text.len)
        return t;

    uint8_t c = at(lex, from);
    size_t number = number_end(lex, from);
    size_t word = word_end(lex, from);
    if (c == '"') {
        take_string(lex, &t);
        return t;
    }
    if (number > from && !(lex->lenient && word > number)) {
        t.kind = DBC_TOKEN_NUMBER;
        lex->pos = number;
    } else if (word > from) {
        t.kind = DBC_TOKEN_WORD;
        lex->pos = word;
    } else {
        t.kind = c != 0 && strchr("()[],|@;:+-", c) != NULL ? DBC_TOKEN_MARK : DBC_TOKEN_BAD;
        lex->pos++;
    }
    t.text.len = lex->pos - from;
    return t;
}

bool dbc_lex_u64(struct slice text, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i = text.len > 0 && text.ptr[0] == '+';

    if (i >= text.len)
        return false;
    for (; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            return false;
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

bool dbc_lex_i64(struct slice text, int64_t *ret)
{
    bool minus = text.len > 0 && text.ptr[0] == '-';
    uint64_t v;

    if (minus && text.len > 1 && !is_digit(text.ptr[1]))
        return false;
    if (!dbc_lex_u64(minus ? slice_from(text, 1) : text, &v) || v > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
