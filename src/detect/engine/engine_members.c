#include "detect/engine/engine_internal.h"

#include <stdlib.h>

/* The group that an alert is about. Its values are encoded as the sighter does it. */
static const struct group *group_of(const struct engine *e, const struct rule *rule, const struct alert *al)
{
    uint32_t corr = rule->number < e->plan->rule_count ? e->corr_of[rule->number] : GROUP_NONE;
    uint8_t key[GROUP_KEY_MAX];
    struct writer w;

    writer_init(&w, key, sizeof key);
    for (uint8_t i = 0; i < al->group_count; i++) {
        writer_u16be(&w, (uint16_t)al->group[i].value.len);
        writer_put(&w, al->group[i].value);
    }
    if (corr == GROUP_NONE || w.full)
        return NULL;
    uint32_t number = engine_group_find(e, corr, writer_slice(&w));
    return number == GROUP_NONE ? NULL : engine_group_at(e, number);
}

void engine_members(const struct engine *e, const struct rule *rule, const struct alert *al, engine_member_fn *each,
                    void *ctx)
{
    const struct group *g = group_of(e, rule, al);

    if (g == NULL)
        return;
    for (size_t i = engine_lower(g, al->first_us); i < g->sorted && g->entry[i].time_us <= al->last_us; i++) {
        const struct entry *en = &g->entry[i];
        if (en->mask == 0)
            continue;
        const struct node *n = engine_node(e, en->node);
        if (en->second && n->first_us >= al->first_us)
            continue;
        struct engine_member m = {
            names_text(&e->vehicles, en->vehicle), en->time_us, node_seq(n), n->tag, n->epoch, n->count};
        each(ctx, &m);
    }
}
