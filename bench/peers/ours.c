/* Runs our engine over a file of events as the drivers beside this file run the peers, and prints one line of figures.
 *
 * Same options, same output, same way of measuring: CPU time (user + system) of this process, from the first byte of
 * the first event to the last answer. Events are read in stretches, so that neither side's memory holds the file.
 * With --parsed all events are read into memory first and only matching is measured, from parsed JSON on.
 *
 * usage: peer_ours --rules PATH.. --events FILE [--windows] [--parsed] [--logsource] [--out FILE] [--live]
 *   --windows   correlations too; otherwise detections only
 *   --live      with the daemon's quota of events per vehicle instead of none */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/jsonl/json_lines.h"
#include "bench.h"
#include "detect/engine/engine.h"
#include "detect/lab/alert_json.h"
#include "detect/sigma/route.h"

#define CHUNK_SIZE   ((size_t)1 << 20)
#define RULES_MAX    64
#define SETTLE_EVERY 1000 /* events; at the target rate of 116 k/s that is 9 ms */

struct options {
    const char *rules[RULES_MAX];
    unsigned rule_count;
    const char *events, *out;
    bool windows, parsed, logsource, live;
};

struct run {
    const struct options *o;
    struct plan plan;
    struct record record;
    struct sighter sighter; /* of --windows; its matcher serves both */
    struct engine *engine;
    struct router router;
    uint64_t events, matches, changes, alerts;
    FILE *out;
};

struct kept {
    struct json_object *object;
    uint64_t count;
    struct arena arena;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "peer_ours: %s: %s\n", what, why);
    exit(2);
}

/* ---- events */

struct lines {
    FILE *f;
    char *buf;
    size_t size, from, len;
    bool end;
};

static void lines_more(struct lines *l)
{
    memmove(l->buf, l->buf + l->from, l->len - l->from);
    l->len -= l->from;
    l->from = 0;
    if (l->size - l->len < CHUNK_SIZE + JSON_PADDING) {
        l->size = l->len + 2 * CHUNK_SIZE + JSON_PADDING;
        l->buf = mem_grow(l->buf, l->size, 1);
    }
    size_t n = fread(l->buf + l->len, 1, CHUNK_SIZE, l->f);
    l->len += n;
    l->end = n == 0;
}

static bool lines_next(struct lines *l, struct slice *ret)
{
    for (;;) {
        char *at = l->buf + l->from;
        char *end = l->len > l->from ? memchr(at, '\n', l->len - l->from) : NULL;
        if (end != NULL || (l->end && l->len > l->from)) {
            size_t n = end != NULL ? (size_t)(end - at) : l->len - l->from;
            *ret = slice_make(at, n);
            l->from += n + (end != NULL);
            return true;
        }
        if (l->end)
            return false;
        lines_more(l);
    }
}

/* A parsed event that outlives the reader. */
static void keep(struct kept *k, const struct json_object *o)
{
    if ((k->count & (k->count - 1)) == 0)
        k->object = mem_grow(k->object, k->count > 0 ? 2 * k->count : 1, sizeof *k->object);
    struct json_field *f = arena_alloc(&k->arena, o->field_count * sizeof *f);
    memcpy(f, o->field, o->field_count * sizeof *f);
    for (uint32_t i = 0; i < o->field_count; i++) {
        f[i].name = arena_copy(&k->arena, f[i].name);
        if (f[i].kind == JSON_TEXT)
            f[i].value.s = arena_copy(&k->arena, f[i].value.s);
    }
    k->object[k->count++] = (struct json_object){f, o->field_count};
}

/* ---- answers */

static void count_change(void *ctx, const struct rule *rule, const struct alert *al)
{
    (void)rule;
    (void)al;
    ((struct run *)ctx)->changes++;
}

static void show_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    static char buf[ALERT_JSON_SIZE];
    struct run *run = ctx;
    struct writer w;

    (void)rule;
    run->alerts++;
    if (run->out == NULL)
        return;
    writer_init(&w, buf, sizeof buf);
    alert_json_write(al, &w);
    fprintf(run->out, "%.*s\n", (int)w.len, buf);
}

static void match(struct run *run)
{
    struct matcher *m = &run->sighter.matcher;
    const uint32_t *candidate;
    uint32_t count = run->o->logsource ? router_candidates(&run->router, m, &run->record, &candidate)
                                       : match_candidates(m, &run->record, &candidate);

    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = run->plan.rule[candidate[i]];
        if (rule->is_shadow || (run->o->logsource && !match_source(rule, &run->record, run->router.field)) ||
            !match_expr(m, rule->expr, &run->record))
            continue;
        run->matches++;
        if (run->out != NULL)
            fprintf(run->out, "{\"line\":%llu,\"rule\":\"%.*s\"}\n", (unsigned long long)run->events, (int)rule->id.len,
                    (const char *)rule->id.ptr);
    }
}

