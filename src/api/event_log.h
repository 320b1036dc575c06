/* event_log: reads single records of the event log by their position, decoded by the code that detection uses.
 *
 * The log is opened at the first use and again after a failure, because the api may start before the first vehicle has
 * sent anything. Memory: what callbacks get is borrowed for the call. Threads: one owner. */
#ifndef API_EVENT_LOG_H
#define API_EVENT_LOG_H

#include "ingest/history.h"

struct event_log;

/* address may be NULL: every read is then VS_ERR_NOT_FOUND. */
VS_MUST_USE enum vs_err event_log_new(const char *address, struct event_log **ret);
void event_log_free(struct event_log *l);
/* The record at a position, borrowed until the next call. VS_ERR_NOT_FOUND when there is none (yet, or any more). */
VS_MUST_USE enum vs_err event_log_record(struct event_log *l, uint32_t partition, uint64_t offset,
                                         struct stream_record *ret);
/* Calls `each` for every event of the record at a position. */
VS_MUST_USE enum vs_err event_log_events(struct event_log *l, uint32_t partition, uint64_t offset,
                                         normalise_event_fn *each, void *ctx);

/* One page of a vehicle's history (ingest/history.h). No log yet: no events. */
VS_MUST_USE enum vs_err event_log_history(struct event_log *l, const struct history_query *query,
                                          normalise_event_fn *each, void *ctx, struct history_result *ret);
/* Offset that the next record of the partition will have. */
VS_MUST_USE enum vs_err event_log_end(struct event_log *l, uint32_t partition, uint64_t *ret);

#endif
