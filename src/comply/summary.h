/* summary: what the state database says about the whole, as JSON: the first figures of every report.
 *
 * One object: events by type, the loss ledger with its balance, alerts by rule, incidents by stage. And one object per
 * alert, with its vehicles and its incident. Every number is a count of rows that can be looked at. Memory: written
 * through the caller's function in parts. Threads: as the store. */
#ifndef COMPLY_SUMMARY_H
#define COMPLY_SUMMARY_H

#include "store/store.h"

typedef void summary_put_fn(void *ctx, struct slice part);

/* Writes one JSON object without a newline. */
VS_MUST_USE enum vs_err summary_write(struct store *st, summary_put_fn *put, void *ctx);
/* Writes one JSON object and a newline for each alert, ordered by rule and first. */
VS_MUST_USE enum vs_err summary_write_alerts(struct store *st, summary_put_fn *put, void *ctx);

#endif
