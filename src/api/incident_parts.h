/* incident_parts: the pieces of an incident's page that take a query of their own. */
#ifndef API_INCIDENT_PARTS_H
#define API_INCIDENT_PARTS_H

#include "api/call.h"
#include "api/page.h"

/* The incident the path names or was merged into; 0 when the call has been answered with not_found. */
int64_t call_incident(struct call *c);

/* Stages with their times, and each move with what it needs, as far as this user may make it. */
json_t *parts_lifecycle(struct call *c, const struct incident_state *in);
/* Permission to make a move of this kind; for closing see parts_may_close. */
json_t *parts_dispositions(struct call *c, const struct incident_state *in);
/* The newest 500 items of the incident and of those merged into it. */
json_t *parts_timeline(struct store *st, int64_t number, int64_t *ret_total);
/* `limit` vehicles from place `from` on, most events first. */
json_t *parts_vehicles(struct store *st, int64_t number, int64_t from, int64_t limit, int64_t *ret_total);
json_t *parts_similar(struct store *st, int64_t number);
json_t *parts_shared(struct store *st, int64_t number);
json_t *parts_configuration(struct store *st, int64_t number);

enum parts_what { PARTS_ECU, PARTS_BUS, PARTS_SW_VERSION };
json_t *parts_distinct(struct store *st, int64_t number, enum parts_what what);

#endif
