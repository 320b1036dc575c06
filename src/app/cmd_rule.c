/* vsoc rule: check, test, eval, backtest and explain detection rules. The work is in src/detect; here are arguments,
 * files and output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/usage.h"
#include "base/jsonl/json_lines.h"
#include "detect/lab/alert_json.h"
#include "detect/lab/backtest.h"
#include "detect/lab/explain.h"
#include "detect/lab/rule_test.h"
#include "detect/sigma/match.h"

#define PATHS_MAX       4096
#define BAD_LINES_SHOWN 20

enum { EXIT_OK = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2 };

struct options {
    const char *path[PATHS_MAX];
    unsigned path_count;
    const char *events;
    unsigned workers;
    bool strict, logsource, skip_broken;
};

static const char USAGE[] =
    "usage: vsoc rule check PATH... [--strict]\n"
    "       vsoc rule test PATH...\n"
    "       vsoc rule eval --rules PATH... --events FILE [--logsource] [--skip-broken] [--strict]\n"
    "       vsoc rule backtest --rules PATH... --events FILE [--workers N] [--skip-broken] [--strict]\n"
    "       vsoc rule explain --rule PATH --events FILE\n"
    "\n"
    "PATH is a Sigma file or a folder of them; FILE holds one JSON object per line, - is standard input.\n"
    "\n"
    "check     reads rules and reports every problem with file, line and column. Rules below a folder named content,\n"
    "          or all with --strict, must say in a vsoc block which threat they serve and who owns them.\n"
    "test      runs the <name>.test.yml beside the rules.\n"
    "eval      prints one line per match of a detection: {\"rule\":..,\"line\":..}. The log source of a rule is "
    "consulted only\n"
    "          with --logsource.\n"
    "backtest  prints the alerts that these events give, sorted by rule, group and time. Each line needs vin, time and "
    "type.\n"
    "explain   says for each event which parts of the rule matched and which did not.\n"
    "\n"
    "Lines that are no JSON object, or no event, are reported on standard error and left out; with --strict they make "
    "the\n"
    "exit status 2. Broken rules stop eval and backtest unless --skip-broken is given.\n";

static int usage(const char *reason)
{
    fprintf(stderr, "vsoc rule: %s\n\n%s", reason, USAGE);
    return EXIT_USAGE;
}

static bool is_paths_option(const char *arg)
{
    return strcmp(arg, "--rules") == 0 || strcmp(arg, "--rule") == 0;
}

/* `free_paths`: paths may stand without an option before them. */
static const char *read_options(int argc, char **argv, bool free_paths, struct options *o)
{
    bool paths = free_paths;

    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (is_paths_option(arg)) {
            paths = true;
        } else if (strcmp(arg, "--events") == 0 && i + 1 < argc) {
            o->events = argv[++i];
            paths = free_paths;
        } else if (strcmp(arg, "--workers") == 0 && i + 1 < argc) {
            char *end;
            unsigned long n = strtoul(argv[++i], &end, 10);
            if (*end != '\0' || n < 1 || n > BACKTEST_WORKERS_MAX)
                return "--workers needs a number from 1 to 64";
            o->workers = (unsigned)n;
            paths = free_paths;
        } else if (strcmp(arg, "--strict") == 0) {
            o->strict = true;
        } else if (strcmp(arg, "--logsource") == 0) {
            o->logsource = true;
        } else if (strcmp(arg, "--skip-broken") == 0) {
            o->skip_broken = true;
        } else if (arg[0] == '-' && arg[1] != '\0') {
            return "unknown option, or an option without its value";
        } else if (!paths) {
            return "unexpected argument; rules are named after --rules";
        } else if (o->path_count == PATHS_MAX) {
            return "too many paths";
        } else {
            o->path[o->path_count++] = arg;
        }
    }
    return o->path_count == 0 ? "no rules named" : NULL;
}

static void put_line(FILE *out, const struct writer *w)
{
    fwrite(w->buf, 1, w->len, out);
    fputc('\n', out);
}

