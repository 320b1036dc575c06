/* Alert budgets: what each rule and team may bring to the queue, what it brought, and what was gathered instead; and
 * the silence that an incident suggests. */
#include <stdio.h>
#include <string.h>

#include "api/economy.h"
#include "api/filter.h"
#include "api/incident_parts.h"
#include "api/route.h"
#include "respond/budget.h"
#include "respond/incident.h"

#define DAYS_DEFAULT  14
#define DAYS_MAX      90
#define ROWS_MAX      1000
#define PROPOSALS_MAX 3

/* The counts of one rule or team, day by day; a day without alerts is not in it. ?1 = name, ?2 = first day. */
#define DAY_SUMS "sum(queued), sum(through), sum(joined), sum(over), sum(silenced)"
static const char *const DAYS_SQL[] = {
    [BUDGET_RULE] = "SELECT day_us, " DAY_SUMS " FROM budget_day WHERE rule = ?1 AND day_us >= ?2 GROUP BY day_us "
                    "ORDER BY day_us",
    [BUDGET_TEAM] = "SELECT day_us, " DAY_SUMS " FROM budget_day WHERE owner = ?1 AND day_us >= ?2 GROUP BY day_us "
                    "ORDER BY day_us"};

static json_t *counts_json(struct store_stmt *q, int at)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "queued", (json_int_t)store_i64(q, at), "through",
                     (json_int_t)store_i64(q, at + 1), "joined", (json_int_t)store_i64(q, at + 2), "over",
                     (json_int_t)store_i64(q, at + 3), "silenced", (json_int_t)store_i64(q, at + 4));
}

static json_t *days_json(struct store *st, enum budget_scope scope, struct slice name, int64_t from_us,
                         int64_t today_us, json_t **ret_today)
{
    struct store_stmt *q = store_prepare(st, DAYS_SQL[scope]);
    json_t *days = json_array();

    *ret_today =
        json_pack("{s:i, s:i, s:i, s:i, s:i}", "queued", 0, "through", 0, "joined", 0, "over", 0, "silenced", 0);
    store_bind_text(q, 1, name);
    store_bind_i64(q, 2, from_us);
    while (store_step(q) == VS_OK) {
        json_t *day = counts_json(q, 1);
        if (store_i64(q, 0) == today_us)
            json_object_update(*ret_today, day);
        json_object_set_new(day, "day", json_time(store_i64(q, 0)));
        json_array_append_new(days, day);
    }
    store_done(q);
    return days;
}

static json_t *limit_json(struct store *st, enum budget_scope scope, struct slice name, json_t *o)
{
    bool own;
    int64_t per_day = budget_limit_of(st, scope, name, &own);

    json_object_set_new(o, "per_day", per_day >= 0 ? json_integer(per_day) : json_null());
    json_object_set_new(o, "own_limit", json_boolean(own));
    return o;
}

/* Names in the first column; for rules title and owner follow. */
static json_t *scope_json(struct store *st, enum budget_scope scope, struct store_stmt *q, int64_t from_us,
                          int64_t today_us)
{
    json_t *rows = json_array();

    while (store_step(q) == VS_OK && json_array_size(rows) < ROWS_MAX) {
        json_t *today, *o = json_object();
        json_object_set_new(o, "name", json_column(q, 0));
        json_object_set_new(o, "title", scope == BUDGET_RULE ? json_column(q, 1) : json_column(q, 0));
        json_object_set_new(o, "owner",
                            scope == BUDGET_RULE ? json_slice_or_null(store_text(q, 2)) : json_column(q, 0));
        limit_json(st, scope, store_text(q, 0), o);
        json_object_set_new(o, "days", days_json(st, scope, store_text(q, 0), from_us, today_us, &today));
        json_object_set_new(o, "today", today);
        json_array_append_new(rows, o);
    }
    store_done(q);
    return rows;
}

void budget_list(struct call *c)
{
    const char *text = http_query(c->rq, "days");
    int64_t days = DAYS_DEFAULT, now_us = economy_now(c), today_us = now_us - now_us % BUDGET_DAY_US;

    if (text != NULL && (filter_number(text, DAYS_MAX, &days) != VS_OK || days < 1)) {
        reply_fault(c, VS_ERR_RANGE, "days", "1 to 90");
        return;
    }
    int64_t from_us = today_us - (days - 1) * BUDGET_DAY_US;
    struct store_stmt *rules = store_prepare(
        c->st, "SELECT rule, title, owner FROM rule_info WHERE loaded = 1 OR rule IN (SELECT rule FROM budget_day) "
               "ORDER BY rule");
    json_t *rule_rows = scope_json(c->st, BUDGET_RULE, rules, from_us, today_us);
    struct store_stmt *teams =
        store_prepare(c->st, "SELECT owner FROM rule_info WHERE owner <> '' UNION SELECT owner FROM budget_day WHERE "
                             "owner <> '' ORDER BY 1");
    json_t *team_rows = scope_json(c->st, BUDGET_TEAM, teams, from_us, today_us);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o, s:o, s:o}", "now", json_time(now_us), "today", json_time(today_us), "from",
                         json_time(from_us), "rules", rule_rows, "teams", team_rows));
}

/* ---- the page of an over-budget incident */

static json_t *tops_json(const struct budget_top *top, unsigned count, bool group)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < count; i++) {
        json_t *value = group ? json_loads(top[i].value, 0, NULL) : NULL;
        json_array_append_new(list, json_pack("{s:o, s:I}", "value",
                                              value != NULL ? value : json_slice(slice_str(top[i].value)), "alerts",
                                              (json_int_t)top[i].alerts));
    }
    return list;
}

