/* rule_scope: which vehicles a rule is about.
 *
 *     vsoc:
 *         scope:
 *             model: [Aurora, 'Comet*']        texts with wildcards; a list is joined with or
 *             sw_version: '>=3.2 <4'           bounds, all of which must hold (version_range.h)
 *             hw: ...    region: ...           all keys must hold
 *
 * Only events of such vehicles count, by what enrichment knew of the vehicle when the event happened; events in JSON
 * say it in the fields of the same names. A vehicle whose value is not known is outside. The scope becomes part of the
 * rule's expression, so that every way to run a rule keeps to it. */
#ifndef DETECT_SIGMA_RULE_SCOPE_H
#define DETECT_SIGMA_RULE_SCOPE_H

#include "detect/sigma/rule_value.h"

/* NULL after an error. */
struct expr *rule_scope_load(const struct rule_source *src, const struct yaml_node *n);

#endif
