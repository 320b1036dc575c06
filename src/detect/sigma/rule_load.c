#include "detect/sigma/rule_load.h"

#include "detect/sigma/rule_condition.h"
#include "detect/sigma/rule_context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define SELECTIONS_MAX 1024

struct load {
    const struct rule_source *src;
    struct rule *rule;
};

__attribute__((format(printf, 3, 4))) static void complain(const struct load *l, const struct yaml_node *at,
                                                           const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(l->src->diag, DIAG_ERROR, l->src->path, at->line, at->column, "%s", text);
    l->rule->broken = true;
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
        complain(l, n, "%s must be text", key);
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
        complain(l, n, "empty map: it would match everything");
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
        complain(l, n, "empty list: it would never match");
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
        complain(l, at, "selection is nested too deeply");
        return NULL;
    }
    if (n->kind == YAML_MAP)
        return load_map(l, n);
    if (n->kind == YAML_LIST)
        return load_list(l, n, depth);
    if (yaml_is_null(n)) {
        complain(l, at, "expected a map, a list or a text to search for");
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
        complain(l, detection, "detection must be a map of selections and a condition");
        return;
    }
    for (const struct yaml_node *c = detection->child; c != NULL; c = c->next) {
        if (slice_equal_str(c->key->text, "condition") || slice_equal_str(c->key->text, "timeframe"))
            continue;
        if (l->rule->is_filter && slice_equal_str(c->key->text, "rules"))
            continue;
        if (count == SELECTIONS_MAX) {
            complain(l, c->key, "more than %d selections", SELECTIONS_MAX);
            return;
        }
        sel[count].name = c->key->text;
        sel[count].expr = load_selection(l, c, yaml_deref(c), 0);
        if (sel[count].expr != NULL)
            sel[count].expr->name = c->key->text;
        count++;
    }
    if (condition == NULL) {
        complain(l, detection, "detection needs a condition");
        return;
    }
    if (l->rule->broken)
        return;
    l->rule->expr = rule_condition(l->src, condition, sel, count);
    l->rule->broken |= l->rule->expr == NULL;
    for (uint32_t i = 0; i < count && !l->rule->broken; i++)
        if (!sel[i].used && sel[i].name.ptr[0] != '_')
            diag_add(l->src->diag, DIAG_WARNING, l->src->path, l->rule->line, l->rule->column,
                     "selection '%.*s' is not used by the condition", (int)sel[i].name.len,
                     (const char *)sel[i].name.ptr);
}

static bool read_nano(const struct yaml_node *n, nano *ret)
{
    double d;
    int64_t i;

    if (yaml_read_i64(n, &i)) {
        *ret = (nano)i * NANO_ONE;
        return true;
    }
    if (!yaml_read_double(n, &d) || fabs(d) > 1e18)
        return false;
    *ret = fabs(d) < 9e9 ? (nano)llround(d * 1e9) : (nano)llround(d) * NANO_ONE;
    return true;
}

static uint32_t add_field(const struct load *l, struct slice name, const struct yaml_node *at)
{
    uint32_t id = fields_add(l->src->fields, name);

    if (id == FIELD_NONE)
        complain(l, at, "rules use more than %d field names", FIELDS_MAX);
    l->src->fields->signature_used |= id == FIELD_SIGNATURE;
    l->src->fields->priority_used |= id == FIELD_PRIORITY;
    return id;
}

/* Calls back for each text of a scalar or list of scalars. */
static uint8_t read_texts(const struct load *l, const struct yaml_node *n, const char *what, struct ref_text *ret,
                          unsigned max)
{
    uint8_t count = 0;
    bool list = n != NULL && n->kind == YAML_LIST;

    for (const struct yaml_node *c = list ? n->child : n; c != NULL; c = list ? c->next : NULL) {
        const struct yaml_node *v = yaml_deref(c);
        if (v->kind != YAML_SCALAR || v->text.len == 0) {
            complain(l, v, "%s must be a text or a list of texts", what);
            return 0;
        }
        if (count == max) {
            complain(l, v, "more than %u entries in %s", max, what);
            return 0;
        }
        ret[count].text = v->text;
        ret[count++].at = v;
    }
    return count;
}

