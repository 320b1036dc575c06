#include "detect/engine/engine_internal.h"

#include <stdlib.h>

#define PLACES_BACKFILL_MAX (2 * PLACES_MAX) /* of one event, after all backfills */

void engine_backfill_note(struct engine *e)
{
    e->backfill = false;
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        e->backfill |= e->corr[c].backfill;
}

bool engine_needs_backfill(const struct engine *e, const struct rule *rule)
{
    uint32_t corr = rule->number < e->plan->rule_count ? e->corr_of[rule->number] : GROUP_NONE;

    return corr != GROUP_NONE && e->corr[corr].backfill;
}

void engine_backfill_end(struct engine *e)
{
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        e->corr[c].backfill = false;
    e->backfill = false;
}

/* The entry at a time that is this event's, as its node. */
static uint32_t node_at(const struct engine *e, const struct group *g, const struct sighting *s, int64_t time_us)
{
    for (size_t i = engine_lower(g, time_us); i < g->sorted && g->entry[i].time_us == time_us; i++) {
        const struct node *n = engine_node(e, g->entry[i].node);
        bool same = n->has_seq == s->has_seq && n->epoch == s->epoch &&
                    n->number == (s->has_seq ? s->seq : s->content.lo) &&
                    (s->has_seq || n->content_hi == s->content.hi);
        if (same && slice_equal(names_text(&e->vehicles, n->vehicle), s->vehicle))
            return g->entry[i].node;
    }
    return NODE_NONE;
}

/* The node of an event that a rule which needs no backfill may hold. */
static uint32_t find_held(struct engine *e, const struct sighting *s)
{
    for (uint32_t i = 0; i < s->place_count; i++) {
        const struct place *p = &s->place[i];
        uint32_t group = e->corr[p->corr].backfill ? GROUP_NONE : engine_group_find(e, p->corr, p->group);
        if (group == GROUP_NONE)
            continue;
        struct group *g = engine_group_at(e, group);
        if (g->queue_at > 0 || g->sorted == g->count)
            engine_tidy(e, g);
        uint32_t node = node_at(e, g, s, s->first_us);
        if (node == NODE_NONE && s->last_us != s->first_us)
            node = node_at(e, g, s, s->last_us);
        if (node != NODE_NONE)
            return node;
    }
    return NODE_NONE;
}

static bool has_place(const struct engine *e, uint32_t node, const struct place *p)
{
    struct node *n = engine_node(e, node);
    uint32_t group = engine_group_find(e, p->corr, p->group);

    for (uint16_t i = 0; i < n->place_count && group != GROUP_NONE; i++)
        if (node_places(n)[i].group == group)
            return true;
    return false;
}

/* The places that are missing, in `ret`, which has room for all. */
static uint32_t missing(const struct engine *e, const struct sighting *s, uint32_t node, struct place *ret)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->place_count; i++)
        if (e->corr[s->place[i].corr].backfill && (node == NODE_NONE || !has_place(e, node, &s->place[i])))
            ret[n++] = s->place[i];
    return n;
}

/* Hits that rules which were there before have found in the event already. */
static void tell_hits(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);

    for (uint16_t i = 0; i < n->place_count; i++) {
        struct node_place *p = &node_places(n)[i];
        for (unsigned part = 0; part < 2 && p->group != GROUP_FIELD; part++) {
            const struct entry *x = engine_entry(e, node, p, part == 1);
            if (x != NULL && x->hit)
                engine_tell_parents(e, engine_group_at(e, p->group)->corr, node, part == 1, true);
        }
    }
}

void engine_backfill(struct engine *e, const struct sighting *s)
{
    struct place place[PLACES_MAX];
    uint32_t node = NODE_NONE;

    if (!e->backfill || s->place_count == 0)
        return;
    if (e->limits.unique_input) {
        node = find_held(e, s);
    } else {
        uint32_t item = engine_identity_find(e, s);
        bool ghost = item != NODE_NONE && (item & ITEM_GHOST) != 0;
        uint64_t known = item == NODE_NONE ? 0
                         : ghost           ? engine_ghost(e, item)->content_hi
                                           : engine_node(e, item)->content_hi;
        if (item != NODE_NONE && known != s->content.hi) {
            engine_put(e, s); /* a copy that says something else is one wherever it comes from */
            return;
        }
        if (ghost)
            engine_identity_remove_ghost(e, item & ~ITEM_GHOST);
        else
            node = item;
    }
    struct sighting part = *s;
    part.place = place;
    part.place_count = missing(e, s, node, place);
    if (node == NODE_NONE)
        engine_keep(e, &part);
    else if (part.place_count > 0 && engine_node(e, node)->place_count + part.place_count <= PLACES_BACKFILL_MAX)
        engine_node_enter(e, node, place, part.place_count);
    else
        return;
    if (node != NODE_NONE)
        tell_hits(e, node);
}
