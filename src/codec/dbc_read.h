/* dbc_read: what the parts of the dbc reader share. Internal; dbc.h is the contract.
 *
 * The text is read twice. The first pass takes messages, signals and attribute definitions; then messages are sorted;
 * the second pass takes what refers to them, so that statements may stand in any order. The grammar is checked in both.
 * The first failure is kept, and from then on every token is the end, so that each loop over tokens stops by itself. */
#ifndef CODEC_DBC_READ_H
#define CODEC_DBC_READ_H

#include "codec/dbc.h"
#include "codec/dbc_lex.h"

/* Attributes whose values are kept; others are read over. */
enum dbc_attribute {
    DBC_ATTRIBUTE_CYCLE_TIME,
    DBC_ATTRIBUTE_SEND_TYPE,
    DBC_ATTRIBUTE_FRAME_FORMAT,
    DBC_ATTRIBUTE_MESSAGE_NAME,
    DBC_ATTRIBUTE_SIGNAL_NAME,
    DBC_ATTRIBUTE_START_VALUE,
    DBC_ATTRIBUTE_COUNT_
};

struct dbc_attribute_definition {
    uint32_t choice_first, choice_count; /* of an ENUM, in dbc.texts, value = index */
    bool has_default;
    bool default_is_string;
    struct slice default_text; /* pooled when a string, else borrowed from the text */
};

struct dbc_reader {
    struct dbc *db;
    struct dbc_lex lex;
    struct dbc_token token; /* the one to be looked at */
    enum vs_err err;
    struct dbc_fault fault;
    bool lenient;
    bool utf8;
    bool second;          /* pass */
    uint32_t signal_hint; /* where the last signal was found: statements come in the order of signals */
    struct dbc_attribute_definition attributes[DBC_ATTRIBUTE_COUNT_];
};

/* --- tokens, in dbc_token.c */
void dbc_read_advance(struct dbc_reader *rd);
void dbc_read_fail(struct dbc_reader *rd, enum vs_err err, const struct dbc_token *at, const char *reason);
bool dbc_read_is_word(const struct dbc_reader *rd, const char *word);
/* True for the words that begin a statement. */
bool dbc_read_is_keyword(struct slice word);
bool dbc_read_mark_if(struct dbc_reader *rd, char mark);
void dbc_read_mark(struct dbc_reader *rd, char mark, const char *reason);
void dbc_read_end(struct dbc_reader *rd); /* ; */
struct dbc_token dbc_read_word(struct dbc_reader *rd, const char *reason);
struct dbc_token dbc_read_number(struct dbc_reader *rd, const char *reason);
struct dbc_token dbc_read_string(struct dbc_reader *rd, const char *reason);
double dbc_read_real(struct dbc_reader *rd, const char *reason);
uint64_t dbc_read_u64(struct dbc_reader *rd, uint64_t max, const char *reason);
/* word {"," word} */
void dbc_read_words(struct dbc_reader *rd, const char *reason);
/* Copies a token's text into the pool as UTF-8, escapes undone. */
struct slice dbc_read_pool(struct dbc_reader *rd, const struct dbc_token *t);

/* --- statements: each is entered behind its keyword */
void dbc_read_message(struct dbc_reader *rd);              /* dbc_message.c */
void dbc_read_attribute_definition(struct dbc_reader *rd); /* dbc_attribute.c */
void dbc_read_attribute_default(struct dbc_reader *rd);
void dbc_read_attribute(struct dbc_reader *rd);
void dbc_read_attribute_defaults(struct dbc_reader *rd);
void dbc_read_mux_values(struct dbc_reader *rd); /* dbc_mux.c */
void dbc_read_mux_finish(struct dbc_reader *rd);
void dbc_read_statement(struct dbc_reader *rd); /* dbc_statement.c; entered before its keyword */

/* --- looking up what a statement refers to, in dbc_message.c */
/* Takes an identifier as DBC files write it. False when it is none. */
bool dbc_read_split_id(const struct dbc_reader *rd, uint64_t number, uint32_t *ret_id, bool *ret_extended);
/* True for the identifier of signals that are in no message. */
bool dbc_read_is_independent(uint64_t number);
/* The message with that identifier, of several the last in the file; NULL when unknown. Second pass only. */
struct dbc_message *dbc_read_find(const struct dbc_reader *rd, uint64_t number);
/* True when the file has the identifier more than once, so that a name may be that of a message that does not count. */
bool dbc_read_has_twin(const struct dbc_reader *rd, const struct dbc_message *m);
struct dbc_signal *dbc_read_find_signal(struct dbc_reader *rd, const struct dbc_message *m, struct slice short_name);
/* Counts a statement about something that is not there. */
void dbc_read_unknown(struct dbc_reader *rd, const struct dbc_token *at);

#endif
