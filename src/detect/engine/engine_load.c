#include "detect/engine/engine_format.h"

#include <stdlib.h>

/* Everything read is checked before it is used: a snapshot that is not what engine_save writes must not do more than
 * fail. Numbers in the snapshot are turned into numbers here by one table each; what belongs to a rule that is not in
 * the plan is read and let go. */
struct load {
    struct engine *e;
    struct snapshot_in *in;
    uint32_t *corr; /* by rule of the snapshot: its place in the plan, GROUP_NONE when it is not there */
    uint32_t *vehicle, *name, *group, *event;
    uint64_t rule_count, vehicle_count, name_count, group_count, event_count;
    bool bad;
};

static bool fail(struct load *l)
{
    l->bad = true;
    return false;
}

static bool ok(struct load *l)
{
    return !l->bad && !snapshot_in_failed(l->in);
}

static void load_counters(struct load *l)
{
    struct engine_counters *c = &l->e->counters;
    uint64_t *const to[] = {&c->events,          &c->duplicates, &c->conflicts, &c->matched,          &c->refused_total,
                            &c->refused_vehicle, &c->expired,    &c->scanned,   &l->e->refused_events};

    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
        *to[i] = snapshot_get_u64(l->in);
}

/* Rules that are in the plan and not in the snapshot begin empty. */
static void load_rules(struct load *l)
{
    struct engine *e = l->e;
    bool *known = mem_zalloc(e->plan->corr_count, sizeof *known);

    l->rule_count = snapshot_get_count(l->in, SAVED_RULE_SIZE);
    l->corr = mem_zalloc(l->rule_count, sizeof *l->corr);
    for (uint64_t i = 0; ok(l) && i < l->rule_count; i++) {
        struct slice label = snapshot_get_bytes(l->in);
        struct slice meaning = snapshot_get_raw(l->in, RULE_HASH_SIZE);
        uint8_t flags = snapshot_get_u8(l->in);
        uint64_t refused_groups = snapshot_get_u64(l->in);
        uint64_t refused_names = snapshot_get_u64(l->in);
        l->corr[i] = GROUP_NONE;
        if (!ok(l))
            break;
        uint32_t c = engine_same_rule(e->plan, label, meaning.ptr);
        if (c == GROUP_NONE)
            continue;
        if (known[c]) {
            fail(l);
            break;
        }
        if (engine_rule(e, c)->alerts != ((flags & SAVED_RULE_ALERTS) != 0))
            e->corr[c].alerts_changed = true;
        known[c] = true;
        l->corr[i] = c;
        e->corr[c].backfill = (flags & SAVED_RULE_BACKFILL) != 0;
        e->corr[c].refused_groups = refused_groups;
        e->corr[c].refused_names = refused_names;
    }
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        e->corr[c].backfill |= !known[c];
    free(known);
    engine_backfill_note(e);
}

/* Each name that is read holds a reference until all is loaded. */
static uint32_t *load_names(struct load *l, struct names *n, uint64_t *ret_count)
{
    uint64_t max = n->bytes_max;
    uint64_t count = snapshot_get_count(l->in, SAVED_NAME_SIZE);
    uint32_t *number = mem_zalloc(count, sizeof *number);

    n->bytes_max = 0; /* what was kept is kept */
    *ret_count = 0;
    for (uint64_t i = 0; ok(l) && i < count; i++) {
        struct slice text = snapshot_get_bytes(l->in);
        if (!ok(l) || names_find(n, text) != NAME_NONE) {
            fail(l);
            break;
        }
        number[i] = names_take(n, text);
        *ret_count = i + 1;
    }
    n->bytes_max = max;
    return number;
}

static void load_vehicles(struct load *l)
{
    struct engine *e = l->e;

    l->vehicle = load_names(l, &e->vehicles, &l->vehicle_count);
    engine_vehicle_room(e);
    for (uint64_t i = 0; i < l->vehicle_count; i++) {
        memset(&e->vehicle[l->vehicle[i]], 0, sizeof e->vehicle[0]);
        e->vehicle[l->vehicle[i]].value = NAME_NONE;
    }
}

static void load_refused(struct load *l)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_REFUSED_SIZE);

    for (uint64_t i = 0; ok(l) && i < count; i++) {
        uint32_t v = snapshot_get_u32(l->in);
        uint32_t refused = snapshot_get_u32(l->in);
        if (!ok(l) || v >= l->vehicle_count || refused == 0 || l->e->vehicle[l->vehicle[v]].refused > 0) {
            fail(l);
            return;
        }
        engine_refuse_vehicle(l->e, l->vehicle[v]);
        l->e->vehicle[l->vehicle[v]].refused = refused;
    }
}

