/* span_set: a set of numbers kept as sorted runs that neither overlap nor touch.
 *
 * For sets that are few long runs: numbers withheld in a vehicle, numbers refused, numbers above a gap.
 * Memory: one heap block, freed by span_set_done. Bounds: `runs_max` of each call; what would exceed it is told, not
 * cut. Cost: O(log runs) to find, O(runs) to insert a run in the middle. Threads: none of its own. */
#ifndef INGEST_SPAN_SET_H
#define INGEST_SPAN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.gen.h"
#include "core/must_use.h"

struct span {
    uint64_t first;
    uint64_t last; /* inclusive */
};

struct span_set {
    struct span *span;
    uint32_t count;
    uint32_t size;
};

void span_set_done(struct span_set *s);
/* Adds first..last. VS_ERR_LIMIT when that needs more than runs_max runs: nothing is added. *ret_new (may be NULL): how
 * many numbers were not there before. */
VS_MUST_USE enum vs_err span_set_add(struct span_set *s, uint64_t first, uint64_t last, uint32_t runs_max,
                                     uint64_t *ret_new);
bool span_set_has(const struct span_set *s, uint64_t number);
/* Removes the first run; there must be one. */
struct span span_set_shift(struct span_set *s);
uint64_t span_set_count(const struct span_set *s);
/* Index of the first run that ends at or behind this number; count when there is none. */
uint32_t span_set_find(const struct span_set *s, uint64_t number);

#endif
