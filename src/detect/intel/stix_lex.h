/* stix_lex: the tokens of a STIX pattern (STIXPattern.g4). Comments and white space are passed over. A token's text is
 * borrowed from the pattern, for quoted literals with their quotes. */
#ifndef DETECT_INTEL_STIX_LEX_H
#define DETECT_INTEL_STIX_LEX_H

#include "core/slice.h"

enum stix_token_kind {
    TOKEN_END,
    TOKEN_BAD,
    TOKEN_WORD, /* identifier, hyphen = with one inside */
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_TEXT,
    TOKEN_HEX,
    TOKEN_BASE64,
    TOKEN_TIME,
    TOKEN_BOOL,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_FOLLOWEDBY,
    TOKEN_LIKE,
    TOKEN_MATCHES,
    TOKEN_ISSUPERSET,
    TOKEN_ISSUBSET,
    TOKEN_EXISTS,
    TOKEN_LAST,
    TOKEN_IN,
    TOKEN_START,
    TOKEN_STOP,
    TOKEN_SECONDS,
    TOKEN_WITHIN,
    TOKEN_REPEATS,
    TOKEN_TIMES,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_COLON,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_LBRACK,
    TOKEN_RBRACK,
    TOKEN_ASTERISK
};

struct stix_token {
    uint8_t kind; /* enum stix_token_kind */
    bool hyphen;
    bool negative; /* of a number */
    uint32_t position;
    struct slice text;
};

struct stix_lex {
    struct slice in;
    size_t pos;
};

void stix_lex_init(struct stix_lex *lx, struct slice in);
void stix_lex_next(struct stix_lex *lx, struct stix_token *ret);

#endif
