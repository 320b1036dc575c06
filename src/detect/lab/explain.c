#include "detect/lab/explain.h"

struct explain {
    struct matcher *m;
    struct record *r;
    struct writer *w;
    bool first;
};

static void put_values(struct explain *x, const struct item *item)
{
    bool first = true;

    if (item->field == ITEM_KEYWORDS)
        return;
    writer_text(x->w, ",\"value\":");
    struct val *v = record_get(x->r, item->field);
    if (v == NULL) {
        writer_text(x->w, "null,\"missing\":true");
        return;
    }
    bool many = v->more != 0;
    if (many)
        writer_u8(x->w, '[');
    for (; v != NULL; v = record_more(x->r, v), first = false) {
        if (!first)
            writer_u8(x->w, ',');
        if (v->kind == VAL_NULL)
            writer_text(x->w, "null");
        else
            writer_json_text(x->w, val_text(v, &x->r->scratch));
    }
    if (many)
        writer_u8(x->w, ']');
}

static void put_item(struct explain *x, struct slice selection, const struct item *item)
{
    writer_text(x->w, x->first ? "{\"selection\":" : ",{\"selection\":");
    x->first = false;
    writer_json_text(x->w, selection);
    writer_text(x->w, ",\"field\":");
    writer_json_text(x->w, item->field == ITEM_KEYWORDS ? slice_str("(anywhere)") : item->source);
    writer_text(x->w, match_item(x->m, item, x->r) ? ",\"match\":true" : ",\"match\":false");
    put_values(x, item);
    writer_text(x->w, ",\"expected\":[");
    for (uint32_t i = 0; i < item->test_count && i < EXPLAIN_VALUES_MAX; i++) {
        if (i > 0)
            writer_u8(x->w, ',');
        writer_json_text(x->w, item->test[i]->source);
    }
    writer_text(x->w, item->test_count > EXPLAIN_VALUES_MAX ? ",\"...\"]}" : "]}");
}

/* The depth of an expression is bounded when it is parsed. */
static void put_expr(struct explain *x, struct slice selection, const struct expr *e)
{
    if (e->name.len > 0)
        selection = e->name;
    if (e->kind == EXPR_ITEM)
        put_item(x, selection, e->item);
    for (uint32_t i = 0; i < e->count; i++)
        put_expr(x, selection, e->child[i]);
}

void explain_write(struct matcher *m, const struct rule *rule, struct record *r, uint64_t line, struct writer *w)
{
    struct explain x = {m, r, w, true};
    bool source = match_vehicle_source(rule, r);

    writer_text(w, "{\"rule\":");
    writer_json_text(w, rule->label);
    writer_text(w, ",\"line\":");
    writer_u64_text(w, line);
    writer_text(w, match_expr(m, rule->expr, r) ? ",\"match\":true" : ",\"match\":false");
    writer_text(w, source ? ",\"logsource\":true,\"why\":[" : ",\"logsource\":false,\"why\":[");
    put_expr(&x, slice_str(""), rule->expr);
    writer_text(w, "]}");
}
