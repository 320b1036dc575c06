/* dbc_decode: the signals of one received frame, raw and physical.
 *
 * A signal is decoded only when all of its bits were received and, if multiplexed, when its multiplexers select it.
 * A multiplexer value that selects nothing the description knows is told (mux_unknown), it is not an error: on a bus it
 * is an anomaly worth seeing. Integers stay exact: a physical value is an integer when factor and offset are, unless it
 * leaves 64 bits, when it becomes a double.
 *
 * Memory: the iterator borrows the dbc and the data. Cost: O(signals of the message x depth of multiplexing). */
#ifndef CODEC_DBC_DECODE_H
#define CODEC_DBC_DECODE_H

#include "codec/dbc.h"

enum dbc_kind {
    DBC_INT,  /* i */
    DBC_UINT, /* u */
    DBC_REAL, /* r */
    DBC_WIDE  /* more than 64 bits: no number, use can_bits_test */
};

struct dbc_number {
    enum dbc_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double r;
    } is;
};

struct dbc_value {
    const struct dbc_signal *signal;
    struct dbc_number raw, physical;
    bool has_text;
    struct slice text; /* value description, borrowed from the dbc */
    bool mux_unknown;  /* this multiplexer's value selects nothing that is described */
};

struct dbc_decode {
    const struct dbc *db;
    const struct dbc_message *message;
    struct slice data;
    uint32_t next;
    uint32_t missing_count; /* signals passed over so far because their bits were not received */
};

void dbc_decode_init(struct dbc_decode *it, const struct dbc *db, const struct dbc_message *m, struct slice data);
/* The next signal that is there, in the order of the file; false at the end. */
bool dbc_decode_next(struct dbc_decode *it, struct dbc_value *ret);

/* One signal by itself, multiplexing not looked at; false when its bits are not all there. */
bool dbc_raw(const struct dbc_signal *s, struct slice data, struct dbc_number *ret);
struct dbc_number dbc_physical(const struct dbc_signal *s, struct dbc_number raw);
/* True when the message's multiplexers select the signal in these data. */
bool dbc_present(const struct dbc *db, const struct dbc_signal *s, struct slice data);
double dbc_number_real(struct dbc_number n);

#endif
