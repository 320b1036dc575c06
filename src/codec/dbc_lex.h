/* dbc_lex: cuts a DBC text into tokens. Internal to the dbc reader.
 *
 *     word    letters, digits and _; does not begin with a digit, unless lenient
 *     number  [+-] digits [. digits] [e [+-] digits]
 *     string  "..." over any number of lines, \" stands for a quote
 *     mark    one of ( ) [ ] , | @ ; : + -
 *
 * Blanks, line ends and // comments separate. So "0-15" is two numbers, 0 and -15. Tokens borrow from the text. */
#ifndef CODEC_DBC_LEX_H
#define CODEC_DBC_LEX_H

#include "core/slice.h"

enum dbc_token_kind {
    DBC_TOKEN_END,
    DBC_TOKEN_WORD,
    DBC_TOKEN_NUMBER,
    DBC_TOKEN_STRING,
    DBC_TOKEN_MARK,
    DBC_TOKEN_OPEN_STRING, /* a string that never ends */
    DBC_TOKEN_BAD          /* a byte that belongs to nothing */
};

struct dbc_token {
    enum dbc_token_kind kind;
    struct slice text; /* of a string: without its quotes, escapes still in */
    uint32_t line, column;
};

struct dbc_lex {
    struct slice text;
    size_t pos;
    size_t line_from; /* where the current line begins */
    uint32_t line;
    bool lenient;
};

void dbc_lex_init(struct dbc_lex *lex, struct slice text, bool lenient);
struct dbc_token dbc_lex_next(struct dbc_lex *lex);

static inline bool dbc_token_is_mark(const struct dbc_token *t, char mark)
{
    return t->kind == DBC_TOKEN_MARK && t->text.ptr[0] == (uint8_t)mark;
}

/* Reads an optional sign and digits, nothing else. False when it is no integer or leaves the type. */
bool dbc_lex_i64(struct slice text, int64_t *ret);
bool dbc_lex_u64(struct slice text, uint64_t *ret);

#endif
