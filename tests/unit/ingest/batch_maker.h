/* batch_maker: batches as a vehicle would make them, for tests of ingest. */
#ifndef BATCH_MAKER_H
#define BATCH_MAKER_H

#include "event/batch.h"
#include "stream/stream.h"

struct key;

#define MAKER_EVENTS_MAX 200
#define MAKER_SIZE       65536

struct batch_maker {
    struct batch batch; /* vid, epoch, seq_base, seq_next, sent_us, encoding may be set before batch_maker_finish */
    struct event event[MAKER_EVENTS_MAX];
    uint8_t out[MAKER_SIZE];
    size_t len;
};

/* An empty batch of a vehicle; vid is `vehicle` in its last bytes. */
void batch_maker_begin(struct batch_maker *m, uint32_t vehicle, uint32_t epoch, int64_t sent_us);
/* Adds secoc.verification_failed with that number and time. Returned for more to be set. */
struct event *batch_maker_add(struct batch_maker *m, uint64_t seq, int64_t time_us);
/* Signs (key may be NULL: a signature of zeros) and gives the COSE bytes, valid until the next begin. */
struct slice batch_maker_finish(struct batch_maker *m, const struct key *key);
/* The same as a record of the log. */
struct stream_record batch_maker_record(struct batch_maker *m, int64_t received_us);

#endif
