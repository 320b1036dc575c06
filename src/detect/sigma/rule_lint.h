/* rule_lint: what a rule says that is no error and yet cannot be meant: warnings.
 *
 * Fields and event types that no vehicle sends (with what may have been meant), values that the schema rules out, hours
 * beyond 23, bounds that exclude each other, thresholds that no window can meet or that the first event meets. Only
 * what follows from the rule and the schema is said; nothing here looks at events. */
#ifndef DETECT_SIGMA_RULE_LINT_H
#define DETECT_SIGMA_RULE_LINT_H

#include "detect/sigma/plan.h"

/* Of one detection, before filters are joined to it. */
void rule_lint_detection(const struct plan *p, const struct rule *r, struct diag *d);
/* Of all correlations, once they are linked. */
void rule_lint_correlations(const struct plan *p, struct diag *d);

#endif
