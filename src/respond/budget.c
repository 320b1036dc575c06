#include "respond/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/timestamp.h"
#include "respond/task.h"
#include "respond/timeline.h"

#define DATE_LEN 10 /* of an RFC 3339 time */

const char *budget_scope_code(enum budget_scope s)
{
    return s == BUDGET_RULE ? "rule" : "team";
}

const char *budget_outcome_code(enum budget_outcome o)
{
    static const char *const CODE[BUDGET_OUTCOME_COUNT] = {"queued", "through", "joined", "over", "silenced"};

    return CODE[o];
}

/* ---- limits */

enum vs_err budget_limits_put(struct store *st, const struct budget_limit *limit, unsigned count)
{
    enum vs_err err = store_run(store_prepare(st, "DELETE FROM budget_limit"));

    for (unsigned i = 0; i < count && err == VS_OK; i++) {
        struct store_stmt *q = store_prepare(st, "INSERT INTO budget_limit (scope, name, per_day) VALUES (?, ?, ?) "
                                                 "ON CONFLICT (scope, name) DO UPDATE SET per_day = excluded.per_day");
        store_bind_text(q, 1, slice_str(budget_scope_code(limit[i].scope)));
        store_bind_text(q, 2, slice_str(limit[i].name));
        store_bind_i64(q, 3, limit[i].per_day);
        err = store_run(q);
    }
    return err;
}

int64_t budget_limit_of(struct store *st, enum budget_scope scope, struct slice name, bool *ret_own)
{
    struct store_stmt *q = store_prepare(st, "SELECT per_day, name FROM budget_limit WHERE scope = ? AND name IN (?, "
                                             "'*') ORDER BY CASE WHEN name = '*' THEN 1 ELSE 0 END LIMIT 1");

    store_bind_text(q, 1, slice_str(budget_scope_code(scope)));
    store_bind_text(q, 2, name);
    bool found = store_step(q) == VS_OK;
    int64_t per_day = found ? store_i64(q, 0) : -1;
    if (ret_own != NULL)
        *ret_own = found && !slice_equal_str(store_text(q, 1), "*");
    store_done(q);
    return per_day;
}

static int64_t used_of(struct store *st, enum budget_scope scope, struct slice name, int64_t day_us)
{
    struct store_stmt *q = store_prepare(
        st, scope == BUDGET_RULE ? "SELECT queued + through FROM budget_day WHERE rule = ? AND day_us = ?"
                                 : "SELECT coalesce(sum(queued + through), 0) FROM budget_day WHERE owner = ? "
                                   "AND day_us = ?");

    store_bind_text(q, 1, name);
    store_bind_i64(q, 2, day_us);
    int64_t used = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return used;
}

static int64_t day_of(int64_t now_us)
{
    return now_us - now_us % BUDGET_DAY_US;
}

static void set_name(char name[BUDGET_NAME_SIZE], struct slice text)
{
    if (!slice_to_str(slice_head(text, BUDGET_NAME_SIZE - 1), name, BUDGET_NAME_SIZE))
        name[0] = '\0';
}

enum vs_err budget_judge(struct store *st, struct slice rule, struct slice owner, int64_t now_us,
                         struct budget_verdict *ret)
{
    struct budget_verdict v = {.per_day = -1};

    for (int s = BUDGET_RULE; s <= BUDGET_TEAM && !v.over; s++) {
        enum budget_scope scope = (enum budget_scope)s;
        struct slice name = scope == BUDGET_RULE ? rule : owner;
        if (name.len == 0)
            continue;
        v.scope = scope;
        set_name(v.name, name);
        v.per_day = budget_limit_of(st, scope, name, NULL);
        v.used = v.per_day >= 0 ? used_of(st, scope, name, day_of(now_us)) : 0;
        v.over = v.per_day >= 0 && v.used >= v.per_day;
    }
    *ret = v;
    return VS_OK;
}

/* ---- counting */

