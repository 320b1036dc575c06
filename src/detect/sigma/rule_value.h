/* rule_value: turns `field|modifier|..: value(s)` of a Sigma selection into one item of tests.
 *
 * Modifiers are applied in the order written. Supported: contains startswith endswith all cased exists neq windash re
 * (with i m s) base64 base64offset utf16 utf16le utf16be wide cidr lt lte gt gte fieldref expand and the time
 * modifiers. Anything else, and combinations without a meaning, are errors with their place. */
#ifndef DETECT_SIGMA_RULE_VALUE_H
#define DETECT_SIGMA_RULE_VALUE_H

#include "detect/sigma/rule.h"

/* All compiled expressions of a plan, used or not, so that they can be freed. */
struct regex_list {
    void *regex; /* pcre2_code */
    struct regex_list *next;
};

struct rule_source {
    struct arena *arena;
    struct fields *fields;
    struct diag *diag;
    const char *path;
    struct regex_list **regexes;
    const struct pipeline *pipeline;
    struct rule *rule; /* that is being loaded */
};

/* `key` is the map's key with its modifiers, or empty for a list of keywords. NULL after an error. */
struct item *rule_value_item(const struct rule_source *src, struct slice key, const struct yaml_node *at,
                             const struct yaml_node *value);

#endif
