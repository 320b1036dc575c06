#include "detect/engine/engine_internal.h"

#include <stdlib.h>

/* The number of a group-by value. Most groups are by vehicle, whose number is known already. */
static uint32_t value_number(struct engine *e, struct slice text, uint32_t vehicle)
{
    if (!slice_equal(text, intern_text(&e->vehicles, vehicle)))
        return intern_add(&e->values, text);
    if (e->vehicle_value[vehicle] == INTERN_NONE)
        e->vehicle_value[vehicle] = intern_add(&e->values, text);
    return e->vehicle_value[vehicle];
}

static uint64_t hash_group(const struct engine *e, uint32_t corr, const uint32_t key[ALERT_GROUP_MAX])
{
    uint64_t h = hash_mix(e->limits.seed, corr);

    for (unsigned i = 0; i < engine_rule(e, corr)->corr->group_count; i++)
        h = hash_mix(h, key[i]);
    return h;
}

/* The slot of the group, or the free one where it belongs. */
static uint32_t *place_group(const struct engine *e, uint32_t corr, const uint32_t key[ALERT_GROUP_MAX])
{
    uint32_t mask = e->group_slots - 1;

    for (uint32_t i = (uint32_t)hash_group(e, corr, key) & mask;; i = (i + 1) & mask) {
        uint32_t n = e->group_slot[i];
        if (n == 0 || (e->group[n - 1].corr == corr && memcmp(e->group[n - 1].key, key, sizeof e->group[0].key) == 0))
            return &e->group_slot[i];
    }
}

static void grow_slots(struct engine *e)
{
    free(e->group_slot);
    e->group_slots = e->group_slots > 0 ? e->group_slots * 2 : 128;
    e->group_slot = mem_zalloc(e->group_slots, sizeof *e->group_slot);
    for (uint32_t i = 0; i < e->group_count; i++)
        *place_group(e, e->group[i].corr, e->group[i].key) = i + 1;
}

uint32_t engine_group(struct engine *e, const struct place *p, uint32_t vehicle)
{
    uint32_t key[ALERT_GROUP_MAX] = {0};
    struct slice rest = p->group;

    for (unsigned i = 0; i < engine_rule(e, p->corr)->corr->group_count; i++) {
        struct slice text = group_value(rest, 0);
        rest = slice_from(rest, text.len + 2);
        key[i] = value_number(e, text, vehicle);
        if (key[i] == INTERN_NONE)
            return INTERN_NONE;
    }
    if (e->group_count * 2 >= e->group_slots)
        grow_slots(e);
    uint32_t *slot = place_group(e, p->corr, key);
    if (*slot != 0)
        return *slot - 1;
    if (e->group_count == INTERN_MAX || (e->limits.groups_max > 0 && e->group_count >= e->limits.groups_max))
        return INTERN_NONE;
    if (e->group_count == e->group_room) {
        e->group_room = e->group_room > 0 ? e->group_room * 2 : 64;
        e->group = mem_grow(e->group, e->group_room, sizeof *e->group);
    }
    struct group *g = &e->group[e->group_count];
    memset(g, 0, sizeof *g);
    g->corr = p->corr;
    memcpy(g->key, key, sizeof g->key);
    g->dirty_lo_us = 1; /* nothing to do: lo > hi */
    *slot = ++e->group_count;
    return e->group_count - 1;
}

uint32_t engine_group_find(const struct engine *e, uint32_t corr, const uint32_t key[ALERT_GROUP_MAX])
{
    return e->group_slots > 0 ? *place_group(e, corr, key) - 1 : INTERN_NONE; /* 0 - 1 is INTERN_NONE */
}
