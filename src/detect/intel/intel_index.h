/* intel_index: the table of indicators, and which of them an event matches.
 *
 * An indicator is filed under its anchors (intel_anchor.h): exact values in one hash table, blocks of addresses in the
 * same table under each length of prefix that occurs, host names also under what they end in, and what has no anchor in
 * short lists by event type. An event costs one look at its type; only types whose fields could hold something that is
 * filed cost more, a hash and a lookup per such field.
 *
 * A match needs the event's time within the validity of the indicator, not the time of looking: what matched once while
 * it was valid is matched for good, in whatever order events and indicators come. An aggregated record stands for one
 * event at its first time and count - 1 at its last (docs/rules.md).
 *
 * Memory: heap, about 100 bytes plus its texts an indicator; patterns that need more than a lookup keep their tree.
 * Removed indicators leave their place until the table is made anew. Threads: one owner. No clock, no I/O.
 * Bounds: INTEL_INDICATORS_MAX, INTEL_SCANNED_MAX patterns without an anchor, INTEL_HITS_MAX hits an event; each with
 * a counter. */
#ifndef DETECT_INTEL_INTEL_INDEX_H
#define DETECT_INTEL_INTEL_INDEX_H

#include "detect/intel/stix_pattern.h"
#include "event/event.h"

#define INTEL_INDICATORS_MAX 10000000u
#define INTEL_SCANNED_MAX    256u
#define INTEL_HITS_MAX       64u

struct intel_index;

struct intel_stats {
    uint32_t indicators, anchors, scanned;
    uint64_t looked_up, tested, undecided; /* lookups, patterns tested in full, those that ran into a bound */
    uint64_t hits_left_out;
};

/* One indicator that an event matches. */
struct intel_hit {
    uint32_t number;
    bool first, last; /* the event's first and last time lie within the validity */
};

VS_MUST_USE enum vs_err intel_index_new(struct intel_index **ret);
void intel_index_free(struct intel_index *x);
/* Files an indicator under a number of the caller's. Valid from from_us to before until_us. VS_ERR_MALFORMED,
 * VS_ERR_UNSUPPORTED, VS_ERR_LIMIT: *ret_fault says where in the pattern and why, and nothing is filed. */
VS_MUST_USE enum vs_err intel_index_add(struct intel_index *x, uint32_t number, struct slice pattern, int64_t from_us,
                                        int64_t until_us, struct stix_fault *ret_fault);
/* Takes back everything that was filed under the number. */
void intel_index_remove(struct intel_index *x, uint32_t number);
/* Indicators that the event matches, each once; returns how many. `hit` has INTEL_HITS_MAX places. */
unsigned intel_index_match(struct intel_index *x, const struct event *ev, struct intel_hit *hit);
void intel_index_stats(const struct intel_index *x, struct intel_stats *ret);

/* What intel_index_add would say, without filing: for import. The parser is the caller's, to be used again. */
struct intel_check;
VS_MUST_USE enum vs_err intel_check_new(struct intel_check **ret);
void intel_check_free(struct intel_check *c);
VS_MUST_USE enum vs_err intel_check_pattern(struct intel_check *c, struct slice pattern, struct stix_fault *ret_fault);

#endif
