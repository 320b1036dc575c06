/* Silences as the interface shows and takes them. */
#include <string.h>

#include "api/body.h"
#include "api/economy.h"
#include "api/filter.h"
#include "core/timestamp.h"

#define MINUTES_MAX (366 * 24 * 60)

int64_t economy_now(struct call *c)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT max(at_us) FROM log_position");
    int64_t at_us = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return at_us > 0 ? at_us : c->now_us;
}

void silence_policy_of(const struct call *c, struct silence_policy *ret)
{
    struct silence_policy p = SILENCE_POLICY_DEFAULT;

    if (c->api->cfg.silence_days_max > 0)
        p.days_max = c->api->cfg.silence_days_max;
    if (c->api->cfg.silence_critical_hours_max > 0)
        p.critical_hours_max = c->api->cfg.silence_critical_hours_max;
    *ret = p;
}

/* ---- showing */

json_t *silence_matcher_json(struct slice field, struct slice op, struct slice value)
{
    return json_pack("{s:o, s:o, s:o}", "field", json_slice(field), "op", json_slice(op), "value", json_slice(value));
}

static json_t *matchers_json(struct store *st, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT field, op, value FROM silence_matcher WHERE silence = ? ORDER BY at");
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, silence_matcher_json(store_text(q, 0), store_text(q, 1), store_text(q, 2)));
    store_done(q);
    return list;
}

static json_t *severities_json(int64_t mask)
{
    json_t *list = json_array();

    for (int s = 0; s <= ALERT_CRITICAL; s++)
        if (mask >> s & 1)
            json_array_append_new(list, json_string(alert_severity_code(s)));
    return list;
}

static void add_counts(json_t *o, struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT coalesce(sum(CASE WHEN ended_us IS NULL THEN 1 ELSE 0 END), 0), count(*), coalesce(sum(CASE WHEN "
            "ended_why IN ('severity', 'spread') THEN 1 ELSE 0 END), 0), (SELECT count(*) FROM silence_vehicle WHERE "
            "silence = ?1) FROM silence_alert WHERE silence = ?1");

    store_bind_i64(q, 1, number);
    bool found = store_step(q) == VS_OK;
    static const char *const NAME[] = {"held", "held_ever", "through", "vehicles"};
    for (int i = 0; i < 4; i++)
        json_object_set_new(o, NAME[i], json_integer(found ? store_i64(q, i) : 0));
    store_done(q);
}

json_t *silence_json(struct store *st, struct store_stmt *q, int64_t now_us)
{
    json_t *o = json_object();
    char id[SILENCE_ID_SIZE], incident[INCIDENT_ID_SIZE];
    int64_t number = store_i64(q, 0);
    enum silence_state state =
        silence_state_of(store_i64(q, 12) != 0, store_i64(q, 14), store_i64(q, 7), store_i64(q, 15), now_us);
    const char *title = silence_cause_title(store_text(q, 1));

    silence_id_text(number, id);
    incident_id_text(store_i64(q, 4), incident);
    json_object_set_new(o, "id", json_string(id));
    json_object_set_new(o, "state", json_string(silence_state_code(state)));
    json_object_set_new(o, "cause", json_column(q, 1));
    json_object_set_new(o, "cause_title", json_string(title != NULL ? title : ""));
    json_object_set_new(o, "reason", json_column(q, 2));
    json_object_set_new(o, "ticket", json_column(q, 3));
    json_object_set_new(o, "incident", store_is_null(q, 4) ? json_null() : json_string(incident));
    json_object_set_new(o, "author", json_column(q, 5));
    json_object_set_new(o, "created", json_time_column(q, 6));
    json_object_set_new(o, "starts", json_time_column(q, 7));
    json_object_set_new(o, "expires", json_time_column(q, 8));
    json_object_set_new(o, "severities", severities_json(store_i64(q, 9)));
    json_object_set_new(o, "spread_factor", json_integer(store_i64(q, 10)));
    json_object_set_new(o, "vehicles_max", json_integer(store_i64(q, 11)));
    json_object_set_new(o, "needs_second", json_boolean(store_i64(q, 12) != 0));
    json_object_set_new(o, "approved_by", json_column(q, 13));
    json_object_set_new(o, "approved", json_time_column(q, 14));
    json_object_set_new(o, "ended", json_time_column(q, 15));
    json_object_set_new(o, "ended_by", json_column(q, 16));
    json_object_set_new(o, "ended_why", json_column(q, 17));
    json_object_set_new(o, "ended_reason", json_column(q, 18));
    json_object_set_new(o, "matchers", matchers_json(st, number));
    add_counts(o, st, number);
    return o;
}

/* ---- taking */

static bool bad(struct call *c, const char *field, const char *why)
{
    reply_fault(c, VS_ERR_RANGE, field, why);
    return false;
}

/* Severities are written among the matchers and kept as a set. */
static bool read_matchers(struct call *c, struct silence_request *r)
{
    const json_t *list = json_object_get(c->body, "matchers");
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        struct slice field = body_text(item, "field"), op = body_text(item, "op"), value = body_text(item, "value");
        const char *why = NULL;
        op = op.len > 0 ? op : slice_str("is");
        if (slice_equal_str(field, "severity")) {
            int severity = alert_severity_from_code(value);
            if (severity < 0 || !slice_equal_str(op, "is"))
                return bad(c, "matchers",
                           "a severity is one of info, low, medium, high, critical, with the operator is");
            r->draft.severities |= 1u << severity;
        } else if (r->draft.matcher_count == SILENCE_MATCHERS_MAX) {
            return bad(c, "matchers", "at most 32 matchers");
        } else if (!silence_matcher_parse(field, op, value, &r->matcher[r->draft.matcher_count++], &why)) {
            return bad(c, "matchers", why);
        }
    }
    r->draft.matcher = r->matcher;
    return true;
}

static bool read_time(struct call *c, const char *name, int64_t now_us, int64_t *ret_us)
{
    char text[64];

    if (!body_has(c->body, name))
        return true;
    if (!slice_to_str(body_text(c->body, name), text, sizeof text) || filter_time(text, now_us, ret_us) != VS_OK)
        return bad(c, name, "not an RFC 3339 time");
    return true;
}

bool silence_request_read(struct call *c, int64_t now_us, struct silence_request *ret)
{
    int64_t minutes = body_integer(c->body, "minutes");

    memset(ret, 0, sizeof *ret);
    ret->draft.cause = body_text(c->body, "cause");
    ret->draft.reason = body_text(c->body, "reason");
    ret->draft.ticket = body_text(c->body, "ticket");
    ret->draft.spread_factor = body_integer(c->body, "spread_factor");
    ret->draft.vehicles_max = body_integer(c->body, "vehicles_max");
    if (body_has(c->body, "incident")) {
        ret->draft.incident = incident_number(body_text(c->body, "incident"));
        if (ret->draft.incident == 0)
            return bad(c, "incident", "not an incident's id");
    }
    if (!read_time(c, "starts", now_us, &ret->draft.starts_us) ||
        !read_time(c, "expires", now_us, &ret->draft.expires_us))
        return false;
    if (body_has(c->body, "minutes") == body_has(c->body, "expires"))
        return bad(c, "expires", "say either when it ends (expires) or how long it lasts (minutes)");
    if (body_has(c->body, "minutes") && (minutes < 1 || minutes > MINUTES_MAX))
        return bad(c, "minutes", "1 minute to 366 days");
    if (body_has(c->body, "minutes"))
        ret->draft.expires_us = (ret->draft.starts_us > 0 ? ret->draft.starts_us : now_us) + minutes * 60 * US_PER_S;
    return read_matchers(c, ret);
}
