#include "detect/engine/engine_internal.h"

#include <stdlib.h>

#define IDENTITY_SLOTS_MIN 1024
#define US_PER_MINUTE      (60 * US_PER_S)

struct engine *engine_new(const struct plan *plan, const struct engine_limits *limits)
{
    struct engine *e = mem_zalloc(1, sizeof *e);

    e->plan = plan;
    e->limits = *limits;
    intern_init(&e->vehicles, limits->seed);
    intern_init(&e->values, limits->seed);
    e->corr = mem_zalloc(plan->corr_count, sizeof *e->corr);
    e->slot_count = IDENTITY_SLOTS_MIN;
    e->slot = mem_zalloc(e->slot_count, sizeof *e->slot);
    window_init(&e->window);
    return e;
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; i < e->node_count; i++)
        free(e->node[i].more);
    for (uint32_t i = 0; i < e->group_count; i++) {
        free(e->group[i].entry);
        free(e->group[i].episode);
    }
    for (uint32_t i = 0; i < e->plan->corr_count; i++)
        free(e->corr[i].queue);
    intern_done(&e->vehicles);
    intern_done(&e->values);
    window_done(&e->window);
    free(e->vehicle_events);
    free(e->vehicle_value);
    free(e->group_slot);
    free(e->node);
    free(e->free_node);
    free(e->group);
    free(e->corr);
    free(e->point);
    free(e->free_point);
    free(e->slot);
    free(e->stamp);
    free(e->merge);
    free(e->fresh);
    free(e->open);
    free(e);
}

const struct engine_counters *engine_counters(const struct engine *e)
{
    return &e->counters;
}

static struct identity_slot *identity_place(const struct engine *e, struct hash128 key)
{
    uint64_t mask = e->slot_count - 1;

    for (uint64_t i = hash_mix(key.lo, e->limits.seed) & mask;; i = (i + 1) & mask)
        if (e->slot[i].minute == 0 || hash128_equal(e->slot[i].key, key))
            return &e->slot[i];
}

/* Moves the slots worth keeping into a table of another size. */
static void identity_rebuild(struct engine *e, uint64_t slot_count, uint32_t minute_min)
{
    struct identity_slot *old = e->slot;
    uint64_t old_count = e->slot_count;

    e->slot_count = slot_count;
    e->slot = mem_zalloc(slot_count, sizeof *e->slot);
    e->slot_used = 0;
    for (uint64_t i = 0; i < old_count; i++) {
        if (old[i].minute == 0 || old[i].minute < minute_min)
            continue;
        *identity_place(e, old[i].key) = old[i];
        e->slot_used++;
    }
    free(old);
}

static uint32_t new_point(struct engine *e, const struct place *p)
{
    uint32_t number = e->free_point_count > 0 ? e->free_point[--e->free_point_count] : e->point_count++;

    if (number >= e->point_room) {
        e->point_room = e->point_room > 0 ? e->point_room * 2 : 64;
        e->point = mem_grow(e->point, e->point_room, sizeof *e->point);
    }
    struct point *at = &e->point[number];
    at->number = p->number;
    at->lat = p->lat;
    at->lon = p->lon;
    return number;
}

static void free_point(struct engine *e, const struct node_place *p)
{
    if (p->value == VALUE_NONE || engine_rule(e, e->group[p->group].corr)->corr->type == CORR_VALUE_COUNT)
        return;
    if (e->free_point_count == e->free_point_room) {
        e->free_point_room = e->free_point_room > 0 ? e->free_point_room * 2 : 64;
        e->free_point = mem_grow(e->free_point, e->free_point_room, sizeof *e->free_point);
    }
    e->free_point[e->free_point_count++] = p->value;
}

static uint32_t value_of(struct engine *e, const struct place *p)
{
    if (!p->has_value)
        return VALUE_NONE;
    if (engine_rule(e, p->corr)->corr->type == CORR_VALUE_COUNT)
        return intern_add(&e->values, p->value);
    return new_point(e, p);
}

static uint32_t new_node(struct engine *e)
{
    if (e->free_count > 0)
        return e->free_node[--e->free_count];
    if (e->node_count == e->node_room) {
        e->node_room = e->node_room > 0 ? e->node_room * 2 : 64;
        e->node = mem_grow(e->node, e->node_room, sizeof *e->node);
    }
    return e->node_count++;
}

