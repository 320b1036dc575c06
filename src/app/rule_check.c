/* vsoc rule check and vsoc rule test. */
#include "app/rule_cli.h"
#include "detect/lab/rule_test.h"

int rule_check(const struct rule_options *o)
{
    struct plan p;
    struct diag d;

    diag_init(&d);
    rule_plan_init(&p, o);
    p.strict = o->strict;
    enum vs_err err = plan_load(&p, o->path, o->path_count, &d);
    rule_show_diag(&d, true);
    fprintf(stderr, "%u rules in %u files: %u errors, %u warnings\n", p.loaded_count, p.file_count, d.error_count,
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

    junit_case(ctx, slice_str(r->path), slice_str(r->name), slice_str(r->reason));
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
    rule_put_line(stdout, &w);
    if (!r->passed)
        fprintf(stderr, "%s:%u: failed: %s: %s\n", r->path, r->line, r->name, r->reason);
}

int rule_test(const struct rule_options *o)
{
    struct rule_test_totals totals = {0};
    struct diag d;
    struct junit j;
    enum vs_err err = VS_OK;

    diag_init(&d);
    junit_init(&j);
    for (unsigned i = 0; i < o->path_count; i++) {
        enum vs_err one = rule_test_run(o->path[i], &d, show_test, &j, &totals);
        err = err == VS_OK ? one : err;
    }
    if (d.error_count > 0)
        rule_show_diag(&d, false);
    diag_done(&d);
    fprintf(stderr, "%u cases in %u files: %u passed, %u failed\n", totals.passed + totals.failed, totals.files,
            totals.passed, totals.failed);
    bool written = o->junit == NULL || rule_write_junit(&j, "vsoc rule test", o->junit);
    junit_done(&j);
    if (!written)
        return EXIT_USAGE;
    if (err != VS_OK)
        return EXIT_USAGE;
    return totals.failed > 0 ? EXIT_FINDINGS : EXIT_OK;
}
