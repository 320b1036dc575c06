/* window_trace: the windows of one correlation again, slowly and in the open, to show how an alert came about.
 *
 * It takes what the sighter saw of each event and works the definition of docs/rules.md out entry by entry, chains
 * included, with none of the engine's code. So it also checks the engine: the largest value of a hit must be the
 * alert's peak. Cost: O(entries of a group x entries of a window). Memory: heap; copies what it is given. */
#ifndef DETECT_LAB_WINDOW_TRACE_H
#define DETECT_LAB_WINDOW_TRACE_H

#include "detect/engine/sighting.h"

struct window_trace;

struct window_trace *window_trace_new(const struct plan *plan, const struct rule *rule);
void window_trace_free(struct window_trace *t);
/* An event; copies are recognised. `tag` comes back with its entries. */
void window_trace_put(struct window_trace *t, const struct sighting *s, uint64_t tag);

struct window_trace_entry {
    uint64_t tag;
    int64_t time_us, from_us; /* of the entry, and of the first entry in its window */
    uint64_t weight;
    uint64_t mask;         /* referred rules that match here */
    uint32_t window_count; /* entries in the window */
    bool has_value, hit;
    nano value;
};
typedef void window_trace_fn(void *ctx, const struct window_trace_entry *e);

/* Hands out the entries of the rule's group that holds the event `tag`, between two times, in order. */
void window_trace_run(struct window_trace *t, uint64_t tag, int64_t first_us, int64_t last_us, window_trace_fn *each,
                      void *ctx);

#endif
