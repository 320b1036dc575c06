/* batch: the envelope and the events of docs/formats/batch.md, written and read without memory of their own.
 *
 * One codec serves the gateway, the simulator, ingest and detection. Compression and the signature are around it and
 * come from the caller: this layer has neither a heap nor a library.
 *
 * Writing: batch_body_add appends events to a caller's buffer; batch_envelope_write wraps the (compressed) body.
 * Reading: batch_envelope_read checks the envelope; batch_body_init/next pull one event after the other.
 * A failure is a code and the byte at which the input went wrong. Threads: values. Cost: linear in the bytes. */
#ifndef EVENT_BATCH_H
#define EVENT_BATCH_H

#include "event/cbor.h"
#include "event/event.h"

#define BATCH_VERSION      1
#define BATCH_EVENTS_MAX   10000
#define BATCH_BODY_MAX     (4u << 20) /* bytes of a plain body */
#define BATCH_ENVELOPE_MAX 128        /* bytes of an envelope without its body */

enum batch_encoding { BATCH_PLAIN = 0, BATCH_ZSTD = 1 };

struct batch {
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    uint64_t seq_base;
    uint64_t seq_next;
    int64_t time_base_us;
    int64_t sent_us;
    int64_t epoch_started_us; /* 0 = not told */
    uint32_t count;
    uint8_t encoding; /* enum batch_encoding */
    uint32_t body_len;
    struct slice body; /* as encoded; borrowed */
};

/* Where reading failed: the byte, and what was wrong with it in a few words (a constant string). */
struct batch_error {
    size_t byte;
    const char *reason;
};

/* Starts a body that will hold exactly `count` events (the array's head). */
void batch_body_begin(struct writer *w, uint32_t count);
/* Appends one event; its vid and epoch are the batch's and not written. seq >= seq_base. */
void batch_body_add(struct writer *w, const struct batch *b, const struct event *ev);
/* Writes the envelope around b->body. */
void batch_envelope_write(struct writer *w, const struct batch *b);

/* Reads an envelope; body is borrowed from `in`. */
VS_MUST_USE enum vs_err batch_envelope_read(struct slice in, struct batch *ret, struct batch_error *ret_error);

struct batch_reader {
    struct cbor cbor;
    const struct batch *batch; /* borrowed */
    uint32_t left;
};

/* `plain` is the body after decompression; it and the batch are borrowed until the reader is done with. */
VS_MUST_USE enum vs_err batch_reader_init(struct batch_reader *r, const struct batch *b, struct slice plain,
                                          struct batch_error *ret_error);
/* The next event, borrowed from the body, not yet validated against the schema except that field kinds match.
 * VS_ERR_END after the last one. VS_ERR_UNKNOWN_TYPE for an event whose type this build does not know: its common part
 * (seq, times) is in *ret and reading may go on with the next one. VS_ERR_MALFORMED and VS_ERR_RANGE for one whose
 * fields break the schema's kinds or the bounds: seq is in *ret when it was read (0 otherwise), and reading may go on
 * as well if batch_reader_broken is false. */
VS_MUST_USE enum vs_err batch_reader_next(struct batch_reader *r, struct event *ret, struct batch_error *ret_error);
/* True when the body's CBOR itself is broken, so that no further event can be found. */
bool batch_reader_broken(const struct batch_reader *r);

#endif
