/* One incident with everything its page shows first, in the order of the schema. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/economy.h"
#include "api/evidence.h"
#include "api/incident_json.h"
#include "api/incident_parts.h"
#include "api/route.h"

/* The number in the path, of the incident that works on it; answers and returns 0 when there is none. */
int64_t call_incident(struct call *c)
{
    int64_t number = incident_resolve(c->st, incident_number(c->part[0]));

    if (number == 0)
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "there is no such incident");
    return number;
}

static json_t *facts_json(struct store *st, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT fact, text, who, at_us FROM incident_fact WHERE incident = ? ORDER BY fact");
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK) {
        int64_t fact = store_i64(q, 0);
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:o}", "fact", fact_code((enum fact)fact), "text",
                                        json_column(q, 1), "by", json_column(q, 2), "at", json_time(store_i64(q, 3))));
    }
    store_done(q);
    return list;
}

static json_t *rank_json(struct store *st, int64_t number)
{
    struct rank_input in;
    struct rank_term term[RANK_TERMS];
    json_t *list = json_array();

    if (incident_rank_input(st, number, &in) != VS_OK)
        return list;
    rank_terms(&in, term);
    for (int i = 0; i < RANK_TERMS; i++)
        json_array_append_new(list, json_pack("{s:s, s:f, s:s}", "term", term[i].term, "points",
                                              (double)term[i].points / 100, "text", term[i].text));
    return list;
}

static json_t *clocks_json(const struct incident_state *in, int64_t now_us)
{
    struct sla_input s;
    json_t *list = json_array();

    incident_sla_input(in, &s);
    for (int k = 0; k < SLA_CLOCK_COUNT; k++) {
        struct sla_reading r;
        sla_read(&s, (enum sla_clock)k, now_us, &r);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "name", sla_clock_code(r.clock), "basis",
                                        sla_basis(r.clock, in->severity), "started", json_time_or_null(r.started_us),
                                        "due", json_time_or_null(r.due_us), "stopped", json_time_or_null(r.stopped_us),
                                        "state", sla_state_code(r.state)));
    }
    return list;
}

static json_t *alerts_json(struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(st, "SELECT " ALERT_ROW_COLUMNS " FROM incident_alert ia JOIN alert a "
                                             "ON a.id = ia.alert WHERE ia.incident = ? AND a.superseded_by IS NULL "
                                             "ORDER BY a.last_us DESC, a.id LIMIT 200");
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK) {
        struct alert_row row;
        alert_row_read(q, &row);
        json_array_append_new(list, alert_json(st, &row));
    }
    store_done(q);
    return list;
}

static json_t *tasks_json(struct store *st, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT id, kind, title, state, opened_us, ended_us, ended_by, note FROM task "
                          "WHERE incident = ? ORDER BY id");
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK)
        json_array_append_new(list,
                              json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)store_i64(q, 0),
                                        "kind", json_column(q, 1), "title", json_column(q, 2), "state",
                                        json_column(q, 3), "opened", json_time(store_i64(q, 4)), "ended",
                                        json_time_column(q, 5), "by", json_column(q, 6), "note", json_column(q, 7)));
    store_done(q);
    return list;
}

/* Columns of the incident that only its page shows. */
static void add_page_columns(json_t *o, struct store *st, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT description, playbook, analysis_isolated FROM incident WHERE number = ?");

    store_bind_i64(q, 1, number);
    bool found = store_step(q) == VS_OK;
    json_object_set_new(o, "description", found ? json_column(q, 0) : json_string(""));
    json_object_set_new(o, "playbook", found ? json_column(q, 1) : json_null());
    json_object_set_new(o, "analysis_isolated", json_boolean(found && store_i64(q, 2) != 0));
    store_done(q);
}

void incident_get(struct call *c)
{
    struct incident_state in;
    int64_t number = call_incident(c), total;
    char etag[40];

    if (number == 0)
        return;
    enum vs_err err = incident_load(c->st, number, &in);
    if (err != VS_OK) {
        reply_store_failure(c, err);
        return;
    }
    json_t *o = json_object();
    json_object_set_new(o, "row", incident_row_of(c->st, number, c->now_us));
    add_page_columns(o, c->st, number);
    json_object_set_new(o, "facts", facts_json(c->st, number));
    json_object_set_new(o, "rank", rank_json(c->st, number));
    json_object_set_new(o, "lifecycle", parts_lifecycle(c, &in));
    json_object_set_new(o, "dispositions", parts_dispositions(c, &in));
    json_object_set_new(o, "clocks", clocks_json(&in, c->now_us));
    json_object_set_new(o, "timeline", parts_timeline(c->st, number, &total));
    json_object_set_new(o, "timeline_total", json_integer(total));
    json_object_set_new(o, "alerts", alerts_json(c->st, number));
    json_object_set_new(o, "vehicles", parts_vehicles(c->st, number, 0, 50, &total));
    json_object_set_new(o, "vehicles_total", json_integer(total));
    json_object_set_new(o, "similar", parts_similar(c->st, number));
    json_object_set_new(o, "shared", parts_shared(c->st, number));
    json_object_set_new(o, "evidence", evidence_json(c, number));
    json_object_set_new(o, "ecus", parts_distinct(c->st, number, PARTS_ECU));
    json_object_set_new(o, "buses", parts_distinct(c->st, number, PARTS_BUS));
    json_object_set_new(o, "sw_versions", parts_distinct(c->st, number, PARTS_SW_VERSION));
    json_object_set_new(o, "tasks", tasks_json(c->st, number));
    json_object_set_new(o, "over_budget", over_budget_json(c->st, number));
    snprintf(etag, sizeof etag, "\"%" PRId64 "\"", in.version);
    http_add_header(c->rq, "ETag", etag);
    reply_json(c, 200, o);
}

void incident_vehicles(struct call *c)
{
    struct page page;
    int64_t total, number = call_incident(c);

    if (number == 0 || !page_read(c, "vehicles", &page))
        return;
    /* The order is by a sum that changes while events come; the place in it is what a reader pages by. */
    int64_t from = page.has_cursor && page.key >= 0 ? page.key : 0;
    json_t *rows = parts_vehicles(c->st, number, from, page.limit, &total);
    if (from + (int64_t)json_array_size(rows) < total)
        page_next(&page, from + (int64_t)json_array_size(rows), 0);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "total", json_total(total), "rows", rows, "next", page_next_json(&page)));
}

/* ---- context: what stands beside the verdict */

static json_t *section(const char *state, const char *why, json_t *rows)
{
    return json_pack("{s:s, s:s, s:o}", "state", state, "why", why, "rows", rows);
}

void incident_context(struct call *c)
{
    int64_t number = call_incident(c);

    if (number == 0)
        return;
    json_t *configuration = parts_configuration(c->st, number);
    bool known = json_array_size(configuration) > 0;
    json_t *o = json_object();
    json_object_set_new(
        o, "configuration",
        section(known ? "ok" : "empty",
                known ? "" : "No software of these vehicles is known: import them with vsoc import vehicles.",
                configuration));
    json_object_set_new(
        o, "baseline", section("not_configured", "No baseline has been learned for these vehicles yet.", json_array()));
    json_object_set_new(o, "sbom",
                        section("not_configured",
                                "No SBOM has been imported: use vsoc import sbom and vsoc import vex.", json_array()));
    json_object_set_new(o, "tara",
                        section("not_configured", "No TARA has been imported: use vsoc import tara.", json_array()));
    reply_json(c, 200, o);
}
