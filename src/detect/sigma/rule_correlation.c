/* The correlation of a rule: its window, what it counts, and when that is a hit. */
#include <math.h>

#include "detect/sigma/rule_load_internal.h"

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
    uint32_t id = fields_add(l->src->fields, pipeline_field(l->src->pipeline, l->rule->taxonomy, name));

    if (id == FIELD_NONE)
        load_complain(l, at, "rules use more than %d field names", FIELDS_MAX);
    l->src->fields->signature_used |= id == FIELD_SIGNATURE;
    l->src->fields->priority_used |= id == FIELD_PRIORITY;
    return id;
}

static void load_bounds(const struct load *l, struct correlation *c, const struct yaml_node *condition)
{
    static const char *const OP[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
    struct ref_text field[ALERT_GROUP_MAX];

    if (condition->kind != YAML_MAP) {
        load_complain(l, condition, "condition must be a map such as {gte: 10}");
        return;
    }
    c->bound_count = 0;
    for (const struct yaml_node *n = condition->child; n != NULL; n = n->next) {
        const struct yaml_node *v = yaml_deref(n);
        int64_t percentile;
        size_t op = 0;
        while (op < 6 && !slice_equal_str(n->key->text, OP[op]))
            op++;
        if (op < 6) {
            c->bound[c->bound_count].op = (uint8_t)op;
            if (!read_nano(v, &c->bound[c->bound_count].value))
                load_complain(l, v, "%s needs a number", OP[op]);
            c->bound_count++;
        } else if (slice_equal_str(n->key->text, "field")) {
            c->field_count = load_texts(l, v, "field", field, ALERT_GROUP_MAX);
            for (uint8_t i = 0; i < c->field_count; i++)
                c->field[i] = add_field(l, field[i].text, v);
        } else if (slice_equal_str(n->key->text, "percentile")) {
            if (!yaml_read_i64(v, &percentile) || percentile < 0 || percentile > 100)
                load_complain(l, v, "percentile must be an integer from 0 to 100");
            else
                c->percentile = (uint8_t)percentile;
        } else {
            load_complain(l, n->key,
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
    const struct yaml_node *condition = yaml_get(n, "condition");

    if (is_value_type(type) && c->field_count == 0)
        load_complain(l, n, "this correlation type needs `field` in its condition");
    if (is_value_type(type) && type != CORR_VALUE_COUNT && c->field_count > 1)
        load_complain(l, n, "sum, avg and percentile take one field");
    if (!is_value_type(type) && c->field_count > 0)
        load_complain(l, n, "`field` has a meaning for value_count, value_sum, value_avg and value_percentile only");
    if (type != CORR_VALUE_PERCENTILE && condition != NULL && yaml_get(condition, "percentile") != NULL)
        load_complain(l, yaml_get(condition, "percentile"), "`percentile` has a meaning for value_percentile only");
    if (!is_temporal(type) && c->bound_count == 0)
        load_complain(l, n,
                      type == CORR_GEO_VELOCITY ? "geo_velocity needs `condition: {gt: KILOMETRES}`"
                                                : "this correlation type needs a condition such as {gte: 10}");
}

static void load_group(const struct load *l, struct correlation *c, const struct yaml_node *n)
{
    struct ref_text group[ALERT_GROUP_MAX];

    if (n == NULL)
        return;
    c->group_count = load_texts(l, n, "group-by", group, ALERT_GROUP_MAX);
    for (uint8_t i = 0; i < c->group_count; i++)
        c->group_name[i] = group[i].text;
}

/* aliases: {name: {rule: field}} */
static void check_aliases(const struct load *l, const struct yaml_node *aliases)
{
    if (aliases == NULL)
        return;
    if (aliases->kind != YAML_MAP) {
        load_complain(l, aliases, "aliases must be a map such as {address: {rule_a: src_ip, rule_b: dst_ip}}");
        return;
    }
    for (const struct yaml_node *a = aliases->child; a != NULL; a = a->next) {
        const struct yaml_node *map = yaml_deref(a);
        if (map->kind != YAML_MAP)
            load_complain(l, map, "expected a map of rule names and the field that each uses for this alias");
        for (const struct yaml_node *m = map->kind == YAML_MAP ? map->child : NULL; m != NULL; m = m->next)
            if (yaml_deref(m)->kind != YAML_SCALAR || yaml_deref(m)->text.len == 0)
                load_complain(l, yaml_deref(m), "expected the name of a field");
    }
}

/* The specification has `generate` inside the correlation in one place and beside it in another; both count. */
static void load_generate(const struct load *l, const struct yaml_node *doc, const struct yaml_node *n)
{
    const struct yaml_node *place[] = {yaml_get(doc, "generate"), yaml_get(n, "generate")};

    for (size_t i = 0; i < 2; i++)
        if (place[i] != NULL && !yaml_read_bool(place[i], &l->rule->corr->generate))
            load_complain(l, place[i], "generate must be true or false");
}

/* geo_velocity is always about one vehicle, whatever else it is grouped by. */
static void finish_geo(struct correlation *c)
{
    if (c->group_count == 0)
        c->group_name[c->group_count++] = slice_str("vin");
}

void load_correlation(const struct load *l, const struct yaml_node *doc, const struct yaml_node *n,
                      struct correlation_text *text)
{
    static const char *const TYPE[] = {"event_count", "value_count", "temporal",         "temporal_ordered",
                                       "value_sum",   "value_avg",   "value_percentile", "geo_velocity"};
    struct correlation *c = arena_alloc(l->src->arena, sizeof *c);
    const struct yaml_node *type = yaml_get(n, "type");
    const struct yaml_node *rules = yaml_get(n, "rules");
    const struct yaml_node *span = yaml_get(n, "timespan");
    const struct yaml_node *condition = yaml_get(n, "condition");
    static const char *const KEY[] = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"};

    l->rule->corr = c;
    c->percentile = 50;
    if (n->kind != YAML_MAP) {
        load_complain(l, n, "correlation must be a map of type, rules, group-by, timespan and condition");
        return;
    }
    load_only(l, n, KEY, sizeof KEY / sizeof KEY[0], "correlation");
    while (type != NULL && c->type < 8 && !slice_equal_str(type->text, TYPE[c->type]))
        c->type++;
    if (type == NULL || c->type == 8) {
        load_complain(l, type != NULL ? type : n,
                      "correlation needs a type: event_count, value_count, temporal, "
                      "temporal_ordered, value_sum, value_avg, value_percentile or geo_velocity");
        c->type = 0;
        return;
    }
    text->ref_count = load_texts(l, rules, "rules", text->ref, RULE_REFS_MAX);
    if (text->ref_count == 0 && !l->rule->broken)
        load_complain(l, n, "correlation needs `rules`: names or ids of the rules it counts");
    if (span == NULL || span->kind != YAML_SCALAR || !rule_read_span(span->text, &c->span_us))
        load_complain(l, span != NULL ? span : n, "correlation needs a timespan such as 60s, 10m, 1h or 2d");
    load_group(l, c, yaml_get(n, "group-by"));
    if (c->type == CORR_GEO_VELOCITY)
        finish_geo(c);
    if (condition != NULL)
        load_bounds(l, c, condition);
    load_generate(l, doc, n);
    check_aliases(l, yaml_get(n, "aliases"));
    text->aliases = yaml_get(n, "aliases");
    if (!l->rule->broken)
        check_correlation(l, c, n);
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
