/* Links rules: references by name or id over all files, filters, scopes of correlations, and the order in which windows
 * are settled. */
#include <stdlib.h>

#include "detect/sigma/plan_loader.h"
#include "detect/sigma/rule_condition.h"
#include "detect/sigma/rule_context.h"
#include "detect/sigma/rule_lint.h"

static struct rule *find(struct loader *l, struct slice label)
{
    uint32_t n = intern_find(&l->labels, label);

    return n != INTERN_NONE ? l->plan->rule[l->owner[n]] : NULL;
}

/* The event's field that stands for a group-by name in the events of one referred rule. */
static struct slice alias_of(const struct correlation_text *t, struct slice name, const struct rule *ref)
{
    for (const struct yaml_node *a = t->aliases != NULL ? t->aliases->child : NULL; a != NULL; a = a->next) {
        const struct yaml_node *map = yaml_deref(a);
        if (!slice_equal(a->key->text, name))
            continue;
        for (const struct yaml_node *m = map->child; m != NULL; m = m->next)
            if (slice_equal(m->key->text, ref->name) || slice_equal(m->key->text, ref->id))
                return yaml_deref(m)->text;
    }
    return name;
}

static void resolve_groups(struct loader *l, struct rule *r, const struct correlation_text *t)
{
    struct correlation *c = r->corr;
    struct fields *f = &l->plan->fields;

    for (uint8_t i = 0; i < c->ref_count; i++) {
        for (uint8_t g = 0; g < c->group_count; g++) {
            struct slice name = alias_of(t, c->group_name[g], l->plan->rule[c->ref[i]]);
            uint32_t id = fields_add(f, pipeline_field(&l->plan->pipeline, r->taxonomy, name));
            if (id == FIELD_NONE)
                plan_rule_error(l, r, NULL, "rules use more than %d field names", FIELDS_MAX);
            c->group_field[i][g] = id != FIELD_NONE ? id : 0;
            f->signature_used |= id == FIELD_SIGNATURE;
            f->priority_used |= id == FIELD_PRIORITY;
        }
    }
}

/* An alias must be one that the grouping uses and speak of rules that are referred to; else it was mistyped. */
static void check_aliases(struct loader *l, struct rule *r, const struct correlation_text *t)
{
    const struct correlation *c = r->corr;

    for (const struct yaml_node *a = t->aliases != NULL ? t->aliases->child : NULL; a != NULL; a = a->next) {
        bool grouped = false;
        for (uint8_t g = 0; g < c->group_count; g++)
            grouped |= slice_equal(c->group_name[g], a->key->text);
        if (!grouped)
            diag_add(l->diag, DIAG_WARNING, r->path, a->key->line, a->key->column,
                     "alias '%.*s' is not used in group-by", (int)a->key->text.len, (const char *)a->key->text.ptr);
        for (const struct yaml_node *m = yaml_deref(a)->child; m != NULL; m = m->next) {
            const struct rule *ref = find(l, m->key->text);
            bool referred = false;
            for (uint8_t i = 0; ref != NULL && i < c->ref_count; i++)
                referred |= c->ref[i] == ref->number;
            if (!referred)
                plan_rule_error(l, r, m->key, "alias for a rule that this correlation does not refer to: '%.*s'",
                                (int)m->key->text.len, (const char *)m->key->text.ptr);
        }
    }
}

static void resolve_refs(struct loader *l, struct rule *r)
{
    const struct correlation_text *t = &l->text[r->number];
    struct correlation *c = r->corr;
    bool repeats = c->type == CORR_TEMPORAL_ORDERED;

    for (uint8_t i = 0; i < t->ref_count; i++) {
        struct rule *ref = find(l, t->ref[i].text);
        bool known = false;
        if (ref == NULL || ref->is_filter) {
            plan_rule_error(l, r, t->ref[i].at, "%s: '%.*s'",
                            ref == NULL ? "no loaded rule has this name or id"
                                        : "a filter cannot be correlated; expected the name or id of a rule",
                            (int)t->ref[i].text.len, (const char *)t->ref[i].text.ptr);
            continue;
        }
        for (uint8_t k = 0; k < c->ref_count && !repeats; k++)
            known |= c->ref[k] == ref->number;
        if (!known)
            c->ref[c->ref_count++] = ref->number;
    }
    if (c->bound_count == 0) { /* temporal: every one of them */
        c->bound[0].op = BOUND_GTE;
        c->bound[0].value = (nano)c->ref_count * NANO_ONE;
        c->bound_count = 1;
    }
    if (!r->broken)
        check_aliases(l, r, t);
    if (!r->broken)
        resolve_groups(l, r, t);
}