static void show_diag(const struct diag *d, bool json)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct diag_entry *x = &d->entry[i];
        const char *level = x->level == DIAG_ERROR ? "error" : "warning";
        char buf[4096];
        struct writer w;
        fprintf(stderr, "%s:%u:%u: %s: %s\n", x->path, x->line, x->column, level, x->text);
        if (!json)
            continue;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"path\":");
        writer_json_text(&w, slice_str(x->path));
        writer_text(&w, ",\"line\":");
        writer_u64_text(&w, x->line);
        writer_text(&w, ",\"column\":");
        writer_u64_text(&w, x->column);
        writer_text(&w, ",\"level\":\"");
        writer_text(&w, level);
        writer_text(&w, "\",\"text\":");
        writer_json_text(&w, slice_str(x->text));
        writer_u8(&w, '}');
        put_line(stdout, &w);
    }
    if (d->error_count + d->warning_count > d->count)
        fprintf(stderr, "and %u more\n", d->error_count + d->warning_count - d->count);
}

/* Loads the rules for a run. False, with the reasons said, when the run must not go on. */
static bool load_rules(struct plan *p, const struct options *o)
{
    struct diag d;

    diag_init(&d);
    plan_init(p);
    enum vs_err err = plan_load(p, o->path, o->path_count, &d);
    if (err != VS_OK)
        show_diag(&d, false);
    bool ok = err == VS_OK || (err == VS_ERR_CONFIG && o->skip_broken);
    if (!ok)
        fprintf(stderr, "vsoc rule: %u errors in rules; correct them%s\n", d.error_count,
                err == VS_ERR_CONFIG ? ", or leave such rules out with --skip-broken" : "");
    diag_done(&d);
    if (!ok)
        plan_done(p);
    return ok;
}

static bool open_events(const char *path, struct text_file *f)
{
    memset(f, 0, sizeof *f);
    if (text_file_open(path, f) == VS_OK)
        return true;
    fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
    return false;
}

static int run_check(const struct options *o)
{
    struct plan p;
    struct diag d;

    diag_init(&d);
    plan_init(&p);
    p.strict = o->strict;
    enum vs_err err = plan_load(&p, o->path, o->path_count, &d);
    show_diag(&d, true);
    fprintf(stderr, "%u rules in %u files: %u errors, %u warnings\n", p.rule_count, p.file_count, d.error_count,
            d.warning_count);
    int code = err == VS_ERR_IO ? EXIT_USAGE : d.error_count > 0 ? EXIT_FINDINGS : EXIT_OK;
    plan_done(&p);
    diag_done(&d);
    return code;
}

static void show_test(void *ctx, const struct rule_test_result *r)
{
    char buf[8192];
    struct writer w;

    (void)ctx;
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"path\":");
    writer_json_text(&w, slice_str(r->path));
    writer_text(&w, ",\"line\":");
    writer_u64_text(&w, r->line);
    writer_text(&w, ",\"case\":");
    writer_json_text(&w, slice_str(r->name));
    writer_text(&w, r->passed ? ",\"passed\":true" : ",\"passed\":false,\"reason\":");
    if (!r->passed)
        writer_json_text(&w, slice_str(r->reason));
    writer_u8(&w, '}');
    put_line(stdout, &w);
    if (!r->passed)
        fprintf(stderr, "%s:%u: failed: %s: %s\n", r->path, r->line, r->name, r->reason);
}

static int run_test(const struct options *o)
{
    struct rule_test_totals totals = {0};
    struct diag d;
    enum vs_err err = VS_OK;

    diag_init(&d);
    for (unsigned i = 0; i < o->path_count; i++) {
        enum vs_err one = rule_test_run(o->path[i], &d, show_test, NULL, &totals);
        err = err == VS_OK ? one : err;
    }
    if (d.error_count > 0)
        show_diag(&d, false);
    diag_done(&d);
    fprintf(stderr, "%u cases in %u files: %u passed, %u failed\n", totals.passed + totals.failed, totals.files,
            totals.passed, totals.failed);
    if (err != VS_OK)
        return EXIT_USAGE;
    return totals.failed > 0 ? EXIT_FINDINGS : EXIT_OK;
}

/* Counts lines that cannot be used and names the first few. */
struct bad_lines {
    const char *path;
    uint64_t count;
};

static void bad_line(void *ctx, uint64_t line, const char *reason)
{
    struct bad_lines *b = ctx;

    if (b->count++ < BAD_LINES_SHOWN)
        fprintf(stderr, "%s:%llu: left out: %s\n", b->path, (unsigned long long)line, reason);
}