static bool valid_time(int64_t us)
{
    return us >= -ENGINE_TIME_MAX && us <= ENGINE_TIME_MAX;
}

static nano load_nano(struct load *l)
{
    uint64_t hi = snapshot_get_u64(l->in);
    uint64_t lo = snapshot_get_u64(l->in);

    return (nano)((unano)hi << 64 | lo);
}

static void load_episode(struct load *l, struct episode *ep)
{
    struct slice id = snapshot_get_raw(l->in, ALERT_ID_SIZE);

    memset(ep, 0, sizeof *ep);
    if (ok(l))
        memcpy(ep->id, id.ptr, sizeof ep->id);
    ep->hit_us = snapshot_get_i64(l->in);
    ep->first_us = snapshot_get_i64(l->in);
    ep->last_us = snapshot_get_i64(l->in);
    ep->count = snapshot_get_u64(l->in);
    ep->vehicles = snapshot_get_u64(l->in);
    ep->peak = load_nano(l);
    ep->start.hi = snapshot_get_u64(l->in);
    ep->start.lo = snapshot_get_u64(l->in);
    ep->revision = snapshot_get_u32(l->in);
    uint8_t flags = snapshot_get_u8(l->in);
    ep->late = (flags & SAVED_EPISODE_LATE) != 0;
    ep->closed = (flags & SAVED_EPISODE_CLOSED) != 0;
    if (!valid_time(ep->first_us) || !valid_time(ep->last_us) || ep->hit_us < ep->first_us || ep->last_us < ep->hit_us)
        fail(l);
}

static void load_episodes(struct load *l, uint32_t group)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_EPISODE_SIZE);
    struct engine *e = l->e;

    e->fresh_count = 0;
    for (uint64_t i = 0; ok(l) && i < count; i++) {
        struct episode ep;
        load_episode(l, &ep);
        if (i > 0 && ep.first_us <= e->fresh[i - 1].last_us)
            fail(l);
        engine_fresh_add(e, &ep);
    }
    if (ok(l) && group != GROUP_NONE)
        engine_episodes_set(e, group);
}

/* Whether a name is so many values, each with its length before it. */
static bool valid_key(struct slice key, unsigned count)
{
    for (; count > 0 && key.len >= 2; count--) {
        size_t len = 2 + ((size_t)key.ptr[0] << 8 | key.ptr[1]);
        if (len > key.len)
            return false;
        key = slice_from(key, len);
    }
    return count == 0 && key.len == 0;
}

static void load_groups(struct load *l)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_GROUP_SIZE);

    l->group = mem_zalloc(count, sizeof *l->group);
    for (uint64_t i = 0; ok(l) && i < count; i++) {
        uint32_t rule = snapshot_get_u32(l->in);
        uint32_t name = snapshot_get_u32(l->in);
        if (!ok(l) || rule >= l->rule_count || name >= l->name_count) {
            fail(l);
            return;
        }
        uint32_t group = GROUP_NONE;
        uint32_t corr = l->corr[rule];
        struct slice key = names_text(&l->e->names, l->name[name]);
        if (corr != GROUP_NONE && valid_key(key, engine_rule(l->e, corr)->corr->group_count))
            group = engine_group_load(l->e, corr, l->name[name]);
        if (corr != GROUP_NONE && group == GROUP_NONE) {
            fail(l);
            return;
        }
        l->group[i] = group;
        l->group_count = i + 1; /* each holds a reference to its group until all is loaded */
        load_episodes(l, group);
    }
}

static bool load_value(struct load *l, uint32_t corr, uint32_t *ret)
{
    struct engine *e = l->e;
    enum saved_value kind = snapshot_get_u8(l->in);
    struct point p = {{0}};

    *ret = VALUE_NONE;
    if (kind == SAVED_VALUE_NONE)
        return corr == GROUP_NONE || engine_rule(e, corr)->corr->type != CORR_GEO_VELOCITY || fail(l);
    if (corr != GROUP_NONE && kind != saved_value_of(engine_rule(e, corr)->corr->type))
        return fail(l);
    if (kind == SAVED_VALUE_NAME) {
        uint32_t name = snapshot_get_u32(l->in);
        if (!ok(l) || name >= l->name_count)
            return fail(l);
        *ret = l->name[name];
        if (corr != GROUP_NONE)
            names_ref(&e->names, *ret);
        return true;
    }
    if (kind == SAVED_VALUE_POSITION) {
        p.at.place.lat = (int32_t)snapshot_get_u32(l->in);
        p.at.place.lon = (int32_t)snapshot_get_u32(l->in);
    } else if (kind == SAVED_VALUE_NUMBER) {
        p.at.number = load_nano(l);
    } else {
        return fail(l);
    }
    if (corr == GROUP_NONE)
        return true;
    *ret = pages_take(&e->points);
    *(struct point *)pages_at(&e->points, *ret, sizeof p) = p;
    return true;
}

