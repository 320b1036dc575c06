#include "detect/intel/stix_lex.h"

struct word {
    const char *text;
    uint8_t kind;
};

/* Upper case only, as STIX 2.1 has it; a word of the language is no identifier. */
static const struct word WORD[] = {
    {"AND", TOKEN_AND},
    {"OR", TOKEN_OR},
    {"NOT", TOKEN_NOT},
    {"FOLLOWEDBY", TOKEN_FOLLOWEDBY},
    {"LIKE", TOKEN_LIKE},
    {"MATCHES", TOKEN_MATCHES},
    {"ISSUPERSET", TOKEN_ISSUPERSET},
    {"ISSUBSET", TOKEN_ISSUBSET},
    {"EXISTS", TOKEN_EXISTS},
    {"LAST", TOKEN_LAST},
    {"IN", TOKEN_IN},
    {"START", TOKEN_START},
    {"STOP", TOKEN_STOP},
    {"SECONDS", TOKEN_SECONDS},
    {"true", TOKEN_BOOL},
    {"false", TOKEN_BOOL},
    {"WITHIN", TOKEN_WITHIN},
    {"REPEATS", TOKEN_REPEATS},
    {"TIMES", TOKEN_TIMES},
};
#define WORD_COUNT (sizeof WORD / sizeof WORD[0])

void stix_lex_init(struct stix_lex *lx, struct slice in)
{
    lx->in = in;
    lx->pos = 0;
}

