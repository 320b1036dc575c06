#include "app/rule_cli.h"

#include <errno.h>
#include <string.h>

#define BAD_LINES_SHOWN 20

void rule_put_line(FILE *out, const struct writer *w)
{
    fwrite(w->buf, 1, w->len, out);
    fputc('\n', out);
}

void rule_show_diag(const struct diag *d, bool json)
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
        rule_put_line(stdout, &w);
    }
    if (d->error_count + d->warning_count > d->count)
        fprintf(stderr, "and %u more\n", d->error_count + d->warning_count - d->count);
}

void rule_plan_init(struct plan *p, const struct rule_options *o)
{
    plan_init(p);
    p->placeholder_path = o->placeholders;
    p->placeholder_path_count = o->placeholders_count;
}

bool rule_load_plan(struct plan *p, const struct rule_options *o)
{
    struct diag d;

    diag_init(&d);
    rule_plan_init(p, o);
    enum vs_err err = plan_load(p, o->path, o->path_count, &d);
    if (err != VS_OK)
        rule_show_diag(&d, false);
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

void rule_bad_line(void *ctx, uint64_t line, const char *reason)
{
    struct bad_lines *b = ctx;

    if (b->count++ < BAD_LINES_SHOWN)
        fprintf(stderr, "%s:%llu: left out: %s\n", b->path, (unsigned long long)line, reason);
}

int rule_lines_code(const struct rule_options *o, uint64_t lines, uint64_t bad)
{
    if (bad > BAD_LINES_SHOWN)
        fprintf(stderr, "%s: and %llu more\n", o->events, (unsigned long long)(bad - BAD_LINES_SHOWN));
    return bad > 0 && (o->strict || bad == lines) ? EXIT_USAGE : EXIT_OK;
}

int rule_on_events(const struct rule_options *o,
                   int (*run)(struct plan *p, struct slice text, const struct rule_options *o))
{
    struct text_file f;
    struct plan p;

    if (o->events == NULL)
        return rule_usage("--events FILE is missing");
    if (!rule_load_plan(&p, o))
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

bool rule_write_junit(const struct junit *j, const char *suite, const char *path)
{
    FILE *out = fopen(path, "w");
    bool ok = out != NULL && junit_write(j, suite, out);

    if (out != NULL)
        ok &= fclose(out) == 0;
    if (!ok)
        fprintf(stderr, "%s: cannot write: %s\n", path, strerror(errno));
    return ok;
}
