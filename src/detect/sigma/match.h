/* match: whether a detection holds for a record.
 *
 * Texts compare without regard to case unless the rule says `cased`; numbers compare by value. Of an array any element
 * may match. A regular expression that exceeds its step limit is neither match nor miss: it counts as no match and as
 * undecided_count, which the caller reports, so that a hostile value cannot hide silently.
 * Memory: a matcher holds PCRE2's scratch and is reused. Threads: one matcher per thread; plans are shared. */
#ifndef DETECT_SIGMA_MATCH_H
#define DETECT_SIGMA_MATCH_H

#include "detect/sigma/plan.h"

#define REGEX_STEPS_MAX 100000

struct matcher {
    const struct plan *plan; /* borrowed */
    void *match_data, *match_context;
    struct scan scan;
    uint64_t undecided_count;
};

void matcher_init(struct matcher *m, const struct plan *plan);
void matcher_done(struct matcher *m);

/* The detection alone. */
bool match_expr(struct matcher *m, const struct expr *e, struct record *r);
/* The rules that may match this event, ascending by number; every other one does not. Valid until the next call. */
uint32_t match_candidates(struct matcher *m, struct record *r, const uint32_t **ret_rule);
bool match_item(struct matcher *m, const struct item *item, struct record *r);
/* Whether the rule's log source covers an OpenVSOC event: product vehicle (or none), no category, service = the part of
 * the type before the dot. */
bool match_vehicle_source(const struct rule *rule, const struct record *r);
/* Whether the log source equals what the event says about itself in the keys product, category and service (as they
 * stand, or inside `logsource`); a vehicle event is covered as above. */
bool match_source(const struct rule *rule, struct record *r, const uint32_t key[6]);

#endif
