/* ledger_store: the loss ledger and the contacts of vehicles in the state database, for people and reports.
 *
 * The state in memory is the truth (it is made again from the log); these rows are its picture at the last commit.
 * Called inside the transaction that also writes how far the log was read. */
#ifndef INGEST_LEDGER_STORE_H
#define INGEST_LEDGER_STORE_H

#include "ingest/normalise.h"
#include "store/store.h"

#define LEDGER_GAPS_KEPT 50 /* rows per vehicle */

/* Writes one vehicle as normalise_changed gives it: contacts, sums, and its newest gaps. */
VS_MUST_USE enum vs_err ledger_store_put(struct store *st, const struct normalise *n,
                                         const struct normalise_vehicle *v);
/* Sum over all vehicles, and how many vehicles have gaps. */
VS_MUST_USE enum vs_err ledger_store_total(struct store *st, struct ledger *ret, uint64_t *ret_vehicles,
                                           uint64_t *ret_with_gaps);
/* One vehicle; VS_ERR_NOT_FOUND when nothing came from it. */
VS_MUST_USE enum vs_err ledger_store_vehicle(struct store *st, const uint8_t vid[EV_VID_SIZE], struct ledger *ret,
                                             uint32_t *ret_epochs);

struct ledger_gap_row {
    struct ledger_gap gap;
    int64_t noticed_us;
};

/* Newest first; returns the number in *ret_count, at most `size`. */
VS_MUST_USE enum vs_err ledger_store_gaps(struct store *st, const uint8_t vid[EV_VID_SIZE], struct ledger_gap_row *row,
                                          size_t size, size_t *ret_count);

#endif
