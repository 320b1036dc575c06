#include "detect/sigma/route.h"

#include <stdlib.h>

#define DIMENSIONS 3

struct route {
    struct dispatch *dispatch;
    struct scan scan;
};

static const char *const FIELD[2 * DIMENSIONS] = {"product",           "category",           "service",
                                                  "logsource.product", "logsource.category", "logsource.service"};

static struct slice wanted(const struct rule *r, unsigned dimension)
{
    return dimension == 0 ? r->product : dimension == 1 ? r->category : r->service;
}

void router_fields(struct fields *f)
{
    for (unsigned i = 0; i < 2 * DIMENSIONS; i++)
        (void)fields_add(f, slice_str(FIELD[i]));
}

void router_init(struct router *rt, const struct plan *plan)
{
    memset(rt, 0, sizeof *rt);
    rt->plan = plan;
    intern_init(&rt->known, 0);
    intern_init(&rt->keys, 0);
    rt->route = mem_zalloc(ROUTES_MAX, sizeof *rt->route);
    for (unsigned i = 0; i < 2 * DIMENSIONS; i++)
        rt->field[i] = fields_find(&plan->fields, slice_str(FIELD[i]));
    for (uint32_t i = 0; i < plan->base_count; i++)
        for (unsigned d = 0; d < DIMENSIONS; d++)
            (void)intern_add(&rt->known, wanted(plan->rule[plan->base[i]], d));
}

void router_done(struct router *rt)
{
    for (uint32_t i = 0; i < rt->keys.count; i++) {
        scan_done(&rt->route[i].scan);
        dispatch_free(rt->route[i].dispatch);
    }
    free(rt->route);
    intern_done(&rt->known);
    intern_done(&rt->keys);
    memset(rt, 0, sizeof *rt);
}

/* What the event says of one dimension, as a number; INTERN_NONE when it says nothing or what no rule asks for. */
static uint32_t said(const struct router *rt, struct record *r, unsigned dimension)
{
    struct val *v = NULL;

    for (unsigned i = dimension; v == NULL && i < 2 * DIMENSIONS; i += DIMENSIONS)
        v = rt->field[i] != INTERN_NONE ? record_get(r, rt->field[i]) : NULL;
    return v != NULL && v->kind == VAL_TEXT ? intern_find(&rt->known, v->text) : INTERN_NONE;
}

/* Rules for vehicles look at the type of the event instead and are decided there. */
static bool covers(const struct router *rt, const struct rule *rule, const uint32_t source[DIMENSIONS])
{
    if (rule->has_logsource && slice_equal_str(rule->product, "vehicle"))
        return true;
    for (unsigned d = 0; d < DIMENSIONS; d++)
        if (wanted(rule, d).len > 0 && intern_find(&rt->known, wanted(rule, d)) != source[d])
            return false;
    return true;
}

static void make_route(const struct router *rt, const uint32_t source[DIMENSIONS], struct route *ret)
{
    const struct plan *p = rt->plan;
    uint32_t *rule = mem_alloc(p->base_count, sizeof *rule);
    uint32_t count = 0;

    for (uint32_t i = 0; i < p->base_count; i++)
        if (covers(rt, p->rule[p->base[i]], source))
            rule[count++] = p->base[i];
    ret->dispatch = dispatch_new(p, rule, count);
    scan_init(&ret->scan, ret->dispatch);
    free(rule);
}

uint32_t router_candidates(struct router *rt, struct matcher *m, struct record *r, const uint32_t **ret_rule)
{
    uint32_t source[DIMENSIONS];
    struct slice key = slice_make(source, sizeof source);

    for (unsigned d = 0; d < DIMENSIONS; d++)
        source[d] = said(rt, r, d);
    uint32_t n = intern_find(&rt->keys, key);
    if (n == INTERN_NONE) {
        if (rt->keys.count == ROUTES_MAX) {
            rt->full_count++;
            return match_candidates(m, r, ret_rule);
        }
        n = intern_add(&rt->keys, key);
        make_route(rt, source, &rt->route[n]);
    }
    struct scan *s = &rt->route[n].scan;
    scan_record(s, r);
    *ret_rule = s->candidate;
    return s->candidate_count;
}