/* One place; false when it is bad. A place of a rule that is gone is read and left out. */
static bool load_place(struct load *l, uint32_t node)
{
    struct engine *e = l->e;
    uint32_t number = snapshot_get_u32(l->in);

    if (!ok(l) || number == GROUP_NONE)
        return ok(l);
    if (number >= l->group_count)
        return fail(l);
    uint32_t group = l->group[number];
    uint32_t value;
    struct node *n = engine_node(e, node);
    for (uint16_t i = 0; i < n->place_count && group != GROUP_NONE; i++)
        if (node_places(n)[i].group == group)
            return fail(l);
    if (!load_value(l, group != GROUP_NONE ? engine_group_at(e, group)->corr : GROUP_NONE, &value))
        return false;
    uint64_t mask_chain = snapshot_get_u64(l->in);
    if (group == GROUP_NONE)
        return ok(l);
    struct node_place *p = engine_places_add(n, 1);
    p->group = group & GROUP_FIELD;
    p->value = value;
    p->mask_chain = mask_chain;
    engine_group_at(e, group)->refs++;
    return ok(l);
}

static bool load_event(struct load *l, struct sighting *s)
{
    s->first_us = snapshot_get_i64(l->in);
    s->last_us = snapshot_get_i64(l->in);
    s->seq = s->content.lo = snapshot_get_u64(l->in);
    s->content.hi = snapshot_get_u64(l->in);
    s->tag = snapshot_get_u64(l->in);
    uint32_t vehicle = snapshot_get_u32(l->in);
    s->epoch = snapshot_get_u32(l->in);
    s->count = snapshot_get_u32(l->in);
    uint8_t flags = snapshot_get_u8(l->in);
    s->place_count = snapshot_get_u32(l->in);
    if (!ok(l) || vehicle >= l->vehicle_count || !valid_time(s->first_us) || !valid_time(s->last_us) ||
        s->last_us < s->first_us || s->count == 0 || s->place_count > PLACES_SAVED_MAX)
        return fail(l);
    s->vehicle = names_text(&l->e->vehicles, l->vehicle[vehicle]);
    s->has_seq = (flags & SAVED_EVENT_HAS_SEQ) != 0;
    s->late = (flags & SAVED_EVENT_LATE) != 0;
    s->identity = s->has_seq ? sighting_identity(s->vehicle, s->epoch, s->seq) : s->content;
    return true;
}

static void load_events(struct load *l)
{
    struct engine *e = l->e;
    struct engine_limits limits = e->limits;
    uint64_t count = snapshot_get_count(l->in, SAVED_EVENT_SIZE);

    e->limits.events_max = e->limits.events_per_vehicle_max = 0; /* what was kept is kept */
    l->event = mem_zalloc(count, sizeof *l->event);
    for (uint64_t i = 0; ok(l) && i < count; i++) {
        struct sighting s = {0};
        if (!load_event(l, &s))
            break;
        bool known = !limits.unique_input && engine_identity_find(e, &s) != NODE_NONE;
        uint32_t node = known ? NODE_NONE : engine_node_new(e, &s);
        if (node == NODE_NONE) {
            fail(l);
            break;
        }
        l->event[i] = node;
        l->event_count = i + 1;
        if (!limits.unique_input)
            engine_identity_add_node(e, node);
        for (uint32_t k = 0; k < s.place_count; k++)
            if (!load_place(l, node))
                break;
    }
    e->limits = limits;
}

/* The place of a node in a group; NULL when it has none. */
static struct node_place *place_in(struct node *n, uint32_t group)
{
    for (uint16_t i = 0; i < n->place_count; i++)
        if (node_places(n)[i].group == group)
            return &node_places(n)[i];
    return NULL;
}

static bool load_entry(struct load *l, uint32_t group)
{
    struct engine *e = l->e;
    uint32_t event = snapshot_get_u32(l->in);
    uint8_t flags = snapshot_get_u8(l->in);
    uint64_t mask = snapshot_get_u64(l->in);
    bool second = (flags & SAVED_ENTRY_SECOND) != 0;

    if (!ok(l) || event >= l->event_count || mask == 0)
        return fail(l);
    if (group == GROUP_NONE)
        return true;
    uint32_t node = l->event[event];
    struct node *n = engine_node(e, node);
    struct node_place *p = place_in(n, group);
    if (p == NULL || (p->parts >> second & 1) != 0 || (second && n->count < 2))
        return fail(l);
    p->parts |= 1u << second;
    struct entry x = engine_like(e, node, p, second);
    x.mask = mask;
    x.hit = (flags & SAVED_ENTRY_HIT) != 0;
    *engine_append(e, engine_group_at(e, group)) = x;
    return true;
}

