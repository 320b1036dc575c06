#include "detect/engine/engine_internal.h"

#include <stdlib.h>

#define EXPIRE_ROUNDS     256 /* calls with engine_expire_step groups that go round once */
#define EXPIRE_GROUPS_MIN 64

uint32_t engine_expire_step(const struct engine *e)
{
    return EXPIRE_GROUPS_MIN + e->groups.count / EXPIRE_ROUNDS;
}

/* Episodes that nothing from the cutoff on can extend any more are closed for good. */
static void drop_episodes(struct group *g, int64_t from_us)
{
    uint32_t old = 0;

    while (old < g->episode_count && g->episode[old].last_us < from_us)
        old++;
    if (old == 0)
        return;
    g->episode_count -= old;
    memmove(g->episode, g->episode + old, g->episode_count * sizeof *g->episode);
    if (g->episode_count == 0) {
        free(g->episode);
        g->episode = NULL;
    }
}

/* The part has no entry any more; an event without any is forgotten. */
static void let_go(struct engine *e, uint32_t group, const struct entry *x, int64_t cutoff_us,
                   engine_forgotten_fn *forgotten, void *ctx)
{
    struct node *n = engine_node(e, x->node);
    struct node_place *place = node_places(n);
    uint32_t node = x->node;
    unsigned parts = 0;

    for (uint16_t i = 0; i < n->place_count; i++) {
        if (place[i].group == group)
            place[i].parts &= ~(1u << x->second) & 3u;
        parts |= place[i].parts;
    }
    if (parts != 0)
        return;
    if (forgotten != NULL)
        forgotten(ctx, n->tag);
    e->counters.expired++;
    if (!e->limits.unique_input) {
        struct ghost gh = {
            .key = engine_identity_of(e, n), .content_hi = n->content_hi, .minute = engine_minute(n->last_us)};
        engine_identity_remove_node(e, node);
        if (n->last_us >= cutoff_us) /* copies of it may still come */
            engine_identity_add_ghost(e, &gh);
    }
    engine_node_free(e, node);
}

/* Tells what is carried on that the first entries are gone. */
static void shift_live(struct engine *e, struct group *g, size_t gone)
{
    struct large *l = g->large;

    if (!group_live(g) || gone > l->window.left) {
        engine_live_drop(e, g);
        return;
    }
    if (l->member_end < gone) /* there is no episode whose members it counts */
        l->member_end = gone;
    engine_live_shift(g, -(ptrdiff_t)gone);
}

/* Takes the first entries out and gives memory back when most of it is free. */
static void cut(struct engine *e, struct group *g, size_t gone)
{
    g->count -= (uint32_t)gone;
    g->sorted -= (uint32_t)gone;
    memmove(g->entry, g->entry + gone, g->count * sizeof *g->entry);
    if (g->count == 0) {
        slab_free(&e->entries, g->entry, g->room * sizeof *g->entry);
        g->entry = NULL;
        g->room = 0;
    } else if (g->count < g->room / 4) {
        engine_entries_room(e, g, g->count);
    }
    if (g->count < e->limits.large_entries_min / 2) {
        engine_live_drop(e, g);
        engine_large_free(g);
    }
}

/* Trims the entries of a group that are before all that may still be looked at. */
static void trim(struct engine *e, uint32_t group, int64_t from_us, int64_t cutoff_us, engine_forgotten_fn *forgotten,
                 void *ctx)
{
    struct group *g = engine_group_at(e, group);

    if (g->count == 0 || (g->sorted == g->count && !g->holes && g->entry[0].time_us >= from_us))
        return;
    if (g->queue_at == 0)
        engine_tidy(e, g);
    size_t gone = engine_lower(g, from_us);
    if (gone == 0)
        return;
    shift_live(e, g, gone);
    g->refs++; /* so that it stays while its entries go */
    for (size_t i = 0; i < gone; i++)
        if (g->entry[i].mask != 0)
            let_go(e, group, &g->entry[i], cutoff_us, forgotten, ctx);
    g->refs--;
    cut(e, g, gone);
}

static void expire_group(struct engine *e, uint32_t group, int64_t cutoff_us, engine_forgotten_fn *forgotten, void *ctx)
{
    struct group *g = engine_group_at(e, group);

    if (g->corr == GROUP_NONE)
        return;
    int64_t from_us = cutoff_us - engine_rule(e, g->corr)->corr->span_us;
    drop_episodes(g, from_us);
    if (g->episode_count > 0 && g->episode[0].first_us < from_us)
        from_us = g->episode[0].first_us;
    trim(e, group, from_us, cutoff_us, forgotten, ctx);
    engine_group_check(e, group);
}

/* Identities of events that cannot come again. */
static void expire_ghosts(struct engine *e, int64_t cutoff_us, uint32_t max)
{
    uint32_t minute = engine_minute(cutoff_us);

    for (uint32_t n = e->ghosts.count < max ? e->ghosts.count : max; n > 0; n--) {
        if (e->expire_ghost >= e->ghosts.count)
            e->expire_ghost = 0;
        const struct ghost *gh = engine_ghost(e, e->expire_ghost);
        if (gh->minute > 0 && gh->minute < minute)
            engine_identity_remove_ghost(e, e->expire_ghost);
        e->expire_ghost++;
    }
}

void engine_expire(struct engine *e, int64_t cutoff_us, uint32_t groups_max, engine_forgotten_fn *forgotten, void *ctx)
{
    uint32_t max = groups_max > 0 && groups_max < e->groups.count ? groups_max : e->groups.count;

    for (uint32_t n = 0; n < max; n++) {
        if (e->expire_at >= e->groups.count)
            e->expire_at = 0;
        expire_group(e, e->expire_at++, cutoff_us, forgotten, ctx);
    }
    expire_ghosts(e, cutoff_us, groups_max > 0 ? 16 * groups_max : UINT32_MAX);
}
