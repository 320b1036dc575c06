/* interest: which rules can match an event of a given type and priority, worked out when rules are loaded.
 *
 * Most of what a fleet sends is of low priority and of no interest to any rule. For each kind of event (type and
 * priority) every rule's expression is evaluated in three values - yes, no, not known yet - with what a valid event of
 * that kind is known to carry: its type, priority and service, the fields its type must have, and those it cannot have.
 * A rule that says no is not asked about such events; of one that is not decided only the undecided part is asked, and
 * of an event only the fields are made into values that then are read. The events themselves are asked exactly, so this
 * decides how fast an answer comes and never which one.
 *
 * Only for records made from a struct event: JSON lines may say anything about themselves.
 * Memory: belongs to its plan and does not change; any number of threads may read it. Bounds: INTEREST_RULES_MAX rules
 * of a kind; a kind with more has no list, and dispatch.h finds the candidates. Cost: O(1) per event. */
#ifndef DETECT_SIGMA_INTEREST_H
#define DETECT_SIGMA_INTEREST_H

#include "detect/sigma/rule.h"

#define INTEREST_RULES_MAX 64
#define INTEREST_BYTES_MAX ((size_t)64 << 20) /* of expressions cut down; beyond it whole ones are asked */

struct interest;
struct plan;

struct interest_rule {
    const struct rule *rule;
    const struct expr *expr; /* what is left to ask; NULL: every event of the kind matches */
};

/* What is known of one kind of event. */
struct interest_kind {
    const struct interest_rule *rule; /* the rules that may match, ascending by number */
    uint32_t count;                   /* above INTEREST_RULES_MAX: too many, there is no list */
    struct field_set fields;          /* what those rules, and the windows they are counted in, read of an event */
};

/* Of the plan's base rules; after linking and dispatch_new. */
struct interest *interest_new(const struct plan *plan);
void interest_free(struct interest *in);

static inline uint32_t interest_kind(const struct event *ev)
{
    return (uint32_t)(ev_type_find(ev->type) - ev_type_at(0)) * RECORD_PRIORITIES + ev->priority;
}

/* count is 0 only if no rule matches any valid event of this kind. */
const struct interest_kind *interest_of(const struct interest *in, uint32_t kind);

#endif
