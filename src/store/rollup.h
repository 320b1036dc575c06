/* rollup: counts of events per day and cohort, collected in memory and written as absolute values.
 *
 * Detection adds every event it takes; a flush writes the rows that changed. Because the values are absolute and the
 * table in memory is a function of the events read, a restart that reads the log again writes the same numbers, not
 * twice as many. Memory: heap, at most ROLLUP_ROWS_MAX rows; events beyond are counted in rollup_left_out. Threads: one
 * owner. */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include "store/store.h"

#define ROLLUP_ROWS_MAX 2000000u
#define ROLLUP_DAY_US   INT64_C(86400000000)

struct rollup;

struct rollup_cohort {
    struct slice type, model, sw_version, region; /* copied when new */
};

VS_MUST_USE enum vs_err rollup_new(struct rollup **ret);
void rollup_free(struct rollup *r);
VS_MUST_USE enum vs_err rollup_add(struct rollup *r, int64_t time_us, const struct rollup_cohort *cohort,
                                   uint32_t occurrences);
/* Writes what changed since the last flush, inside the caller's transaction. */
VS_MUST_USE enum vs_err rollup_flush(struct rollup *r, struct store *st);
uint64_t rollup_left_out(const struct rollup *r);

#endif