/* One column is raised by one; the text of each statement is fixed. */
#define COUNT_SQL(column_)                                                                                             \
    "INSERT INTO budget_day (rule, day_us, owner, queued, through, joined, over, silenced) VALUES (?, ?, ?, 0, 0, 0, " \
    "0, 0) ON CONFLICT (rule, day_us) DO UPDATE SET owner = excluded.owner",                                           \
        "UPDATE budget_day SET " column_ " = " column_ " + 1 WHERE rule = ? AND day_us = ?"
static const char *const COUNT[BUDGET_OUTCOME_COUNT][2] = {
    {COUNT_SQL("queued")}, {COUNT_SQL("through")}, {COUNT_SQL("joined")}, {COUNT_SQL("over")}, {COUNT_SQL("silenced")}};

static enum vs_err count(struct store *st, struct slice rule, struct slice owner, enum budget_outcome outcome,
                         int64_t day_us)
{
    struct store_stmt *q = store_prepare(st, COUNT[outcome][0]);

    store_bind_text(q, 1, rule);
    store_bind_i64(q, 2, day_us);
    store_bind_text(q, 3, owner);
    enum vs_err err = store_run(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, COUNT[outcome][1]);
    store_bind_text(q, 1, rule);
    store_bind_i64(q, 2, day_us);
    return store_run(q);
}

enum vs_err budget_note(struct store *st, const struct grouping_alert *al, struct slice owner,
                        enum budget_outcome outcome, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO alert_outcome (alert, rule, day_us, outcome, at_us) VALUES (?, ?, ?, ?, ?) "
                          "ON CONFLICT (alert) DO UPDATE SET day_us = excluded.day_us, outcome = excluded.outcome, "
                          "at_us = excluded.at_us WHERE alert_outcome.outcome <> excluded.outcome");

    store_bind_text(q, 1, slice_str(al->id));
    store_bind_text(q, 2, slice_str(al->rule));
    store_bind_i64(q, 3, day_of(now_us));
    store_bind_i64(q, 4, outcome);
    store_bind_i64(q, 5, now_us);
    enum vs_err err = store_run(q);
    bool fresh = err == VS_OK && store_changes(st) > 0;
    return fresh ? count(st, slice_str(al->rule), owner, outcome, day_of(now_us)) : err;
}

/* ---- the incident of a rule and a day */

static void date_text(int64_t day_us, char ret[DATE_LEN + 1])
{
    char text[TIMESTAMP_TEXT_LEN + 1];
    struct writer w;

    writer_init(&w, text, sizeof text);
    timestamp_write(&w, day_us);
    memcpy(ret, text, DATE_LEN);
    ret[DATE_LEN] = '\0';
}

static enum vs_err open_incident(struct store *st, const struct grouping_alert *al, const struct budget_verdict *v,
                                 int64_t now_us, int64_t *ret)
{
    int64_t number;
    enum vs_err err = incident_open(st, INCIDENT_BUDGET, slice_str(""), slice_str(""), -1, now_us, &number);

    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "INSERT INTO budget_incident (incident, rule, day_us, scope, name, "
                                             "per_day, stale) VALUES (?, ?, ?, ?, ?, ?, 1)");
    store_bind_i64(q, 1, number);
    store_bind_text(q, 2, slice_str(al->rule));
    store_bind_i64(q, 3, day_of(now_us));
    store_bind_text(q, 4, slice_str(budget_scope_code(v->scope)));
    store_bind_text(q, 5, slice_str(v->name));
    store_bind_i64(q, 6, v->per_day);
    err = store_run(q);
    char text[512];
    snprintf(text, sizeof text, "the %s %s has brought %" PRId64 " alerts to the queue today, its budget is %" PRId64,
             budget_scope_code(v->scope), v->name, v->used, v->per_day);
    struct timeline_item item = {.lane = "system", .kind = "budget.over", .text = slice_str(text)};
    if (err == VS_OK)
        err = timeline_add(st, number, &item, now_us);
    if (err == VS_OK)
        *ret = number;
    return err;
}

