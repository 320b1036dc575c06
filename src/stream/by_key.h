/* by_key: the records of one key, for a vehicle's history, without reading everybody else's.
 *
 * Records come in the order of their offsets, from those received at `received_from_us` on, as far as the log is
 * durable at the time of the call. Sealed segments are searched by their index, the open one is scanned. Memory: a
 * record is borrowed until the next call. Threads: one query, one thread. Cost: O(log n) per sealed segment plus the
 * key's own records, plus one pass over the open segment's heads. */
#ifndef STREAM_BY_KEY_H
#define STREAM_BY_KEY_H

#include "stream/stream.h"

struct stream_by_key;

VS_MUST_USE enum vs_err stream_by_key_open(struct stream *s, struct slice key, int64_t received_from_us,
                                           struct stream_by_key **ret);
/* VS_ERR_END after the last one; VS_ERR_TAMPERED for a record that does not match its checksum: the next call goes on
 * behind it. */
VS_MUST_USE enum vs_err stream_by_key_next(struct stream_by_key *q, struct stream_record *ret);
void stream_by_key_close(struct stream_by_key *q);

#endif
