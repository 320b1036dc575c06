#include "codec/dbc_read.h"
#include "codec/decimal.h"

#include "core/utf8.h"
#include "core/writer.h"

void dbc_read_fail(struct dbc_reader *rd, enum vs_err err, const struct dbc_token *where, const char *reason)
{
    if (rd->err != VS_OK)
        return;
    rd->err = err == VS_ERR_MALFORMED && where->kind == DBC_TOKEN_END ? VS_ERR_TRUNCATED : err;
    rd->fault.line = where->line;
    rd->fault.column = where->column;
    rd->fault.reason = reason;
    rd->fault.near = where->text;
    rd->token.kind = DBC_TOKEN_END;
}

void dbc_read_advance(struct dbc_reader *rd)
{
    if (rd->err != VS_OK)
        return;
    struct dbc_token t = dbc_lex_next(&rd->lex);
    if (t.kind == DBC_TOKEN_BAD)
        dbc_read_fail(rd, VS_ERR_MALFORMED, &t, "a byte that has no meaning here");
    else if (t.kind == DBC_TOKEN_OPEN_STRING)
        dbc_read_fail(rd, VS_ERR_TRUNCATED, &t, "the string has no closing quote");
    else
        rd->token = t;
}

bool dbc_read_is_word(const struct dbc_reader *rd, const char *word)
{
    return rd->token.kind == DBC_TOKEN_WORD && slice_equal_str(rd->token.text, word);
}

bool dbc_read_mark_if(struct dbc_reader *rd, char mark)
{
    if (!dbc_token_is_mark(&rd->token, mark))
        return false;
    dbc_read_advance(rd);
    return true;
}

void dbc_read_mark(struct dbc_reader *rd, char mark, const char *reason)
{
    if (!dbc_read_mark_if(rd, mark))
        dbc_read_fail(rd, VS_ERR_MALFORMED, &rd->token, reason);
}

/* Lenient: a statement also ends where the next one begins, or with the file. */
void dbc_read_end(struct dbc_reader *rd)
{
    bool next = rd->token.kind == DBC_TOKEN_WORD && dbc_read_is_keyword(rd->token.text);

    if (rd->lenient && (next || rd->token.kind == DBC_TOKEN_END))
        return;
    dbc_read_mark(rd, ';', "expected ; at the end of the statement");
}

static struct dbc_token take(struct dbc_reader *rd, enum dbc_token_kind kind, const char *reason)
{
    struct dbc_token t = rd->token;

    if (t.kind != kind) {
        dbc_read_fail(rd, VS_ERR_MALFORMED, &t, reason);
        t.text.len = 0;
        return t;
    }
    dbc_read_advance(rd);
    return t;
}

struct dbc_token dbc_read_word(struct dbc_reader *rd, const char *reason)
{
    return take(rd, DBC_TOKEN_WORD, reason);
}

struct dbc_token dbc_read_number(struct dbc_reader *rd, const char *reason)
{
    return take(rd, DBC_TOKEN_NUMBER, reason);
}

struct dbc_token dbc_read_string(struct dbc_reader *rd, const char *reason)
{
    return take(rd, DBC_TOKEN_STRING, reason);
}

double dbc_read_real(struct dbc_reader *rd, const char *reason)
{
    struct dbc_token t = dbc_read_number(rd, reason);
    double v = 0;

    if (rd->err == VS_OK && !decimal_read(t.text, &v))
        dbc_read_fail(rd, VS_ERR_RANGE, &t, "the number is too big or too long");
    return v;
}

uint64_t dbc_read_u64(struct dbc_reader *rd, uint64_t max, const char *reason)
{
    struct dbc_token t = dbc_read_number(rd, reason);
    uint64_t v = 0;

    if (rd->err == VS_OK && (!dbc_lex_u64(t.text, &v) || v > max)) {
        dbc_read_fail(rd, VS_ERR_RANGE, &t, reason);
        v = 0;
    }
    return v;
}

void dbc_read_words(struct dbc_reader *rd, const char *reason)
{
    do
        (void)dbc_read_word(rd, reason);
    while (dbc_read_mark_if(rd, ','));
}

/* Code points of cp1252 80 to 9F; 0 where it has none, which become the replacement character. */
static const uint16_t cp1252_80[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                       0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

static void write_cp1252(struct writer *w, uint8_t c)
{
    uint32_t point = c;

    if (c < 0x80) {
        writer_u8(w, c);
        return;
    }
    if (c < 0xA0)
        point = cp1252_80[c - 0x80] != 0 ? cp1252_80[c - 0x80] : 0xFFFD;
    if (point < 0x800) {
        writer_u8(w, (uint8_t)(0xC0 | point >> 6));
    } else {
        writer_u8(w, (uint8_t)(0xE0 | point >> 12));
        writer_u8(w, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
    }
    writer_u8(w, (uint8_t)(0x80 | (point & 0x3F)));
}

struct slice dbc_read_pool(struct dbc_reader *rd, const struct dbc_token *t)
{
    struct dbc *db = rd->db;
    struct writer w;

    if (rd->err != VS_OK || t->text.len == 0)
        return slice_make(NULL, 0);
    writer_init(&w, db->memory.pool + db->pool_len, db->memory.pool_size - db->pool_len);
    for (size_t i = 0; i < t->text.len; i++) {
        uint8_t c = t->text.ptr[i];
        if (c == '\\' && i + 1 < t->text.len && t->text.ptr[i + 1] == '"')
            continue;
        if (rd->utf8)
            writer_u8(&w, c);
        else
            write_cp1252(&w, c);
    }
    if (w.full) {
        dbc_read_fail(rd, VS_ERR_FULL, t, "the text pool is full");
        return slice_make(NULL, 0);
    }
    db->pool_len += w.len;
    return writer_slice(&w);
}
