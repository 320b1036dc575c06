/* Rules: which run, who answers for them, what they bring a day, and the text of one. */
#include <string.h>

#include "api/economy.h"
#include "api/route.h"
#include "respond/budget.h"

#define DAYS     7
#define ROWS_MAX 5000

/* "a,b" as ["a","b"]. */
static json_t *list_json(struct slice text)
{
    json_t *list = json_array();
    size_t at = 0;

    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != ',')
            end++;
        json_array_append_new(list, json_slice(slice_make(text.ptr + at, end - at)));
        at = end + 1;
    }
    return list;
}

/* ?1 = first of the last days, ?2 = today. */
#define RULE_COLUMNS                                                                                                   \
    "r.rule, r.title, r.owner, r.severity, r.safety, r.hunt_only, r.loaded, r.playbook, r.tara, r.r155, r.atm, "       \
    "(SELECT coalesce(sum(d.queued + d.through + d.joined + d.over + d.silenced), 0) FROM budget_day d "               \
    "WHERE d.rule = r.rule AND d.day_us >= ?1), (SELECT coalesce(sum(d.queued + d.through), 0) FROM budget_day d "     \
    "WHERE d.rule = r.rule AND d.day_us = ?2), (SELECT v.version FROM rule_version v WHERE v.rule = r.rule "           \
    "ORDER BY v.first_us DESC, v.version LIMIT 1), (SELECT count(*) FROM rule_version v WHERE v.rule = r.rule), "      \
    "(SELECT max(a.last_us) FROM alert a WHERE a.rule = r.rule), r.rationale, r.path"

static json_t *rule_json(struct store *st, struct store_stmt *q)
{
    json_t *o = json_object();
    int64_t severity = store_i64(q, 3), safety = store_i64(q, 4), alerts = store_i64(q, 11);
    int64_t per_day = budget_limit_of(st, BUDGET_RULE, store_text(q, 0), NULL);

    json_object_set_new(o, "rule", json_column(q, 0));
    json_object_set_new(o, "title", json_column(q, 1));
    json_object_set_new(o, "owner", json_slice_or_null(store_text(q, 2)));
    json_object_set_new(o, "severity", severity >= 0 ? json_string(alert_severity_code(severity)) : json_null());
    json_object_set_new(o, "safety", safety >= 0 ? json_integer(safety) : json_null());
    json_object_set_new(o, "hunt_only", json_boolean(store_i64(q, 5) != 0));
    json_object_set_new(o, "loaded", json_boolean(store_i64(q, 6) != 0));
    json_object_set_new(o, "playbook", json_slice_or_null(store_text(q, 7)));
    json_object_set_new(o, "tara", list_json(store_text(q, 8)));
    json_object_set_new(o, "r155", list_json(store_text(q, 9)));
    json_object_set_new(o, "atm", list_json(store_text(q, 10)));
    json_object_set_new(o, "alerts_per_day", json_real((double)alerts / DAYS));
    json_object_set_new(o, "used_today", json_integer(store_i64(q, 12)));
    json_object_set_new(o, "per_day", per_day >= 0 ? json_integer(per_day) : json_null());
    json_object_set_new(o, "version", json_column(q, 13));
    json_object_set_new(o, "versions", json_integer(store_i64(q, 14)));
    json_object_set_new(o, "last_alert", json_time_column(q, 15));
    return o;
}

static void bind_days(struct call *c, struct store_stmt *q)
{
    int64_t now_us = economy_now(c), today_us = now_us - now_us % BUDGET_DAY_US;

    store_bind_i64(q, 1, today_us - (DAYS - 1) * BUDGET_DAY_US);
    store_bind_i64(q, 2, today_us);
}

void rule_list(struct call *c)
{
    struct store_stmt *q =
        store_prepare(c->st, "SELECT " RULE_COLUMNS " FROM rule_info r ORDER BY r.loaded DESC, r.rule LIMIT ?3");
    json_t *rows = json_array();

    bind_days(c, q);
    store_bind_i64(q, 3, ROWS_MAX);
    while (store_step(q) == VS_OK)
        json_array_append_new(rows, rule_json(c->st, q));
    store_done(q);
    reply_json(c, 200, json_pack("{s:i, s:o}", "days", DAYS, "rows", rows));
}

/* Versions that wrote alerts, the newest first, with their texts. */
static json_t *versions_json(struct store *st, struct slice rule)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT v.version, v.first_us, v.text, (SELECT count(*) FROM alert_rule_version a WHERE a.version = "
            "v.version) FROM rule_version v WHERE v.rule = ? ORDER BY v.first_us DESC, v.version LIMIT 50");
    json_t *list = json_array();

    store_bind_text(q, 1, rule);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:I}", "version", json_column(q, 0), "first",
                                              json_time_column(q, 1), "text", json_column(q, 2), "alerts",
                                              (json_int_t)store_i64(q, 3)));
    store_done(q);
    return list;
}

void rule_get(struct call *c)
{
    const char *name = http_query(c->rq, "rule");
    struct store_stmt *q = store_prepare(c->st, "SELECT " RULE_COLUMNS " FROM rule_info r WHERE r.rule = ?3");

    bind_days(c, q);
    store_bind_text(q, 3, slice_str(name != NULL ? name : ""));
    if (store_step(q) != VS_OK) {
        store_done(q);
        reply_fault(c, VS_ERR_NOT_FOUND, "rule", "no rule of this name runs or ever fired");
        return;
    }
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "row", rule_json(c->st, q), "rationale", json_column(q, 16), "path",
                          json_slice_or_null(store_text(q, 17)), "versions",
                          versions_json(c->st, slice_str(name != NULL ? name : "")));
    store_done(q);
    reply_json(c, 200, o);
}
