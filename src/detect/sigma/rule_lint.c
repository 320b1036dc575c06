#include "detect/sigma/rule_lint.h"

#include <stdarg.h>
#include <stdio.h>

#include "detect/sigma/spelling.h"

#define NAMES_MAX 512

struct lint {
    const struct plan *plan;
    const struct rule *rule;
    struct diag *diag;
};

__attribute__((format(printf, 4, 5))) static void warn(const struct lint *l, unsigned line, unsigned column,
                                                       const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(l->diag, DIAG_WARNING, l->rule->path, line, column, "%s", text);
}

/* ", did you mean x?" or nothing. */
static const char *meant(struct slice word, const char *const *known, size_t count, char *buf, size_t size)
{
    const char *near = spelling_near(word, known, count);

    if (near == NULL)
        return "";
    snprintf(buf, size, "; did you mean %s?", near);
    return buf;
}

static void check_field(const struct lint *l, uint32_t field, unsigned line, unsigned column)
{
    const struct fields *f = &l->plan->fields;
    const char *known[FIELD_KNOWN];
    char buf[120];

    if (field == ITEM_KEYWORDS || field < FIELD_KNOWN)
        return;
    struct slice name = intern_text(&f->names, field);
    for (uint32_t i = 0; i < FIELD_KNOWN; i++)
        known[i] = (const char *)intern_text(&f->names, i).ptr;
    warn(l, line, column, "no vehicle event has a field '%.*s'%s", (int)name.len, (const char *)name.ptr,
         meant(name, known, FIELD_KNOWN, buf, sizeof buf));
}

static void check_type(const struct lint *l, const struct item *item, const struct test *t)
{
    const char *known[EV_TYPE_COUNT];
    char buf[120];

    if (t->op != TEST_PATTERN || t->pattern.shape != PATTERN_EQUAL)
        return;
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        known[i] = ev_type_at(i)->name;
        if (slice_equal_str(t->pattern.literal, known[i]))
            return;
    }
    warn(l, item->line, item->column, "no event type is called '%.*s'%s", (int)t->source.len,
         (const char *)t->source.ptr, meant(t->source, known, EV_TYPE_COUNT, buf, sizeof buf));
}

/* A number field compared with something it can never hold. */
static void check_number(const struct lint *l, const struct item *item, const struct test *t)
{
    const struct ev_field_info *info = ev_field_find((uint8_t)(item->field - FIELD_SCHEMA));
    struct val number;

    if ((info->kind != EV_KIND_UINT && info->kind != EV_KIND_INT) || info->decimals > 0)
        return;
    if (t->op == TEST_PATTERN && t->pattern.shape == PATTERN_EQUAL && !val_parse_number(t->source, &number)) {
        warn(l, item->line, item->column, "%s is a number and never '%.*s'", info->name, (int)t->source.len,
             (const char *)t->source.ptr);
        return;
    }
    if (t->op != TEST_NUMBER)
        return;
    struct val low = {.kind = VAL_INT, .num.i = info->min};
    struct val high = {.kind = info->max > INT64_MAX ? VAL_UINT : VAL_INT, .num.u = info->max};
    if (val_compare(&t->number, &low) < 0 || val_compare(&t->number, &high) > 0)
        warn(l, item->line, item->column, "%s lies between %lld and %llu and is never %.*s", info->name,
             (long long)info->min, (unsigned long long)info->max, (int)t->source.len, (const char *)t->source.ptr);
}

static void check_part(const struct lint *l, const struct item *item, const struct test *t)
{
    static const struct {
        const char *name;
        int low, high;
    } PART[] = {{"", 0, 0},      {"minute", 0, 59}, {"hour", 0, 23},     {"day", 1, 31},
                {"week", 1, 53}, {"month", 1, 12},  {"year", 1970, 9999}};
    int low = PART[item->part].low;
    int high = PART[item->part].high;

    if (t->op != TEST_NUMBER && t->op < TEST_LT)
        return;
    if (t->op > TEST_GTE)
        return;
    double v = val_double(&t->number);
    bool never = t->op == TEST_NUMBER ? v < low || v > high
                 : t->op == TEST_LT   ? v <= low
                 : t->op == TEST_LTE  ? v < low
                 : t->op == TEST_GT   ? v >= high
                                      : v > high;
    if (never)
        warn(l, item->line, item->column, "can never hold: a %s is a number from %d to %d", PART[item->part].name, low,
             high);
}

