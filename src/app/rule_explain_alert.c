#include "app/rule_explain_alert.h"

#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/timestamp.h"
#include "detect/lab/alert_json.h"
#include "detect/lab/backtest.h"
#include "detect/lab/explain.h"
#include "detect/lab/vehicle_words.h"
#include "detect/lab/window_trace.h"

/* One alert, found by the start of its id. */
struct found {
    const char *prefix;
    uint32_t count;
    const struct rule *rule;
    struct slice json;
    int64_t first_us, last_us;
    uint64_t tag; /* line of a member */
    bool has_tag;
    const struct engine *engine;
    struct arena arena;
    nano peak;
};

static void on_settled(void *ctx, const struct engine *e)
{
    ((struct found *)ctx)->engine = e;
}

static void on_member(void *ctx, const struct engine_member *m)
{
    struct found *f = ctx;

    if (!f->has_tag)
        f->tag = m->tag;
    f->has_tag = true;
}

static void on_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    static char buf[ALERT_JSON_SIZE];
    struct found *f = ctx;
    char id[2 * ALERT_ID_SIZE + 1];
    struct writer w;

    writer_init(&w, id, sizeof id - 1);
    writer_hex(&w, slice_make(al->id, ALERT_ID_SIZE), false);
    id[w.len] = '\0';
    if (strncmp(id, f->prefix, strlen(f->prefix)) != 0 || ++f->count > 1)
        return;
    writer_init(&w, buf, sizeof buf);
    alert_json_write(al, &w);
    f->json = arena_copy(&f->arena, writer_slice(&w));
    f->rule = rule;
    f->first_us = al->first_us;
    f->last_us = al->last_us;
    engine_members(f->engine, rule, al, on_member, f);
}

static void put_nano(struct writer *w, nano v)
{
    nano whole = v / NANO_ONE;
    int64_t rest = (int64_t)(v % NANO_ONE);

    if (rest == 0 || whole > 1000000000 || whole < -1000000000)
        writer_i64_text(w, (int64_t)whole);
    else
        writer_fixed_text(w, (int64_t)v, 9);
}

static void put_time(struct writer *w, const char *key, int64_t us)
{
    writer_text(w, key);
    writer_u8(w, '"');
    timestamp_write(w, us);
    writer_u8(w, '"');
}

/* What the rule counts, so that the numbers below can be read. */
static void show_rule(const struct plan *p, const struct rule *r)
{
    static const char *const TYPE[] = {"event_count", "value_count", "temporal",         "temporal_ordered",
                                       "value_sum",   "value_avg",   "value_percentile", "geo_velocity"};
    static const char *const OP[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
    const struct correlation *c = r->corr;
    char buf[32768];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"rule\":");
    writer_json_text(&w, r->label);
    writer_text(&w, ",\"version\":\"");
    writer_hex(&w, slice_make(r->version, RULE_HASH_SIZE), false);
    writer_text(&w, "\",\"counts\":\"");
    writer_text(&w, TYPE[c->type]);
    writer_text(&w, "\",\"rules\":[");
    for (uint8_t i = 0; i < c->ref_count; i++) {
        writer_text(&w, i > 0 ? "," : "");
        writer_json_text(&w, p->rule[c->ref[i]]->label);
    }
    writer_text(&w, "],\"group-by\":[");
    for (uint8_t i = 0; i < c->group_count; i++) {
        writer_text(&w, i > 0 ? "," : "");
        writer_json_text(&w, c->group_name[i]);
    }
    writer_text(&w, "],\"timespan_s\":");
    writer_i64_text(&w, c->span_us / US_PER_S);
    writer_text(&w, ",\"condition\":{");
    for (uint8_t i = 0; i < c->bound_count; i++) {
        writer_text(&w, i > 0 ? "," : "");
        writer_json_text(&w, slice_str(OP[c->bound[i].op]));
        writer_u8(&w, ':');
        put_nano(&w, c->bound[i].value);
    }
    writer_text(&w, "}}");
    rule_put_line(stdout, &w);
}

/* ---- the members, from the events */

struct telling {
    const struct plan *plan;
    struct found *found;
    const struct dbc *dbc;
    struct json_reader *reader;
    struct record record;
    struct matcher matcher;
    struct slice *document; /* by line */
    uint64_t line_count;
    char *buf;
    uint64_t members, hits;
    int64_t first_hit_us;
    nano peak;
};

static bool load_line(struct telling *t, uint64_t line)
{
    struct json_object o;
    const char *reason;

    return line < t->line_count && t->document[line].len > 0 &&
           json_reader_object(t->reader, t->document[line], &o, &reason) == VS_OK &&
           record_from_json(&t->record, &o, true, &reason) == VS_OK;
}

/* The rules that match here and the items that did; of a correlation below, its name. */
static void put_rules(struct telling *t, uint64_t mask, struct writer *w)
{
    const struct correlation *c = t->found->rule->corr;
    bool first = true;

    writer_text(w, ",\"rules\":[");
    for (uint8_t i = 0; i < c->ref_count; i++) {
        const struct rule *ref = t->plan->rule[c->ref[i]];
        if ((mask >> i & 1) == 0)
            continue;
        writer_text(w, first ? "{\"rule\":" : ",{\"rule\":");
        first = false;
        writer_json_text(w, ref->label);
        if (!ref->is_correlation) {
            writer_text(w, ",\"why\":");
            explain_write_matched(&t->matcher, ref, &t->record, t->dbc, w);
        }
        writer_u8(w, '}');
    }
    writer_u8(w, ']');
}

