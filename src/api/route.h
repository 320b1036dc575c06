/* route: the table of what can be asked, with the permission each needs and the fields each body has.
 *
 * The dispatcher in api.c finds the route, the session, checks CSRF, permission and body, and only then calls the
 * handler. `permission` is what the caller must hold; ROUTE_SESSION = anybody who is logged in, ROUTE_PUBLIC = anybody.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/body.h"
#include "api/call.h"

#define ROUTE_SESSION (-1)
#define ROUTE_PUBLIC  (-2)

typedef void route_handler(struct call *c);

struct route {
    const char *method;
    const char *pattern; /* below /api/v1, with {name} for one part */
    route_handler *handler;
    int permission;
    const struct body_field *body; /* NULL = no body is read */
};

extern const struct route routes[];
extern const unsigned route_count;

/* The route of a method and a path below /api/v1; fills the parts. NULL when there is none; *ret_other then tells
 * whether the path exists with another method. A literal part wins over {name}. */
const struct route *route_find(const char *method, const char *path, struct slice part[CALL_PARTS_MAX],
                               bool *ret_other);

/* Handlers, by file. */
route_handler session_login, session_logout, session_me, session_users;
route_handler incident_list, incident_news, incident_facets;
route_handler incident_get, incident_context, incident_events, incident_vehicles;
route_handler incident_move, incident_disposition, incident_assign, incident_comment, incident_facts, incident_task;
route_handler incident_bulk, incident_undo;
route_handler vehicle_list, vehicle_get, vehicle_events, vehicle_activity, vehicle_reveal;
route_handler alert_list, alert_get;
route_handler campaign_list, campaign_get;
route_handler silence_list, silence_get, silence_try, silence_make, silence_judge, silence_stop, incident_silence;
route_handler budget_list, rule_list, rule_get, vehicle_tags, vehicle_tag_add, vehicle_tag_remove;
route_handler audit_list, audit_check;
route_handler ledger_get, stats_get, search_get, stream_get, health_get;

#endif
