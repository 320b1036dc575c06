/* audit: who did what, when, to what and why, in a chain that shows any later change.
 *
 * Each record has a sequence number from 1 without gaps and a hash: SHA-256 over the 32 bytes of the hash before it
 * (zeros for the first) and the canonical bytes of the record. The canonical bytes are the fields in the order seq,
 * time, who, act, object, before, after, reason, source; numbers as 8 bytes big-endian; a text as its length in 4 bytes
 * big-endian and its bytes; a text that is not there as the length FFFFFFFF. So no two different records have the same
 * bytes. The newest record's number and hash are kept apart as well, so that a cut tail is seen; whoever wants proof
 * against someone who can rewrite the whole database keeps audit_head outside (it is in every evidence bundle).
 *
 * A record is written in the transaction of the act it tells of: no act without its record. */
#ifndef RESPOND_AUDIT_H
#define RESPOND_AUDIT_H

#include "base/crypto.h"
#include "store/store.h"

#define AUDIT_HASH_TEXT_SIZE (2 * SHA256_SIZE + 1)
#define AUDIT_REASON_SIZE    160

struct audit_record {
    int64_t seq;   /* set by audit_add */
    int64_t at_us; /* set by audit_add */
    struct slice who, act, object;
    struct slice before, after, reason, source; /* ptr NULL = not there */
};

/* The hash of a record after `previous`. */
void audit_hash(const uint8_t previous[SHA256_SIZE], const struct audit_record *r, uint8_t ret[SHA256_SIZE]);

/* Appends; inside a transaction. seq and at_us of `r` are ignored. ret_seq may be NULL. */
VS_MUST_USE enum vs_err audit_add(struct store *st, const struct audit_record *r, int64_t now_us, int64_t *ret_seq);

struct audit_verdict {
    bool ok;
    int64_t entries;     /* records there */
    int64_t verified_to; /* last record of the chain that is right */
    int64_t first_bad;   /* 0 when ok */
    char head_hash[AUDIT_HASH_TEXT_SIZE];
    char why[AUDIT_REASON_SIZE]; /* "" when ok */
};

/* Walks the whole chain. VS_OK also when it is broken: the verdict says so. Cost: one SHA-256 per record. */
VS_MUST_USE enum vs_err audit_verify(struct store *st, struct audit_verdict *ret);
/* The same on a state database file, opened for reading only; for `vsoc verify audit FILE`. */
VS_MUST_USE enum vs_err audit_verify_file(const char *path, struct audit_verdict *ret, struct store_error *ret_error);

#endif
