#include "detect/engine/engine_format.h"

#include <stdlib.h>

struct save {
    const struct engine *e;
    struct snapshot_writer *w;
    uint32_t *vehicle, *name, *group, *event; /* by number: number in the snapshot */
};

/* Numbers names that are in use from 0, in the order of their numbers here. */
static uint32_t *number_names(const struct names *n)
{
    uint32_t *number = mem_zalloc(n->name.count, sizeof *number);
    uint32_t next = 0;

    for (uint64_t i = 0; i <= n->slots.mask; i++)
        if (n->slots.slot[i].item != 0)
            number[n->slots.slot[i].item - 1] = 1;
    for (uint32_t i = 0; i < n->name.count; i++)
        number[i] = number[i] != 0 ? next++ : NAME_NONE;
    return number;
}

static uint32_t *number_groups(const struct engine *e)
{
    uint32_t *number = mem_zalloc(e->groups.count, sizeof *number);
    uint32_t next = 0;

    for (uint32_t i = 0; i < e->groups.count; i++)
        number[i] = engine_group_at(e, i)->corr != GROUP_NONE ? next++ : GROUP_NONE;
    return number;
}

static uint32_t *number_events(const struct engine *e)
{
    uint32_t *number = mem_zalloc(e->nodes.count, sizeof *number);
    uint32_t next = 0;

    for (uint32_t i = 0; i < e->nodes.count; i++)
        number[i] = engine_node(e, i)->vehicle != NODE_NONE ? next++ : NODE_NONE;
    return number;
}

static void save_counters(const struct save *s)
{
    const struct engine_counters *c = &s->e->counters;
    const uint64_t value[] = {c->events,          c->duplicates, c->conflicts, c->matched,          c->refused_total,
                              c->refused_vehicle, c->expired,    c->scanned,   s->e->refused_events};

    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++)
        snapshot_put_u64(s->w, value[i]);
}

static void save_rules(const struct save *s)
{
    const struct engine *e = s->e;

    snapshot_put_u64(s->w, e->plan->corr_count);
    for (uint32_t c = 0; c < e->plan->corr_count; c++) {
        const struct rule *r = engine_rule(e, c);
        unsigned flags = (r->alerts ? SAVED_RULE_ALERTS : 0u) | (e->corr[c].backfill ? SAVED_RULE_BACKFILL : 0u);
        snapshot_put_bytes(s->w, r->label);
        snapshot_put_raw(s->w, r->meaning, sizeof r->meaning);
        snapshot_put_u8(s->w, (uint8_t)flags);
        snapshot_put_u64(s->w, e->corr[c].refused_groups);
        snapshot_put_u64(s->w, e->corr[c].refused_names);
    }
}

static void save_names(const struct save *s, const struct names *n, const uint32_t *number)
{
    snapshot_put_u64(s->w, n->name.used);
    for (uint32_t i = 0; i < n->name.count; i++)
        if (number[i] != NAME_NONE)
            snapshot_put_bytes(s->w, names_text(n, i));
}

static void save_refused(const struct save *s)
{
    const struct engine *e = s->e;

    snapshot_put_u64(s->w, e->refused_vehicle_count);
    for (uint32_t i = 0; i < e->refused_vehicle_count; i++) {
        snapshot_put_u32(s->w, s->vehicle[e->refused_vehicle[i]]);
        snapshot_put_u32(s->w, e->vehicle[e->refused_vehicle[i]].refused);
    }
}

static void save_episode(const struct save *s, const struct episode *ep)
{
    unsigned flags = (ep->late ? SAVED_EPISODE_LATE : 0u) | (ep->closed ? SAVED_EPISODE_CLOSED : 0u);

    snapshot_put_raw(s->w, ep->id, sizeof ep->id);
    snapshot_put_i64(s->w, ep->hit_us);
    snapshot_put_i64(s->w, ep->first_us);
    snapshot_put_i64(s->w, ep->last_us);
    snapshot_put_u64(s->w, ep->count);
    snapshot_put_u64(s->w, ep->vehicles);
    snapshot_put_u64(s->w, (uint64_t)((unano)ep->peak >> 64));
    snapshot_put_u64(s->w, (uint64_t)ep->peak);
    snapshot_put_u64(s->w, ep->start.hi);
    snapshot_put_u64(s->w, ep->start.lo);
    snapshot_put_u32(s->w, ep->revision);
    snapshot_put_u8(s->w, (uint8_t)flags);
}

static void save_groups(const struct save *s)
{
    const struct engine *e = s->e;

    snapshot_put_u64(s->w, e->groups.used);
    for (uint32_t i = 0; i < e->groups.count; i++) {
        const struct group *g = engine_group_at(e, i);
        if (g->corr == GROUP_NONE)
            continue;
        snapshot_put_u32(s->w, g->corr);
        snapshot_put_u32(s->w, s->name[g->key->number]);
        snapshot_put_u64(s->w, g->episode_count);
        for (uint32_t k = 0; k < g->episode_count; k++)
            save_episode(s, &g->episode[k]);
    }
}

/* What a live group has behind its last settled entry has no stretch in memory; in the file it has one. */
static void save_queued(const struct save *s, const struct queued *q)
{
    const struct group *g = engine_group_at(s->e, q->group);
    int64_t lo_us = q->lo_us;
    int64_t hi_us = q->hi_us;

    if (g->large != NULL && g->large->live) {
        if (lo_us > hi_us)
            lo_us = hi_us = g->large->last.time_us;
        if (lo_us > g->large->last.time_us)
            lo_us = g->large->last.time_us;
        for (uint32_t i = g->sorted > 0 ? g->sorted - 1 : 0; i < g->count; i++)
            if (g->entry[i].time_us > hi_us)
                hi_us = g->entry[i].time_us;
    }
    snapshot_put_u32(s->w, s->group[q->group]);
    snapshot_put_i64(s->w, lo_us);
    snapshot_put_i64(s->w, hi_us);
}

