#include "detect/sigma/rule_load.h"

#include "detect/sigma/rule_condition.h"
#include "detect/sigma/rule_context.h"

#include <stdarg.h>
#include <stdio.h>

#include "detect/sigma/rule_load_internal.h"

#define SELECTIONS_MAX 1024

void load_complain(const struct load *l, const struct yaml_node *at, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(l->src->diag, DIAG_ERROR, l->src->path, at->line, at->column, "%s", text);
    l->rule->broken = true;
}

void load_warn(const struct load *l, const struct yaml_node *at, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(l->src->diag, DIAG_WARNING, l->src->path, at->line, at->column, "%s", text);
}

uint8_t load_texts(const struct load *l, const struct yaml_node *n, const char *what, struct ref_text *ret,
                   unsigned max)
{
    uint8_t count = 0;
    bool list = n != NULL && n->kind == YAML_LIST;

    for (const struct yaml_node *c = list ? n->child : n; c != NULL; c = list ? c->next : NULL) {
        const struct yaml_node *v = yaml_deref(c);
        if (v->kind != YAML_SCALAR || v->text.len == 0) {
            load_complain(l, v, "%s must be a text or a list of texts", what);
            return 0;
        }
        if (count == max) {
            load_complain(l, v, "more than %u entries in %s", max, what);
            return 0;
        }
        ret[count].text = v->text;
        ret[count++].at = v;
    }
    return count;
}

void load_only(const struct load *l, const struct yaml_node *map, const char *const *known, size_t count,
               const char *what)
{
    for (const struct yaml_node *n = map->child; n != NULL; n = n->next) {
        char list[300] = "";
        size_t i = 0;
        while (i < count && !slice_equal_str(n->key->text, known[i]))
            i++;
        if (i < count)
            continue;
        for (size_t k = 0; k < count; k++) {
            size_t len = strlen(list);
            snprintf(list + len, sizeof list - len, k == 0 ? "%s" : k + 1 == count ? " or %s" : ", %s", known[k]);
        }
        load_complain(l, n->key, "unknown key '%.*s' in %s; expected %s", (int)n->key->text.len,
                      (const char *)n->key->text.ptr, what, list);
    }
}

static const char *const SEVERITY[] = {"informational", "low", "medium", "high", "critical"};