/* Lines left out are reported; they fail the run when they must not be there, or when nothing else was. */
static int lines_code(const struct options *o, uint64_t lines, uint64_t bad)
{
    if (bad > BAD_LINES_SHOWN)
        fprintf(stderr, "%s: and %llu more\n", o->events, (unsigned long long)(bad - BAD_LINES_SHOWN));
    return bad > 0 && (o->strict || bad == lines) ? EXIT_USAGE : EXIT_OK;
}

static void eval_record(struct matcher *m, struct record *r, uint64_t line, bool logsource, const uint32_t source[6],
                        uint64_t *matches)
{
    const uint32_t *candidate;
    uint32_t count = match_candidates(m, r, &candidate);

    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = m->plan->rule[candidate[i]];
        char buf[4096];
        struct writer w;
        if ((logsource && !match_source(rule, r, source)) || !match_expr(m, rule->expr, r))
            continue;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"rule\":");
        writer_json_text(&w, rule->label);
        writer_text(&w, ",\"line\":");
        writer_u64_text(&w, line);
        writer_u8(&w, '}');
        put_line(stdout, &w);
        (*matches)++;
    }
}

static int eval_lines(struct plan *p, struct slice text, const struct options *o)
{
    static const char *const SOURCE[6] = {"product",           "category",           "service",
                                          "logsource.product", "logsource.category", "logsource.service"};
    struct bad_lines bad = {.path = o->events};
    struct json_reader *reader;
    struct record r;
    struct matcher m;
    struct json_lines it;
    struct slice doc;
    uint32_t source[6];
    uint64_t lines = 0;
    uint64_t matches = 0;

    if (json_reader_new(&reader) != VS_OK)
        return EXIT_USAGE;
    for (unsigned i = 0; i < 6; i++)
        source[i] = fields_add(&p->fields, slice_str(SOURCE[i]));
    record_init(&r, &p->fields);
    matcher_init(&m, p);
    json_lines_init(&it, text);
    while (json_lines_next(&it, &doc)) {
        struct json_object object;
        const char *reason = "cannot be read";
        lines++;
        if (json_reader_object(reader, doc, &object, &reason) != VS_OK ||
            record_from_json(&r, &object, false, &reason) != VS_OK)
            bad_line(&bad, it.line, reason);
        else
            eval_record(&m, &r, it.line, o->logsource, source, &matches);
    }
    int code = lines_code(o, lines, bad.count);
    fprintf(stderr, "%llu lines, %u rules: %llu matches, %llu lines left out, %llu regular expressions undecided\n",
            (unsigned long long)lines, p->base_count, (unsigned long long)matches, (unsigned long long)bad.count,
            (unsigned long long)m.undecided_count);
    matcher_done(&m);
    record_done(&r);
    json_reader_free(reader);
    return code;
}

static void show_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    static char buf[ALERT_JSON_SIZE];
    uint64_t *count = ctx;
    struct writer w;

    (void)rule;
    writer_init(&w, buf, sizeof buf);
    alert_json_write(al, &w);
    put_line(stdout, &w);
    (*count)++;
}

static void show_report(const struct backtest_report *r, uint64_t alerts)
{
    const struct engine_counters *c = &r->engine;

    fprintf(stderr,
            "%llu lines: %llu events, %llu matched, %llu duplicates, %llu conflicting copies, %llu left out, "
            "%llu quarantined (dated after receipt), %llu received beyond the horizon\n",
            (unsigned long long)r->lines, (unsigned long long)c->events, (unsigned long long)c->matched,
            (unsigned long long)c->duplicates, (unsigned long long)c->conflicts, (unsigned long long)r->bad_lines,
            (unsigned long long)r->quarantined, (unsigned long long)r->beyond_horizon);
    if (r->geo_untrusted + r->geo_no_position > 0)
        fprintf(stderr,
                "geo_velocity passed over %llu contacts with an untrusted clock and %llu without a valid position\n",
                (unsigned long long)r->geo_untrusted, (unsigned long long)r->geo_no_position);
    if (r->places_dropped + r->regex_undecided > 0)
        fprintf(stderr, "limits: %llu group places dropped, %llu regular expressions undecided\n",
                (unsigned long long)r->places_dropped, (unsigned long long)r->regex_undecided);
    fprintf(stderr, "%llu alerts\n", (unsigned long long)alerts);
}