static void check_item(const struct lint *l, const struct item *item)
{
    bool vehicle = slice_equal_str(l->rule->product, "vehicle");

    if (item->all && item->test_count == 1)
        warn(l, item->line, item->column, "`all` has no effect on a single value");
    if (vehicle)
        check_field(l, item->field, item->line, item->column);
    for (uint32_t i = 0; i < item->test_count; i++) {
        const struct test *t = item->test[i];
        if (item->part != PART_NONE)
            check_part(l, item, t);
        else if (vehicle && item->field == FIELD_TYPE)
            check_type(l, item, t);
        else if (vehicle && item->field >= FIELD_SCHEMA && item->field < FIELD_KNOWN)
            check_number(l, item, t);
        if (vehicle && t->op == TEST_FIELD)
            check_field(l, t->field, item->line, item->column);
    }
}

static bool is_bound(const struct expr *e)
{
    return e->kind == EXPR_ITEM && e->item->test_count == 1 && !e->item->neq && e->item->part == PART_NONE &&
           e->item->test[0]->op >= TEST_LT && e->item->test[0]->op <= TEST_GTE;
}

static bool excludes(const struct test *upper, const struct test *lower)
{
    bool up = upper->op == TEST_LT || upper->op == TEST_LTE;
    bool down = lower->op == TEST_GT || lower->op == TEST_GTE;
    int order = up && down ? val_compare(&upper->number, &lower->number) : 1;

    return order < 0 || (order == 0 && (upper->op == TEST_LT || lower->op == TEST_GT));
}

/* Of an array any element may meet a bound, so this is a hint and no proof. */
static void check_bounds(const struct lint *l, const struct expr *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        for (uint32_t k = 0; k < all->count && is_bound(all->child[i]); k++) {
            const struct item *a = all->child[i]->item;
            const struct item *b = all->child[k]->item;
            if (is_bound(all->child[k]) && a->field == b->field && excludes(a->test[0], b->test[0]))
                warn(l, a->line, a->column, "can never hold together with line %u", b->line);
        }
    }
}

/* Selections may stand several times in a condition: each is looked at once, where it was loaded. */
static void check_expr(const struct lint *l, const struct expr *e)
{
    if (e->kind == EXPR_ITEM)
        check_item(l, e->item);
    if (e->kind == EXPR_AND)
        check_bounds(l, e);
    for (uint32_t i = 0; i < e->count; i++)
        check_expr(l, e->child[i]);
}

static void check_service(const struct lint *l)
{
    const char *known[EV_TYPE_COUNT];
    const struct yaml_node *at = yaml_get(yaml_get(l->rule->doc, "logsource"), "service");
    char buf[120];

    if (at == NULL || l->rule->service.len == 0 || !slice_equal_str(l->rule->product, "vehicle"))
        return;
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        known[i] = ev_type_at(i)->service;
        if (slice_equal_str(l->rule->service, known[i]))
            return;
    }
    warn(l, at->line, at->column, "no vehicle event belongs to a service '%.*s'%s", (int)l->rule->service.len,
         (const char *)l->rule->service.ptr, meant(l->rule->service, known, EV_TYPE_COUNT, buf, sizeof buf));
}

void rule_lint_detection(const struct plan *p, const struct rule *r, struct diag *d)
{
    struct lint l = {p, r, d};
    uint32_t before = d->count;

    check_service(&l);
    check_expr(&l, r->expr);
    /* The same selection named twice would be said twice. */
    for (uint32_t i = before; i < d->count; i++) {
        for (uint32_t k = before; k < i; k++) {
            const struct diag_entry *a = &d->entry[i];
            const struct diag_entry *b = &d->entry[k];
            if (a->line == b->line && a->column == b->column && strcmp(a->text, b->text) == 0) {
                d->entry[i--] = d->entry[--d->count];
                d->warning_count--;
                break;
            }
        }
    }
}