static uint32_t vehicle_of(struct engine *e, struct slice vehicle)
{
    if (e->vehicle_last < e->vehicles.count && slice_equal(intern_text(&e->vehicles, e->vehicle_last), vehicle))
        return e->vehicle_last;
    uint32_t v = intern_add(&e->vehicles, vehicle);
    e->vehicle_last = v;

    if (v != INTERN_NONE && v >= e->vehicle_room) {
        uint32_t room = e->vehicle_room > 0 ? e->vehicle_room * 2 : 64;
        e->vehicle_events = mem_grow(e->vehicle_events, room, sizeof *e->vehicle_events);
        memset(e->vehicle_events + e->vehicle_room, 0, (room - e->vehicle_room) * sizeof *e->vehicle_events);
        e->vehicle_value = mem_grow(e->vehicle_value, room, sizeof *e->vehicle_value);
        memset(e->vehicle_value + e->vehicle_room, 0xFF, (room - e->vehicle_room) * sizeof *e->vehicle_value);
        e->vehicle_room = room;
    }
    return v;
}

static bool within_limits(struct engine *e, uint32_t vehicle)
{
    const struct engine_limits *l = &e->limits;

    if (vehicle == INTERN_NONE || e->node_count - e->free_count >= NODE_NONE - 1 ||
        (l->events_max > 0 && e->node_count - e->free_count >= l->events_max)) {
        e->counters.refused_total++;
        return false;
    }
    if (l->events_per_vehicle_max > 0 && e->vehicle_events[vehicle] >= l->events_per_vehicle_max) {
        e->counters.refused_vehicle++;
        return false;
    }
    return true;
}

/* Keeps an event and enters it into its groups. NODE_NONE when a limit turned it away. */
static uint32_t add_node(struct engine *e, const struct sighting *s)
{
    uint32_t vehicle = vehicle_of(e, s->vehicle);

    if (!within_limits(e, vehicle))
        return NODE_NONE;
    uint32_t number = new_node(e);
    struct node *n = &e->node[number];
    memset(n, 0, sizeof *n);
    n->first_us = s->first_us;
    n->last_us = s->last_us;
    n->seq = s->seq;
    n->content = s->content;
    n->vehicle = vehicle;
    n->epoch = s->epoch;
    n->count = s->count;
    n->has_seq = s->has_seq;
    n->tag = s->tag;
    n->late = s->late;
    if (s->place_count > 1)
        n->more = mem_alloc(s->place_count, sizeof *n->more);
    struct node_place *place = node_places(n);
    e->vehicle_events[vehicle]++;
    for (uint32_t i = 0; i < s->place_count; i++) {
        const struct place *p = &s->place[i];
        struct node_place *at = &place[n->place_count];
        memset(at, 0, sizeof *at);
        at->group = engine_group(e, p, vehicle);
        if (at->group == INTERN_NONE) {
            e->counters.refused_total++;
            continue;
        }
        at->value = value_of(e, p);
        at->mask_chain = p->mask_chain;
        n->place_count++;
        engine_mask(e, number, at, false, p->mask);
        if (n->count > 1)
            engine_mask(e, number, at, true, p->mask);
    }
    return number;
}

/* Gives the slot back. Nothing may name the node any more. */
static void free_node(struct engine *e, uint32_t node)
{
    struct node *n = &e->node[node];

    e->vehicle_events[n->vehicle]--;
    for (uint16_t i = 0; i < n->place_count; i++)
        free_point(e, &node_places(n)[i]);
    free(n->more);
    n->more = NULL;
    n->place_count = 0;
    n->vehicle = NODE_NONE;
    if (e->free_count == e->free_room) {
        e->free_room = e->free_room > 0 ? e->free_room * 2 : 64;
        e->free_node = mem_grow(e->free_node, e->free_room, sizeof *e->free_node);
    }
    e->free_node[e->free_count++] = node;
}

/* Withdraws an event from all its groups. */
static void withdraw(struct engine *e, uint32_t node)
{
    struct node *n = &e->node[node];

    for (uint16_t i = 0; i < n->place_count; i++)
        for (unsigned part = 0; part < 2; part++)
            engine_mask(e, node, &node_places(n)[i], part == 1, 0);
    /* What was taken out still names the node when entries are compared: close the holes first. */
    for (uint16_t i = 0; i < n->place_count; i++)
        engine_tidy(e, &e->group[node_places(n)[i].group]);
    free_node(e, node);
}