static int backtest_lines(struct plan *p, struct slice text, const struct options *o)
{
    struct bad_lines bad = {.path = o->events};
    struct backtest_options options = {
        .workers = o->workers, .horizon_us = HORIZON_US_DEFAULT, .bad_line = bad_line, .ctx = &bad};
    struct backtest_report report;
    uint64_t alerts = 0;
    enum vs_err err = backtest_run(p, text, &options, show_alert, &alerts, &report);

    if (err != VS_OK) {
        fprintf(stderr, "vsoc rule: %s\n", vs_err_text(err));
        return EXIT_USAGE;
    }
    show_report(&report, alerts);
    return lines_code(o, report.lines, report.bad_lines);
}

static int explain_lines(struct plan *p, struct slice text, const struct options *o)
{
    struct bad_lines bad = {.path = o->events};
    struct json_reader *reader;
    struct record r;
    struct matcher m;
    struct json_lines it;
    struct slice doc;
    uint64_t lines = 0;
    char *buf = malloc(EXPLAIN_SIZE);

    if (buf == NULL || json_reader_new(&reader) != VS_OK) {
        free(buf);
        return EXIT_USAGE;
    }
    record_init(&r, &p->fields);
    matcher_init(&m, p);
    json_lines_init(&it, text);
    while (json_lines_next(&it, &doc)) {
        struct json_object object;
        const char *reason = "cannot be read";
        lines++;
        if (json_reader_object(reader, doc, &object, &reason) != VS_OK) {
            bad_line(&bad, it.line, reason);
            continue;
        }
        /* An event when it is one, with what is derived then; else any object. */
        if (record_from_json(&r, &object, true, &reason) != VS_OK &&
            record_from_json(&r, &object, false, &reason) != VS_OK) {
            bad_line(&bad, it.line, reason);
            continue;
        }
        for (uint32_t i = 0; i < p->base_count; i++) {
            struct writer w;
            writer_init(&w, buf, EXPLAIN_SIZE);
            explain_write(&m, p->rule[p->base[i]], &r, it.line, &w);
            put_line(stdout, &w);
        }
    }
    matcher_done(&m);
    record_done(&r);
    json_reader_free(reader);
    free(buf);
    return lines_code(o, lines, bad.count);
}

static int run_on_events(const struct options *o, int (*run)(struct plan *, struct slice, const struct options *))
{
    struct text_file f;
    struct plan p;

    if (o->events == NULL)
        return usage("--events FILE is missing");
    if (!load_rules(&p, o))
        return EXIT_USAGE;
    if (!open_events(o->events, &f)) {
        plan_done(&p);
        return EXIT_USAGE;
    }
    int code = run(&p, f.bytes, o);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "vsoc rule: cannot write: %s\n", strerror(errno));
        code = EXIT_USAGE;
    }
    text_file_close(&f);
    plan_done(&p);
    return code;
}

int cmd_rule(int argc, char **argv)
{
    static struct options o;

    if (argc < 2)
        return usage("which verb?");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(USAGE, stdout);
        return EXIT_OK;
    }
    const char *verb = argv[1];
    if (verb[0] == '-')
        return usage_refuse("vsoc rule", argc, argv, USAGE);
    bool free_paths = strcmp(verb, "check") == 0 || strcmp(verb, "test") == 0;
    o.workers = 1;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(USAGE, stdout);
            return EXIT_OK;
        }
    }
    const char *wrong = read_options(argc - 2, argv + 2, free_paths, &o);
    if (wrong != NULL)
        return usage(wrong);
    if (strcmp(verb, "check") == 0)
        return run_check(&o);
    if (strcmp(verb, "test") == 0)
        return run_test(&o);
    if (strcmp(verb, "eval") == 0)
        return run_on_events(&o, eval_lines);
    if (strcmp(verb, "backtest") == 0)
        return run_on_events(&o, backtest_lines);
    if (strcmp(verb, "explain") == 0)
        return run_on_events(&o, explain_lines);
    return usage("unknown verb");
}
