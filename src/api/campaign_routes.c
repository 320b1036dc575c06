/* Campaigns that fleet statistics found: the list, and one with its curve and the reasons of its verdict. The detect
 * process writes the rows (0500-campaign.sql); fractions lie there as whole thousandths. */
#include "api/filter.h"
#include "api/page.h"
#include "api/route.h"
#include "respond/incident.h"

#define COLUMNS                                                                                                        \
    "c.id, c.signature, c.model, c.software, c.region, c.state, c.verdict, c.attack_milli, c.regression_milli, "       \
    "c.fault_milli, c.first_us, c.detected_us, c.last_us, c.told_us, c.changed_us, c.alarm_hours, c.vehicles, "        \
    "c.expected_milli, c.score_milli, c.threshold_milli, c.window_h, c.explains_milli, c.baseline, c.cold, c.page, "   \
    "a.id, a.incident, a.number"
#define FROM         "FROM campaign c LEFT JOIN alert a ON a.id = c.id "
#define BASELINE_AT  22
#define ALERT_AT     25
#define INCIDENT_AT  26
#define NUMBER_AT    27
#define REASONS_AT   28
#define CURVE_AT     29
#define DETECTED_AT  11
#define STATE_COUNT  3
#define STATE_BIT    "(CASE c.state WHEN 'open' THEN 1 WHEN 'closed' THEN 2 ELSE 4 END)"
#define COLUMN_COUNT ALERT_AT

enum kind { TEXT, TIME, COUNT, MILLI, FLAG };

static const struct {
    const char *name;
    enum kind kind;
} COLUMN[COLUMN_COUNT] = {
    {"id", TEXT},           {"signature", TEXT}, {"model", TEXT},     {"software", TEXT},    {"region", TEXT},
    {"state", TEXT},        {"verdict", TEXT},   {"attack", MILLI},   {"regression", MILLI}, {"fault", MILLI},
    {"first", TIME},        {"detected", TIME},  {"last", TIME},      {"told", TIME},        {"changed", TIME},
    {"alarm_hours", COUNT}, {"vehicles", COUNT}, {"expected", MILLI}, {"score", MILLI},      {"threshold", MILLI},
    {"window_h", COUNT},    {"explains", MILLI}, {"baseline", COUNT}, {"cold", FLAG},        {"pages", FLAG}};

static json_t *milli_json(int64_t milli)
{
    return json_real((double)milli / 1000);
}

static json_t *value_json(struct store_stmt *q, int at, enum kind kind)
{
    switch (kind) {
    case TIME:
        return json_time_column(q, at);
    case COUNT:
        return json_integer(store_i64(q, at));
    case MILLI:
        return milli_json(store_i64(q, at));
    case FLAG:
        return json_boolean(store_i64(q, at) != 0);
    case TEXT:
        break;
    }
    return json_column(q, at);
}

static json_t *campaign_json(struct store_stmt *q)
{
    json_t *o = json_object();
    char incident[INCIDENT_ID_SIZE];

    for (int i = 0; i < COLUMN_COUNT; i++)
        json_object_set_new(o, COLUMN[i].name, value_json(q, i, COLUMN[i].kind));
    if (store_i64(q, BASELINE_AT) == 0)
        json_object_set_new(o, "baseline", json_null());
    incident_id_text(store_i64(q, INCIDENT_AT), incident);
    json_object_set_new(o, "alert", json_column(q, ALERT_AT));
    json_object_set_new(o, "incident", store_is_null(q, INCIDENT_AT) ? json_null() : json_string(incident));
    return o;
}

/* ---- list */

static int state_number(struct slice code)
{
    static const char *const STATE[STATE_COUNT] = {"open", "closed", "retracted"};

    for (int s = 0; s < STATE_COUNT; s++)
        if (slice_equal_str(code, STATE[s]))
            return s;
    return -1;
}

static int64_t count_of(struct store *st, uint32_t states)
{
    struct store_stmt *q = store_prepare(st, "SELECT count(*) FROM campaign c WHERE (" STATE_BIT " & ?) <> 0");

    store_bind_i64(q, 1, states);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

/* The number of the alert, which never changes, tells apart what was detected in the same hour. */
void campaign_list(struct call *c)
{
    uint32_t states;
    struct page page;
    int64_t key = 0, id = 0;
    enum vs_err err = filter_mask(http_query(c->rq, "state"), state_number, STATE_COUNT, &states);

    if (err != VS_OK) {
        reply_fault(c, err, "state", "not a list of: open, closed, retracted");
        return;
    }
    if (!page_read(c, "detected", &page))
        return;
    json_t *rows = json_array();
    struct store_stmt *q = store_prepare(c->st, "SELECT " COLUMNS " " FROM "WHERE (" STATE_BIT " & ?1) <> 0 AND "
                                                "(c.detected_us < ?2 OR (c.detected_us = ?2 AND "
                                                "coalesce(a.number, 0) < ?3)) ORDER BY c.detected_us DESC, "
                                                "coalesce(a.number, 0) DESC LIMIT ?4");
    store_bind_i64(q, 1, states);
    store_bind_i64(q, 2, page.has_cursor ? page.key : INT64_MAX);
    store_bind_i64(q, 3, page.has_cursor ? page.id : INT64_MAX);
    store_bind_i64(q, 4, page.limit + 1);
    while (store_step(q) == VS_OK) {
        if ((int64_t)json_array_size(rows) == page.limit) {
            page_next(&page, key, id);
            break;
        }
        key = store_i64(q, DETECTED_AT);
        id = store_is_null(q, NUMBER_AT) ? 0 : store_i64(q, NUMBER_AT);
        json_array_append_new(rows, campaign_json(q));
    }
    store_done(q);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "total", json_total(count_of(c->st, states)), "rows", rows, "next",
                         page_next_json(&page)));
}

/* ---- one */

/* [[hour as microseconds, cases, expected in thousandths], ..] as objects. */
static json_t *curve_json(struct slice text)
{
    json_t *in = json_loadb((const char *)text.ptr, text.len, 0, NULL), *out = json_array(), *row;
    size_t i;

    json_array_foreach(in, i, row)
    {
        json_array_append_new(out, json_pack("{s:o, s:I, s:o}", "time",
                                             json_time(json_integer_value(json_array_get(row, 0))), "cases",
                                             json_integer_value(json_array_get(row, 1)), "expected",
                                             milli_json(json_integer_value(json_array_get(row, 2)))));
    }
    json_decref(in);
    return out;
}

static json_t *reasons_json(struct slice text)
{
    json_t *list = json_loadb((const char *)text.ptr, text.len, 0, NULL);

    return list != NULL ? list : json_array();
}

void campaign_get(struct call *c)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT " COLUMNS ", c.reasons, c.curve " FROM "WHERE c.id = ?");

    store_bind_text(q, 1, c->part[0]);
    enum vs_err err = store_step(q);
    json_t *o = err != VS_OK
                    ? NULL
                    : json_pack("{s:o, s:o, s:o}", "campaign", campaign_json(q), "reasons",
                                reasons_json(store_text(q, REASONS_AT)), "curve", curve_json(store_text(q, CURVE_AT)));
    store_done(q);
    if (o != NULL)
        reply_json(c, 200, o);
    else if (err == VS_ERR_END || err == VS_ERR_NOT_FOUND)
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "there is no such campaign");
    else
        reply_store_failure(c, err);
}