/* A copy that came in time makes the event one that was not late. */
static void not_late(struct engine *e, uint32_t node)
{
    struct node *n = &e->node[node];

    n->late = false;
    for (uint16_t i = 0; i < n->place_count; i++)
        for (unsigned part = 0; part < 2; part++)
            if (node_places(n)[i].mask[part] != 0)
                engine_mark(e, node_places(n)[i].group, part == 0 ? n->first_us : n->last_us);
}

static void put_copy(struct engine *e, const struct sighting *s, struct identity_slot *slot)
{
    if (slot->content == s->content.hi) {
        e->counters.duplicates++;
        if (slot->node != 0 && !s->late && e->node[slot->node - 1].late)
            not_late(e, slot->node - 1);
        return;
    }
    e->counters.conflicts++;
    if (slot->content < s->content.hi)
        return;
    if (slot->node != 0)
        withdraw(e, slot->node - 1);
    slot->content = s->content.hi;
    uint32_t node = s->place_count > 0 ? add_node(e, s) : NODE_NONE;
    slot->node = node != NODE_NONE ? node + 1 : 0;
}

void engine_put(struct engine *e, const struct sighting *s)
{
    e->counters.events++;
    e->counters.matched += s->place_count > 0;
    if (e->limits.unique_input) {
        if (s->place_count > 0)
            (void)add_node(e, s);
        return;
    }
    struct identity_slot *slot = identity_place(e, s->identity);
    if (slot->minute != 0) {
        put_copy(e, s, slot);
        return;
    }
    slot->key = s->identity;
    slot->content = s->content.hi;
    slot->minute = (uint32_t)(s->last_us / US_PER_MINUTE) + 1;
    uint32_t node = s->place_count > 0 ? add_node(e, s) : NODE_NONE;
    slot->node = node != NODE_NONE ? node + 1 : 0;
    if (++e->slot_used * 3 > e->slot_count * 2)
        identity_rebuild(e, e->slot_count * 2, 0);
}

/* Whether an episode of the group could still change, or reach back to this time. */
static bool reaches(const struct engine *e, const struct group *g, int64_t time_us, int64_t cutoff_us)
{
    int64_t span = engine_rule(e, g->corr)->corr->span_us;

    if (time_us >= cutoff_us - span)
        return true;
    for (uint32_t i = g->episode_count; i-- > 0;)
        if (g->episode[i].last_us >= cutoff_us - span && g->episode[i].first_us <= time_us)
            return true;
    return false;
}

static bool node_needed(const struct engine *e, struct node *n, int64_t cutoff_us)
{
    for (uint16_t i = 0; i < n->place_count; i++)
        if (reaches(e, &e->group[node_places(n)[i].group], n->last_us, cutoff_us))
            return true;
    return false;
}

static void expire_episodes(struct engine *e, int64_t cutoff_us)
{
    for (uint32_t i = 0; i < e->group_count; i++) {
        struct group *g = &e->group[i];
        int64_t span = engine_rule(e, g->corr)->corr->span_us;
        uint32_t old = 0;
        while (old < g->episode_count && g->episode[old].last_us < cutoff_us - span)
            old++;
        if (old == 0)
            continue;
        memmove(g->episode, g->episode + old, (g->episode_count - old) * sizeof *g->episode);
        g->episode_count -= old;
    }
}

void engine_expire(struct engine *e, int64_t cutoff_us)
{
    uint32_t minute = cutoff_us > 0 ? (uint32_t)(cutoff_us / US_PER_MINUTE) : 0;
    bool *gone = mem_zalloc(e->node_count, sizeof *gone);

    expire_episodes(e, cutoff_us);
    for (uint32_t i = 0; i < e->node_count; i++) {
        struct node *n = &e->node[i];
        gone[i] = n->vehicle != NODE_NONE && n->last_us < cutoff_us && !node_needed(e, n, cutoff_us);
        for (uint16_t k = 0; gone[i] && k < n->place_count; k++)
            for (unsigned part = 0; part < 2; part++)
                engine_forget_part(e, i, &node_places(n)[k], part == 1);
    }
    for (uint32_t i = 0; i < e->group_count; i++)
        engine_tidy(e, &e->group[i]);
    for (uint32_t i = 0; i < e->node_count; i++) {
        if (gone[i]) {
            free_node(e, i);
            e->counters.expired++;
        }
    }
    free(gone);
    for (uint64_t i = 0; i < e->slot_count; i++) /* a slot must not outlive its node */
        if (e->slot[i].node != 0 && e->node[e->slot[i].node - 1].vehicle == NODE_NONE)
            e->slot[i].node = 0;
    identity_rebuild(e, e->slot_count, minute);
}
