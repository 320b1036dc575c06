#include "detect/engine/engine_internal.h"

#include <stdlib.h>

static uint32_t tag_of(uint64_t key_hash, uint32_t corr)
{
    return (uint32_t)hash_mix(key_hash, corr);
}

uint32_t engine_group_tag(const struct engine *e, uint32_t corr, struct slice key)
{
    return tag_of(hash_bytes(key, e->limits.seed), corr);
}

static uint32_t find(const struct engine *e, uint32_t corr, struct slice key, uint32_t tag)
{
    uint32_t i = slots_first(&e->group_slots, tag);

    for (; e->group_slots.slot[i].item != 0; i = slots_next(&e->group_slots, i)) {
        const struct slot *s = &e->group_slots.slot[i];
        if (s->tag != tag)
            continue;
        const struct group *g = engine_group_at(e, s->item - 1);
        if (g->corr == corr && slice_equal(name_text(g->key), key))
            break;
    }
    return i;
}

uint32_t engine_group_find(const struct engine *e, uint32_t corr, struct slice key)
{
    return e->group_slots.slot[find(e, corr, key, engine_group_tag(e, corr, key))].item - 1; /* 0 - 1 is GROUP_NONE */
}

/* Most groups are by vehicle. */
static bool is_own(const struct engine *e, struct slice key, uint32_t vehicle)
{
    struct slice name = names_text(&e->vehicles, vehicle);

    return key.len == name.len + 2 && slice_equal(slice_from(key, 2), name);
}

/* The group that a vehicle came to last, when it is still the one by the vehicle's name in this correlation: no text is
 * hashed and no table asked. A key has one name, so the name tells the key. */
static uint32_t own_group(const struct engine *e, uint32_t corr, const struct vehicle *v)
{
    if (v->value == NAME_NONE || v->group >= e->groups.count)
        return GROUP_NONE;
    const struct group *g = engine_group_at(e, v->group);
    return g->corr == corr && g->key == names_at(&e->names, v->value) ? v->group : GROUP_NONE;
}

/* Remembers the number of the vehicle's name as a key, and the group. */
static void note_own(struct engine *e, struct vehicle *v, uint32_t group)
{
    if (v->value == NAME_NONE) {
        v->value = engine_group_at(e, group)->key->number;
        names_ref(&e->names, v->value);
    }
    v->group = group;
}

static uint32_t new_group(struct engine *e, uint32_t corr, uint32_t name, uint32_t tag)
{
    uint32_t number = pages_take(&e->groups);
    struct group *g = engine_group_at(e, number);

    g->corr = corr;
    g->key = names_at(&e->names, name);
    g->refs = 1;
    slots_add(&e->group_slots, tag, number);
    return number;
}

/* The group of a key, new if need be. */
static uint32_t take_group(struct engine *e, uint32_t corr, struct slice key)
{
    uint64_t hash = hash_bytes(key, e->limits.seed);
    uint32_t tag = tag_of(hash, corr);
    uint32_t item = e->group_slots.slot[find(e, corr, key, tag)].item;
    uint32_t max = e->limits.groups_max > 0 ? e->limits.groups_max : ENGINE_EVENTS_MAX;

    if (item != 0) {
        engine_group_at(e, item - 1)->refs++;
        return item - 1;
    }
    if (e->groups.used >= max || e->groups.used >= GROUP_FIELD) {
        e->corr[corr].refused_groups++;
        return GROUP_NONE;
    }
    uint32_t name = names_take_hashed(&e->names, key, hash);
    if (name == NAME_NONE) {
        e->corr[corr].refused_names++;
        return GROUP_NONE;
    }
    return new_group(e, corr, name, tag);
}

uint32_t engine_group(struct engine *e, uint32_t corr, struct slice key, uint32_t vehicle)
{
    struct vehicle *v = &e->vehicle[vehicle];
    bool own = is_own(e, key, vehicle);
    uint32_t group = own ? own_group(e, corr, v) : GROUP_NONE;

    if (group != GROUP_NONE) {
        engine_group_at(e, group)->refs++;
        return group;
    }
    group = take_group(e, corr, key);
    if (own && group != GROUP_NONE)
        note_own(e, v, group);
    return group;
}

void engine_large_free(struct group *g)
{
    if (g->large == NULL)
        return;
    window_done(&g->large->window);
    tally_done(&g->large->vehicles);
    free(g->large);
    g->large = NULL;
}

void engine_unqueue(struct engine *e, struct group *g)
{
    struct corr_state *c = &e->corr[g->corr];

    if (g->queue_at == 0)
        return;
    c->queue[g->queue_at - 1] = c->queue[--c->queue_count];
    if (g->queue_at <= c->queue_count)
        engine_group_at(e, c->queue[g->queue_at - 1].group)->queue_at = g->queue_at;
    g->queue_at = 0;
}

static void free_group(struct engine *e, uint32_t number)
{
    struct group *g = engine_group_at(e, number);

    engine_unqueue(e, g);
    engine_closing_remove(e, number);
    engine_large_free(g);
    slab_free(&e->entries, g->entry, g->room * sizeof *g->entry);
    free(g->episode);
    names_release(&e->names, g->key->number);
    g->corr = GROUP_NONE;
    pages_give(&e->groups, number);
}

void engine_group_check(struct engine *e, uint32_t group)
{
    struct group *g = engine_group_at(e, group);

    if (g->refs > 0 || g->episode_count > 0 || g->queue_at > 0)
        return;
    struct slice key = name_text(g->key);
    slots_remove(&e->group_slots, find(e, g->corr, key, engine_group_tag(e, g->corr, key)));
    free_group(e, group);
}

void engine_group_release(struct engine *e, uint32_t group)
{
    engine_group_at(e, group)->refs--;
    engine_group_check(e, group);
}

uint32_t engine_group_load(struct engine *e, uint32_t corr, uint32_t name)
{
    struct slice key = names_text(&e->names, name);
    uint32_t tag = engine_group_tag(e, corr, key);

    if (e->group_slots.slot[find(e, corr, key, tag)].item != 0 || e->groups.used >= GROUP_FIELD)
        return GROUP_NONE;
    names_ref(&e->names, name);
    return new_group(e, corr, name, tag);
}

void engine_groups_rehash(struct engine *e)
{
    slots_done(&e->group_slots);
    slots_init(&e->group_slots);
    for (uint32_t i = 0; i < e->groups.count; i++) {
        const struct group *g = engine_group_at(e, i);
        if (g->corr != GROUP_NONE)
            slots_add(&e->group_slots, engine_group_tag(e, g->corr, name_text(g->key)), i);
    }
}
