#include "detect/engine/engine_internal.h"

/* The correlation that a rule is counted in; plan.corr_count when it has none. */
static uint32_t corr_of(const struct engine *e, const struct rule *rule)
{
    uint32_t c = 0;

    while (c < e->plan->corr_count && e->plan->rule[e->plan->corr[c]] != rule)
        c++;
    return c;
}

static const struct group *group_of(const struct engine *e, const struct rule *rule, const struct alert *al)
{
    uint32_t key[ALERT_GROUP_MAX] = {0};
    uint32_t corr = corr_of(e, rule);

    if (corr == e->plan->corr_count)
        return NULL;
    for (uint8_t i = 0; i < al->group_count; i++)
        key[i] = intern_find(&e->values, al->group[i].value);
    uint32_t number = engine_group_find(e, corr, key);
    return number == INTERN_NONE ? NULL : &e->group[number];
}

void engine_members(const struct engine *e, const struct rule *rule, const struct alert *al, engine_member_fn *each,
                    void *ctx)
{
    const struct group *g = group_of(e, rule, al);

    if (g == NULL)
        return;
    for (size_t i = engine_lower(g, al->first_us); i < g->sorted && g->entry[i].time_us <= al->last_us; i++) {
        const struct entry *en = &g->entry[i];
        const struct node *n = &e->node[en->node];
        bool again = (en->flags & ENTRY_SECOND) != 0 && n->first_us >= al->first_us;

        if (en->mask == 0 || again)
            continue;
        struct engine_member m = {
            intern_text(&e->vehicles, en->vehicle), en->time_us, n->seq, n->tag, n->epoch, n->count};
        each(ctx, &m);
    }
}
