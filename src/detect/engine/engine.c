#include "detect/engine/engine_internal.h"

#include <stdlib.h>

/* Each rule's place among those that are counted. */
void engine_number_rules(struct engine *e)
{
    const struct plan *p = e->plan;

    e->corr_of = mem_grow(e->corr_of, p->rule_count, sizeof *e->corr_of);
    for (uint32_t r = 0; r < p->rule_count; r++)
        e->corr_of[r] = GROUP_NONE;
    for (uint32_t c = 0; c < p->corr_count; c++)
        e->corr_of[p->corr[c]] = c;
}

struct engine *engine_new(const struct plan *plan, const struct engine_limits *limits)
{
    struct engine *e = mem_zalloc(1, sizeof *e);

    e->plan = plan;
    e->limits = *limits;
    if (e->limits.large_entries_min == 0)
        e->limits.large_entries_min = LARGE_ENTRIES_MIN;
    if (e->limits.defer_entries_min == 0)
        e->limits.defer_entries_min = DEFER_ENTRIES_MIN;
    engine_number_rules(e);
    e->corr = mem_zalloc(plan->corr_count, sizeof *e->corr);
    names_init(&e->vehicles, limits->seed, 0);
    names_init(&e->names, limits->seed, limits->name_bytes_max);
    pages_init(&e->nodes, sizeof(struct node));
    pages_init(&e->groups, sizeof(struct group));
    pages_init(&e->points, sizeof(struct point));
    pages_init(&e->ghosts, sizeof(struct ghost));
    slab_init(&e->entries);
    slots_init(&e->group_slots);
    slots_init(&e->identity_slots);
    window_init(&e->window);
    e->vehicle_last = NAME_NONE;
    return e;
}

static void free_contents(struct engine *e)
{
    for (uint32_t i = 0; i < e->nodes.count; i++) {
        struct node *n = engine_node(e, i);
        if (n->vehicle != NODE_NONE && n->place_count > 1)
            free(n->place.more);
    }
    for (uint32_t i = 0; i < e->groups.count; i++) {
        struct group *g = engine_group_at(e, i);
        if (g->corr == GROUP_NONE)
            continue;
        engine_large_free(g);
        slab_free(&e->entries, g->entry, g->room * sizeof *g->entry);
        free(g->episode);
    }
    for (uint32_t i = 0; i < e->plan->corr_count; i++)
        free(e->corr[i].queue);
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    free_contents(e);
    pages_done(&e->nodes);
    pages_done(&e->groups);
    pages_done(&e->points);
    pages_done(&e->ghosts);
    names_done(&e->vehicles);
    names_done(&e->names);
    slab_done(&e->entries);
    slots_done(&e->group_slots);
    slots_done(&e->identity_slots);
    window_done(&e->window);
    free(e->corr);
    free(e->corr_of);
    free(e->vehicle);
    free(e->closing);
    free(e->refused_vehicle);
    free(e->merge);
    free(e->fresh);
    free(e);
}

const struct engine_counters *engine_counters(const struct engine *e)
{
    return &e->counters;
}

void engine_size(const struct engine *e, struct engine_size *ret)
{
    ret->events = e->nodes.used;
    ret->groups = e->groups.used;
    ret->vehicles = e->vehicles.name.used;
    ret->names = e->names.name.used;
    ret->name_bytes = e->names.bytes + e->vehicles.bytes;
    ret->identities = e->identity_slots.used;
}
