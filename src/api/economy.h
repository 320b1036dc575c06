/* economy: what the routes of silences, budgets and rules share.
 *
 * Their time is the event log's: the newest receive time that detection has committed. That is the time by which
 * silences begin and end and by which days are counted (respond/settle.h), also when a simulated log runs ahead. */
#ifndef API_ECONOMY_H
#define API_ECONOMY_H

#include "api/call.h"
#include "respond/silence.h"

/* The call's own time when nothing has been read yet. */
int64_t economy_now(struct call *c);

/* Columns of alias `s` that silence_json reads. */
#define SILENCE_COLUMNS                                                                                                \
    "s.number, s.cause, s.reason, s.ticket, s.incident, s.author, s.created_us, s.starts_us, s.expires_us, "           \
    "s.severities, s.spread_factor, s.vehicles_max, s.needs_second, s.approved_by, s.approved_us, s.ended_us, "        \
    "s.ended_by, s.ended_why, s.ended_reason"
json_t *silence_json(struct store *st, struct store_stmt *q, int64_t now_us);
json_t *silence_matcher_json(struct slice field, struct slice op, struct slice value);

/* A draft read from a body; the matchers are the draft's own. */
struct silence_request {
    struct silence_draft draft;
    struct silence_matcher matcher[SILENCE_MATCHERS_MAX];
};
/* False: the call has been answered with what is wrong. */
bool silence_request_read(struct call *c, int64_t now_us, struct silence_request *ret);
void silence_policy_of(const struct call *c, struct silence_policy *ret);

/* {rule, ...} when the incident gathers what was over budget, else null. */
json_t *over_budget_json(struct store *st, int64_t incident);

#endif
