#include "detect/engine/engine_internal.h"

#include <stdlib.h>

uint32_t engine_same_rule(const struct plan *p, struct slice label, const uint8_t meaning[RULE_HASH_SIZE])
{
    for (uint32_t c = 0; c < p->corr_count; c++) {
        const struct rule *r = p->rule[p->corr[c]];
        if (slice_equal(r->label, label) && memcmp(r->meaning, meaning, RULE_HASH_SIZE) == 0)
            return c;
    }
    return GROUP_NONE;
}

/* Says of every standing alert of the group that it is closed, and forgets its episodes. */
static void close_all(struct engine *e, uint32_t group, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, group);

    for (uint32_t k = 0; k < g->episode_count && engine_rule(e, g->corr)->alerts; k++) {
        struct episode *ep = &g->episode[k];
        if (ep->closed)
            continue;
        ep->closed = true;
        ep->revision++;
        if (emit != NULL)
            engine_show(e, g, ep, ALERT_CLOSED, NULL, 0, emit, ctx);
    }
    g->episode_count = 0;
    engine_closing_remove(e, group);
}

static bool has_part(struct node *n)
{
    for (uint16_t i = 0; i < n->place_count; i++)
        if (node_places(n)[i].parts != 0)
            return true;
    return false;
}

void engine_node_check(struct engine *e, uint32_t node)
{
    struct node *n = engine_node(e, node);

    if (has_part(n))
        return;
    if (!e->limits.unique_input) {
        struct ghost gh = {
            .key = engine_identity_of(e, n), .content_hi = n->content_hi, .minute = engine_minute(n->last_us)};
        engine_identity_remove_node(e, node);
        engine_identity_add_ghost(e, &gh);
    }
    engine_node_free(e, node);
}

/* Takes the places of rules that are gone out of an event; `to` says where each rule is now. */
static void leave(struct engine *e, uint32_t node, const uint32_t *to)
{
    struct node *n = engine_node(e, node);
    struct node_place *place = node_places(n);
    uint16_t left = 0;

    for (uint16_t i = 0; i < n->place_count; i++) {
        bool gone = place[i].group == GROUP_FIELD || to[engine_group_at(e, place[i].group)->corr] == GROUP_NONE;
        if (!gone) {
            place[left++] = place[i];
        } else if (place[i].group != GROUP_FIELD) {
            engine_value_release(e, &place[i]);
            engine_group_release(e, place[i].group);
        }
    }
    if (n->place_count > 1 && left <= 1) {
        struct node_place *more = n->place.more;
        if (left == 1)
            n->place.only = more[0];
        free(more);
    }
    n->place_count = left;
    engine_node_check(e, node);
}

/* Everything that belongs to rules that are gone. The old plan still stands. */
static void drop_gone(struct engine *e, const uint32_t *to, engine_emit *emit, void *ctx)
{
    for (uint32_t i = 0; i < e->groups.count; i++) {
        struct group *g = engine_group_at(e, i);
        if (g->corr == GROUP_NONE || to[g->corr] != GROUP_NONE)
            continue;
        close_all(e, i, emit, ctx);
        engine_unqueue(e, g);
        engine_group_check(e, i);
    }
    for (uint32_t i = 0; i < e->nodes.count; i++)
        if (engine_node(e, i)->vehicle != NODE_NONE)
            leave(e, i, to);
}

/* Queues and counters go with their rule; a rule that was not there begins empty. */
static void move_rules(struct engine *e, const struct plan *plan, const uint32_t *to)
{
    struct corr_state *fresh = mem_zalloc(plan->corr_count, sizeof *fresh);
    bool *known = mem_zalloc(plan->corr_count, sizeof *known);

    for (uint32_t c = 0; c < e->plan->corr_count; c++) {
        if (to[c] == GROUP_NONE) {
            free(e->corr[c].queue);
            continue;
        }
        known[to[c]] = true;
        fresh[to[c]] = e->corr[c];
        fresh[to[c]].alerts_changed = engine_rule(e, c)->alerts != plan->rule[plan->corr[to[c]]]->alerts;
    }
    for (uint32_t c = 0; c < plan->corr_count; c++)
        fresh[c].backfill |= !known[c];
    free(known);
    free(e->corr);
    e->corr = fresh;
}

/* Where each rule of the old plan is in the new one. */
static uint32_t *map_rules(const struct plan *old, const struct plan *plan)
{
    uint32_t *to = mem_zalloc(old->corr_count, sizeof *to);

    for (uint32_t c = 0; c < old->corr_count; c++) {
        const struct rule *r = old->rule[old->corr[c]];
        to[c] = engine_same_rule(plan, r->label, r->meaning);
        for (uint32_t k = 0; k < c && to[c] != GROUP_NONE; k++)
            if (to[k] == to[c])
                to[c] = GROUP_NONE; /* two that cannot be told apart: the first one goes on */
    }
    return to;
}

/* A rule that alerts from now on shows what stands; of one that does not any more what stood is closed. */
void engine_alerting_changed(struct engine *e, engine_emit *emit, void *ctx)
{
    for (uint32_t i = 0; i < e->groups.count; i++) {
        struct group *g = engine_group_at(e, i);
        if (g->corr == GROUP_NONE || !e->corr[g->corr].alerts_changed)
            continue;
        engine_live_drop(e, g);
        if (!engine_rule(e, g->corr)->alerts) {
            for (uint32_t k = 0; k < g->episode_count && emit != NULL; k++)
                if (!g->episode[k].closed)
                    engine_show(e, g, &g->episode[k], ALERT_CLOSED, NULL, 0, emit, ctx);
            engine_closing_remove(e, i);
            continue;
        }
        g->episode_count = 0;
        for (uint32_t k = 0; k < g->count; k++)
            engine_mark(e, i, g->entry[k].time_us, false);
        engine_group_check(e, i);
    }
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        e->corr[c].alerts_changed = false;
}

void engine_rebind(struct engine *e, const struct plan *plan, engine_emit *emit, void *ctx)
{
    uint32_t *to = map_rules(e->plan, plan);

    drop_gone(e, to, emit, ctx);
    move_rules(e, plan, to);
    for (uint32_t i = 0; i < e->groups.count; i++) {
        struct group *g = engine_group_at(e, i);
        if (g->corr == GROUP_NONE)
            continue;
        g->corr = to[g->corr];
        if (g->large != NULL)
            g->large->window.corr = plan->rule[plan->corr[g->corr]]->corr;
    }
    free(to);
    e->plan = plan;
    engine_number_rules(e);
    engine_groups_rehash(e);
    engine_alerting_changed(e, emit, ctx);
    engine_backfill_note(e);
}
