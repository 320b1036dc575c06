/* vsoc rule dry-run: a draft over the past, before it may wake anybody. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "app/rule_archive.h"
#include "app/rule_cli.h"
#include "app/rule_incidents.h"
#include "core/timestamp.h"
#include "detect/lab/backtest.h"
#include "detect/lab/dry_run.h"
#include "detect/sigma/rule_text.h"
#include "ingest/registry_store.h"

#define DAY_US INT64_C(86400000000)

struct draft_run {
    const struct rule_options *options;
    struct plan plan; /* of the draft and what it refers to, and nothing else */
    struct plan none; /* no rules: what reading costs */
    struct rule_budget budget;
    struct dry_run **dry; /* by rule of the plan; NULL for rules that do not alert */
    const struct engine *engine;
    struct dry_run *at_hand;
    struct rule_incidents **incidents; /* by rule */
    struct store *store;
    struct registry *registry;
    struct dry_run_past past;
    uint64_t refused;
    bool over;
};

static bool is_draft(void *ctx, const struct rule *r)
{
    const char *path = ctx;
    size_t n = strlen(path);

    return strncmp(r->path, path, n) == 0 && (r->path[n] == '\0' || r->path[n] == '/' || (n > 0 && path[n - 1] == '/'));
}

/* Loads everything named, then keeps the draft with what it refers to, so that its own cost is measured. */
static bool load_draft(struct draft_run *d)
{
    const struct rule_options *o = d->options;
    const char *draft = o->draft != NULL ? o->draft : o->path[0];
    struct plan all;
    struct diag diag;
    size_t len;

    if (!rule_load_plan(&all, o))
        return false;
    char *text = rule_text_bundle(&all, is_draft, (void *)(uintptr_t)draft, &len);
    diag_init(&diag);
    plan_init(&d->plan);
    plan_init(&d->none);
    bool ok = text != NULL && plan_load_text(&d->plan, draft, slice_make(text, len), &diag) == VS_OK &&
              plan_load_text(&d->none, "none", slice_str(""), &diag) == VS_OK;
    if (!ok)
        rule_show_diag(&diag, false);
    if (text == NULL)
        fprintf(stderr, "vsoc rule dry-run: %s holds no rule\n", draft);
    diag_done(&diag);
    free(text);
    plan_done(&all);
    return ok;
}

/* ---- the past */

static void on_settled(void *ctx, const struct engine *e)
{
    ((struct draft_run *)ctx)->engine = e;
}

static void on_member(void *ctx, const struct engine_member *m)
{
    struct draft_run *d = ctx;
    uint32_t number = dry_run_rule(d->at_hand)->number;

    dry_run_member(d->at_hand, m->vehicle, m->time_us);
    if (d->incidents[number] != NULL)
        rule_incidents_member(d->incidents[number], m->vehicle, m->time_us);
}

static void on_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct draft_run *d = ctx;

    d->at_hand = d->dry[rule->number];
    dry_run_alert(d->at_hand, al);
    engine_members(d->engine, rule, al, on_member, d);
}

static void on_progress(void *ctx, uint64_t records, uint64_t all)
{
    (void)ctx;
    fprintf(stderr, "\r%llu of %llu records", (unsigned long long)records, (unsigned long long)all);
}

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t peak_kib(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (uint64_t)use.ru_maxrss;
}

static bool load_incidents(struct draft_run *d)
{
    for (uint32_t i = 0; d->store != NULL && i < d->plan.rule_count; i++)
        if (d->dry[i] != NULL &&
            rule_incidents_load(d->store, d->past.first_us, d->past.last_us, &d->incidents[i]) != VS_OK) {
            fprintf(stderr, "vsoc rule dry-run: %s: %s\n", d->options->store, store_error_text(d->store));
            return false;
        }
    return true;
}

/* Twice over the log: without rules first, so that the difference is what the draft costs. */
static enum vs_err run_archive(struct draft_run *d, struct stream *log)
{
    struct rule_archive_run run = {.log = log, .registry = d->registry, .progress = on_progress, .ctx = d};
    struct rule_archive_result result;
    int64_t start = cpu_ns();
    enum vs_err err = rule_archive_run(&run, &result);
    int64_t without = cpu_ns() - start;
    uint64_t memory = peak_kib();

