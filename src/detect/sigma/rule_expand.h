/* rule_expand: the `expand` modifier: %name% inside a value becomes each of the placeholder's values.
 *
 * Values of a pipeline are put in as they are written there, so their wildcards are wildcards. \% is a plain percent
 * sign, and so is one that has no partner. A name is anything but percent signs and backslashes. A name without a value
 * refuses the rule, as the specification demands. Bounds: EXPAND_VALUES_MAX results of one value. */
#ifndef DETECT_SIGMA_RULE_EXPAND_H
#define DETECT_SIGMA_RULE_EXPAND_H

#include "detect/sigma/rule_value.h"

#define EXPAND_VALUES_MAX 65536

/* The values, chained by next; NULL after an error. Notes in the rule which placeholders it uses. */
const struct yaml_node *rule_expand(const struct rule_source *src, const struct yaml_node *at);

#endif
