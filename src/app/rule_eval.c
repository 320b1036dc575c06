/* vsoc rule eval: which detections match which lines. */
#include "app/rule_cli.h"
#include "detect/sigma/route.h"

/* `rt` is NULL when log sources are not looked at. */
static void eval_record(struct matcher *m, struct router *rt, struct record *r, uint64_t line, uint64_t *matches)
{
    const uint32_t *candidate;
    uint32_t count = rt != NULL ? router_candidates(rt, m, r, &candidate) : match_candidates(m, r, &candidate);

    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = m->plan->rule[candidate[i]];
        char buf[4096];
        struct writer w;
        if (rule->is_shadow || (rt != NULL && !match_source(rule, r, rt->field)) || !match_expr(m, rule->expr, r))
            continue;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"rule\":");
        writer_json_text(&w, rule->label);
        writer_text(&w, ",\"line\":");
        writer_u64_text(&w, line);
        writer_u8(&w, '}');
        rule_put_line(stdout, &w);
        (*matches)++;
    }
}

static int eval_lines(struct plan *p, struct slice text, const struct rule_options *o)
{
    struct bad_lines bad = {.path = o->events};
    struct json_reader *reader;
    struct record r;
    struct matcher m;
    struct router rt;
    struct json_lines it;
    struct slice doc;
    uint64_t lines = 0;
    uint64_t matches = 0;

    if (json_reader_new(&reader) != VS_OK)
        return EXIT_USAGE;
    router_fields(&p->fields);
    router_init(&rt, p);
    record_init(&r, &p->fields);
    matcher_init(&m, p);
    json_lines_init(&it, text);
    while (json_lines_next(&it, &doc)) {
        struct json_object object;
        const char *reason = "cannot be read";
        lines++;
        if (json_reader_object(reader, doc, &object, &reason) != VS_OK ||
            record_from_json(&r, &object, false, &reason) != VS_OK)
            rule_bad_line(&bad, it.line, reason);
        else
            eval_record(&m, o->logsource ? &rt : NULL, &r, it.line, &matches);
    }
    int code = rule_lines_code(o, lines, bad.count);
    fprintf(stderr, "%llu lines, %u rules: %llu matches, %llu lines left out, %llu regular expressions undecided\n",
            (unsigned long long)lines, p->base_count, (unsigned long long)matches, (unsigned long long)bad.count,
            (unsigned long long)m.undecided_count);
    router_done(&rt);
    matcher_done(&m);
    record_done(&r);
    json_reader_free(reader);
    return code;
}

int rule_eval(const struct rule_options *o)
{
    return rule_on_events(o, eval_lines);
}
