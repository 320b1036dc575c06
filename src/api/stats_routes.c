/* Figures of the whole: funnel, health with its blind spots, search, and whether the daemon is well. */
#include <stdio.h>
#include <string.h>

#include "api/filter.h"
#include "api/fleet.h"
#include "api/health.h"
#include "api/incident_json.h"
#include "api/route.h"

static int64_t number_of(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return n;
}

static json_t *funnel_json(struct call *c)
{
    struct fleet_counts fleet;

    fleet_counts(c->st, c->now_us, &fleet);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "events",
        (json_int_t)number_of(c->st, "SELECT coalesce(sum(occurrences), 0) FROM rollup_day"), "alerts",
        (json_int_t)number_of(c->st, "SELECT count(*) FROM alert WHERE superseded_by IS NULL"), "incidents",
        (json_int_t)number_of(c->st, "SELECT count(*) FROM incident WHERE merged_into IS NULL"), "incidents_open",
        (json_int_t)number_of(c->st, "SELECT count(*) FROM incident WHERE merged_into IS NULL AND stage <> 5"),
        "vehicles_enrolled", (json_int_t)fleet.enrolled, "vehicles_reporting_24h", (json_int_t)fleet.reporting_24h,
        "silenced", (json_int_t)number_of(c->st, "SELECT count(*) FROM silence_alert WHERE ended_us IS NULL"),
        "over_budget",
        (json_int_t)number_of(c->st, "SELECT coalesce(sum(i.alerts), 0) FROM incident i JOIN budget_incident b "
                                     "ON b.incident = i.number WHERE i.stage <> 5"));
}

void stats_get(struct call *c)
{
    struct health h;

    health_read(c, &h);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "as_of", json_time(c->now_us), "funnel", funnel_json(c), "health",
                         health_json(&h)));
}

void health_get(struct call *c)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM schema_step");
    enum vs_err err = store_step(q);

    store_done(q);
    if (err != VS_OK) {
        reply_fault(c, VS_ERR_BUSY, NULL, "the state database does not answer");
        return;
    }
    reply_json(c, 200, json_pack("{s:b, s:s}", "ok", 1, "version", c->api->cfg.version));
}

/* ---- search: at most 20 hits, of the kinds the caller may read */

#define HITS_MAX 20

struct source {
    const char *kind;
    enum permission permission;
    const char *sql; /* id, title, detail; ?1 = pattern inside, ?2 = pattern at the beginning, ?3 = how many */
};

static const struct source SOURCES[] = {
    {"incident", PERM_INCIDENT_READ,
     "SELECT 'INC-' || number, title, rule_title FROM incident WHERE merged_into IS NULL AND search LIKE ?1 ESCAPE "
     "'\\' "
     "AND ?2 = ?2 ORDER BY priority DESC, number DESC LIMIT ?3"},
    {"vehicle", PERM_VEHICLE_READ,
     "SELECT vid, vid, coalesce(max(model), '') FROM alert_vehicle WHERE vid LIKE ?2 ESCAPE '\\' AND ?1 = ?1 GROUP BY "
     "vid "
     "ORDER BY vid LIMIT ?3"},
    {"alert", PERM_ALERT_READ,
     "SELECT id, title, group_json FROM alert WHERE superseded_by IS NULL AND (id LIKE ?2 ESCAPE '\\' OR "
     "lower(title) LIKE ?1 ESCAPE '\\') ORDER BY last_us DESC LIMIT ?3"},
    /* Distinct values by one index step each: the tables have many rows and few rules and signatures. */
    {"rule", PERM_ALERT_READ,
     "WITH RECURSIVE r (rule) AS (SELECT min(rule) FROM alert UNION ALL SELECT (SELECT min(rule) FROM alert WHERE rule "
     "> "
     "r.rule) FROM r WHERE r.rule IS NOT NULL) SELECT rule, (SELECT title FROM alert WHERE alert.rule = r.rule LIMIT "
     "1), "
     "'rule' FROM r WHERE lower(rule) LIKE ?1 ESCAPE '\\' AND ?2 = ?2 ORDER BY rule LIMIT ?3"},
    {"signature", PERM_ALERT_READ,
     "WITH RECURSIVE s (signature) AS (SELECT min(signature) FROM alert_vehicle UNION ALL SELECT (SELECT "
     "min(signature) "
     "FROM alert_vehicle WHERE signature > s.signature) FROM s WHERE s.signature IS NOT NULL) SELECT signature, "
     "signature, "
     "(SELECT count(DISTINCT vid) FROM alert_vehicle v WHERE v.signature = s.signature) || ' vehicles' FROM s "
     "WHERE lower(signature) LIKE ?1 ESCAPE '\\' AND ?2 = ?2 AND signature <> '' ORDER BY signature LIMIT ?3"},
};

static void add_hits(struct call *c, const struct source *s, const char *inside, const char *start, json_t *hits)
{
    struct store_stmt *q = store_prepare(c->st, s->sql);

    store_bind_text(q, 1, slice_str(inside));
    store_bind_text(q, 2, slice_str(start));
    store_bind_i64(q, 3, HITS_MAX / 2);
    while (json_array_size(hits) < HITS_MAX && store_step(q) == VS_OK)
        json_array_append_new(hits,
                              json_pack("{s:s, s:o, s:o, s:o}", "kind", s->kind, "id", json_slice(store_text(q, 0)),
                                        "title", json_slice(store_text(q, 1)), "detail", json_slice(store_text(q, 2))));
    store_done(q);
}

void search_get(struct call *c)
{
    const char *text = http_query(c->rq, "q");
    char lower[FILTER_TEXT_SIZE], inside[FILTER_PATTERN_SIZE], start[FILTER_PATTERN_SIZE];
    size_t len = text != NULL ? strlen(text) : 0;

    if (len == 0 || len >= sizeof lower) {
        reply_fault(c, VS_ERR_RANGE, "q", "1 to 200 characters are needed");
        return;
    }
    for (size_t i = 0; i <= len; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
    filter_like(slice_str(lower), true, inside);
    filter_like(slice_str(lower), false, start);
    json_t *hits = json_array();
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++)
        if (call_may(c, SOURCES[i].permission))
            add_hits(c, &SOURCES[i], inside, start, hits);
    reply_json(c, 200, json_pack("{s:o}", "hits", hits));
}