/* Whether every event that gets here is one of a vehicle. */
static bool only_vehicles(const struct plan *p, const struct rule *r, unsigned depth)
{
    if (!r->is_correlation)
        return slice_equal_str(r->product, "vehicle");
    for (uint8_t i = 0; i < r->corr->ref_count; i++)
        if (depth == EXPR_DEPTH_MAX || !only_vehicles(p, p->rule[r->corr->ref[i]], depth + 1))
            return false;
    return true;
}

static void check_names(const struct lint *l)
{
    const struct correlation *c = l->rule->corr;
    const struct yaml_node *at = yaml_get(l->rule->doc, "correlation");

    if (!only_vehicles(l->plan, l->rule, 0))
        return;
    for (uint8_t i = 0; i < c->field_count; i++)
        check_field(l, c->field[i], at->line, at->column);
    for (uint8_t g = 0; g < c->group_count && c->ref_count > 0; g++)
        for (uint8_t i = 0; i < c->ref_count; i++)
            if (i == 0 || c->group_field[i][g] != c->group_field[i - 1][g])
                check_field(l, c->group_field[i][g], at->line, at->column);
}

/* Every counted value is also a value of the group: there is never more than one. */
static bool counts_its_group(const struct correlation *c)
{
    for (uint8_t i = 0; i < c->field_count; i++) {
        bool grouped = false;
        for (uint8_t g = 0; g < c->group_count; g++) {
            bool all = true;
            for (uint8_t k = 0; k < c->ref_count; k++)
                all &= c->group_field[k][g] == c->field[i];
            grouped |= all;
        }
        if (!grouped)
            return false;
    }
    return c->field_count > 0;
}

static bool some_value_holds(const struct correlation *c, nano low, nano high, bool whole)
{
    nano step = whole ? NANO_ONE : 1;

    if (correlation_holds(c, low) || correlation_holds(c, high))
        return true;
    for (uint8_t i = 0; i < c->bound_count; i++) {
        nano base = c->bound[i].value;
        if (whole)
            base = base / NANO_ONE * NANO_ONE;
        for (int k = -1; k <= 1; k++) {
            nano v = base + k * step;
            if (v >= low && v <= high && correlation_holds(c, v))
                return true;
        }
    }
    return false;
}

static bool has_lower_bound(const struct correlation *c)
{
    for (uint8_t i = 0; i < c->bound_count; i++)
        if (c->bound[i].op != BOUND_LT && c->bound[i].op != BOUND_LTE)
            return true;
    return false;
}

static void check_threshold(const struct lint *l)
{
    const struct correlation *c = l->rule->corr;
    const struct yaml_node *at = yaml_get(yaml_get(l->rule->doc, "correlation"), "condition");
    const nano far = (nano)1000000000000000000 * NANO_ONE;
    bool temporal = c->type == CORR_TEMPORAL || c->type == CORR_TEMPORAL_ORDERED;
    bool whole = temporal || c->type == CORR_EVENT_COUNT || c->type == CORR_VALUE_COUNT;
    nano low = c->type == CORR_VALUE_COUNT || c->type == CORR_GEO_VELOCITY ? 0 : whole ? NANO_ONE : -far;
    nano high = temporal ? (nano)c->ref_count * NANO_ONE : far;

    if (at == NULL)
        return;
    if (c->type == CORR_VALUE_COUNT && counts_its_group(c))
        high = NANO_ONE;
    if (!some_value_holds(c, low, high, whole))
        warn(l, at->line, at->column,
             temporal ? "threshold can never hold: there are %lld rules to occur"
             : high == NANO_ONE
                 ? "threshold can never hold: the values counted are those of group-by, so there is never "
                   "more than %lld"
                 : "threshold can never hold, whatever is in the window (of at least %lld)",
             (long long)((high < far ? high : low) / NANO_ONE));
    else if (c->type == CORR_EVENT_COUNT && !has_lower_bound(c) && correlation_holds(c, NANO_ONE))
        warn(
            l, at->line, at->column,
            "holds at the first event already: a window ends at an event, so this cannot tell that events are missing");
}

void rule_lint_correlations(const struct plan *p, struct diag *d)
{
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct lint l = {p, p->rule[i], d};
        if (!l.rule->is_correlation || l.rule->broken || l.rule->is_shadow)
            continue;
        check_names(&l);
        check_threshold(&l);
    }
}