static void on_entry(void *ctx, const struct window_trace_entry *e)
{
    struct telling *t = ctx;
    struct writer w;

    if (!load_line(t, e->tag))
        return;
    writer_init(&w, t->buf, EXPLAIN_SIZE);
    writer_text(&w, "{\"member\":");
    writer_u64_text(&w, ++t->members);
    writer_text(&w, ",\"line\":");
    writer_u64_text(&w, e->tag);
    put_time(&w, ",\"time\":", e->time_us);
    writer_text(&w, ",\"vehicle\":");
    writer_json_text(&w, t->record.vehicle);
    writer_text(&w, ",\"type\":");
    writer_json_text(&w, t->record.type);
    writer_text(&w, ",\"means\":");
    writer_json_text(&w, vehicle_words_type(t->record.type));
    writer_text(&w, ",\"count\":");
    writer_u64_text(&w, e->weight);
    put_time(&w, ",\"window\":{\"from\":", e->from_us);
    writer_text(&w, ",\"entries\":");
    writer_u64_text(&w, e->window_count);
    writer_text(&w, ",\"value\":");
    if (e->has_value)
        put_nano(&w, e->value);
    else
        writer_text(&w, "null");
    writer_text(&w, e->hit ? "},\"hit\":true" : "},\"hit\":false");
    put_rules(t, e->mask, &w);
    writer_u8(&w, '}');
    rule_put_line(stdout, &w);
    if (!e->hit)
        return;
    if (t->hits++ == 0) {
        t->first_hit_us = e->time_us;
        t->peak = e->value;
    }
    t->peak = e->value > t->peak ? e->value : t->peak;
}

/* The peak as the alert has it, against the one worked out again. */
static bool agrees(const struct telling *t)
{
    char text[64];
    struct writer w;

    writer_init(&w, text, sizeof text - 1);
    writer_text(&w, "\"peak\":");
    put_nano(&w, t->peak);
    writer_u8(&w, ',');
    text[w.len] = '\0';
    return t->hits > 0 && memmem(t->found->json.ptr, t->found->json.len, text, w.len) != NULL;
}

static void show_end(const struct telling *t)
{
    char buf[400];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"members\":");
    writer_u64_text(&w, t->members);
    writer_text(&w, ",\"hits\":");
    writer_u64_text(&w, t->hits);
    put_time(&w, ",\"first_hit\":", t->first_hit_us);
    writer_text(&w, ",\"peak\":");
    put_nano(&w, t->peak);
    writer_text(&w, agrees(t) ? ",\"agrees\":true}" : ",\"agrees\":false}");
    rule_put_line(stdout, &w);
}

static void show_alert(const struct found *f)
{
    printf("{\"alert\":%.*s}\n", (int)f->json.len, (const char *)f->json.ptr);
}

static void read_all(struct telling *t, struct slice text, struct window_trace *trace)
{
    struct sighter *sighter = mem_zalloc(1, sizeof *sighter);
    struct json_lines it;
    struct slice doc;

    sighter_init(sighter, t->plan);
    sighter->horizon_us = HORIZON_US_DEFAULT;
    json_lines_init(&it, text);
    while (json_lines_next(&it, &doc)) {
        struct sighting s = {0};
        while (it.line >= t->line_count) {
            uint64_t more = t->line_count > 0 ? 2 * t->line_count : 1024;
            t->document = mem_grow(t->document, more, sizeof *t->document);
            memset(t->document + t->line_count, 0, (more - t->line_count) * sizeof *t->document);
            t->line_count = more;
        }
        t->document[it.line] = doc;
        if (load_line(t, it.line) && sighter_step(sighter, &t->record, &s) == SIGHT_OK)
            window_trace_put(trace, &s, it.line);
    }
    sighter_done(sighter);
    free(sighter);
}

static int tell(const struct plan *p, struct slice text, struct found *f, const struct dbc *dbc)
{
    struct telling t = {.plan = p, .found = f, .dbc = dbc};

    if (json_reader_new(&t.reader) != VS_OK)
        return EXIT_USAGE;
    t.buf = mem_alloc(EXPLAIN_SIZE, 1);
    record_init(&t.record, &p->fields);
    matcher_init(&t.matcher, p);
    struct window_trace *trace = window_trace_new(p, f->rule);
    read_all(&t, text, trace);
    show_alert(f);
    show_rule(p, f->rule);
    window_trace_run(trace, f->tag, f->first_us, f->last_us, on_entry, &t);
    show_end(&t);
    int code = agrees(&t) ? EXIT_OK : EXIT_FINDINGS;
    window_trace_free(trace);
    matcher_done(&t.matcher);
    record_done(&t.record);
    json_reader_free(t.reader);
    free(t.document);
    free(t.buf);
    return code;
}

int rule_explain_alert(struct plan *p, struct slice text, const struct rule_options *o, const struct dbc *dbc)
{
    struct found f = {.prefix = o->alert};
    struct backtest_options options = {
        .workers = 1, .horizon_us = HORIZON_US_DEFAULT, .settled = on_settled, .ctx = &f};
    struct backtest_report report;
    int code = EXIT_USAGE;

    arena_init(&f.arena);
    enum vs_err err = backtest_run(p, text, &options, on_alert, &f, &report);
    if (err != VS_OK)
        fprintf(stderr, "vsoc rule explain: %s\n", vs_err_text(err));
    else if (f.count != 1)
        fprintf(stderr, "vsoc rule explain: %u alerts of these events have an id that begins with %s\n", f.count,
                o->alert);
    else
        code = tell(p, text, &f, dbc);
    arena_done(&f.arena);
    return code;
}
