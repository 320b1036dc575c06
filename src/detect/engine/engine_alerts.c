#include "detect/engine/engine_internal.h"

#include <stdlib.h>

/* A number of 10^-9 units as decimal text without needless zeros; beyond 64 bits its whole part. */
static void write_nano(struct writer *w, nano v)
{
    if (v >= INT64_MIN && v <= INT64_MAX) {
        writer_fixed_text(w, (int64_t)v, 9);
        return;
    }
    nano whole = v / NANO_ONE;
    writer_i64_text(w, whole > INT64_MAX ? INT64_MAX : whole < INT64_MIN ? INT64_MIN : (int64_t)whole);
}

void engine_show(const struct engine *e, const struct group *g, const struct episode *ep, enum alert_state state,
                 const struct episode *const *gone, uint32_t gone_count, engine_emit *emit, void *ctx)
{
    const struct rule *rule = engine_rule(e, g->corr);
    struct alert al = {.rule = rule->label, .title = rule->title};
    char peak[48];
    struct writer w;

    writer_init(&w, peak, sizeof peak);
    write_nano(&w, ep->peak);
    memcpy(al.id, ep->id, sizeof al.id);
    al.severity = rule_severity(rule, ep->peak);
    al.state = (uint8_t)state;
    al.late = ep->late;
    al.group_count = rule->corr->group_count;
    for (uint8_t i = 0; i < al.group_count; i++) {
        al.group[i].field = rule->corr->group_name[i];
        al.group[i].value = engine_group_value(e, g, i);
    }
    al.first_us = ep->first_us;
    al.last_us = ep->last_us;
    al.count = ep->count;
    al.vehicles = ep->vehicles;
    al.peak = writer_slice(&w);
    al.revision = ep->revision;
    al.supersedes_count = gone_count;
    for (uint32_t i = 0; i < gone_count && i < ALERT_SUPERSEDES_MAX; i++)
        memcpy(al.supersedes[i], gone[i]->id, ALERT_ID_SIZE);
    emit(ctx, rule, &al);
}

static bool is_due(const struct engine *e, const struct queued *q)
{
    const struct group *g = engine_group_at(e, q->group);
    size_t least = e->limits.defer_entries_min;

    if (g->large == NULL || g->large->scan_cost < least)
        return true;
    if (group_live(g) && (q->lo_us > q->hi_us || engine_apart(e, g, q)))
        return true;
    return (uint64_t)(g->count - g->sorted) * 16 >= g->large->scan_cost ||
           e->calls - g->large->scan_call >= g->large->scan_cost / least;
}

static void settle(struct engine *e, int64_t now_us, bool all, engine_emit *emit, void *ctx)
{
    e->calls++;
    for (uint32_t c = 0; c < e->plan->corr_count; c++) {
        struct corr_state *s = &e->corr[c];
        uint32_t left = 0;
        /* A group may be queued again only by a lower level, which is done, so the list does not grow meanwhile. */
        for (uint32_t i = 0; i < s->queue_count; i++) {
            struct queued q = s->queue[i];
            if (all || is_due(e, &q)) {
                engine_recompute(e, q, emit, ctx);
                continue;
            }
            s->queue[left++] = q;
            engine_group_at(e, q.group)->queue_at = left;
        }
        s->queue_count = left;
    }
    if (now_us > 0)
        engine_close(e, now_us, emit, ctx);
}

void engine_settle(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx)
{
    settle(e, now_us, true, emit, ctx);
}

void engine_settle_due(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx)
{
    settle(e, now_us, false, emit, ctx);
}

struct shown {
    const struct engine *e;
    const struct group *group;
    const struct episode *episode;
};

static int compare_shown(const void *a, const void *b)
{
    const struct shown *x = a;
    const struct shown *y = b;
    const struct rule *p = engine_rule(x->e, x->group->corr);
    const struct rule *q = engine_rule(y->e, y->group->corr);
    int c = slice_compare(p->label, q->label);

    for (uint8_t i = 0; c == 0 && p == q && i < p->corr->group_count; i++)
        c = slice_compare(engine_group_value(x->e, x->group, i), engine_group_value(y->e, y->group, i));
    if (c != 0)
        return c;
    if (x->episode->first_us != y->episode->first_us)
        return x->episode->first_us < y->episode->first_us ? -1 : 1;
    return memcmp(x->episode->id, y->episode->id, ALERT_ID_SIZE);
}

static bool shows(const struct engine *e, const struct group *g)
{
    return g->corr != GROUP_NONE && engine_rule(e, g->corr)->alerts;
}

void engine_alerts(struct engine *e, engine_emit *emit, void *ctx)
{
    size_t count = 0;
    size_t n = 0;

    engine_settle(e, 0, NULL, NULL);
    for (uint32_t i = 0; i < e->groups.count; i++)
        if (shows(e, engine_group_at(e, i)))
            count += engine_group_at(e, i)->episode_count;
    struct shown *all = mem_alloc(count, sizeof *all);
    for (uint32_t i = 0; i < e->groups.count; i++) {
        const struct group *g = engine_group_at(e, i);
        for (uint32_t k = 0; shows(e, g) && k < g->episode_count; k++)
            all[n++] = (struct shown){e, g, &g->episode[k]};
    }
    qsort(all, n, sizeof *all, compare_shown);
    for (size_t i = 0; i < n; i++)
        engine_show(e, all[i].group, all[i].episode, all[i].episode->closed ? ALERT_CLOSED : ALERT_OPEN, NULL, 0, emit,
                    ctx);
    free(all);
}
