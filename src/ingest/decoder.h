/* decoder: from the value of a log record to events, one implementation per format. A new format is one file and one
 * row in the table of decoder.c.
 *
 * `begin` looks at the whole record, `next` gives one event after the other, as the batch reader does: an error of one
 * event leaves the rest readable unless *ret_broken says so. Events are borrowed until the next call on the decoder.
 * Memory: a struct decoding owns scratch that grows to the largest record seen (bounded by BATCH_BODY_MAX and
 * STREAM_RECORD_MAX) and is reused. Threads: one decoding, one thread. */
#ifndef INGEST_DECODER_H
#define INGEST_DECODER_H

#include "event/batch.h"
#include "stream/stream.h"

struct compressor;
struct json_reader;

/* What a record says of itself. */
struct decoded_head {
    uint8_t vid[EV_VID_SIZE];
    bool numbered;  /* the gateway told seq_next; else the highest number seen stands for it */
    uint32_t epoch; /* of all events, when numbered */
    uint64_t seq_next;
    int64_t sent_us; /* 0 = not told */
};

struct decoding {
    struct compressor *compressor;
    struct json_reader *json;
    uint8_t *scratch;
    size_t scratch_size;
    /* of the record begun */
    struct batch batch;
    struct batch_reader reader;
    struct slice plain; /* body after decompression */
    uint8_t vid[EV_VID_SIZE];
    struct slice lines;                                 /* JSON lines not read yet */
    struct slice line;                                  /* the one read last */
    uint8_t json_bytes[EV_FIELDS_MAX][EV_TEXT_LEN_MAX]; /* byte fields, out of hex */
};

struct decoder {
    uint8_t format; /* enum stream_format */
    enum vs_err (*begin)(struct decoding *d, const struct stream_record *rec, struct decoded_head *ret,
                         struct batch_error *ret_error);
    /* VS_OK, VS_ERR_END, or what is wrong with this event; *ret_sample = its bytes when they are known. */
    enum vs_err (*next)(struct decoding *d, struct event *ret, struct slice *ret_sample, struct batch_error *ret_error,
                        bool *ret_broken);
};

VS_MUST_USE enum vs_err decoding_init(struct decoding *d);
void decoding_done(struct decoding *d);
/* At least `size` bytes of scratch; NULL without memory. */
uint8_t *decoding_scratch(struct decoding *d, size_t size);

/* NULL when there is none for the format. */
const struct decoder *decoder_find(uint8_t format);

extern const struct decoder decoder_batch;
extern const struct decoder decoder_json_lines;

#endif
