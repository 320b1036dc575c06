/* rule_condition: the condition of a Sigma rule, as an expression over its selections.
 *
 *     or    = and { "or" and }          lowest binding first, as the specification orders them
 *     and   = not { "and" not }
 *     not   = "not" not | atom
 *     atom  = "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | selection
 *
 * "them" means every selection whose name does not start with an underscore; a pattern may hold * anywhere and
 * chooses among these, unless it starts with an underscore itself.
 * Bounds: EXPR_DEPTH_MAX levels. */
#ifndef DETECT_SIGMA_RULE_CONDITION_H
#define DETECT_SIGMA_RULE_CONDITION_H

#include "detect/sigma/rule_value.h"

struct selection {
    struct slice name;
    const struct yaml_node *at;
    struct expr *expr;
    bool used;
};

/* NULL after an error. Marks the selections that the condition uses. */
struct expr *rule_condition(const struct rule_source *src, const struct yaml_node *at, struct selection *sel,
                            uint32_t count);

struct expr *expr_new(struct arena *a, enum expr_kind kind);
void expr_add(struct arena *a, struct expr *e, struct expr *child);

#endif
