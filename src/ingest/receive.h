/* receive: what the door does with the bytes of one upload, before it acknowledges anything.
 *
 * Pure: bytes and the certificate's facts in, a record for the event log or a refusal out. A batch is taken when
 *  - it is a COSE_Sign1 within bounds, signed by the key of the certificate that the connection showed;
 *  - its envelope has a version that is known, and names the vehicle that the certificate names (subject CN = vid in
 * hex);
 *  - its body decompresses to the length told and is well-formed, so that a gateway learns at once, while it still has
 * the events, that what it sent cannot be read. What the events say is not judged here; normalising does that.
 *
 * Memory: the record borrows from the body and from the receiver; it is valid until the next call. A receiver owns
 * scratch for one body (BATCH_BODY_MAX) and is for one thread. */
#ifndef INGEST_RECEIVE_H
#define INGEST_RECEIVE_H

#include "base/crypto.h"
#include "event/batch.h"
#include "ingest/pseudonym.h"
#include "stream/stream.h"

#define RECEIVE_BODY_MAX (6u << 20) /* bytes of one upload; a signed batch that is plain has up to 4 MiB of body */

struct receiver;

VS_MUST_USE enum vs_err receiver_new(struct receiver **ret);
void receiver_free(struct receiver *r);

/* What the certificate says. */
struct receive_peer {
    const char *cn;        /* subject common name */
    const struct key *key; /* its public key; borrowed */
};

struct receive_refusal {
    enum vs_err err; /* VS_ERR_MALFORMED, _TRUNCATED, _VERSION, _RANGE, _LIMIT, _SIGNATURE, _FORBIDDEN, _UNSUPPORTED */
    const char *reason; /* constant text for a person */
    size_t byte;        /* of the part at fault: envelope or body; 0 when the whole is meant */
};

struct received {
    struct stream_record record; /* offset and partition unset */
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    uint64_t seq_next;
    uint32_t count; /* events */
};

/* One upload of a vehicle. */
VS_MUST_USE enum vs_err receive_batch(struct receiver *r, struct slice body, const struct receive_peer *peer,
                                      int64_t received_us, struct received *ret, struct receive_refusal *ret_refusal);

/* ---- JSON lines of backend feeds */

/* A feed's lines grouped by vehicle: one record per vehicle, the VIN replaced by its pseudonym, and so are
 * accounts, tokens and keys (pseudonym_is_account_field); numbers go under the feed's epoch. Lines without a VIN go
 * under the feed's own pseudonym. */
typedef enum vs_err receive_record_fn(const struct stream_record *rec, void *ctx);

/* Calls `each` for each record when all lines are good; none when one is not, and then ret_refusal->byte is the line
 * (from 1). `feed` is the name behind "feed:" in the certificate's CN. */
VS_MUST_USE enum vs_err receive_feed(struct receiver *r, struct slice body, struct slice feed,
                                     const uint8_t pseudonym_key[PSEUDONYM_KEY_SIZE], int64_t received_us,
                                     receive_record_fn *each, void *ctx, struct receive_refusal *ret_refusal);

#endif
