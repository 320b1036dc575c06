/* vsoc rule backtest: the alerts that a file of events gives, or how they differ from what is expected. */
#include <errno.h>
#include <string.h>

#include "app/rule_cli.h"
#include "detect/lab/alert_json.h"
#include "detect/lab/backtest.h"
#include "detect/lab/expect.h"

struct shown {
    uint64_t count;
    struct expect *expect; /* NULL: print alerts */
};

static void show_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    static char buf[ALERT_JSON_SIZE];
    struct shown *s = ctx;
    struct writer w;

    (void)rule;
    writer_init(&w, buf, sizeof buf);
    alert_json_write(al, &w);
    s->count++;
    if (s->expect != NULL)
        expect_take(s->expect, writer_slice(&w));
    else
        rule_put_line(stdout, &w);
}

/* One line per difference; alerts as expected are only counted. */
static void show_difference(void *ctx, const struct expect_result *r)
{
    static const char *const KIND[] = {"same", "changed", "missing", "unexpected"};
    static char buf[2 * ALERT_JSON_SIZE + 4096];
    struct junit *j = ctx;
    char name[80];
    struct writer w;

    snprintf(name, sizeof name, r->line > 0 ? "line %u" : "unexpected alert", r->line);
    junit_case(j, r->rule, slice_str(name), r->kind == EXPECT_SAME ? slice_str("") : slice_str(r->reason));
    if (r->kind == EXPECT_SAME)
        return;
    fprintf(stderr, "%s: %.*s: %s\n", name, (int)r->rule.len, (const char *)r->rule.ptr, r->reason);
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"difference\":\"");
    writer_text(&w, KIND[r->kind]);
    writer_text(&w, "\",\"rule\":");
    writer_json_text(&w, r->rule);
    writer_text(&w, ",\"reason\":");
    writer_json_text(&w, slice_str(r->reason));
    if (r->expected.len > 0) {
        writer_text(&w, ",\"line\":");
        writer_u64_text(&w, r->line);
        writer_text(&w, ",\"expected\":");
        writer_put(&w, r->expected);
    }
    if (r->alert.len > 0) {
        writer_text(&w, ",\"alert\":");
        writer_put(&w, r->alert);
    }
    writer_u8(&w, '}');
    rule_put_line(stdout, &w);
}

static struct expect *open_expected(const char *path)
{
    struct expect *e = expect_new();
    struct text_file f = {0};
    struct diag d;

    diag_init(&d);
    bool ok = text_file_open(path, &f) == VS_OK;
    if (!ok)
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
    else
        ok = expect_read(e, &d, path, f.bytes);
    rule_show_diag(&d, false);
    text_file_close(&f);
    diag_done(&d);
    if (ok)
        return e;
    expect_free(e);
    return NULL;
}

static int compare(const struct rule_options *o, struct expect *e)
{
    struct junit j;

    junit_init(&j);
    uint32_t differences = expect_compare(e, show_difference, &j);
    fprintf(stderr, "%u as expected, %u differences\n", j.tests - j.failures, differences);
    int code = differences > 0 ? EXIT_FINDINGS : EXIT_OK;
    if (o->junit != NULL && !rule_write_junit(&j, "vsoc rule backtest", o->junit))
        code = EXIT_USAGE;
    junit_done(&j);
    return code;
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

static int backtest_lines(struct plan *p, struct slice text, const struct rule_options *o)
{
    struct bad_lines bad = {.path = o->events};
    struct backtest_options options = {
        .workers = o->workers, .horizon_us = HORIZON_US_DEFAULT, .bad_line = rule_bad_line, .ctx = &bad};
    struct backtest_report report;
    struct shown shown = {0};

    if (o->expect != NULL && (shown.expect = open_expected(o->expect)) == NULL)
        return EXIT_USAGE;
    enum vs_err err = backtest_run(p, text, &options, show_alert, &shown, &report);

    if (err != VS_OK) {
        fprintf(stderr, "vsoc rule: %s\n", vs_err_text(err));
        expect_free(shown.expect);
        return EXIT_USAGE;
    }
    show_report(&report, shown.count);
    int code = rule_lines_code(o, report.lines, report.bad_lines);
    if (shown.expect != NULL) {
        int difference = compare(o, shown.expect);
        code = code == EXIT_OK ? difference : code;
    }
    expect_free(shown.expect);
    return code;
}

int rule_backtest(const struct rule_options *o)
{
    if (o->junit != NULL && o->expect == NULL)
        return rule_usage("--junit reports what --expect finds, which is missing");
    return rule_on_events(o, backtest_lines);
}