enum vs_err budget_gather(struct store *st, const struct grouping_alert *al, const struct budget_verdict *verdict,
                          int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT incident FROM budget_incident WHERE rule = ? AND day_us = ?");
    int64_t number = 0;
    bool fresh;

    store_bind_text(q, 1, slice_str(al->rule));
    store_bind_i64(q, 2, day_of(now_us));
    enum vs_err err = store_step(q);
    if (err == VS_OK)
        number = store_i64(q, 0);
    store_done(q);
    if (err == VS_ERR_END)
        err = open_incident(st, al, verdict, now_us, &number);
    if (err == VS_OK)
        err = incident_take_alert(st, number, slice_str(al->id), now_us, &fresh);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "UPDATE budget_incident SET stale = 1 WHERE incident = ?");
    store_bind_i64(q, 1, number);
    return store_run(q);
}

/* ---- what its alerts have in common */

static const struct {
    const char *code, *sql;
} ASPECT[BUDGET_ASPECT_COUNT] = {
#define BY_ALERT(column_)                                                                                              \
    "SELECT " column_ ", count(*) FROM alert a WHERE a.incident = ? AND a.superseded_by IS NULL GROUP BY 1 "           \
    "ORDER BY 2 DESC, 1 LIMIT ?"
#define BY_VEHICLE(column_)                                                                                            \
    "SELECT " column_ ", count(DISTINCT a.id) FROM alert a JOIN alert_vehicle v ON v.alert = a.id "                    \
    "WHERE a.incident = ? AND a.superseded_by IS NULL AND " column_ " IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 "      \
    "LIMIT ?"
    {"group", BY_ALERT("a.group_json")}, {"vid", BY_VEHICLE("v.vid")},
    {"model", BY_VEHICLE("v.model")},    {"sw_version", BY_VEHICLE("v.sw_version")},
    {"region", BY_VEHICLE("v.region")},  {"signature", BY_VEHICLE("v.signature")},
};

const char *budget_aspect_code(enum budget_aspect a)
{
    return ASPECT[a].code;
}

enum vs_err budget_tops(struct store *st, int64_t incident, enum budget_aspect aspect,
                        struct budget_top ret[BUDGET_TOP_MAX], unsigned *ret_count)
{
    struct store_stmt *q = store_prepare(st, ASPECT[aspect].sql);
    enum vs_err err;
    unsigned n = 0;

    store_bind_i64(q, 1, incident);
    store_bind_i64(q, 2, BUDGET_TOP_MAX);
    while ((err = store_step(q)) == VS_OK && n < BUDGET_TOP_MAX) {
        struct slice value = store_text(q, 0);
        if (value.len == 0 || !slice_to_str(value, ret[n].value, sizeof ret[n].value))
            continue;
        ret[n++].alerts = store_i64(q, 1);
    }
    store_done(q);
    *ret_count = n;
    return err == VS_ERR_END || err == VS_OK ? VS_OK : err;
}

/* ---- at the end of a transaction */

struct gathered {
    int64_t incident, day_us, per_day, alerts;
    char rule[BUDGET_NAME_SIZE], scope[8], name[BUDGET_NAME_SIZE], owner[BUDGET_NAME_SIZE];
};

/* The next incident whose row is to be worked out: its number of alerts changed by a sixteenth, or BUDGET_REFRESH_US
 * have passed. Working out reads all its alerts; done with every one of a storm it would cost their square. */
static enum vs_err next_stale(struct store *st, int64_t now_us, struct gathered *ret)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT incident, day_us, per_day, rule, scope, name, owner, alerts FROM (SELECT b.incident, b.day_us, "
            "b.per_day, b.rule, b.scope, b.name, coalesce(r.owner, '') AS owner, b.refreshed_us, b.refreshed_alerts, "
            "(SELECT count(*) FROM alert a WHERE a.incident = b.incident AND a.superseded_by IS NULL) AS alerts "
            "FROM budget_incident b LEFT JOIN rule_info r ON r.rule = b.rule WHERE b.stale = 1) x "
            "WHERE abs(alerts - refreshed_alerts) * 16 >= refreshed_alerts OR refreshed_us <= ? "
            "ORDER BY incident LIMIT 1");
    store_bind_i64(q, 1, now_us - BUDGET_REFRESH_US);
    enum vs_err err = store_step(q);

    if (err == VS_OK) {
        ret->incident = store_i64(q, 0);
        ret->day_us = store_i64(q, 1);
        ret->per_day = store_i64(q, 2);
        set_name(ret->rule, store_text(q, 3));
        if (!slice_to_str(store_text(q, 4), ret->scope, sizeof ret->scope))
            ret->scope[0] = '\0';
        set_name(ret->name, store_text(q, 5));
        set_name(ret->owner, store_text(q, 6));
        ret->alerts = store_i64(q, 7);
    }
    store_done(q);
    return err;
}