static int at(const struct stix_lex *lx, size_t ahead)
{
    return lx->in.len - lx->pos > ahead ? lx->in.ptr[lx->pos + ahead] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The Unicode spaces that the grammar names: U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F,
 * U+3000, U+FEFF. */
static size_t wide_space(const struct stix_lex *lx)
{
    int a = at(lx, 0), b = at(lx, 1), c = at(lx, 2);

    if (a == 0xC2 && b == 0xA0)
        return 2;
    if ((a == 0xE1 && b == 0x9A && c == 0x80) || (a == 0xE3 && b == 0x80 && c == 0x80) ||
        (a == 0xEF && b == 0xBB && c == 0xBF) || (a == 0xE2 && b == 0x81 && c == 0x9F))
        return 3;
    if (a == 0xE2 && b == 0x80 && ((c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF))
        return 3;
    return 0;
}

/* False when a comment does not end: then its start is a bad token. */
static bool skip_comment(struct stix_lex *lx)
{
    if (at(lx, 1) == '/') {
        while (at(lx, 0) != -1 && at(lx, 0) != '\n' && at(lx, 0) != '\r')
            lx->pos++;
        return true;
    }
    for (size_t i = lx->pos + 2; i + 1 < lx->in.len; i++)
        if (lx->in.ptr[i] == '*' && lx->in.ptr[i + 1] == '/') {
            lx->pos = i + 2;
            return true;
        }
    return false;
}

static void skip_space(struct stix_lex *lx)
{
    for (;;) {
        int c = at(lx, 0);
        size_t wide;

        if (c == ' ' || (c >= '\t' && c <= '\r'))
            lx->pos++;
        else if (c == '/' && (at(lx, 1) == '/' || at(lx, 1) == '*')) {
            if (!skip_comment(lx))
                return;
        } else if ((wide = wide_space(lx)) > 0)
            lx->pos += wide;
        else
            return;
    }
}

static void take_word(struct stix_lex *lx, struct stix_token *t)
{
    size_t n = 1;

    while (is_word_start(at(lx, n)) || is_digit(at(lx, n)) || at(lx, n) == '-') {
        t->hyphen = t->hyphen || at(lx, n) == '-';
        n++;
    }
    t->kind = TOKEN_WORD;
    t->text = slice_make(lx->in.ptr + lx->pos, n);
    lx->pos += n;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (slice_equal_str(t->text, WORD[i].text))
            t->kind = WORD[i].kind;
}

/* [+-] digits [. digits], without leading zeros in front of a whole number. */
static void take_number(struct stix_lex *lx, struct stix_token *t)
{
    size_t start = lx->pos, digits, n;

    t->negative = at(lx, 0) == '-';
    if (at(lx, 0) == '-' || at(lx, 0) == '+')
        lx->pos++;
    for (digits = 0; is_digit(at(lx, digits));)
        digits++;
    n = digits;
    t->kind = TOKEN_BAD;
    if (at(lx, n) == '.' && is_digit(at(lx, n + 1))) {
        for (n += 2; is_digit(at(lx, n));)
            n++;
        t->kind = TOKEN_FLOAT;
    } else if (digits > 0) {
        if (at(lx, 0) == '0')
            n = 1; /* what follows a zero is the next token, and no number may stand there */
        t->kind = TOKEN_INT;
    } else {
        n = 0;
    }
    lx->pos += n;
    t->text = slice_make(lx->in.ptr + start, lx->pos - start);
}

/* From the quote at `skip` to the one that closes it; a backslash may stand only before a quote or another one. */
static void take_quoted(struct stix_lex *lx, size_t skip, uint8_t kind, struct stix_token *t)
{
    for (size_t i = lx->pos + skip + 1; i < lx->in.len; i++) {
        uint8_t c = lx->in.ptr[i];

        if (c == '\'') {
            t->kind = kind;
            t->text = slice_make(lx->in.ptr + lx->pos + skip + 1, i - lx->pos - skip - 1);
            lx->pos = i + 1;
            return;
        }
        if (c == '\\') {
            i++;
            if (i >= lx->in.len || (lx->in.ptr[i] != '\'' && lx->in.ptr[i] != '\\'))
                return;
        }
    }
}

static void take_sign(struct stix_lex *lx, struct stix_token *t)
{
    static const struct word SIGN[] = {
        {"==", TOKEN_EQ},    {"=", TOKEN_EQ},     {"!=", TOKEN_NE},    {"<>", TOKEN_NE},
        {"<=", TOKEN_LE},    {"<", TOKEN_LT},     {">=", TOKEN_GE},    {">", TOKEN_GT},
        {":", TOKEN_COLON},  {".", TOKEN_DOT},    {",", TOKEN_COMMA},  {"(", TOKEN_LPAREN},
        {")", TOKEN_RPAREN}, {"[", TOKEN_LBRACK}, {"]", TOKEN_RBRACK}, {"*", TOKEN_ASTERISK}};
    struct slice rest = slice_from(lx->in, lx->pos);

    for (size_t i = 0; i < sizeof SIGN / sizeof SIGN[0]; i++)
        if (slice_starts(rest, slice_str(SIGN[i].text))) {
            t->kind = SIGN[i].kind;
            t->text = slice_head(rest, strlen(SIGN[i].text));
            lx->pos += t->text.len;
            return;
        }
}

void stix_lex_next(struct stix_lex *lx, struct stix_token *ret)
{
    skip_space(lx);
    int c = at(lx, 0);

    memset(ret, 0, sizeof *ret);
    ret->kind = c == -1 ? TOKEN_END : TOKEN_BAD;
    ret->position = (uint32_t)lx->pos;
    ret->text = slice_head(slice_from(lx->in, lx->pos), 1);
    if (c == -1)
        return;
    if (c == '\'')
        take_quoted(lx, 0, TOKEN_TEXT, ret);
    else if ((c == 'h' || c == 'b' || c == 't') && at(lx, 1) == '\'')
        take_quoted(lx, 1, c == 'h' ? TOKEN_HEX : c == 'b' ? TOKEN_BASE64 : TOKEN_TIME, ret);
    else if (is_word_start(c))
        take_word(lx, ret);
    else if (is_digit(c) || c == '+' || c == '-' || (c == '.' && is_digit(at(lx, 1))))
        take_number(lx, ret);
    else
        take_sign(lx, ret);
}
