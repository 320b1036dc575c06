/* rule_incidents: known incidents of the state database against the alerts of a draft rule: which it would have found.
 *
 * An incident is hit when one of its vehicles is a member of an alert of the draft at a time that is not further than
 * RULE_INCIDENT_SLACK_US from what the incident knows of that vehicle. Incidents outside the time read say nothing and
 * are left out, as are merged ones (their target counts). False alarms of the past are listed apart: a draft that finds
 * them again is no better than the rule that raised them.
 * Memory: heap, one entry per incident and vehicle. Bounds: RULE_INCIDENT_VEHICLES_MAX entries. */
#ifndef APP_RULE_INCIDENTS_H
#define APP_RULE_INCIDENTS_H

#include "core/must_use.h"
#include "core/writer.h"
#include "store/store.h"

#define RULE_INCIDENT_SLACK_US     INT64_C(3600000000)
#define RULE_INCIDENT_VEHICLES_MAX 10000000u

struct rule_incidents;

VS_MUST_USE enum vs_err rule_incidents_load(struct store *st, int64_t first_us, int64_t last_us,
                                            struct rule_incidents **ret);
void rule_incidents_free(struct rule_incidents *ri);
/* A member of an alert of the draft. */
void rule_incidents_member(struct rule_incidents *ri, struct slice vehicle, int64_t time_us);
/* {"known":..,"hit":[numbers],"missed":[numbers],"false_alarms_repeated":[numbers]} */
void rule_incidents_write(const struct rule_incidents *ri, struct writer *w);

#endif
