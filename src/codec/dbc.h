/* dbc: a CAN network description (Vector DBC), read into caller memory, and frames decoded with it.
 *
 * What is kept: messages with their signals, multiplexing (simple and extended, as inclusive ranges), value
 * descriptions, and the attributes that say how a message is sent. Comments, nodes, environment variables, signal
 * groups and relations are checked for their grammar and left out. Messages are sorted by identifier.
 *
 * Text is cp1252 unless the file begins with a UTF-8 mark or is valid UTF-8 as a whole; names and units come out as
 * UTF-8. Statements may stand in any order. The reader is as strict as cantools without its strict mode: signals may
 * overlap or reach beyond their message. DBC_LENIENT also takes what cantools refuses but cars in the field have: names
 * that begin with a digit, values or types for unknown signals, an identifier above 0x7FF without its extended bit. A
 * few things cantools lets pass are refused always; docs/formats/dbc.md lists every difference.
 *
 * Memory: the caller gives fixed tables (dbc_need says how much always suffices for a text); a table that is full is
 * VS_ERR_FULL with the line. Nothing points into the text afterwards. No heap, no recursion; doubles are used, so this
 * is not for small controllers: the edge compiles what it needs from here. Cost: two passes over the text.
 * Threads: read-only after dbc_parse, share freely. */
#ifndef CODEC_DBC_H
#define CODEC_DBC_H

#include "codec/can_bits.h"
#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define DBC_NONE                UINT32_MAX
#define DBC_MESSAGE_BYTES_MAX   65535u
#define DBC_SIGNAL_BITS_MAX     4096u
#define DBC_MESSAGE_SIGNALS_MAX 4096u
#define DBC_MUX_DEPTH_MAX       16u /* multiplexers above one signal; a deeper signal is never present */

enum dbc_signal_flag {
    DBC_SIGNAL_FLOAT = 1,         /* IEEE 754, 16, 32 or 64 bits */
    DBC_SIGNAL_RANGE = 2,         /* min and max are given (not both zero) */
    DBC_SIGNAL_MUX = 4,           /* selects other signals */
    DBC_SIGNAL_MUXED = 8,         /* is there only when its multiplexer says so */
    DBC_SIGNAL_EXACT = 16,        /* factor and offset are integers: physical values are exact */
    DBC_SIGNAL_OUTSIDE = 32,      /* reaches beyond the length of its message */
    DBC_SIGNAL_WHOLE_FACTOR = 64, /* the factor is written as an integer */
    DBC_SIGNAL_UNREACHABLE = 128  /* its multiplexer is unknown or a loop: never present */
};

struct dbc_signal {
    struct slice name;       /* long name when the file has one */
    struct slice short_name; /* as in SG_ */
    struct slice unit;
    struct can_bits bits;
    uint32_t flags; /* enum dbc_signal_flag */
    uint32_t line;
    double factor, offset, min, max;   /* physical = raw * factor + offset; min and max are physical */
    int64_t factor_int, offset_int;    /* DBC_SIGNAL_EXACT */
    double start_value;                /* GenSigStartValue, raw; NaN when not given */
    uint32_t mux;                      /* DBC_SIGNAL_MUXED: index in dbc.signals of its multiplexer */
    uint32_t range_first, range_count; /* DBC_SIGNAL_MUXED: multiplexer values, in dbc.ranges */
    uint32_t text_first, text_count;   /* value descriptions, in dbc.texts */
    uint64_t mux_id;                   /* k of m<k>; used while reading */
    uint8_t mux_mark;                  /* used while reading */
};

enum dbc_frame_format {
    DBC_FORMAT_UNKNOWN, /* the file does not say */
    DBC_FORMAT_STANDARD,
    DBC_FORMAT_EXTENDED,
    DBC_FORMAT_STANDARD_FD,
    DBC_FORMAT_EXTENDED_FD,
    DBC_FORMAT_J1939
};

struct dbc_message {
    struct slice name;      /* long name when the file has one */
    struct slice sender;    /* empty when none or Vector__XXX */
    struct slice send_type; /* GenMsgSendType, e.g. "Cyclic"; empty when not given */
    uint32_t id;            /* 11 or 29 bits */
    bool extended;
    enum dbc_frame_format format;
    uint32_t length;   /* bytes; above 64 only for messages sent over a transport protocol */
    uint32_t cycle_ms; /* GenMsgCycleTime or its default; 0 = not given */
    uint32_t line;
    uint32_t signal_first, signal_count; /* in dbc.signals, in the order of the file */
};

/* Inclusive range of multiplexer values. */
struct dbc_range {
    uint64_t low, high;
};

/* One value description of VAL_. */
struct dbc_text {
    uint64_t value; /* two's complement when negative */
    bool negative;
    struct slice text;
};

struct dbc_memory {
    struct dbc_message *messages;
    struct dbc_signal *signals;
    struct dbc_range *ranges;
    struct dbc_text *texts;
    char *pool; /* all names, units and texts */
    uint32_t messages_max, signals_max, ranges_max, texts_max;
    size_t pool_size;
};

struct dbc {
    struct dbc_message *messages; /* sorted by extended, id, line */
    struct dbc_signal *signals;
    struct dbc_range *ranges;
    struct dbc_text *texts;
    uint32_t message_count, signal_count, range_count, text_count;
    size_t pool_len;
    uint32_t unknown_count; /* statements about messages or signals that are not there; passed over */
    uint32_t unknown_line;  /* the first of them */
    struct dbc_memory memory;
};

struct dbc_fault {
    uint32_t line, column; /* 1-based; column counts bytes */
    const char *reason;    /* for a person; static text */
    struct slice near;     /* the token there; borrowed from the text, may be empty */
};

enum dbc_option { DBC_LENIENT = 1 };

/* Sizes that suffice for this text, as an upper bound; the pointers of ret are left alone. Cost: one fast pass. */
void dbc_need(struct slice text, struct dbc_memory *ret);
/* Borrows the tables until the dbc is no longer used. */
void dbc_init(struct dbc *db, const struct dbc_memory *memory);
/* Replaces what db holds. On failure db is empty and ret_fault says where and why: VS_ERR_MALFORMED (grammar),
 * VS_ERR_TRUNCATED (ends within a statement), VS_ERR_RANGE (a number the format does not allow), VS_ERR_NOT_FOUND (VAL_
 * or SIG_VALTYPE_ of an unknown signal), VS_ERR_FULL (a table), VS_ERR_LIMIT (a documented bound). */
VS_MUST_USE enum vs_err dbc_parse(struct dbc *db, struct slice text, unsigned options, struct dbc_fault *ret_fault);

/* The message with this identifier, NULL when there is none; of several the last in the file. O(log messages). */
const struct dbc_message *dbc_find(const struct dbc *db, uint32_t id, bool extended);
/* A signal of the message by name, NULL when there is none. O(signals of the message). */
const struct dbc_signal *dbc_signal_find(const struct dbc *db, const struct dbc_message *m, struct slice name);
/* The description of a raw value; false when there is none. `negative` tells how value is to be read. */
bool dbc_text_find(const struct dbc *db, const struct dbc_signal *s, uint64_t value, bool negative,
                   struct slice *ret_text);

#endif
