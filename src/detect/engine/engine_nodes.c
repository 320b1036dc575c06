#include "detect/engine/engine_internal.h"

#include <assert.h>
#include <stdlib.h>

void engine_vehicle_room(struct engine *e)
{
    uint32_t room = e->vehicle_room > 0 ? e->vehicle_room : 64;

    while (room < e->vehicles.name.count)
        room += room / 2;
    if (room == e->vehicle_room)
        return;
    e->vehicle = mem_grow(e->vehicle, room, sizeof *e->vehicle);
    memset(e->vehicle + e->vehicle_room, 0, (room - e->vehicle_room) * sizeof *e->vehicle);
    e->vehicle_room = room;
}

uint32_t engine_vehicle(struct engine *e, struct slice vehicle)
{
    uint32_t last = e->vehicle_last;

    if (last != NAME_NONE && slice_equal(names_text(&e->vehicles, last), vehicle)) {
        names_ref(&e->vehicles, last);
        return last;
    }
    uint32_t v = names_take(&e->vehicles, vehicle);
    engine_vehicle_room(e);
    if (names_at(&e->vehicles, v)->refs == 1) {
        memset(&e->vehicle[v], 0, sizeof e->vehicle[v]);
        e->vehicle[v].value = NAME_NONE;
    }
    e->vehicle_last = v;
    return v;
}

void engine_vehicle_release(struct engine *e, uint32_t vehicle)
{
    if (names_at(&e->vehicles, vehicle)->refs == 1) {
        if (e->vehicle[vehicle].value != NAME_NONE)
            names_release(&e->names, e->vehicle[vehicle].value);
        if (e->vehicle_last == vehicle)
            e->vehicle_last = NAME_NONE;
    }
    names_release(&e->vehicles, vehicle);
}

static uint32_t new_point(struct engine *e, const struct place *p, bool is_place)
{
    uint32_t number = pages_take(&e->points);
    struct point *at = pages_at(&e->points, number, sizeof *at);

    if (is_place) {
        at->at.place.lat = p->lat;
        at->at.place.lon = p->lon;
    } else {
        at->at.number = p->number;
    }
    return number;
}

/* False when there is no room for the value's name. */
static bool value_of(struct engine *e, const struct place *p, uint32_t *ret)
{
    uint8_t type = engine_rule(e, p->corr)->corr->type;

    *ret = VALUE_NONE;
    if (!p->has_value)
        return true;
    *ret = type == CORR_VALUE_COUNT ? names_take(&e->names, p->value) : new_point(e, p, type == CORR_GEO_VELOCITY);
    if (*ret == VALUE_NONE)
        e->corr[p->corr].refused_names++;
    return *ret != VALUE_NONE;
}

void engine_value_release(struct engine *e, const struct node_place *p)
{
    if (p->value == VALUE_NONE)
        return;
    if (engine_rule(e, engine_group_at(e, p->group)->corr)->corr->type == CORR_VALUE_COUNT)
        names_release(&e->names, p->value);
    else
        pages_give(&e->points, p->value);
}

static bool within_limits(struct engine *e, uint32_t vehicle)
{
    const struct engine_limits *l = &e->limits;

    if (e->nodes.used >= ENGINE_EVENTS_MAX - 1 || (l->events_max > 0 && e->nodes.used >= l->events_max)) {
        e->counters.refused_total++;
        e->refused_events++;
        return false;
    }
    if (l->events_per_vehicle_max > 0 && e->vehicle[vehicle].events >= l->events_per_vehicle_max) {
        e->counters.refused_vehicle++;
        engine_refuse_vehicle(e, vehicle);
        return false;
    }
    return true;
}

uint32_t engine_node_new(struct engine *e, const struct sighting *s)
{
    uint32_t vehicle = engine_vehicle(e, s->vehicle);

    if (!within_limits(e, vehicle)) {
        engine_vehicle_release(e, vehicle);
        return NODE_NONE;
    }
    uint32_t number = pages_take(&e->nodes);
    struct node *n = engine_node(e, number);
    n->first_us = s->first_us;
    n->last_us = s->last_us;
    n->number = s->has_seq ? s->seq : s->content.lo;
    n->content_hi = s->content.hi;
    n->vehicle = vehicle;
    n->epoch = s->epoch;
    n->count = s->count;
    n->has_seq = s->has_seq;
    n->tag = s->tag;
    n->late = s->late;
    e->vehicle[vehicle].events++;
    return number;
}

/* The first of the new places; the others follow. */
struct node_place *engine_places_add(struct node *n, uint32_t count)
{
    uint32_t old = n->place_count;
    uint32_t all = old + count;
    struct node_place only = n->place.only;

    assert(all <= UINT16_MAX);
    if (all > 1) {
        n->place.more = mem_grow(old > 1 ? n->place.more : NULL, all, sizeof *n->place.more);
        if (old == 1)
            n->place.more[0] = only;
    }
    n->place_count = (uint16_t)all;
    struct node_place *first = node_places(n) + old;
    memset(first, 0, count * sizeof *first);
    for (uint32_t i = 0; i < count; i++) {
        first[i].group = GROUP_FIELD;
        first[i].value = VALUE_NONE;
    }
    return first;
}

