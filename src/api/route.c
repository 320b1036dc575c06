#include <string.h>

#include "api/route.h"

#define TEXT(name_, max_)                                                                                              \
    {                                                                                                                  \
        .name = name_, .type = BODY_TEXT, .max = max_                                                                  \
    }
#define REQUIRED(name_, type_)                                                                                         \
    {                                                                                                                  \
        .name = name_, .type = type_, .required = true, .max = 64                                                      \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

static const struct body_field LOGIN[] = {{.name = "user", .type = BODY_TEXT, .required = true, .max = 64},
                                          {.name = "password", .type = BODY_TEXT, .required = true, .max = 256},
                                          END};
static const struct body_field MOVE[] = {REQUIRED("to", BODY_TEXT),
                                         REQUIRED("version", BODY_INTEGER),
                                         TEXT("reason", 4000),
                                         TEXT("containment", 4000),
                                         TEXT("root_cause", 4000),
                                         TEXT("component", 4000),
                                         TEXT("tara_scenario", 4000),
                                         TEXT("fix_ref", 4000),
                                         TEXT("engineering_assessment", 4000),
                                         TEXT("fleet_proof", 4000),
                                         TEXT("recurrence_check", 4000),
                                         TEXT("update_decision", 4000),
                                         TEXT("risk_acceptance", 4000),
                                         END};
/* The same facts without a move. */
static const struct body_field FACTS[] = {REQUIRED("version", BODY_INTEGER),
                                          TEXT("containment", 4000),
                                          TEXT("root_cause", 4000),
                                          TEXT("component", 4000),
                                          TEXT("tara_scenario", 4000),
                                          TEXT("fix_ref", 4000),
                                          TEXT("engineering_assessment", 4000),
                                          TEXT("fleet_proof", 4000),
                                          TEXT("recurrence_check", 4000),
                                          TEXT("update_decision", 4000),
                                          TEXT("risk_acceptance", 4000),
                                          END};
static const struct body_field DISPOSITION[] = {
    {.name = "disposition", .type = BODY_TEXT, .required = true, .nullable = true, .max = 64},
    REQUIRED("version", BODY_INTEGER),
    TEXT("reason", 4000),
    TEXT("confidence", 16),
    END};
static const struct body_field ASSIGN[] = {
    {.name = "assignee", .type = BODY_TEXT, .required = true, .nullable = true, .max = 64},
    REQUIRED("version", BODY_INTEGER),
    END};
static const struct body_field COMMENT[] = {
    {.name = "text", .type = BODY_TEXT, .required = true, .min = 1, .max = 10000}, END};
static const struct body_field TASK[] = {REQUIRED("state", BODY_TEXT), TEXT("note", 4000), END};
static const struct body_field UNDO[] = {REQUIRED("token", BODY_TEXT), END};
static const struct body_field BULK_ITEM[] = {REQUIRED("id", BODY_TEXT), REQUIRED("version", BODY_INTEGER), END};
static const struct body_field BULK[] = {
    REQUIRED("op", BODY_TEXT),
    {.name = "items", .type = BODY_ITEMS, .required = true, .max = 1000, .item = BULK_ITEM},
    {.name = "dry_run", .type = BODY_BOOLEAN},
    {.name = "assignee", .type = BODY_TEXT, .nullable = true, .max = 64},
    {.name = "disposition", .type = BODY_TEXT, .nullable = true, .max = 64},
    TEXT("reason", 4000),
    TEXT("text", 10000),
    END};
static const struct body_field REVEAL[] = {
    {.name = "purpose", .type = BODY_TEXT, .required = true, .min = 10, .max = 400},
    {.name = "incident", .type = BODY_TEXT, .nullable = true, .max = 64},
    END};
static const struct body_field MATCHER[] = {
    REQUIRED("field", BODY_TEXT),
    TEXT("op", 8),
    {.name = "value", .type = BODY_TEXT, .required = true, .min = 1, .max = 256},
    END};
static const struct body_field SILENCE_DRAFT[] = {
    {.name = "matchers", .type = BODY_ITEMS, .required = true, .max = 40, .item = MATCHER},
    TEXT("cause", 32),
    TEXT("reason", 2000),
    {.name = "ticket", .type = BODY_TEXT, .nullable = true, .max = 120},
    {.name = "incident", .type = BODY_TEXT, .nullable = true, .max = 32},
    {.name = "starts", .type = BODY_TEXT, .nullable = true, .max = 40},
    {.name = "expires", .type = BODY_TEXT, .nullable = true, .max = 40},
    {.name = "minutes", .type = BODY_INTEGER},
    {.name = "spread_factor", .type = BODY_INTEGER},
    {.name = "vehicles_max", .type = BODY_INTEGER},
    END};
static const struct body_field SILENCE_SECOND[] = {REQUIRED("approve", BODY_BOOLEAN), TEXT("reason", 2000), END};
static const struct body_field SILENCE_END[] = {
    {.name = "reason", .type = BODY_TEXT, .required = true, .min = 3, .max = 2000}, END};
static const struct body_field TAG[] = {REQUIRED("tag", BODY_TEXT),
                                        {.name = "reason", .type = BODY_TEXT, .required = true, .min = 3, .max = 400},
                                        {.name = "until", .type = BODY_TEXT, .nullable = true, .max = 40},
                                        END};

const struct route routes[] = {
    {"POST", "/login", session_login, ROUTE_PUBLIC, LOGIN},
    {"POST", "/logout", session_logout, ROUTE_SESSION, NULL},
    {"GET", "/me", session_me, ROUTE_SESSION, NULL},
    {"GET", "/users", session_users, ROUTE_SESSION, NULL},
    {"GET", "/incidents", incident_list, PERM_INCIDENT_READ, NULL},
    {"GET", "/incidents/news", incident_news, PERM_INCIDENT_READ, NULL},
    {"GET", "/incidents/facets", incident_facets, PERM_INCIDENT_READ, NULL},
    {"POST", "/incidents/bulk", incident_bulk, ROUTE_SESSION, BULK}, /* the permission depends on the op */
    {"GET", "/incidents/{id}", incident_get, PERM_INCIDENT_READ, NULL},
    {"GET", "/incidents/{id}/context", incident_context, PERM_INCIDENT_READ, NULL},
    {"GET", "/incidents/{id}/events", incident_events, PERM_INCIDENT_READ, NULL},
    {"GET", "/incidents/{id}/vehicles", incident_vehicles, PERM_INCIDENT_READ, NULL},
    {"POST", "/incidents/{id}/stage", incident_move, ROUTE_SESSION, MOVE},   /* closing may be for others than moving */
    {"POST", "/incidents/{id}/facts", incident_facts, ROUTE_SESSION, FACTS}, /* by assessors, movers and risk owners */
    {"POST", "/incidents/{id}/disposition", incident_disposition, PERM_INCIDENT_ACT, DISPOSITION},
    {"POST", "/incidents/{id}/assign", incident_assign, PERM_INCIDENT_ACT, ASSIGN},
    {"POST", "/incidents/{id}/comments", incident_comment, PERM_INCIDENT_COMMENT, COMMENT},
    {"POST", "/incidents/{id}/tasks/{task}", incident_task, PERM_INCIDENT_ACT, TASK},
    {"GET", "/incidents/{id}/silence", incident_silence, PERM_INCIDENT_READ, NULL},
    {"POST", "/undo", incident_undo, ROUTE_SESSION, UNDO}, /* only one's own acts */
    {"GET", "/vehicles", vehicle_list, PERM_VEHICLE_READ, NULL},
    {"GET", "/vehicles/{vid}", vehicle_get, PERM_VEHICLE_READ, NULL},
    {"GET", "/vehicles/{vid}/events", vehicle_events, PERM_VEHICLE_READ, NULL},
    {"GET", "/vehicles/{vid}/activity", vehicle_activity, PERM_VEHICLE_READ, NULL},
    {"POST", "/vehicles/{vid}/reveal", vehicle_reveal, PERM_VIN_REVEAL, REVEAL},
    {"GET", "/vehicles/{vid}/tags", vehicle_tags, PERM_VEHICLE_READ, NULL},
    {"POST", "/vehicles/{vid}/tags", vehicle_tag_add, PERM_VEHICLE_TAG, TAG},
    {"POST", "/vehicles/{vid}/tags/remove", vehicle_tag_remove, PERM_VEHICLE_TAG, TAG},
    {"GET", "/alerts", alert_list, PERM_ALERT_READ, NULL},
    {"GET", "/alerts/{id}", alert_get, PERM_ALERT_READ, NULL},
    {"GET", "/campaigns", campaign_list, PERM_ALERT_READ, NULL},
    {"GET", "/campaigns/{id}", campaign_get, PERM_ALERT_READ, NULL},
    {"GET", "/silences", silence_list, PERM_ALERT_READ, NULL},
    {"POST", "/silences", silence_make, PERM_SILENCE_CREATE, SILENCE_DRAFT}, /* how far depends on the role */
    {"POST", "/silences/preview", silence_try, PERM_ALERT_READ, SILENCE_DRAFT},
    {"GET", "/silences/{id}", silence_get, PERM_ALERT_READ, NULL},
    {"POST", "/silences/{id}/second", silence_judge, PERM_SILENCE_APPROVE, SILENCE_SECOND},
    {"POST", "/silences/{id}/revoke", silence_stop, ROUTE_SESSION, SILENCE_END}, /* its author, or a manager */
    {"GET", "/budgets", budget_list, PERM_ALERT_READ, NULL},
    {"GET", "/rules", rule_list, PERM_ALERT_READ, NULL},
    {"GET", "/rules/one", rule_get, PERM_ALERT_READ, NULL},
    {"GET", "/audit", audit_list, PERM_AUDIT_READ, NULL},
    {"GET", "/audit/verify", audit_check, PERM_AUDIT_READ, NULL},
    {"GET", "/ledger", ledger_get, ROUTE_SESSION, NULL},
    {"GET", "/stats", stats_get, ROUTE_SESSION, NULL},
    {"GET", "/search", search_get, ROUTE_SESSION, NULL}, /* finds only what the caller may read */
    {"GET", "/stream", stream_get, ROUTE_SESSION, NULL},
    {"GET", "/healthz", health_get, ROUTE_PUBLIC, NULL},
};
const unsigned route_count = sizeof routes / sizeof routes[0];

/* One part of a path: up to the next slash. */
static struct slice take_part(const char **path)
{
    const char *start = *path + 1; /* behind the slash */
    size_t len = strcspn(start, "/");

    *path = start + len;
    return slice_make(start, len);
}

/* Matches part by part; counts the {name}s in *ret_named. */
static bool matches(const char *pattern, const char *path, struct slice part[CALL_PARTS_MAX], unsigned *ret_named)
{
    unsigned named = 0;

    while (*pattern == '/' && *path == '/') {
        struct slice p = take_part(&pattern), s = take_part(&path);
        if (p.len > 0 && p.ptr[0] == '{') {
            if (s.len == 0)
                return false;
            part[named++] = s;
        } else if (!slice_equal(p, s)) {
            return false;
        }
    }
    *ret_named = named;
    return *pattern == '\0' && *path == '\0';
}

const struct route *route_find(const char *method, const char *path, struct slice part[CALL_PARTS_MAX], bool *ret_other)
{
    const struct route *best = NULL;
    unsigned best_named = CALL_PARTS_MAX + 1;

    *ret_other = false;
    for (unsigned i = 0; i < route_count; i++) {
        struct slice found[CALL_PARTS_MAX];
        unsigned named;
        if (!matches(routes[i].pattern, path, found, &named))
            continue;
        if (strcmp(routes[i].method, method) != 0) {
            *ret_other = true;
        } else if (named < best_named) {
            best = &routes[i];
            best_named = named;
            memcpy(part, found, named * sizeof found[0]);
        }
    }
    return best;
}
