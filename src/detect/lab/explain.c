#include "detect/lab/explain.h"

#include "detect/lab/vehicle_words.h"

#define MISSING_MAX 64 /* fields that are named */

struct explain {
    struct matcher *m;
    struct record *r;
    struct writer *w;
    bool first;
    bool matched_only;
    const struct dbc *dbc;
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

/* What the first value means that has words. */
static void put_words(struct explain *x, const struct item *item)
{
    if (item->field == ITEM_KEYWORDS)
        return;
    for (struct val *v = record_get(x->r, item->field); v != NULL; v = record_more(x->r, v)) {
        struct slice words = vehicle_words(item->field, v, x->dbc);
        if (words.len == 0)
            continue;
        writer_text(x->w, ",\"means\":");
        writer_json_text(x->w, words);
        return;
    }
}

/* A value of the rule as it was written, with its words behind it. */
static void put_expected(struct explain *x, const struct item *item, const struct test *t)
{
    char text[300];
    struct slice words = t->op == TEST_NUMBER && item->field != ITEM_KEYWORDS
                             ? vehicle_words(item->field, &t->number, x->dbc)
                             : slice_str("");

    if (words.len == 0) {
        writer_json_text(x->w, t->source);
        return;
    }
    struct writer both;
    writer_init(&both, text, sizeof text);
    writer_put(&both, t->source);
    writer_text(&both, " ");
    writer_put(&both, words);
    writer_json_text(x->w, writer_slice(&both));
}

static void put_item(struct explain *x, struct slice selection, const struct item *item)
{
    bool match = match_item(x->m, item, x->r);

    if (x->matched_only && !match)
        return;
    writer_text(x->w, x->first ? "{\"selection\":" : ",{\"selection\":");
    x->first = false;
    writer_json_text(x->w, selection);
    writer_text(x->w, ",\"field\":");
    writer_json_text(x->w, item->field == ITEM_KEYWORDS ? slice_str("(anywhere)") : item->source);
    writer_text(x->w, match ? ",\"match\":true" : ",\"match\":false");
    put_values(x, item);
    put_words(x, item);
    writer_text(x->w, ",\"expected\":[");
    for (uint32_t i = 0; i < item->test_count && i < EXPLAIN_VALUES_MAX; i++) {
        if (i > 0)
            writer_u8(x->w, ',');
        put_expected(x, item, item->test[i]);
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

/* Fields that the rule asks for and the event does not have, each once. */
static void put_missing(struct explain *x, const struct expr *e, uint32_t *told, uint32_t *count)
{
    const struct item *item = e->kind == EXPR_ITEM ? e->item : NULL;
    bool known = item == NULL || item->field == ITEM_KEYWORDS || record_get(x->r, item->field) != NULL;

    for (uint32_t i = 0; i < *count && !known; i++)
        known = told[i] == item->field;
    if (!known && *count < MISSING_MAX) {
        writer_text(x->w, *count > 0 ? "," : "");
        writer_json_text(x->w, intern_text(&x->r->fields->names, item->field));
        told[(*count)++] = item->field;
    }
    for (uint32_t i = 0; i < e->count; i++)
        put_missing(x, e->child[i], told, count);
}

void explain_write_matched(struct matcher *m, const struct rule *rule, struct record *r, const struct dbc *dbc,
                           struct writer *w)
{
    struct explain x = {.m = m, .r = r, .w = w, .first = true, .matched_only = true, .dbc = dbc};

    writer_u8(w, '[');
    put_expr(&x, slice_str(""), rule->expr);
    writer_u8(w, ']');
}

void explain_write(struct matcher *m, const struct rule *rule, struct record *r, uint64_t line, const struct dbc *dbc,
                   struct writer *w)
{
    struct explain x = {.m = m, .r = r, .w = w, .first = true, .dbc = dbc};
    bool source = match_vehicle_source(rule, r);
    uint32_t told[MISSING_MAX];
    uint32_t count = 0;

    writer_text(w, "{\"rule\":");
    writer_json_text(w, rule->label);
    writer_text(w, ",\"line\":");
    writer_u64_text(w, line);
    writer_text(w, match_expr(m, rule->expr, r) ? ",\"match\":true" : ",\"match\":false");
    writer_text(w, source ? ",\"logsource\":true,\"why\":[" : ",\"logsource\":false,\"why\":[");
    put_expr(&x, slice_str(""), rule->expr);
    writer_text(w, "],\"missing\":[");
    put_missing(&x, rule->expr, told, &count);
    writer_text(w, "]}");
}
