/* route: the rules that may match an event which says its own log source, by that log source.
 *
 * Most rules of a large set are for other products and categories than the event at hand. For each log source that
 * events bring (product, category, service; names that no rule asks for count as one) a dispatch of its own is made
 * from the rules that cover it, when the first such event comes. So texts of Linux rules are not looked for in events
 * of Windows, and values that only they read are not looked at. What comes out are candidates as in dispatch.h.
 *
 * Memory: a router belongs to one thread and borrows the plan; nothing is allocated once every log source was seen.
 * Bounds: ROUTES_MAX log sources; events of further ones go through the plan's dispatch, and full_count counts them.
 * Cost: O(1) per event to find its route; making one costs what compiling its texts costs (milliseconds). */
#ifndef DETECT_SIGMA_ROUTE_H
#define DETECT_SIGMA_ROUTE_H

#include "detect/sigma/match.h"

#define ROUTES_MAX 256

struct route;

struct router {
    const struct plan *plan;
    uint32_t field[6];   /* product, category, service, and the same inside `logsource` */
    struct intern known; /* values that some rule asks for, by dimension */
    struct intern keys;  /* log sources seen */
    struct route *route; /* by number of the key */
    uint64_t full_count;
};

/* Makes the fields that say a log source known. Before any record or router is made of these fields. */
void router_fields(struct fields *f);
void router_init(struct router *rt, const struct plan *plan);
void router_done(struct router *rt);
/* As match_candidates, of the rules whose log source covers the event. */
uint32_t router_candidates(struct router *rt, struct matcher *m, struct record *r, const uint32_t **ret_rule);

#endif
