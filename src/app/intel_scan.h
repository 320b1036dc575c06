/* intel_scan: searches the event log for what a table of indicators names, with the code that detects: the same
 * decoding, the same repair of clocks, the same handling of duplicates.
 *
 * In steps of as many records as the caller can afford, so that a search of months of log runs beside live work.
 * Memory: the state of normalise. Threads: that of the stream. Errors: of the stream; damaged records are counted. */
#ifndef APP_INTEL_SCAN_H
#define APP_INTEL_SCAN_H

#include "detect/intel/intel_index.h"
#include "ingest/normalise.h"
#include "store/alert_store.h"

struct intel_scan;

/* One match of one event. An aggregated record that is valid at both of its times comes as one event; `m` has the time
 * and the count that lie within the indicator's validity. */
typedef void intel_match_fn(void *ctx, uint32_t indicator, const struct alert_member *m, bool late);

struct intel_scan_progress {
    uint64_t records, events, matches, damaged;
};

/* Everything is borrowed. `registry` may be NULL. */
VS_MUST_USE enum vs_err intel_scan_open(struct stream *log, const struct registry *registry, struct intel_index *index,
                                        intel_match_fn *match, void *ctx, struct intel_scan **ret);
void intel_scan_close(struct intel_scan *s);
/* Takes up to `max` records that stand before until[partition] (NULL: to the end). *ret_done: all were read. */
VS_MUST_USE enum vs_err intel_scan_step(struct intel_scan *s, const uint64_t *until, uint32_t max, bool *ret_done);
void intel_scan_progress(const struct intel_scan *s, struct intel_scan_progress *ret);

/* Hands out the matches of one event; also for events that come live. Returns how many. */
unsigned intel_scan_event(struct intel_index *index, const struct event *ev, const struct normalised *no,
                          intel_match_fn *match, void *ctx);

#endif
