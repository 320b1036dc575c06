#include "detect/engine/engine_internal.h"

#include <stdlib.h>

/* A large group remembers, behind its last settled entry: the window, and which vehicles are members of the last
 * episode. New entries in order then cost O(1) each, however long the window or the episode is. */

static void window_forget(struct large *l)
{
    window_done(&l->window);
    window_init(&l->window);
    tally_done(&l->vehicles);
    l->live = false;
}

/* What came behind the last settled entry has no stretch in the queue yet: it gets one. */
static void stretch(struct engine *e, const struct group *g)
{
    struct queued *q = &e->corr[g->corr].queue[g->queue_at - 1];
    int64_t hi_us = g->sorted > 0 ? g->entry[g->sorted - 1].time_us : INT64_MIN;

    for (uint32_t i = g->sorted; i < g->count; i++)
        if (g->entry[i].time_us > hi_us)
            hi_us = g->entry[i].time_us;
    if (q->lo_us > q->hi_us)
        q->lo_us = q->hi_us = g->large->last.time_us;
    if (q->lo_us > g->large->last.time_us)
        q->lo_us = g->large->last.time_us;
    if (q->hi_us < hi_us)
        q->hi_us = hi_us;
}

void engine_live_drop(struct engine *e, struct group *g)
{
    if (g->large == NULL || !g->large->live)
        return;
    if (g->queue_at > 0)
        stretch(e, g);
    window_forget(g->large);
}

void engine_live_shift(struct group *g, ptrdiff_t count)
{
    struct large *l = g->large;

    window_move(&l->window, g->entry, count);
    l->settled += (size_t)count;
    l->member_end += (size_t)count;
}

/* Counts the members of the last episode that were not counted yet. */
static void count_further(const struct engine *e, const struct group *g, struct episode *ep)
{
    struct large *l = g->large;

    for (; l->member_end < g->count && g->entry[l->member_end].time_us <= ep->last_us; l->member_end++) {
        const struct entry *x = &g->entry[l->member_end];
        ep->count += x->weight;
        ep->vehicles += tally_in(&l->vehicles, x->vehicle);
        ep->late |= engine_node(e, x->node)->late;
    }
}

void engine_live_keep(struct engine *e, struct group *g, size_t from, size_t to)
{
    const struct rule *rule = engine_rule(e, g->corr);
    size_t scanned = to - from;

    if (g->large == NULL && scanned >= e->limits.large_entries_min) {
        g->large = mem_zalloc(1, sizeof *g->large);
        window_init(&g->large->window);
    }
    struct large *l = g->large;
    if (l == NULL) {
        window_end(&e->window);
        return;
    }
    window_forget(l);
    l->scan_cost = scanned < UINT32_MAX ? (uint32_t)scanned : UINT32_MAX;
    l->scan_call = e->calls;
    l->live = to == g->count && from < to && window_keeps(rule->corr);
    if (!l->live) {
        window_end(&e->window);
        return;
    }
    l->window = e->window;
    window_init(&e->window);
    l->settled = to;
    l->last = g->entry[to - 1];
    l->member_end = 0;
    if (g->episode_count == 0 || !rule->alerts)
        return;
    struct episode counted = g->episode[g->episode_count - 1];
    l->member_end = engine_lower(g, counted.first_us);
    count_further(e, g, &counted);
}

static void begin_episode(const struct engine *e, const struct group *g, struct episode *ep, int64_t hit_us)
{
    struct large *l = g->large;

    memset(ep, 0, sizeof *ep);
    ep->hit_us = hit_us;
    ep->first_us = g->entry[l->window.left].time_us;
    tally_done(&l->vehicles);
    l->member_end = engine_lower(g, ep->first_us);
    ep->start = engine_start_of(e, &g->entry[l->member_end]);
}

/* The episode has its last hit so far. */
static void end_episode(struct engine *e, const struct group *g, struct episode *ep, bool alerts)
{
    if (alerts)
        count_further(e, g, ep);
    engine_fresh_add(e, ep);
}

/* Goes through the new entries; `ep` is the last episode, if there is one. */
static void scan_new(struct engine *e, struct group *g, struct episode *ep, bool open)
{
    const struct rule *rule = engine_rule(e, g->corr);
    struct large *l = g->large;

    for (; l->settled < g->count; l->settled++) {
        struct entry *x = &g->entry[l->settled];
        nano value;
        if (!window_step(&l->window, &value) || !correlation_holds(rule->corr, value))
            continue;
        x->hit = true;
        engine_tell_parents(e, g->corr, x->node, x->second, true);
        if (open && x->time_us - ep->last_us > rule->corr->span_us) {
            end_episode(e, g, ep, rule->alerts);
            open = false;
        }
        if (!open) {
            begin_episode(e, g, ep, x->time_us);
            ep->peak = value;
            open = true;
        }
        ep->last_us = x->time_us;
        if (value > ep->peak)
            ep->peak = value;
    }
    if (open)
        end_episode(e, g, ep, rule->alerts);
}

void engine_live_append(struct engine *e, uint32_t group, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, group);
    struct large *l = g->large;
    size_t count = g->count - l->settled;
    bool open = g->episode_count > 0;
    struct episode ep = {0};

    if (count == 0)
        return;
    if (open)
        ep = g->episode[g->episode_count - 1];
    e->fresh_count = 0;
    window_move(&l->window, g->entry, 0);
    scan_new(e, g, &ep, open);
    l->last = g->entry[g->count - 1];
    l->scan_cost = l->scan_cost + count < g->count ? l->scan_cost + (uint32_t)count : g->count;
    e->counters.scanned += count;
    engine_take_over(e, group, g->episode_count - open, g->episode_count, emit, ctx);
}
