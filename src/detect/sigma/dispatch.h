/* dispatch: which rules can match an event at all, found without looking at each rule.
 *
 * For every rule necessary conditions are derived when rules are loaded: sets of literals, one of which must occur in
 * a certain field (or anywhere, for keywords; at the value's start or end where the rule says so) whenever the rule
 * matches. Two kinds are used: exact values of `type`, which select rules by one table look-up, and texts of at least
 * two characters, which Hyperscan looks for in all fields at once; a rule is a candidate when all its conditions are
 * fulfilled. Rules without such a condition are always candidates. Candidates are then matched exactly, so that
 * dispatch decides how fast an answer comes and never which one.
 *
 * Memory: a dispatch belongs to whoever made it and does not change; a scan belongs to a matcher and thread.
 * Cost: O(bytes of the scanned fields + candidates), independent of the number of rules.
 * Where Hyperscan cannot run (it needs SSSE3) the texts are not used and those rules are always candidates. */
#ifndef DETECT_SIGMA_DISPATCH_H
#define DETECT_SIGMA_DISPATCH_H

#include "detect/sigma/rule.h"

#define DISPATCH_TEXT_MIN    2 /* bytes of a literal worth looking for */
#define DISPATCH_RULES_MIN   4 /* below this many rules texts are not looked for: matching them is cheaper */
#define DISPATCH_SETS_MAX    2 /* conditions of one rule that are looked at, a bit each; more cost more than they save */
#define DISPATCH_ANCHORS_MAX 512 /* of one rule; with more it is always a candidate */

struct dispatch;
struct plan;

/* Of some of the plan's base rules, ascending by number; after linking. */
struct dispatch *dispatch_new(const struct plan *plan, const uint32_t *rule, uint32_t count);
void dispatch_free(struct dispatch *d);

struct scan {
    const struct dispatch *dispatch;
    uint32_t *candidate; /* rule numbers, ascending */
    uint32_t candidate_count;
    uint32_t *stamp; /* by rule */
    uint8_t *have;   /* by rule, when stamped: conditions fulfilled */
    uint32_t stamp_now;
    uint8_t *text; /* folded texts of the event, one behind the other */
    size_t text_room;
    struct scan_part *part;
    uint32_t part_count, part_room, part_at;
    void *scratch;
};

void scan_init(struct scan *s, const struct dispatch *d);
void scan_done(struct scan *s);
/* Finds the candidates for an event: s->candidate. */
void scan_record(struct scan *s, struct record *r);

#endif
