/* rollup: counts of events per day and cohort, collected in memory and added to the table now and then.
 *
 * Detection adds every event it takes; rollup_flush adds what came together to the rows of rollup_day and forgets it.
 * The caller writes in the same transaction how far in the log these counts go (rollup_position_put), and after a
 * restart adds only events from there on: so each is counted once, whatever else is read again.
 *
 * Texts of a cohort are borrowed until rollup_flush or rollup_free and must not change until then.
 * Memory: heap, at most ROLLUP_ROWS_MAX rows between two flushes; events beyond are counted in rollup_left_out. Cost:
 * O(1) an event, a statement for each row that came to be since the last flush. Threads: one owner. */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include "store/store.h"

#define ROLLUP_ROWS_MAX 2000000u
#define ROLLUP_DAY_US   INT64_C(86400000000)

struct rollup;

struct rollup_cohort {
    struct slice type, model, sw_version, region;
};

VS_MUST_USE enum vs_err rollup_new(struct rollup **ret);
void rollup_free(struct rollup *r);
VS_MUST_USE enum vs_err rollup_add(struct rollup *r, int64_t time_us, const struct rollup_cohort *cohort,
                                   uint32_t occurrences);
/* Rows that a flush would write. */
uint32_t rollup_pending(const struct rollup *r);
/* Adds what came since the last flush to the table, inside the caller's transaction. */
VS_MUST_USE enum vs_err rollup_flush(struct rollup *r, struct store *st);
uint64_t rollup_left_out(const struct rollup *r);

/* Offset of the first record of a partition that the table does not count yet; 0 when it counts none. */
VS_MUST_USE enum vs_err rollup_position(struct store *st, uint32_t partition, uint64_t *ret_offset);
VS_MUST_USE enum vs_err rollup_position_put(struct store *st, uint32_t partition, uint64_t offset);

#endif
