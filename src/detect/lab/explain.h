/* explain: why a detection did or did not match an event, as JSON.
 *
 * {"rule":..,"line":..,"match":..,"logsource":..,
 *  "why":[{"selection":..,"field":..,"match":..,"value":..,"missing":..,"means":..,"expected":[..]}],"missing":[..]}
 * `why` holds one entry per field test in the order of the condition; `selection` is the one it belongs to, `means`
 * what the value means in a vehicle (vehicle_words.h). `missing` names the fields that the rule asks for and the event
 * does not have. */
#ifndef DETECT_LAB_EXPLAIN_H
#define DETECT_LAB_EXPLAIN_H

#include "core/writer.h"
#include "detect/sigma/match.h"

#define EXPLAIN_SIZE       (256 * 1024)
#define EXPLAIN_VALUES_MAX 10 /* values of a rule that are listed */

struct dbc;

/* `dbc` may be NULL. */
void explain_write(struct matcher *m, const struct rule *rule, struct record *r, uint64_t line, const struct dbc *dbc,
                   struct writer *w);
/* Only the array of `why`, with the items that match. */
void explain_write_matched(struct matcher *m, const struct rule *rule, struct record *r, const struct dbc *dbc,
                           struct writer *w);

#endif
