/* change: the feed of changes that people's screens follow, and the counters behind ids.
 *
 * Whoever changes an incident, an alert, a vehicle's standing, the ledger or the health adds a row here in the same
 * transaction; readers ask for what came after the sequence they have seen. The feed keeps the newest CHANGE_KEEP rows:
 * a reader who is further behind starts over. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/store.h"

#define CHANGE_KEEP 20000

/* The next value of a named counter, from 1. Inside a transaction. */
VS_MUST_USE enum vs_err counter_next(struct store *st, const char *name, int64_t *ret);
/* Adds a change. Topics: incident, alert, vehicle, ledger, health. ret_seq may be NULL. */
VS_MUST_USE enum vs_err change_add(struct store *st, const char *topic, struct slice object, int64_t version,
                                   int64_t now_us, int64_t *ret_seq);
/* Sequence of the newest change; 0 when there is none. */
int64_t change_head(struct store *st);

#endif
