#include "comply/summary.h"

#include "core/timestamp.h"
#include "store/alert_store.h"

#define PART_MAX 4096

struct out {
    summary_put_fn *put;
    void *ctx;
};

static void put_text(const struct out *o, const char *text)
{
    o->put(o->ctx, slice_str(text));
}

/* A JSON text, a number or a time, each at most PART_MAX bytes. */
static void put_json_text(const struct out *o, struct slice text)
{
    char buf[PART_MAX];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_json_text(&w, slice_head(text, PART_MAX / 8));
    o->put(o->ctx, writer_slice(&w));
}

static void put_number(const struct out *o, int64_t v)
{
    char buf[32];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_i64_text(&w, v);
    o->put(o->ctx, writer_slice(&w));
}

static void put_member_number(const struct out *o, const char *key, int64_t v)
{
    put_text(o, ",\"");
    put_text(o, key);
    put_text(o, "\":");
    put_number(o, v);
}

static void put_member_text(const struct out *o, const char *key, struct slice v)
{
    put_text(o, ",\"");
    put_text(o, key);
    put_text(o, "\":");
    put_json_text(o, v);
}

static void put_member_time(const struct out *o, const char *key, int64_t us)
{
    char buf[TIMESTAMP_TEXT_LEN];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    timestamp_write(&w, us);
    put_member_text(o, key, writer_slice(&w));
}

/* {"name":count,...} of a query with these two columns. */
static enum vs_err put_counts(struct store *st, const char *sql, const struct out *o)
{
    struct store_stmt *q = store_prepare(st, sql);
    const char *before = "{";
    enum vs_err err;

    while ((err = store_step(q)) == VS_OK) {
        put_text(o, before);
        put_json_text(o, store_text(q, 0));
        put_text(o, ":");
        put_number(o, store_i64(q, 1));
        before = ",";
    }
    store_done(q);
    put_text(o, before[0] == '{' ? "{}" : "}");
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err put_ledger(struct store *st, const struct out *o)
{
    static const char *const NAME[] = {"produced", "stored", "merged", "dead_lettered", "missing"};
    struct store_stmt *q =
        store_prepare(st, "SELECT coalesce(sum(produced), 0), coalesce(sum(stored), 0), coalesce(sum(merged), 0), "
                          "coalesce(sum(dead_lettered), 0), coalesce(sum(missing), 0), "
                          "coalesce(sum(duplicates), 0), count(*) FROM ledger");
    enum vs_err err = store_step(q);
    int64_t v[5] = {0}, duplicates = 0;

    if (err == VS_OK) {
        for (int i = 0; i < 5; i++)
            v[i] = store_i64(q, i);
        duplicates = store_i64(q, 5);
    }
    store_done(q);
    if (err != VS_OK)
        return err;
    put_text(o, "{\"balanced\":");
    put_text(o, v[0] == v[1] + v[2] + v[3] + v[4] ? "true" : "false");
    for (int i = 0; i < 5; i++)
        put_member_number(o, NAME[i], v[i]);
    put_member_number(o, "duplicates", duplicates);
    put_text(o, "}");
    return VS_OK;
}

enum vs_err summary_write(struct store *st, summary_put_fn *put, void *ctx)
{
    const struct out o = {put, ctx};
    enum vs_err err;

    put_text(&o, "{\"events\":");
    err = put_counts(st, "SELECT type, sum(events) FROM rollup_day GROUP BY type ORDER BY type", &o);
    put_text(&o, ",\"ledger\":");
    if (err == VS_OK)
        err = put_ledger(st, &o);
    put_text(&o, ",\"alerts\":");
    if (err == VS_OK)
        err = put_counts(
            st,
            "SELECT rule, count(*) FROM alert WHERE state <> 2 AND superseded_by IS NULL GROUP BY rule ORDER BY rule",
            &o);
    put_text(&o, ",\"incidents\":");
    if (err == VS_OK)
        err = put_counts(
            st,
            "SELECT CASE WHEN closed_us IS NULL THEN 'open' ELSE 'closed' END AS how, count(*) FROM incident "
            "WHERE merged_into IS NULL GROUP BY how ORDER BY how",
            &o);
    put_text(&o, "}");
    return err;
}

static enum vs_err put_vehicles(struct store *st, struct slice alert, const struct out *o)
{
    struct store_stmt *q = store_prepare(st, "SELECT DISTINCT vid FROM alert_vehicle WHERE alert = ? ORDER BY vid");
    const char *before = "";
    enum vs_err err;

    store_bind_text(q, 1, alert);
    put_text(o, ",\"vehicles\":[");
    while ((err = store_step(q)) == VS_OK) {
        put_text(o, before);
        put_json_text(o, store_text(q, 0));
        before = ",";
    }
    store_done(q);
    put_text(o, "]");
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err summary_write_alerts(struct store *st, summary_put_fn *put, void *ctx)
{
    const struct out o = {put, ctx};
    struct store_stmt *q =
        store_prepare(st, "SELECT " ALERT_ROW_COLUMNS " FROM alert a ORDER BY a.rule, a.first_us, a.id");
    enum vs_err err;

    while ((err = store_step(q)) == VS_OK) {
        struct alert_row row;

        alert_row_read(q, &row);
        put_text(&o, "{\"id\":");
        put_json_text(&o, row.id);
        put_member_text(&o, "rule", row.rule);
        put_member_text(&o, "severity", slice_str(alert_severity_code(row.severity)));
        put_member_text(&o, "state", slice_str(alert_state_code(row.state)));
        put_text(&o, ",\"superseded\":");
        put_text(&o, row.superseded_by.len > 0 ? "true" : "false");
        put_text(&o, ",\"late\":");
        put_text(&o, row.late != 0 ? "true" : "false");
        put_text(&o, ",\"group\":");
        put(ctx, row.group_json);
        put_member_time(&o, "first", row.first_us);
        put_member_time(&o, "last", row.last_us);
        put_member_number(&o, "count", row.count);
        put_member_number(&o, "incident", row.incident);
        err = put_vehicles(st, row.id, &o);
        if (err != VS_OK)
            break;
        put_text(&o, "}\n");
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}