bool rule_read_severity(struct slice text, uint8_t *ret)
{
    for (uint8_t i = 0; i < 5; i++) {
        if (slice_equal_str(text, SEVERITY[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *rule_severity_name(uint8_t severity)
{
    return severity < 5 ? SEVERITY[severity] : SEVERITY[0];
}

bool rule_read_span(struct slice text, int64_t *ret_us)
{
    static const struct {
        char letter;
        int64_t s;
    } UNIT[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct val number;

    if (text.len < 2 || !val_parse_number(slice_head(text, text.len - 1), &number) || number.kind != VAL_INT ||
        number.num.i < 0 || number.num.i > 100000000)
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (text.ptr[text.len - 1] == (uint8_t)UNIT[i].letter) {
            *ret_us = number.num.i * UNIT[i].s * US_PER_S;
            return true;
        }
    }
    return false;
}

/* A text of the document; empty when it is not there. */
static struct slice text_of(const struct load *l, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = yaml_get(map, key);

    if (n == NULL || yaml_is_null(n))
        return slice_str("");
    if (n->kind != YAML_SCALAR) {
        load_complain(l, n, "%s must be text", key);
        return slice_str("");
    }
    return n->text;
}

static struct expr *load_selection(const struct load *l, const struct yaml_node *at, const struct yaml_node *n,
                                   unsigned depth);

static struct expr *item_expr(const struct load *l, struct slice key, const struct yaml_node *at,
                              const struct yaml_node *value)
{
    struct item *item = rule_value_item(l->src, key, at, value);

    if (item == NULL) {
        l->rule->broken = true;
        return NULL;
    }
    struct expr *e = expr_new(l->src->arena, EXPR_ITEM);
    e->item = item;
    return e;
}

/* A map: every key must hold. */
static struct expr *load_map(const struct load *l, const struct yaml_node *n)
{
    struct expr *all = expr_new(l->src->arena, EXPR_AND);

    if (n->child == NULL)
        load_complain(l, n, "empty map: it would match everything");
    for (const struct yaml_node *c = n->child; c != NULL; c = c->next) {
        struct expr *e = item_expr(l, c->key->text, c->key, yaml_deref(c));
        if (e != NULL)
            expr_add(l->src->arena, all, e);
    }
    return all;
}

/* A list of maps, or of texts that are searched for in the whole event: any of them is enough. */
static struct expr *load_list(const struct load *l, const struct yaml_node *n, unsigned depth)
{
    struct expr *any = expr_new(l->src->arena, EXPR_OR);

    if (n->child == NULL)
        load_complain(l, n, "empty list: it would never match");
    for (const struct yaml_node *c = n->child; c != NULL; c = c->next) {
        struct expr *e = load_selection(l, c, yaml_deref(c), depth + 1);
        if (e != NULL)
            expr_add(l->src->arena, any, e);
    }
    return any;
}

static struct expr *load_selection(const struct load *l, const struct yaml_node *at, const struct yaml_node *n,
                                   unsigned depth)
{
    if (depth > 4) {
        load_complain(l, at, "selection is nested too deeply");
        return NULL;
    }
    if (n->kind == YAML_MAP)
        return load_map(l, n);
    if (n->kind == YAML_LIST)
        return load_list(l, n, depth);
    if (yaml_is_null(n)) {
        load_complain(l, at, "expected a map, a list or a text to search for");
        return NULL;
    }
    return item_expr(l, slice_str(""), at, n);
}

static void load_detection(const struct load *l, const struct yaml_node *detection)
{
    struct selection *sel = arena_alloc(l->src->arena, SELECTIONS_MAX * sizeof *sel);
    const struct yaml_node *condition = yaml_get(detection, "condition");
    uint32_t count = 0;

    if (detection->kind != YAML_MAP) {
        load_complain(l, detection, "detection must be a map of selections and a condition");
        return;
    }
    for (const struct yaml_node *c = detection->child; c != NULL; c = c->next) {
        if (slice_equal_str(c->key->text, "condition"))
            continue;
        if (slice_equal_str(c->key->text, "timeframe")) {
            load_warn(l, c->key,
                      "timeframe belongs to the old aggregations and has no effect; write a correlation rule");
            continue;
        }
        if (l->rule->is_filter && slice_equal_str(c->key->text, "rules"))
            continue;
        if (count == SELECTIONS_MAX) {
            load_complain(l, c->key, "more than %d selections", SELECTIONS_MAX);
            return;
        }
        sel[count].name = c->key->text;
        sel[count].at = c->key;
        sel[count].expr = load_selection(l, c, yaml_deref(c), 0);
        if (sel[count].expr != NULL)
            sel[count].expr->name = c->key->text;
        count++;
    }
    if (condition == NULL) {
        load_complain(l, detection, "detection needs a condition");
        return;
    }
    if (l->rule->broken)
        return;
    l->rule->expr = rule_condition(l->src, condition, sel, count);
    l->rule->broken |= l->rule->expr == NULL;
    for (uint32_t i = 0; i < count && !l->rule->broken; i++)
        if (!sel[i].used && (sel[i].name.len == 0 || sel[i].name.ptr[0] != '_'))
            load_warn(l, sel[i].at, "selection '%.*s' is not used by the condition", (int)sel[i].name.len,
                      (const char *)sel[i].name.ptr);
}

static void load_logsource(const struct load *l, const struct yaml_node *n)
{
    l->rule->has_logsource = true;
    if (n->kind != YAML_MAP) {
        load_complain(l, n, "logsource must be a map of category, product and service");
        return;
    }
    l->rule->product = text_of(l, n, "product");
    l->rule->category = text_of(l, n, "category");
    l->rule->service = text_of(l, n, "service");
}

static void load_head(const struct load *l, const struct yaml_node *doc)
{
    struct rule *r = l->rule;
    const struct yaml_node *level = yaml_get(doc, "level");

    r->title = text_of(l, doc, "title");
    r->id = text_of(l, doc, "id");
    r->name = text_of(l, doc, "name");
    r->status = text_of(l, doc, "status");
    r->description = text_of(l, doc, "description");
    r->label = r->name.len > 0 ? r->name : r->id.len > 0 ? r->id : r->title;
    if (r->label.len == 0)
        load_complain(l, doc, "rule needs a title, and better a name or an id as well to call it by");
    else if (r->title.len == 0)
        load_warn(l, doc, "rule has no title, which the specification wants of every rule");
    r->severity = ALERT_MEDIUM;
    r->taxonomy = text_of(l, doc, "taxonomy");
    if (slice_equal_str(r->taxonomy, "sigma"))
        r->taxonomy = slice_str("");
    if (!pipeline_knows_taxonomy(l->src->pipeline, r->taxonomy))
        load_complain(l, yaml_get(doc, "taxonomy"),
                      "taxonomy '%.*s' is not known here; expected sigma, or a pipeline beside the rules with a "
                      "field_name_mapping for it",
                      (int)r->taxonomy.len, (const char *)r->taxonomy.ptr);
    if (slice_equal_str(r->status, "unsupported"))
        load_complain(l, yaml_get(doc, "status"),
                      "status is unsupported: by its own words this rule cannot be used in its current state");
    if (level != NULL && (level->kind != YAML_SCALAR || !rule_read_severity(level->text, &r->severity)))
        load_complain(l, level, "level must be informational, low, medium, high or critical");
}

static void load_filter(const struct load *l, const struct yaml_node *filter)
{
    struct ref_text ref[RULE_LIST_MAX];
    const struct yaml_node *rules = yaml_get(filter, "rules");

    l->rule->is_filter = true;
    l->rule->filter_ref_count = load_texts(l, rules, "rules", ref, RULE_LIST_MAX);
    for (uint8_t i = 0; i < l->rule->filter_ref_count; i++)
        l->rule->filter_ref[i] = ref[i].text;
    if (l->rule->filter_ref_count == 0)
        load_complain(l, filter, "filter needs `rules`: names or ids of the rules it applies to, or `any`");
    load_detection(l, filter);
}

void rule_load(const struct rule_source *src, const struct yaml_node *doc, struct rule *r,
               struct correlation_text *text)
{
    struct load l = {.src = src, .rule = r};
    const struct yaml_node *detection = yaml_get(doc, "detection");
    const struct yaml_node *correlation = yaml_get(doc, "correlation");
    const struct yaml_node *filter = yaml_get(doc, "filter");
    const struct yaml_node *logsource = yaml_get(doc, "logsource");

    r->path = src->path;
    r->line = doc->line;
    r->column = doc->column;
    r->doc = doc;
    r->context.episode_us = -1;
    r->context.budget = (struct rule_budget){-1, -1, -1};
    if (doc->kind != YAML_MAP) {
        load_complain(&l, doc,
                      "expected a Sigma rule: a map with title, logsource and detection, or title and correlation");
        return;
    }
    load_head(&l, doc);
    if (logsource != NULL)
        load_logsource(&l, logsource);
    if ((detection != NULL) + (correlation != NULL) + (filter != NULL) != 1) {
        load_complain(&l, doc, "rule needs exactly one of detection, correlation and filter");
        return;
    }
    if (correlation != NULL) {
        r->is_correlation = true;
        load_correlation(&l, doc, correlation, text);
    } else if (filter != NULL) {
        load_filter(&l, filter);
    } else {
        if (logsource == NULL)
            load_warn(&l, doc, "rule has no logsource; it is taken to cover every event");
        load_detection(&l, detection);
    }
    load_schema(&l, doc);
    if (yaml_get(doc, "vsoc") != NULL && !rule_context_load(src, yaml_get(doc, "vsoc"), &r->context))
        r->broken = true;
}

uint8_t rule_severity(const struct rule *r, nano peak)
{
    uint8_t severity = r->severity;

    for (uint8_t i = 0; i < r->context.step_count; i++)
        if (peak >= (nano)r->context.step[i].peak * NANO_ONE)
            severity = r->context.step[i].severity;
    return severity;
}