    d->past.first_us = result.first_us;
    d->past.last_us = result.last_us;
    d->past.events = result.events;
    d->refused = result.refused + result.damaged;
    if (err == VS_OK && !load_incidents(d))
        err = VS_ERR_IO;
    run.plan = &d->plan;
    run.emit = on_alert;
    run.settled = on_settled;
    start = cpu_ns();
    if (err == VS_OK)
        err = rule_archive_run(&run, &result);
    int64_t with = cpu_ns() - start;
    fprintf(stderr, "\r%llu records, %llu events, %llu refused or damaged\n", (unsigned long long)result.records,
            (unsigned long long)result.events, (unsigned long long)d->refused);
    d->past.cost_ns = result.events > 0 && with > without ? (with - without) / (int64_t)result.events : 0;
    d->past.memory_kib = peak_kib() - memory;
    return err;
}

static void no_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    (void)ctx;
    (void)rule;
    (void)al;
}

static enum vs_err run_events(struct draft_run *d, struct slice text)
{
    struct bad_lines bad = {.path = d->options->events};
    struct backtest_options o = {
        .workers = 1, .horizon_us = HORIZON_US_DEFAULT, .bad_line = rule_bad_line, .ctx = &bad};
    struct backtest_report report;
    int64_t start = cpu_ns();
    enum vs_err err = backtest_run(&d->none, text, &o, no_alert, NULL, &report);
    int64_t without = cpu_ns() - start;
    uint64_t memory = peak_kib();

    d->past.first_us = report.first_us;
    d->past.last_us = report.last_us;
    d->past.events = report.lines - report.bad_lines;
    d->refused = report.bad_lines;
    if (err == VS_OK && !load_incidents(d))
        err = VS_ERR_IO;
    o.bad_line = NULL;
    o.settled = on_settled;
    o.ctx = d;
    start = cpu_ns();
    if (err == VS_OK)
        err = backtest_run(&d->plan, text, &o, on_alert, d, &report);
    int64_t with = cpu_ns() - start;
    d->past.cost_ns = d->past.events > 0 && with > without ? (with - without) / (int64_t)d->past.events : 0;
    d->past.memory_kib = peak_kib() - memory;
    fprintf(stderr, "%llu events, %llu lines left out\n", (unsigned long long)d->past.events,
            (unsigned long long)report.bad_lines);
    return err;
}

/* ---- the report */

static void put_day(struct writer *w, const char *key, const struct dry_run_day *day)
{
    writer_text(w, key);
    if (day->alerts + day->vehicles == 0) {
        writer_text(w, "null");
        return;
    }
    uint8_t date[40];
    struct writer t;
    writer_init(&t, date, sizeof date);
    timestamp_write(&t, day->day * DAY_US);
    writer_text(w, "{\"day\":");
    writer_json_text(w, slice_head(writer_slice(&t), 10));
    writer_text(w, ",\"alerts\":");
    writer_u64_text(w, day->alerts);
    writer_text(w, ",\"vehicles\":");
    writer_u64_text(w, day->vehicles);
    writer_u8(w, '}');
}

static void put_rate(struct writer *w, const char *key, double v)
{
    char text[40];

    snprintf(text, sizeof text, "%.3f", v);
    writer_text(w, key);
    writer_text(w, text);
}

static void put_over(struct writer *w, const struct dry_run_report *r)
{
    const struct {
        bool over;
        const char *name;
    } LIMIT[] = {{r->over_alerts, "\"alerts_per_day\""},
                 {r->over_vehicles, "\"vehicles_per_day\""},
                 {r->over_cost, "\"cost_ns\""}};
    bool first = true;

    writer_text(w, ",\"over_budget\":[");
    for (size_t i = 0; i < 3; i++) {
        if (!LIMIT[i].over)
            continue;
        writer_text(w, first ? "" : ",");
        writer_text(w, LIMIT[i].name);
        first = false;
    }
    writer_u8(w, ']');
}

static void show_days(const struct rule *rule, const struct dry_run *dry)
{
    uint32_t count;
    const struct dry_run_day *day = dry_run_days(dry, &count);

    for (uint32_t i = 0; i < count; i++) {
        char buf[4096];
        struct writer w;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"rule\":");
        writer_json_text(&w, rule->label);
        put_day(&w, ",\"on\":", &day[i]);
        writer_u8(&w, '}');
        rule_put_line(stdout, &w);
    }
}

