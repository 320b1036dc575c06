/* vsoc rule explain: why events match, or why an alert stands. */
#include <stdlib.h>

#include "app/dbc_file.h"
#include "app/rule_cli.h"
#include "app/rule_explain_alert.h"
#include "detect/lab/explain.h"
#include "detect/sigma/match.h"

static int explain_events(struct plan *p, struct slice text, const struct rule_options *o, const struct dbc *dbc)
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
            rule_bad_line(&bad, it.line, reason);
            continue;
        }
        /* An event when it is one, with what is derived then; else any object. */
        if (record_from_json(&r, &object, true, &reason) != VS_OK &&
            record_from_json(&r, &object, false, &reason) != VS_OK) {
            rule_bad_line(&bad, it.line, reason);
            continue;
        }
        for (uint32_t i = 0; i < p->base_count; i++) {
            struct writer w;
            if (p->rule[p->base[i]]->is_shadow)
                continue;
            writer_init(&w, buf, EXPLAIN_SIZE);
            explain_write(&m, p->rule[p->base[i]], &r, it.line, dbc, &w);
            rule_put_line(stdout, &w);
        }
    }
    matcher_done(&m);
    record_done(&r);
    json_reader_free(reader);
    free(buf);
    return rule_lines_code(o, lines, bad.count);
}

static int explain_lines(struct plan *p, struct slice text, const struct rule_options *o)
{
    struct dbc_file f = {0};

    if (o->dbc != NULL && dbc_file_open(&f, o->dbc, DBC_LENIENT) != VS_OK) {
        fprintf(stderr, "%s\n", f.error);
        return EXIT_USAGE;
    }
    const struct dbc *dbc = o->dbc != NULL ? &f.dbc : NULL;
    int code = o->alert != NULL ? rule_explain_alert(p, text, o, dbc) : explain_events(p, text, o, dbc);
    if (o->dbc != NULL)
        dbc_file_close(&f);
    return code;
}

int rule_explain(const struct rule_options *o)
{
    if (o->store != NULL && o->alert != NULL && o->events == NULL)
        return rule_explain_stored(o);
    if (o->path_count == 0)
        return rule_usage("no rules named");
    return rule_on_events(o, explain_lines);
}
