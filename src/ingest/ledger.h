/* ledger: where every event that a vehicle ever numbered is now.
 *
 * A gateway numbers its events per epoch without gaps from 1. For each (vehicle, epoch):
 *     produced       numbers it gave out, as far as it told us (seq_next - 1, or the highest number seen)
 *     stored         events that we took
 *     merged         numbers named in the folds of a stored event: merged into it, or withheld by a filter
 *     dead_lettered  events that arrived and were refused, kept in the dead-letter store
 *     missing        the rest, counted from the gaps
 * and produced = stored + merged + dead_lettered + missing, each side counted by itself. A number is counted once, as
 * the first of these that applies; so the ledger is a function of the set of what arrived, not of its order. An event
 * that arrives again is a duplicate: counted, and not part of the equation. */
#ifndef INGEST_LEDGER_H
#define INGEST_LEDGER_H

#include <stdint.h>

#include "event/event.h"
#include "ingest/seq_set.h"

#define LEDGER_EPOCHS_MAX 64 /* numberings of one vehicle kept apart; the lowest is closed when one more comes */

struct ledger {
    uint64_t produced;
    uint64_t stored;
    uint64_t merged;
    uint64_t dead_lettered;
    uint64_t missing;
    uint64_t duplicates; /* apart */
};

/* A run of missing numbers. */
struct ledger_gap {
    uint32_t epoch;
    uint64_t seq_first;
    uint64_t seq_last;
};

/* One epoch of one vehicle. */
struct ledger_line {
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    struct ledger sum;
};

/* The sets of one epoch. */
struct ledger_sets {
    uint64_t produced;
    const struct seq_set *stored;
    const struct span_set *merged; /* may be NULL, like the next */
    const struct span_set *dead_lettered;
};

/* Counts one epoch by walking over its sets; duplicates is left alone. Calls `gap` (may be NULL) for each missing run,
 * from the lowest on. O(runs). */
void ledger_count(const struct ledger_sets *sets, struct ledger *ret,
                  void (*gap)(uint64_t first, uint64_t last, void *ctx), void *ctx);

static inline bool ledger_balanced(const struct ledger *l)
{
    return l->produced == l->stored + l->merged + l->dead_lettered + l->missing;
}

static inline void ledger_add(struct ledger *to, const struct ledger *from)
{
    to->produced += from->produced;
    to->stored += from->stored;
    to->merged += from->merged;
    to->dead_lettered += from->dead_lettered;
    to->missing += from->missing;
    to->duplicates += from->duplicates;
}

#endif