static void show_rule(struct draft_run *d, uint32_t number)
{
    static char buf[65536];
    const struct rule *rule = d->plan.rule[number];
    struct dry_run_report r;
    struct writer w;

    dry_run_report(d->dry[number], &d->past, &d->budget, &r);
    if (d->options->all)
        show_days(rule, d->dry[number]);
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"rule\":");
    writer_json_text(&w, rule->label);
    writer_text(&w, ",\"alerts\":");
    writer_u64_text(&w, r.alerts);
    put_rate(&w, ",\"days\":", r.days);
    put_rate(&w, ",\"alerts_per_day\":", r.alerts_per_day);
    put_day(&w, ",\"most_alerts\":", &r.worst_alerts);
    writer_text(&w, ",\"vehicles\":");
    writer_u64_text(&w, r.vehicles);
    put_rate(&w, ",\"vehicles_per_day\":", r.vehicles_per_day);
    put_day(&w, ",\"most_vehicles\":", &r.worst_vehicles);
    writer_text(&w, ",\"cost_ns_per_event\":");
    writer_u64_text(&w, (uint64_t)d->past.cost_ns);
    writer_text(&w, ",\"memory_kib\":");
    writer_u64_text(&w, d->past.memory_kib);
    if (d->incidents[number] != NULL) {
        writer_text(&w, ",\"incidents\":");
        rule_incidents_write(d->incidents[number], &w);
    }
    put_over(&w, &r);
    bool over = r.over_alerts || r.over_vehicles || r.over_cost;
    writer_text(&w, over ? ",\"may_be_enabled\":false}" : ",\"may_be_enabled\":true}");
    rule_put_line(stdout, &w);
    d->over |= over;
    fprintf(stderr, "%.*s: %u alerts in %.1f days (%.2f a day), %u vehicles, %lld ns an event%s\n",
            (int)rule->label.len, (const char *)rule->label.ptr, r.alerts, r.days, r.alerts_per_day, r.vehicles,
            (long long)d->past.cost_ns, over ? ": over budget, do not enable" : "");
}

/* ---- putting it together */

static bool open_store(struct draft_run *d)
{
    struct store_error error;
    int64_t version = -1;

    if (d->options->store == NULL)
        return true;
    if (store_open(d->options->store, &d->store, &error) != VS_OK) {
        fprintf(stderr, "%s: %s\n", d->options->store, error.text);
        return false;
    }
    if (registry_new(&d->registry) == VS_OK && registry_store_refresh(d->store, d->registry, &version) == VS_OK)
        return true;
    fprintf(stderr, "%s: %s\n", d->options->store, store_error_text(d->store));
    return false;
}

static enum vs_err run_past(struct draft_run *d)
{
    const struct rule_options *o = d->options;
    struct stream_error error = {""};
    struct text_file f = {0};
    struct stream *log = NULL;
    enum vs_err err;

    if (o->archive == NULL) {
        err = text_file_open(o->events, &f);
        if (err == VS_OK)
            err = run_events(d, f.bytes);
        text_file_close(&f);
    } else {
        err = stream_open(o->archive, false, &log, &error);
        if (err == VS_OK)
            err = run_archive(d, log);
        stream_close(log);
    }
    if (err != VS_OK)
        fprintf(stderr, "%s: %s %s\n", o->archive != NULL ? o->archive : o->events, vs_err_text(err), error.text);
    return err;
}

static int run(struct draft_run *d)
{
    uint32_t count = d->plan.rule_count;

    d->dry = mem_zalloc(count + 1, sizeof(*d->dry));
    d->incidents = mem_zalloc(count + 1, sizeof(*d->incidents));
    for (uint32_t i = 0; i < count; i++)
        d->dry[i] = d->plan.rule[i]->alerts ? dry_run_new(d->plan.rule[i]) : NULL;
    int code = run_past(d) == VS_OK ? EXIT_OK : EXIT_USAGE;
    for (uint32_t i = 0; i < count; i++) {
        if (d->dry[i] != NULL && code != EXIT_USAGE)
            show_rule(d, i);
        dry_run_free(d->dry[i]);
        rule_incidents_free(d->incidents[i]);
    }
    free(d->dry);
    free(d->incidents);
    return code == EXIT_OK && d->over ? EXIT_FINDINGS : code;
}

int rule_dry_run(const struct rule_options *o)
{
    static struct draft_run d;

    d.options = o;
    d.budget = (struct rule_budget){-1, -1, -1};
    if ((o->archive == NULL) == (o->events == NULL))
        return rule_usage("dry-run needs --archive ADDRESS or --events FILE");
    if (o->budget != NULL && !dry_run_read_budget(slice_str(o->budget), &d.budget))
        return rule_usage("--budget needs alerts_per_day=N, vehicles_per_day=N and cost_ns=N, with commas between");
    if (!load_draft(&d))
        return EXIT_USAGE;
    int code = open_store(&d) ? run(&d) : EXIT_USAGE;
    registry_free(d.registry);
    store_close(d.store);
    plan_done(&d.plan);
    plan_done(&d.none);
    return code;
}
