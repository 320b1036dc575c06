/* explain: why a detection did or did not match an event, as JSON.
 *
 * {"rule":..,"line":..,"match":..,"logsource":..,
 *  "why":[{"selection":..,"field":..,"match":..,"value":..,"expected":[..]}]}
 * `why` holds one entry per field test in the order of the condition; `selection` is the one it belongs to. */
#ifndef DETECT_LAB_EXPLAIN_H
#define DETECT_LAB_EXPLAIN_H

#include "core/writer.h"
#include "detect/sigma/match.h"

#define EXPLAIN_SIZE       (256 * 1024)
#define EXPLAIN_VALUES_MAX 10 /* values of a rule that are listed */

void explain_write(struct matcher *m, const struct rule *rule, struct record *r, uint64_t line, struct writer *w);

#endif