static void load_bounds(const struct load *l, struct correlation *c, const struct yaml_node *condition)
{
    static const char *const OP[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
    struct ref_text field[ALERT_GROUP_MAX];

    if (condition->kind != YAML_MAP) {
        complain(l, condition, "condition must be a map such as {gte: 10}");
        return;
    }
    for (const struct yaml_node *n = condition->child; n != NULL; n = n->next) {
        const struct yaml_node *v = yaml_deref(n);
        int64_t percentile;
        size_t op = 0;
        while (op < 6 && !slice_equal_str(n->key->text, OP[op]))
            op++;
        if (op < 6) {
            c->bound[c->bound_count].op = (uint8_t)op;
            if (!read_nano(v, &c->bound[c->bound_count].value))
                complain(l, v, "%s needs a number", OP[op]);
            c->bound_count++;
        } else if (slice_equal_str(n->key->text, "field")) {
            c->field_count = read_texts(l, v, "field", field, ALERT_GROUP_MAX);
            for (uint8_t i = 0; i < c->field_count; i++)
                c->field[i] = add_field(l, field[i].text, v);
        } else if (slice_equal_str(n->key->text, "percentile")) {
            if (!yaml_read_i64(v, &percentile) || percentile < 0 || percentile > 100)
                complain(l, v, "percentile must be an integer from 0 to 100");
            else
                c->percentile = (uint8_t)percentile;
        } else {
            complain(l, n->key,
                     "unknown key '%.*s' in condition; expected gt, gte, lt, lte, eq, neq, field or percentile",
                     (int)n->key->text.len, (const char *)n->key->text.ptr);
        }
    }
}

static bool is_value_type(enum correlation_type type)
{
    return type == CORR_VALUE_COUNT || type == CORR_VALUE_SUM || type == CORR_VALUE_AVG ||
           type == CORR_VALUE_PERCENTILE;
}

static bool is_temporal(enum correlation_type type)
{
    return type == CORR_TEMPORAL || type == CORR_TEMPORAL_ORDERED;
}

static void check_correlation(const struct load *l, const struct correlation *c, const struct yaml_node *n)
{
    enum correlation_type type = (enum correlation_type)c->type;

    if (is_value_type(type) && c->field_count == 0)
        complain(l, n, "this correlation type needs `field` in its condition");
    if (is_value_type(type) && type != CORR_VALUE_COUNT && c->field_count > 1)
        complain(l, n, "sum, avg and percentile take one field");
    if (!is_temporal(type) && c->bound_count == 0)
        complain(l, n,
                 type == CORR_GEO_VELOCITY ? "geo_velocity needs `condition: {gt: KILOMETRES}`"
                                           : "this correlation type needs a condition such as {gte: 10}");
}

static void load_group(const struct load *l, struct correlation *c, const struct yaml_node *n)
{
    struct ref_text group[ALERT_GROUP_MAX];

    if (n == NULL)
        return;
    c->group_count = read_texts(l, n, "group-by", group, ALERT_GROUP_MAX);
    for (uint8_t i = 0; i < c->group_count; i++)
        c->group_name[i] = group[i].text;
}

/* geo_velocity is always about one vehicle, whatever else it is grouped by. */
static void finish_geo(struct correlation *c)
{
    if (c->group_count == 0)
        c->group_name[c->group_count++] = slice_str("vin");
}

static void load_correlation(const struct load *l, const struct yaml_node *n, struct correlation_text *text)
{
    static const char *const TYPE[] = {"event_count", "value_count", "temporal",         "temporal_ordered",
                                       "value_sum",   "value_avg",   "value_percentile", "geo_velocity"};
    struct correlation *c = arena_alloc(l->src->arena, sizeof *c);
    const struct yaml_node *type = yaml_get(n, "type");
    const struct yaml_node *rules = yaml_get(n, "rules");
    const struct yaml_node *span = yaml_get(n, "timespan");
    const struct yaml_node *condition = yaml_get(n, "condition");
    const struct yaml_node *generate = yaml_get(n, "generate");

    l->rule->corr = c;
    c->percentile = 50;
    while (type != NULL && c->type < 8 && !slice_equal_str(type->text, TYPE[c->type]))
        c->type++;
    if (type == NULL || c->type == 8) {
        complain(l, type != NULL ? type : n,
                 "correlation needs a type: event_count, value_count, temporal, "
                 "temporal_ordered, value_sum, value_avg, value_percentile or geo_velocity");
        c->type = 0;
        return;
    }
    text->ref_count = read_texts(l, rules, "rules", text->ref, RULE_REFS_MAX);
    if (text->ref_count == 0 && !l->rule->broken)
        complain(l, n, "correlation needs `rules`: names or ids of the rules it counts");
    if (span == NULL || span->kind != YAML_SCALAR || !rule_read_span(span->text, &c->span_us))
        complain(l, span != NULL ? span : n, "correlation needs a timespan such as 60s, 10m, 1h or 2d");
    load_group(l, c, yaml_get(n, "group-by"));
    if (c->type == CORR_GEO_VELOCITY)
        finish_geo(c);
    if (condition != NULL)
        load_bounds(l, c, condition);
    if (generate != NULL && !yaml_read_bool(generate, &c->generate))
        complain(l, generate, "generate must be true or false");
    text->aliases = yaml_get(n, "aliases");
    if (!l->rule->broken)
        check_correlation(l, c, n);
}

static void load_logsource(const struct load *l, const struct yaml_node *n)
{
    l->rule->has_logsource = true;
    if (n->kind != YAML_MAP) {
        complain(l, n, "logsource must be a map of category, product and service");
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
        complain(l, doc, "rule needs a title, and a name or an id to call it by");
    r->severity = ALERT_MEDIUM;
    if (level != NULL && (level->kind != YAML_SCALAR || !rule_read_severity(level->text, &r->severity)))
        complain(l, level, "level must be informational, low, medium, high or critical");
}

static void load_filter(const struct load *l, const struct yaml_node *filter)
{
    struct ref_text ref[RULE_LIST_MAX];
    const struct yaml_node *rules = yaml_get(filter, "rules");

    l->rule->is_filter = true;
    l->rule->filter_ref_count = read_texts(l, rules, "rules", ref, RULE_LIST_MAX);
    for (uint8_t i = 0; i < l->rule->filter_ref_count; i++)
        l->rule->filter_ref[i] = ref[i].text;
    if (l->rule->filter_ref_count == 0)
        complain(l, filter, "filter needs `rules`: names or ids of the rules it applies to, or `any`");
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
        complain(&l, doc, "expected a Sigma rule: a map with title, logsource and detection, or title and correlation");
        return;
    }
    load_head(&l, doc);
    if (logsource != NULL)
        load_logsource(&l, logsource);
    if ((detection != NULL) + (correlation != NULL) + (filter != NULL) != 1) {
        complain(&l, doc, "rule needs exactly one of detection, correlation and filter");
        return;
    }
    if (correlation != NULL) {
        r->is_correlation = true;
        load_correlation(&l, correlation, text);
    } else if (filter != NULL) {
        load_filter(&l, filter);
    } else {
        if (logsource == NULL)
            diag_add(src->diag, DIAG_WARNING, src->path, r->line, r->column, "rule has no logsource");
        load_detection(&l, detection);
    }
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

bool correlation_holds(const struct correlation *c, nano value)
{
    for (uint8_t i = 0; i < c->bound_count; i++) {
        nano b = c->bound[i].value;
        bool ok = false;
        switch ((enum bound_op)c->bound[i].op) {
        case BOUND_GT:
            ok = value > b;
            break;
        case BOUND_GTE:
            ok = value >= b;
            break;
        case BOUND_LT:
            ok = value < b;
            break;
        case BOUND_LTE:
            ok = value <= b;
            break;
        case BOUND_EQ:
            ok = value == b;
            break;
        case BOUND_NEQ:
            ok = value != b;
            break;
        }
        if (!ok)
            return false;
    }
    return true;
}