/* A place that a limit turned away stays without a group. */
static void enter_one(struct engine *e, uint32_t node, struct node_place *at, const struct place *p)
{
    struct node *n = engine_node(e, node);
    uint32_t value;
    uint32_t group = engine_group(e, p->corr, p->group, n->vehicle);

    if (group != GROUP_NONE && !value_of(e, p, &value)) {
        engine_group_release(e, group);
        group = GROUP_NONE;
    }
    if (group == GROUP_NONE) {
        e->counters.refused_total++;
        return;
    }
    at->group = group & GROUP_FIELD;
    at->value = value;
    at->mask_chain = p->mask_chain;
    engine_mask(e, node, at, false, p->mask);
    if (n->count > 1)
        engine_mask(e, node, at, true, p->mask);
}

void engine_node_enter(struct engine *e, uint32_t node, const struct place *place, uint32_t count)
{
    struct node *n = engine_node(e, node);
    struct node_place *at = engine_places_add(n, count);

    for (uint32_t i = 0; i < count; i++)
        enter_one(e, node, &at[i], &place[i]);
}

/* Gives the slot back. No entry may name the node any more. */
void engine_node_free(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);
    struct node_place *place = node_places(n);

    for (uint16_t i = 0; i < n->place_count; i++) {
        if (place[i].group == GROUP_FIELD)
            continue;
        engine_value_release(e, &place[i]);
        engine_group_release(e, place[i].group);
    }
    if (n->place_count > 1)
        free(n->place.more);
    n->place_count = 0;
    e->vehicle[n->vehicle].events--;
    engine_vehicle_release(e, n->vehicle);
    n->vehicle = NODE_NONE;
    pages_give(&e->nodes, node);
}

/* Withdraws an event from all its groups. */
static void withdraw(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);
    struct node_place *place = node_places(n);

    for (uint16_t i = 0; i < n->place_count; i++)
        for (unsigned part = 0; part < 2 && place[i].group != GROUP_FIELD; part++)
            engine_mask(e, node, &place[i], part == 1, 0);
    /* What was taken out still names the node when entries are compared: close the holes first. */
    for (uint16_t i = 0; i < n->place_count; i++)
        if (place[i].group != GROUP_FIELD)
            engine_tidy(e, engine_group_at(e, place[i].group));
    engine_node_free(e, node);
}

/* A copy that came in time makes the event one that was not late. */
static void not_late(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);
    struct node_place *place = node_places(n);

    n->late = false;
    for (uint16_t i = 0; i < n->place_count; i++)
        for (unsigned part = 0; part < 2; part++)
            if ((place[i].parts >> part & 1) != 0)
                engine_mark(e, place[i].group, part == 0 ? n->first_us : n->last_us, false);
}

/* An event that limits turned away from every group is not kept. */
static uint32_t keep_or_free(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);

    for (uint16_t i = 0; i < n->place_count; i++)
        if (node_places(n)[i].parts != 0)
            return node;
    engine_node_free(e, node);
    return NODE_NONE;
}

void engine_keep(struct engine *e, const struct sighting *s)
{
    uint32_t node = s->place_count > 0 ? engine_node_new(e, s) : NODE_NONE;

    if (node != NODE_NONE) {
        engine_node_enter(e, node, s->place, s->place_count);
        node = keep_or_free(e, node);
    }
    if (e->limits.unique_input)
        return;
    if (node != NODE_NONE) {
        engine_identity_add_node(e, node);
        return;
    }
    struct ghost gh = {.key = s->identity, .content_hi = s->content.hi, .minute = engine_minute(s->last_us)};
    engine_identity_add_ghost(e, &gh);
}

static void put_copy(struct engine *e, const struct sighting *s, uint32_t item)
{
    bool ghost = (item & ITEM_GHOST) != 0;
    uint64_t known = ghost ? engine_ghost(e, item)->content_hi : engine_node(e, item)->content_hi;

    if (known == s->content.hi) {
        e->counters.duplicates++;
        if (!ghost && !s->late && engine_node(e, item)->late)
            not_late(e, item);
        return;
    }
    e->counters.conflicts++;
    if (known < s->content.hi)
        return;
    if (ghost) {
        engine_identity_remove_ghost(e, item & ~ITEM_GHOST);
    } else {
        engine_identity_remove_node(e, item);
        withdraw(e, item);
    }
    engine_keep(e, s);
}

void engine_put(struct engine *e, const struct sighting *s)
{
    uint32_t item = NODE_NONE;

    e->counters.events++;
    e->counters.matched += s->place_count > 0;
    if (!e->limits.unique_input)
        item = engine_identity_find(e, s);
    if (item != NODE_NONE)
        put_copy(e, s, item);
    else if (s->place_count > 0 || !e->limits.unique_input)
        engine_keep(e, s);
}
