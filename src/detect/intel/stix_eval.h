/* stix_eval: does a STIX pattern hold on what was observed?
 *
 * Source: STIX 2.1 section 9.4 to 9.8, and where it leaves a choice the OASIS reference matcher (docs/intel.md).
 *
 * Within one observation an expression is true of single objects: comparisons joined by AND must hold on the same one.
 * Between observations a pattern is a search for a binding: a set of observations, each used once (one that was seen n
 * times counts as n), that satisfies operators and qualifiers. Bindings are bit sets here, so the search keeps each set
 * once.
 *
 * Pure functions. Bounds: STIX_INSTANCES_MAX observations (repetitions counted), STIX_BINDINGS_MAX bindings at a time,
 * STIX_WORK_MAX steps of the search; beyond a bound the answer is STIX_UNDECIDED, never a guess. */
#ifndef DETECT_INTEL_STIX_EVAL_H
#define DETECT_INTEL_STIX_EVAL_H

#include "detect/intel/stix_pattern.h"
#include "detect/intel/stix_tree.h"

#define STIX_INSTANCES_MAX 64u
#define STIX_BINDINGS_MAX  65536u
#define STIX_WORK_MAX      4000000u
#define STIX_REGEX_STEPS   100000u

enum stix_answer { STIX_NO, STIX_YES, STIX_UNDECIDED };

/* The expression inside the brackets of an STIX_OBSERVATION node, on one observation. *work counts down from
 * STIX_WORK_MAX or less. */
enum stix_answer stix_eval_observation(const struct stix_pattern *p, uint32_t node, const struct stix_tree *t,
                                       const struct stix_observation *o, uint32_t *work);

/* The whole pattern on a set of observations, in any order. */
enum stix_answer stix_eval(const struct stix_pattern *p, const struct stix_tree *t, const struct stix_observation *o,
                           uint32_t count);

#endif
