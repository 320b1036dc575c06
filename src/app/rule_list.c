#include "app/rule_list.h"

#include "app/rule_alerts.h"
#include "core/writer.h"
#include "respond/rule_info.h"

#define LIST_SIZE 1024

static struct slice joined(const struct slice *item, unsigned count, char *buf)
{
    struct writer w;

    writer_init(&w, buf, LIST_SIZE);
    for (unsigned i = 0; i < count; i++) {
        size_t start = w.len;
        writer_text(&w, i > 0 ? "," : "");
        writer_put(&w, item[i]);
        writer_whole(&w, start);
    }
    return writer_slice(&w);
}

static enum vs_err write_one(struct store *st, const struct rule *rule, int64_t now_us)
{
    char tara[LIST_SIZE], r155[LIST_SIZE], atm[LIST_SIZE];
    const struct rule_context *c = &rule->context;
    struct alert_context about;
    struct rule_listing listing = {.rule = rule->label,
                                   .title = rule->title,
                                   .path = slice_str(rule->path != NULL ? rule->path : ""),
                                   .tara = joined(c->tara, c->tara_count, tara),
                                   .r155 = joined(c->r155, c->r155_count, r155),
                                   .atm = joined(c->atm, c->atm_count, atm),
                                   .severity = rule->severity};

    rule_alert_context(rule, &about);
    return rule_info_put(st, &listing, &about, now_us);
}

enum vs_err rule_list_write(struct store *st, const struct plan *plan, int64_t now_us)
{
    enum vs_err err = rule_info_begin(st);

    for (uint32_t i = 0; i < plan->rule_count && err == VS_OK; i++)
        if (plan->rule[i]->alerts && !plan->rule[i]->broken)
            err = write_one(st, plan->rule[i], now_us);
    return err;
}
