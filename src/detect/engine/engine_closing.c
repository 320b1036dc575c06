#include "detect/engine/engine_internal.h"

/* Groups with an open episode stand in a heap by the earliest time at which one of them may have to be closed. A group
 * stands there once. Episodes that grew meanwhile are seen when their group comes up, and put off again. */

static void put_at(struct engine *e, uint32_t i, struct closing what)
{
    e->closing[i] = what;
    engine_group_at(e, what.group)->closing_at = i + 1;
}

static void sift_up(struct engine *e, uint32_t i, struct closing what)
{
    while (i > 0 && e->closing[(i - 1) / 2].at_us > what.at_us) {
        put_at(e, i, e->closing[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put_at(e, i, what);
}

static void sift_down(struct engine *e, uint32_t i, struct closing what)
{
    for (uint32_t child = 2 * i + 1; child < e->closing_count; child = 2 * i + 1) {
        if (child + 1 < e->closing_count && e->closing[child + 1].at_us < e->closing[child].at_us)
            child++;
        if (e->closing[child].at_us >= what.at_us)
            break;
        put_at(e, i, e->closing[child]);
        i = child;
    }
    put_at(e, i, what);
}

int64_t engine_closing_us(const struct engine *e, const struct group *g, const struct episode *ep)
{
    return ep->last_us + engine_rule(e, g->corr)->corr->span_us;
}

void engine_closing_add(struct engine *e, uint32_t group, int64_t at_us)
{
    struct group *g = engine_group_at(e, group);
    struct closing what = {at_us, group};

    if (g->closing_at > 0) {
        if (at_us < e->closing[g->closing_at - 1].at_us)
            sift_up(e, g->closing_at - 1, what);
        return;
    }
    if (e->closing_count == e->closing_room) {
        e->closing_room = e->closing_room > 0 ? e->closing_room * 2 : 64;
        e->closing = mem_grow(e->closing, e->closing_room, sizeof *e->closing);
    }
    sift_up(e, e->closing_count++, what);
}

void engine_closing_remove(struct engine *e, uint32_t group)
{
    struct group *g = engine_group_at(e, group);
    uint32_t i = g->closing_at;

    if (i-- == 0)
        return;
    g->closing_at = 0;
    struct closing last = e->closing[--e->closing_count];
    if (i == e->closing_count)
        return;
    if (i > 0 && e->closing[(i - 1) / 2].at_us > last.at_us)
        sift_up(e, i, last);
    else
        sift_down(e, i, last);
}

/* Closes what is due in a group, and puts it off until its next episode may be. */
static void close_group(struct engine *e, uint32_t group, int64_t now_us, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, group);
    int64_t next_us = INT64_MAX;

    for (uint32_t k = g->episode_count; k-- > 0;) {
        struct episode *ep = &g->episode[k];
        if (ep->closed)
            continue;
        int64_t at_us = engine_closing_us(e, g, ep);
        if (at_us >= now_us) {
            next_us = at_us < next_us ? at_us : next_us;
            continue;
        }
        ep->closed = true;
        ep->revision++;
        if (emit != NULL)
            engine_show(e, g, ep, ALERT_CLOSED, NULL, 0, emit, ctx);
    }
    engine_closing_remove(e, group);
    if (next_us < INT64_MAX)
        engine_closing_add(e, group, next_us);
    else
        engine_group_check(e, group);
}

void engine_close(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx)
{
    while (e->closing_count > 0 && e->closing[0].at_us < now_us)
        close_group(e, e->closing[0].group, now_us, emit, ctx);
}
