/* stix_compare: one value of an observable against the operand of one comparison. Private to stix_eval.c.
 *
 * Values of types that have no comparison are unequal and in no order (STIX 2.1 section 9.6.1). A text is compared with
 * bytes when all its characters are below U+0100, one byte each. */
#ifndef DETECT_INTEL_STIX_COMPARE_H
#define DETECT_INTEL_STIX_COMPARE_H

#include "detect/intel/stix_pattern.h"
#include "detect/intel/stix_tree.h"

/* *ret_undecided is set when an expression ran out of steps; the result then means nothing. */
bool stix_compare(const struct stix_pattern *p, const struct stix_node *n, const struct stix_value *v,
                  bool *ret_undecided);
/* SQL's LIKE: % for any run, _ for one character, everything else for itself. */
bool stix_like(struct slice text, struct slice like);

#endif