static bool load_group_entries(struct load *l, uint32_t group)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_ENTRY_SIZE);
    uint64_t sorted = snapshot_get_u64(l->in);

    if (!ok(l) || sorted > count)
        return fail(l);
    for (uint64_t i = 0; i < count; i++)
        if (!load_entry(l, group))
            return false;
    if (group == GROUP_NONE)
        return true;
    struct group *g = engine_group_at(l->e, group);
    for (uint32_t i = 1; i < sorted; i++)
        if (engine_compare(l->e, &g->entry[i - 1], &g->entry[i]) >= 0)
            return fail(l);
    g->sorted = (uint32_t)sorted;
    return true;
}

static void load_entries(struct load *l)
{
    for (uint64_t i = 0; ok(l) && i < l->group_count; i++)
        if (!load_group_entries(l, l->group[i]))
            return;
}

static void load_queues(struct load *l)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_QUEUED_SIZE);

    for (uint64_t i = 0; ok(l) && i < count; i++) {
        uint32_t number = snapshot_get_u32(l->in);
        int64_t lo_us = snapshot_get_i64(l->in);
        int64_t hi_us = snapshot_get_i64(l->in);
        if (!ok(l) || number >= l->group_count || !valid_time(lo_us) || !valid_time(hi_us) || lo_us > hi_us) {
            fail(l);
            return;
        }
        if (l->group[number] == GROUP_NONE)
            continue;
        engine_mark(l->e, l->group[number], lo_us, false);
        engine_mark(l->e, l->group[number], hi_us, false);
    }
}

static void load_ghosts(struct load *l)
{
    uint64_t count = snapshot_get_count(l->in, SAVED_GHOST_SIZE);

    for (uint64_t i = 0; ok(l) && i < count; i++) {
        struct ghost gh;
        gh.key.hi = snapshot_get_u64(l->in);
        gh.key.lo = snapshot_get_u64(l->in);
        gh.content_hi = snapshot_get_u64(l->in);
        gh.minute = snapshot_get_u32(l->in);
        if (!ok(l) || gh.minute == 0)
            fail(l);
        else if (!l->e->limits.unique_input)
            engine_identity_add_ghost(l->e, &gh);
    }
}

/* Lets go what was held while loading, and what nothing refers to. */
static void finish(struct load *l)
{
    struct engine *e = l->e;

    for (uint64_t i = 0; i < l->group_count; i++) {
        uint32_t group = l->group[i];
        if (group == GROUP_NONE)
            continue;
        struct group *g = engine_group_at(e, group);
        for (uint32_t k = 0; k < g->episode_count && engine_rule(e, g->corr)->alerts; k++)
            if (!g->episode[k].closed)
                engine_closing_add(e, group, engine_closing_us(e, g, &g->episode[k]));
        engine_group_release(e, group);
    }
    for (uint64_t i = 0; i < l->event_count; i++)
        engine_node_check(e, l->event[i]);
    for (uint64_t i = 0; i < l->vehicle_count; i++)
        engine_vehicle_release(e, l->vehicle[i]);
    for (uint64_t i = 0; i < l->name_count; i++)
        names_release(&e->names, l->name[i]);
}

static void load_all(struct load *l)
{
    if (snapshot_get_u32(l->in) != ENGINE_FORMAT) {
        fail(l);
        return;
    }
    load_counters(l);
    load_rules(l);
    if (ok(l))
        load_vehicles(l);
    if (ok(l))
        l->name = load_names(l, &l->e->names, &l->name_count);
    if (ok(l))
        load_refused(l);
    if (ok(l))
        load_groups(l);
    if (ok(l))
        load_events(l);
    if (ok(l))
        load_entries(l);
    if (ok(l))
        load_queues(l);
    if (ok(l))
        load_ghosts(l);
}

enum vs_err engine_load(struct engine *e, struct snapshot_in *in)
{
    struct load l = {.e = e, .in = in};

    load_all(&l);
    enum vs_err err = ok(&l) ? snapshot_in_done(in) : VS_ERR_MALFORMED;
    if (err == VS_OK) {
        finish(&l);
        engine_alerting_changed(e, NULL, NULL);
    }
    free(l.corr);
    free(l.vehicle);
    free(l.name);
    free(l.group);
    free(l.event);
    return err;
}