static void step(struct run *run, const struct json_object *o)
{
    struct sighting s = {0};
    const char *reason;

    run->events++;
    if (record_from_json(&run->record, o, run->o->windows, &reason) != VS_OK)
        die(run->o->events, reason);
    if (!run->o->windows) {
        match(run);
        return;
    }
    if (sighter_step(&run->sighter, &run->record, &s) == SIGHT_OK)
        engine_put(run->engine, &s);
    if (run->events % SETTLE_EVERY == 0)
        engine_settle_due(run->engine, 0, count_change, run);
}

static void finish(struct run *run)
{
    if (run->o->windows) {
        engine_settle(run->engine, 0, count_change, run);
        engine_alerts(run->engine, show_alert, run);
    }
}

/* ---- the run */

static double run_file(struct run *run, struct lines *l)
{
    struct json_reader *reader;
    struct kept kept = {0};
    struct slice line;
    const char *reason = "";

    if (json_reader_new(&reader) != VS_OK)
        die("reader", "no memory");
    arena_init(&kept.arena);
    double from_s = bench_cpu_s();
    while (lines_next(l, &line)) {
        struct json_object o;
        if (json_reader_object(reader, line, &o, &reason) != VS_OK)
            die(run->o->events, reason);
        if (run->o->parsed)
            keep(&kept, &o);
        else
            step(run, &o);
    }
    if (run->o->parsed)
        from_s = bench_cpu_s();
    for (uint64_t i = 0; i < kept.count; i++)
        step(run, &kept.object[i]);
    finish(run);
    double took_s = bench_cpu_s() - from_s;
    json_reader_free(reader);
    arena_done(&kept.arena);
    free(kept.object);
    return took_s;
}

static void read_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(arg, "--windows") == 0)
            o->windows = true;
        else if (strcmp(arg, "--parsed") == 0)
            o->parsed = true;
        else if (strcmp(arg, "--logsource") == 0)
            o->logsource = true;
        else if (strcmp(arg, "--live") == 0)
            o->live = true;
        else if (value == NULL)
            die(arg, "unknown option, or one without its value");
        else if (strcmp(arg, "--rules") == 0 && o->rule_count < RULES_MAX)
            o->rules[o->rule_count++] = argv[++i];
        else if (strcmp(arg, "--events") == 0)
            o->events = argv[++i];
        else if (strcmp(arg, "--out") == 0)
            o->out = argv[++i];
        else
            die(arg, "unknown option");
    }
    if (o->events == NULL || o->rule_count == 0)
        die("usage", "--rules PATH.. --events FILE");
}

static void load_rules(struct run *run)
{
    struct diag d;

    diag_init(&d);
    plan_init(&run->plan);
    if (plan_load(&run->plan, run->o->rules, run->o->rule_count, &d) == VS_ERR_IO)
        die("rules", "cannot read");
    if (d.error_count > 0)
        fprintf(stderr, "peer_ours: %u errors in rules, those are left out\n", d.error_count);
    diag_done(&d);
    router_fields(&run->plan.fields);
}

static long peak_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kb;
}

int main(int argc, char **argv)
{
    static struct options o;
    static struct run run;
    struct engine_limits limits = {0};
    struct lines l = {0};

    read_options(argc, argv, &o);
    run.o = &o;
    double load_s = bench_cpu_s();
    load_rules(&run);
    load_s = bench_cpu_s() - load_s;
    if (o.live)
        limits.events_per_vehicle_max = 1000000;
    record_init(&run.record, &run.plan.fields);
    router_init(&run.router, &run.plan);
    sighter_init(&run.sighter, &run.plan);
    run.engine = engine_new(&run.plan, &limits);
    l.f = fopen(o.events, "r");
    if (l.f == NULL)
        die(o.events, "cannot read");
    if (o.out != NULL && (run.out = fopen(o.out, "w")) == NULL)
        die(o.out, "cannot write");
    double took_s = run_file(&run, &l);
    if (run.out != NULL && fclose(run.out) != 0)
        die(o.out, "cannot write");
    printf("{\"engine\":\"openvsoc\",\"events\":%llu,\"cpu_s\":%.6f,\"load_s\":%.6f,\"peak_kb\":%ld,\"rules\":%u,"
           "\"matches\":%llu,\"alerts\":%llu,\"changes\":%llu,\"cut\":false}\n",
           (unsigned long long)run.events, took_s, load_s, peak_kb(), run.plan.rule_count,
           (unsigned long long)run.matches, (unsigned long long)run.alerts, (unsigned long long)run.changes);
    engine_free(run.engine);
    sighter_done(&run.sighter);
    router_done(&run.router);
    record_done(&run.record);
    plan_done(&run.plan);
    free(l.buf);
    fclose(l.f);
    return 0;
}
