/* incident_json: incidents and alerts as the interface shows them. */
#ifndef API_INCIDENT_JSON_H
#define API_INCIDENT_JSON_H

#include <jansson.h>

#include "respond/incident.h"

/* Columns of a table or alias `i` that incident_row_json reads, in its order. */
#define INCIDENT_ROW_COLUMNS                                                                                           \
    "i.number, i.version, i.title, i.severity, i.stage, i.disposition, i.assignee, i.rule, i.rule_title, "             \
    "i.signature, "                                                                                                    \
    "i.vid, i.vehicles, i.vehicles_48h, i.model, i.ecu, i.sw_version, i.bus, i.motion, i.motion_us, i.priority, "      \
    "i.alerts, i.safety, i.opened_us, i.updated_us, i.first_us, i.last_us, i.sla_due_us, i.sla_clock, i.merged_into"
#define INCIDENT_ROW_COLUMN_COUNT 29

json_t *incident_row_json(struct store_stmt *q, int64_t now_us);
/* The row of one incident; NULL when there is none. */
json_t *incident_row_of(struct store *st, int64_t number, int64_t now_us);
/* The incident that works on what this one was about: itself, or the one that it was merged into. 0 = no such. */
int64_t incident_resolve(struct store *st, int64_t number);

const char *motion_code(int64_t motion);

struct alert_row;
/* `st` is asked for what the alert supersedes. */
json_t *alert_json(struct store *st, const struct alert_row *row);

#endif