static bool covers(const struct rule *filter, const struct rule *r)
{
    return (filter->product.len == 0 || slice_equal(filter->product, r->product)) &&
           (filter->category.len == 0 || slice_equal(filter->category, r->category)) &&
           (filter->service.len == 0 || slice_equal(filter->service, r->service));
}

static struct expr *both(struct arena *a, struct expr *x, struct expr *y)
{
    struct expr *e = expr_new(a, EXPR_AND);

    expr_add(a, e, x);
    expr_add(a, e, y);
    return e;
}

static void join_filter(struct loader *l, struct rule *filter, struct rule *r)
{
    struct filter_use *use = arena_alloc(&l->plan->arena, sizeof *use);
    struct filter_use **tail = &r->filters;

    r->expr = both(&l->plan->arena, r->expr, filter->expr);
    use->filter = filter;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = use;
}

/* Filters narrow the rules they name: the rule matches when its own condition and the filter's both hold. */
static void apply_filter(struct loader *l, struct rule *filter)
{
    bool any = filter->filter_ref_count == 1 && slice_equal_str(filter->filter_ref[0], "any");

    for (uint32_t i = 0; any && i < l->plan->rule_count; i++) {
        struct rule *r = l->plan->rule[i];
        if (!r->is_filter && !r->is_correlation && r->expr != NULL && covers(filter, r))
            join_filter(l, filter, r);
    }
    for (uint8_t k = 0; !any && k < filter->filter_ref_count; k++) {
        struct slice name = filter->filter_ref[k];
        struct rule *r = find(l, name);
        const char *reason = NULL;
        if (r == NULL)
            reason = "no loaded rule has this name or id";
        else if (r->is_filter || r->is_correlation)
            reason = "filters apply to detections, not to correlations or filters";
        else if (!covers(filter, r))
            reason = "the filter's logsource does not cover this rule's, so the filter has no effect on it";
        if (reason != NULL)
            diag_add(l->diag, DIAG_WARNING, filter->path, filter->line, filter->column, "%s: '%.*s'", reason,
                     (int)name.len, (const char *)name.ptr);
        else if (r->expr != NULL)
            join_filter(l, filter, r);
    }
}

/* Each match of a plain rule counts as an event_count of one per vehicle, so that a storm is one alert that grows. */
static void give_episode(struct plan *p, struct rule *r)
{
    struct correlation *c = arena_alloc(&p->arena, sizeof *c);

    c->type = CORR_EVENT_COUNT;
    c->ref_count = 1;
    c->ref[0] = r->number;
    c->group_count = 1;
    c->group_name[0] = slice_str("vin");
    c->group_field[0][0] = FIELD_VIN;
    c->bound_count = 1;
    c->bound[0].op = BOUND_GTE;
    c->bound[0].value = NANO_ONE;
    c->span_us = r->context.episode_us >= 0 ? r->context.episode_us : EPISODE_US_DEFAULT;
    r->corr = c;
}

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* Depth first: a correlation enters the list after the rules it refers to. The chain length is bounded by
 * EXPR_DEPTH_MAX, and with it this recursion. */
static void order(struct loader *l, struct rule *r, uint8_t *mark, unsigned depth)
{
    struct plan *p = l->plan;

    mark[r->number] = MARK_OPEN;
    for (uint8_t i = 0; r->is_correlation && i < r->corr->ref_count && !r->broken; i++) {
        struct rule *ref = p->rule[r->corr->ref[i]];
        const char *reason = NULL;
        if (mark[ref->number] == MARK_OPEN || depth == EXPR_DEPTH_MAX)
            reason = "correlations refer to each other in a circle, or in too long a chain";
        else if (mark[ref->number] == MARK_NEW)
            order(l, ref, mark, depth + 1);
        if (reason == NULL && ref->broken && !r->broken)
            reason = "refers to a rule that has errors";
        if (reason != NULL)
            plan_rule_error(l, r, NULL, "%s: '%.*s'", reason, (int)ref->label.len, (const char *)ref->label.ptr);
    }
    mark[r->number] = MARK_DONE;
    if (!r->broken && r->corr != NULL)
        p->corr[p->corr_count++] = r->number;
}

static bool is_product(const struct loader *l, const struct rule *r)
{
    return l->plan->strict || strncmp(r->path, "content/", 8) == 0 || strstr(r->path, "/content/") != NULL;
}

/* A copy of what a correlation with a scope refers to, narrowed to that scope: the rule itself must go on matching all
 * vehicles for whoever else refers to it. Chains are copied whole; their depth is bounded like order(). */