static void save_queues(const struct save *s)
{
    const struct engine *e = s->e;
    uint64_t count = 0;

    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        count += e->corr[c].queue_count;
    snapshot_put_u64(s->w, count);
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        for (uint32_t i = 0; i < e->corr[c].queue_count; i++)
            save_queued(s, &e->corr[c].queue[i]);
}

static void save_value(const struct save *s, uint8_t type, uint32_t value)
{
    enum saved_value kind = value == VALUE_NONE ? SAVED_VALUE_NONE : saved_value_of(type);

    snapshot_put_u8(s->w, (uint8_t)kind);
    if (kind == SAVED_VALUE_NONE)
        return;
    if (kind == SAVED_VALUE_NAME) {
        snapshot_put_u32(s->w, s->name[value]);
        return;
    }
    const struct point *p = pages_at(&s->e->points, value, sizeof *p);
    if (kind == SAVED_VALUE_POSITION) {
        snapshot_put_u32(s->w, (uint32_t)p->at.place.lat);
        snapshot_put_u32(s->w, (uint32_t)p->at.place.lon);
        return;
    }
    snapshot_put_u64(s->w, (uint64_t)((unano)p->at.number >> 64));
    snapshot_put_u64(s->w, (uint64_t)p->at.number);
}

static void save_place(const struct save *s, const struct node_place *p)
{
    const struct engine *e = s->e;

    if (p->group == GROUP_FIELD) {
        snapshot_put_u32(s->w, GROUP_NONE);
        return;
    }
    snapshot_put_u32(s->w, s->group[p->group]);
    save_value(s, engine_rule(e, engine_group_at(e, p->group)->corr)->corr->type, p->value);
    snapshot_put_u64(s->w, p->mask_chain);
}

static void save_events(const struct save *s)
{
    const struct engine *e = s->e;

    snapshot_put_u64(s->w, e->nodes.used);
    for (uint32_t i = 0; i < e->nodes.count; i++) {
        struct node *n = engine_node(e, i);
        if (n->vehicle == NODE_NONE)
            continue;
        unsigned flags = (n->has_seq ? SAVED_EVENT_HAS_SEQ : 0u) | (n->late ? SAVED_EVENT_LATE : 0u);
        snapshot_put_i64(s->w, n->first_us);
        snapshot_put_i64(s->w, n->last_us);
        snapshot_put_u64(s->w, n->number);
        snapshot_put_u64(s->w, n->content_hi);
        snapshot_put_u64(s->w, n->tag);
        snapshot_put_u32(s->w, s->vehicle[n->vehicle]);
        snapshot_put_u32(s->w, n->epoch);
        snapshot_put_u32(s->w, n->count);
        snapshot_put_u8(s->w, (uint8_t)flags);
        snapshot_put_u32(s->w, n->place_count);
        for (uint16_t k = 0; k < n->place_count; k++)
            save_place(s, &node_places(n)[k]);
    }
}

/* The entries of a group in their order; those before `sorted` are in the right one. */
static void save_group_entries(const struct save *s, const struct group *g)
{
    uint64_t count = 0;
    uint64_t sorted = 0;

    for (uint32_t i = 0; i < g->count; i++) {
        count += g->entry[i].mask != 0;
        sorted += i < g->sorted && g->entry[i].mask != 0;
    }
    snapshot_put_u64(s->w, count);
    snapshot_put_u64(s->w, sorted);
    for (uint32_t i = 0; i < g->count; i++) {
        const struct entry *x = &g->entry[i];
        if (x->mask == 0)
            continue;
        snapshot_put_u32(s->w, s->event[x->node]);
        snapshot_put_u8(s->w, (uint8_t)((x->second ? SAVED_ENTRY_SECOND : 0u) | (x->hit ? SAVED_ENTRY_HIT : 0u)));
        snapshot_put_u64(s->w, x->mask);
    }
}

static void save_entries(const struct save *s)
{
    for (uint32_t i = 0; i < s->e->groups.count; i++) {
        const struct group *g = engine_group_at(s->e, i);
        if (g->corr != GROUP_NONE)
            save_group_entries(s, g);
    }
}

static void save_ghosts(const struct save *s)
{
    snapshot_put_u64(s->w, s->e->ghosts.used);
    for (uint32_t i = 0; i < s->e->ghosts.count; i++) {
        const struct ghost *gh = engine_ghost(s->e, i);
        if (gh->minute == 0)
            continue;
        snapshot_put_u64(s->w, gh->key.hi);
        snapshot_put_u64(s->w, gh->key.lo);
        snapshot_put_u64(s->w, gh->content_hi);
        snapshot_put_u32(s->w, gh->minute);
    }
}

void engine_save(const struct engine *e, struct snapshot_writer *w)
{
    struct save s = {.e = e, .w = w};

    s.vehicle = number_names(&e->vehicles);
    s.name = number_names(&e->names);
    s.group = number_groups(e);
    s.event = number_events(e);

    snapshot_put_u32(w, ENGINE_FORMAT);
    save_counters(&s);
    save_rules(&s);
    save_names(&s, &e->vehicles, s.vehicle);
    save_names(&s, &e->names, s.name);
    save_refused(&s);
    save_groups(&s);
    save_events(&s);
    save_entries(&s);
    save_queues(&s);
    save_ghosts(&s);
    free(s.vehicle);
    free(s.name);
    free(s.group);
    free(s.event);
}
