/* Why an alert stands, out of the state database. */
#include <string.h>

#include "app/rule_explain_alert.h"
#include "core/timestamp.h"
#include "detect/lab/vehicle_words.h"
#include "store/rule_version.h"

static void put_time(struct writer *w, const char *key, int64_t us)
{
    writer_text(w, key);
    writer_u8(w, '"');
    timestamp_write(w, us);
    writer_u8(w, '"');
}

static void put_text(struct writer *w, const char *key, struct slice text)
{
    writer_text(w, key);
    writer_json_text(w, text);
}

static void put_number(struct writer *w, const char *key, int64_t v)
{
    writer_text(w, key);
    writer_i64_text(w, v);
}

static void show_alert(const struct alert_row *a)
{
    char buf[32768];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    put_text(&w, "{\"alert\":{\"id\":", a->id);
    put_text(&w, ",\"rule\":", a->rule);
    put_text(&w, ",\"title\":", a->title);
    put_text(&w, ",\"severity\":", slice_str(alert_severity_code(a->severity)));
    writer_text(&w, ",\"group\":");
    writer_put(&w, a->group_json);
    put_time(&w, ",\"first\":", a->first_us);
    put_time(&w, ",\"last\":", a->last_us);
    put_number(&w, ",\"count\":", a->count);
    put_number(&w, ",\"vehicles\":", a->vehicles);
    put_text(&w, ",\"peak\":", a->peak);
    put_text(&w, ",\"state\":", slice_str(alert_state_code(a->state)));
    put_number(&w, ",\"revision\":", a->revision);
    put_number(&w, ",\"members\":", a->members_total);
    writer_text(&w, "}}");
    rule_put_line(stdout, &w);
}

/* The rule as it was when it wrote the alert: the text loads as it stands. */
static uint32_t show_versions(struct store *st, struct slice id)
{
    static char buf[2u << 20];
    struct store_stmt *q = rule_version_list(st, slice_str(""), id);
    struct rule_version_row row;
    uint32_t count = 0;

    for (; rule_version_next(q, &row); count++) {
        struct writer w;
        writer_init(&w, buf, sizeof buf);
        put_text(&w, "{\"version\":", row.version);
        put_text(&w, ",\"rule\":", row.rule);
        put_time(&w, ",\"first\":", row.first_us);
        put_text(&w, ",\"text\":", row.text);
        writer_u8(&w, '}');
        rule_put_line(stdout, &w);
    }
    store_done(q);
    return count;
}

static uint32_t show_members(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT vid, epoch, seq, time_us, count, type, signature, ecu, bus, log_partition, log_offset "
            "FROM alert_member WHERE alert = ? ORDER BY time_us, vid, epoch, seq");
    uint32_t count = 0;

    store_bind_text(q, 1, id);
    for (; store_step(q) == VS_OK; count++) {
        char buf[16384];
        struct writer w;
        writer_init(&w, buf, sizeof buf);
        put_number(&w, "{\"member\":", count + 1);
        put_text(&w, ",\"vehicle\":", store_text(q, 0));
        put_number(&w, ",\"epoch\":", store_i64(q, 1));
        put_number(&w, ",\"seq\":", store_i64(q, 2));
        put_time(&w, ",\"time\":", store_i64(q, 3));
        put_number(&w, ",\"count\":", store_i64(q, 4));
        put_text(&w, ",\"type\":", store_text(q, 5));
        put_text(&w, ",\"means\":", vehicle_words_type(store_text(q, 5)));
        put_text(&w, ",\"signature\":", store_text(q, 6));
        put_text(&w, ",\"ecu\":", store_text(q, 7));
        put_text(&w, ",\"bus\":", store_text(q, 8));
        put_number(&w, ",\"log\":{\"partition\":", store_i64(q, 9));
        put_number(&w, ",\"offset\":", store_i64(q, 10));
        writer_text(&w, "}}");
        rule_put_line(stdout, &w);
    }
    store_done(q);
    return count;
}

/* The one alert whose id begins like this. */
static bool full_id(struct store *st, const char *prefix, char ret[ALERT_ID_TEXT_SIZE])
{
    struct store_stmt *q = store_prepare(st, "SELECT id FROM alert WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 2");
    unsigned count = 0;

    store_bind_i64(q, 1, (int64_t)strlen(prefix));
    store_bind_text(q, 2, slice_str(prefix));
    while (store_step(q) == VS_OK)
        if (count++ == 0 && !slice_to_str(store_text(q, 0), ret, ALERT_ID_TEXT_SIZE))
            count = 2;
    store_done(q);
    if (count != 1)
        fprintf(stderr, "vsoc rule explain: %s alert has an id that begins with %s\n",
                count == 0 ? "no" : "more than one", prefix);
    return count == 1;
}

static int explain(struct store *st, const char *prefix)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct store_stmt *q = NULL;
    struct alert_row row;

    if (!full_id(st, prefix, id) || alert_store_find(st, slice_str(id), &q, &row) != VS_OK)
        return EXIT_FINDINGS;
    show_alert(&row);
    store_done(q);
    uint32_t versions = show_versions(st, slice_str(id));
    uint32_t members = show_members(st, slice_str(id));
    fprintf(stderr, "%u versions of the rule, %u members\n", versions, members);
    return EXIT_OK;
}

int rule_explain_stored(const struct rule_options *o)
{
    struct store_error error;
    struct store *st = NULL;

    if (store_open(o->store, &st, &error) != VS_OK) {
        fprintf(stderr, "vsoc rule explain: %s: %s\n", o->store, error.text);
        return EXIT_USAGE;
    }
    int code = explain(st, o->alert);
    store_close(st);
    return code;
}