/* What most of the alerts share, as a sentence; empty when they share nothing. */
static enum vs_err common_text(struct store *st, const struct gathered *g, char *ret, size_t size)
{
    struct budget_top top[BUDGET_TOP_MAX];
    struct writer w;
    unsigned n;
    enum vs_err err = VS_OK;

    writer_init(&w, ret, size - 1);
    for (int a = BUDGET_BY_VID; a < BUDGET_ASPECT_COUNT && err == VS_OK; a++) {
        err = budget_tops(st, g->incident, (enum budget_aspect)a, top, &n);
        if (err != VS_OK || n == 0 || 2 * top[0].alerts < g->alerts)
            continue;
        size_t start = w.len;
        writer_text(&w, w.len > 0 ? "; " : "Most have in common: ");
        writer_text(&w, budget_aspect_code((enum budget_aspect)a));
        writer_text(&w, " ");
        writer_text(&w, top[0].value);
        writer_text(&w, " (");
        writer_i64_text(&w, top[0].alerts);
        writer_text(&w, " of ");
        writer_i64_text(&w, g->alerts);
        writer_text(&w, ")");
        writer_whole(&w, start);
    }
    ret[w.len] = '\0';
    return err;
}

static enum vs_err describe(struct store *st, const struct gathered *g, int64_t now_us)
{
    char date[DATE_LEN + 1], common[2048], text[4096], title[1024];
    enum vs_err err = common_text(st, g, common, sizeof common);

    if (err != VS_OK)
        return err;
    date_text(g->day_us, date);
    snprintf(text, sizeof text,
             "The %s %s may bring %" PRId64 " alerts a day to the queue and had brought them. The alerts of rule %s "
             "that came after that on %s are gathered here: %" PRId64 " so far. None is dropped; critical ones came to "
             "the queue by themselves.%s%s",
             g->scope, g->name, g->per_day, g->rule, date, g->alerts, common[0] != '\0' ? " " : "", common);
    struct store_stmt *q = store_prepare(st, "UPDATE incident SET description = ? WHERE number = ?");
    store_bind_text(q, 1, slice_str(text));
    store_bind_i64(q, 2, g->incident);
    err = store_run(q);
    snprintf(title, sizeof title, "%s: tune rule %s, %" PRId64 " alerts over the budget of %" PRId64 " on %s",
             g->owner[0] != '\0' ? g->owner : "Owner", g->rule, g->alerts, g->per_day, date);
    return err == VS_OK ? task_open_as(st, g->incident, slice_str("tune_rule"), slice_str(title), now_us) : err;
}

enum vs_err budget_settle(struct store *st, int64_t now_us)
{
    struct gathered g;
    enum vs_err err;

    while ((err = next_stale(st, now_us, &g)) == VS_OK) {
        struct store_stmt *q = store_prepare(st, "UPDATE budget_incident SET stale = 0, refreshed_us = ?, "
                                                 "refreshed_alerts = ? WHERE incident = ?");
        store_bind_i64(q, 1, now_us);
        store_bind_i64(q, 2, g.alerts);
        store_bind_i64(q, 3, g.incident);
        err = store_run(q);
        if (err == VS_OK && g.alerts > 0)
            err = describe(st, &g, now_us);
        if (err == VS_OK)
            err = incident_refresh(st, g.incident, now_us);
        if (err != VS_OK)
            return err;
    }
    return err == VS_ERR_END ? VS_OK : err;
}