static struct rule *shadow_of(struct loader *l, struct rule *ref, struct rule *owner, unsigned depth)
{
    struct arena *a = &l->plan->arena;
    struct rule *s = depth < EXPR_DEPTH_MAX ? plan_new_rule(l, ref->path, ref->doc) : NULL;

    if (s == NULL) {
        owner->broken = true;
        return ref;
    }
    uint32_t number = s->number;
    *s = *ref;
    s->number = number;
    s->is_shadow = true;
    s->shadow_for = owner;
    if (!ref->is_correlation) {
        if (ref->expr != NULL)
            s->expr = both(a, ref->expr, (struct expr *)owner->scope);
        return s;
    }
    s->corr = arena_alloc(a, sizeof *s->corr);
    *s->corr = *ref->corr;
    for (uint8_t i = 0; i < s->corr->ref_count; i++)
        s->corr->ref[i] = shadow_of(l, l->plan->rule[s->corr->ref[i]], owner, depth + 1)->number;
    return s;
}

/* After the order is known, so that chains end. */
static void narrow(struct loader *l, struct rule *r)
{
    struct correlation *c = r->corr;

    for (uint8_t i = 0; i < c->ref_count && !r->broken; i++) {
        uint8_t k = 0; /* a rule that stands twice in temporal_ordered has one copy */
        while (k < i && l->plan->rule[c->ref[k]]->doc != l->plan->rule[c->ref[i]]->doc)
            k++;
        c->ref[i] = k < i ? c->ref[k] : shadow_of(l, l->plan->rule[c->ref[i]], r, 0)->number;
    }
}

static void order_all(struct loader *l)
{
    struct plan *p = l->plan;
    uint8_t *mark = mem_zalloc((size_t)p->rule_count + 1, sizeof *mark);

    p->corr_count = 0;
    free(p->corr);
    p->corr = mem_zalloc((size_t)p->rule_count + 1, sizeof *p->corr);
    for (uint32_t i = 0; i < p->rule_count; i++)
        if (!p->rule[i]->is_filter && mark[i] == MARK_NEW)
            order(l, p->rule[i], mark, 0);
    free(mark);
}

static void give_windows(struct loader *l, const bool *referred)
{
    for (uint32_t i = 0; i < l->plan->rule_count; i++) {
        struct rule *r = l->plan->rule[i];
        struct rule_source src = plan_source(l, r);
        r->alerts = !r->broken && !r->is_filter && !referred[i];
        if (r->alerts && !r->is_correlation)
            give_episode(l->plan, r);
        if (r->alerts && is_product(l, r))
            rule_context_require(&src, r);
    }
}

static void resolve_all(struct loader *l, bool *referred)
{
    for (uint32_t i = 0; i < l->plan->rule_count; i++) {
        struct rule *r = l->plan->rule[i];
        if (r->is_correlation && r->corr != NULL)
            resolve_refs(l, r);
        for (uint8_t k = 0; r->is_correlation && r->corr != NULL && !r->corr->generate && k < r->corr->ref_count; k++)
            referred[r->corr->ref[k]] = true;
        if (r->is_filter && !r->broken)
            apply_filter(l, r);
        if (r->scope != NULL && !r->is_correlation && r->expr != NULL)
            r->expr = both(&l->plan->arena, r->expr, (struct expr *)r->scope);
    }
}

void plan_link(struct loader *l)
{
    struct plan *p = l->plan;
    uint32_t loaded = p->rule_count;
    bool *referred = mem_zalloc((size_t)loaded + 1, sizeof *referred);

    for (uint32_t i = 0; i < loaded; i++)
        if (p->rule[i]->expr != NULL && !p->rule[i]->broken)
            rule_lint_detection(p, p->rule[i], l->diag);
    p->loaded_count = loaded;
    resolve_all(l, referred);
    give_windows(l, referred);
    free(referred);
    order_all(l);
    for (uint32_t i = 0; i < p->corr_count; i++) { /* lower levels first: their scopes go along */
        struct rule *r = p->rule[p->corr[i]];
        if (r->is_correlation && r->scope != NULL && !r->broken)
            narrow(l, r);
    }
    if (p->rule_count > loaded) {
        for (uint32_t i = loaded; i < p->rule_count; i++) {
            p->rule[i]->alerts = false;
            if (!p->rule[i]->is_correlation)
                p->rule[i]->corr = NULL;
        }
        order_all(l);
    }
    rule_lint_correlations(p, l->diag);
    p->base = mem_zalloc((size_t)p->rule_count + 1, sizeof *p->base);
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct rule *r = p->rule[i];
        if (!r->broken && !r->is_filter && !r->is_correlation)
            p->base[p->base_count++] = i;
        r->alerts &= !r->broken;
    }
}