static json_t *is(const char *field, const char *value)
{
    return silence_matcher_json(slice_str(field), slice_str("is"), slice_str(value));
}

/* A silence that would hold most of them: the rule, narrowed to what at least half of its alerts share. */
static void propose(json_t *list, const char *rule, const char *field, const struct budget_top *top, int64_t alerts)
{
    if (2 * top->alerts < alerts || json_array_size(list) >= PROPOSALS_MAX)
        return;
    json_array_append_new(list, json_pack("{s:I, s:[o, o]}", "alerts", (json_int_t)top->alerts, "matchers",
                                          is("rule", rule), is(field, top->value)));
}

json_t *over_budget_json(struct store *st, int64_t incident)
{
    struct budget_top top[BUDGET_TOP_MAX];
    char rule[BUDGET_NAME_SIZE] = "";
    unsigned count = 0;
    struct store_stmt *q = store_prepare(
        st,
        "SELECT b.rule, b.day_us, b.scope, b.name, b.per_day, coalesce(r.owner, ''), (SELECT count(*) FROM alert a "
        "WHERE a.incident = b.incident AND a.superseded_by IS NULL), coalesce(d.queued, 0), coalesce(d.through, 0), "
        "coalesce(d.joined, 0), coalesce(d.over, 0), coalesce(d.silenced, 0) FROM budget_incident b "
        "LEFT JOIN rule_info r ON r.rule = b.rule LEFT JOIN budget_day d ON d.rule = b.rule AND d.day_us = b.day_us "
        "WHERE b.incident = ?");

    store_bind_i64(q, 1, incident);
    if (store_step(q) != VS_OK) {
        store_done(q);
        return json_null();
    }
    int64_t alerts = store_i64(q, 6);
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:o}", "rule", json_column(q, 0), "day",
                          json_time_column(q, 1), "scope", json_column(q, 2), "name", json_column(q, 3), "per_day",
                          (json_int_t)store_i64(q, 4), "owner", json_slice_or_null(store_text(q, 5)), "alerts",
                          (json_int_t)alerts, "counts", counts_json(q, 7));
    if (!slice_to_str(store_text(q, 0), rule, sizeof rule))
        rule[0] = '\0';
    store_done(q);
    json_t *tops = json_object(), *proposals = json_array();
    for (int a = 0; a < BUDGET_ASPECT_COUNT; a++) {
        enum budget_aspect aspect = (enum budget_aspect)a;
        bool read = budget_tops(st, incident, aspect, top, &count) == VS_OK;
        json_object_set_new(tops, budget_aspect_code(aspect),
                            tops_json(top, read ? count : 0, aspect == BUDGET_BY_GROUP));
        if (read && count > 0 && aspect != BUDGET_BY_GROUP)
            propose(proposals, rule, budget_aspect_code(aspect), &top[0], alerts);
    }
    json_object_set_new(o, "top", tops);
    json_object_set_new(o, "proposals", proposals);
    return o;
}

/* ---- a silence from an incident */

/* Causes that are named like verdicts follow from them; the rest of what is no attack is known to be benign. */
static const char *cause_of(enum disposition d)
{
    if (d == DISPOSITION_NONE || d == DISPOSITION_MALICIOUS)
        return "known_benign";
    return silence_cause_title(slice_str(disposition_code(d))) != NULL ? disposition_code(d) : "known_benign";
}

/* Rule always; then what narrows it down to this incident and yet would hold the same next time. */
static json_t *proposed_matchers(struct store *st, int64_t number, enum disposition d)
{
    struct store_stmt *q = store_prepare(st, "SELECT rule, signature, model, sw_version, vid, vehicles FROM incident "
                                             "WHERE number = ?");
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    if (store_step(q) == VS_OK) {
        bool one = store_i64(q, 5) == 1 && !store_is_null(q, 4);
        bool by_software = d == DISPOSITION_SOFTWARE_DEFECT || !one;
        json_array_append_new(list, silence_matcher_json(slice_str("rule"), slice_str("is"), store_text(q, 0)));
        static const struct {
            const char *field;
            int column;
            bool software;
        } MORE[] = {{"signature", 1, true}, {"model", 2, true}, {"sw_version", 3, true}, {"vid", 4, false}};
        for (size_t i = 0; i < sizeof MORE / sizeof MORE[0]; i++)
            if (!store_is_null(q, MORE[i].column) && (MORE[i].software ? by_software : one && !by_software))
                json_array_append_new(list, silence_matcher_json(slice_str(MORE[i].field), slice_str("is"),
                                                                 store_text(q, MORE[i].column)));
    }
    store_done(q);
    return list;
}

void incident_silence(struct call *c)
{
    struct incident_state in;
    char id[INCIDENT_ID_SIZE], reason[ACT_WHY_SIZE];
    int64_t number = call_incident(c);

    if (number == 0)
        return;
    enum vs_err err = incident_load(c->st, number, &in);
    if (err != VS_OK) {
        reply_store_failure(c, err);
        return;
    }
    incident_id_text(number, id);
    reason[0] = '\0'; /* without a verdict there is none to repeat */
    if (in.disposition != DISPOSITION_NONE)
        snprintf(reason, sizeof reason, "%s was judged %s.", id, disposition_code(in.disposition));
    reply_json(c, 200,
               json_pack("{s:s, s:s, s:s, s:b, s:o}", "incident", id, "cause", cause_of(in.disposition), "reason",
                         reason, "attack", in.disposition == DISPOSITION_MALICIOUS, "matchers",
                         proposed_matchers(c->st, number, in.disposition)));
}
