/* quota: how much one vehicle may upload, so that one in a storm starves nobody.
 *
 * A token bucket per vehicle: it holds one hour's allowance and refills evenly. The table has a fixed size; when a
 * place is needed, the bucket that is fullest in its row goes, since forgetting it harms least. Pure: the time comes
 * in. Threads: one at a time. Cost: O(1). */
#ifndef INGEST_QUOTA_H
#define INGEST_QUOTA_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "event/event.h"

struct quota;

/* bytes_per_hour >= 1; `vehicles`: how many buckets to keep, rounded up to a power of two. */
VS_MUST_USE enum vs_err quota_new(uint64_t bytes_per_hour, uint32_t vehicles, struct quota **ret);
void quota_free(struct quota *q);
/* Takes the bytes from the vehicle's bucket. False: it holds too little; nothing is taken, and *ret_retry_s says after
 * how many seconds it will hold enough (at most an hour). What is larger than a whole bucket passes when the bucket is
 * full. */
bool quota_take(struct quota *q, const uint8_t vid[EV_VID_SIZE], uint64_t bytes, int64_t now_us, uint32_t *ret_retry_s);

#endif
