#include "detect/engine/engine_internal.h"

#include <assert.h>
#include <stdlib.h>

/* Event time, vehicle, epoch, sequence number, content, part. Vehicles compare by name: their numbers depend on the
 * order of arrival. */
int engine_compare(const struct engine *e, const struct entry *a, const struct entry *b)
{
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    if (a->vehicle != b->vehicle)
        return slice_compare(intern_text(&e->vehicles, a->vehicle), intern_text(&e->vehicles, b->vehicle));
    const struct node *x = &e->node[a->node];
    const struct node *y = &e->node[b->node];
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    int c = hash128_compare(x->content, y->content);
    if (c != 0)
        return c;
    return (int)(a->flags & ENTRY_SECOND) - (int)(b->flags & ENTRY_SECOND);
}

void engine_mark(struct engine *e, uint32_t group, int64_t time_us)
{
    struct group *g = &e->group[group];
    struct corr_state *c = &e->corr[g->corr];

    if (g->dirty_lo_us > g->dirty_hi_us) {
        g->dirty_lo_us = g->dirty_hi_us = time_us;
    } else {
        if (time_us < g->dirty_lo_us)
            g->dirty_lo_us = time_us;
        if (time_us > g->dirty_hi_us)
            g->dirty_hi_us = time_us;
    }
    if (g->queued)
        return;
    g->queued = true;
    if (c->queue_count == c->queue_room) {
        c->queue_room = c->queue_room > 0 ? c->queue_room * 2 : 16;
        c->queue = mem_grow(c->queue, c->queue_room, sizeof *c->queue);
    }
    c->queue[c->queue_count++] = group;
}

size_t engine_lower(const struct group *g, int64_t time_us)
{
    size_t lo = 0;
    size_t hi = g->sorted;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (g->entry[mid].time_us < time_us)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void sort_new(struct engine *e, struct group *g);

/* The entry of one part of an event, which must exist. Beside it may stand one that was taken out. */
static struct entry *find_part(struct engine *e, struct group *g, const struct entry *like)
{
    size_t lo = 0;
    size_t hi;

    sort_new(e, g);
    for (hi = g->count; lo < hi;) {
        size_t mid = (lo + hi) / 2;
        if (engine_compare(e, &g->entry[mid], like) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (g->entry[lo].mask == 0)
        lo++;
    assert(lo < g->count && g->entry[lo].node == like->node && g->entry[lo].time_us == like->time_us);
    return &g->entry[lo];
}

static struct entry *append(struct group *g)
{
    if (g->count == g->room) {
        g->room = g->room > 0 ? g->room * 2 : 4;
        g->entry = mem_grow(g->entry, g->room, sizeof *g->entry);
    }
    struct entry *x = &g->entry[g->count++];
    memset(x, 0, sizeof *x);
    return x;
}

static struct entry like_part(const struct engine *e, uint32_t node, const struct node_place *p, bool second)
{
    const struct node *n = &e->node[node];
    struct entry like = {.time_us = second ? n->last_us : n->first_us,
                         .node = node,
                         .vehicle = n->vehicle,
                         .weight = second ? n->count - 1 : 1,
                         .value = p->value,
                         .flags = second ? ENTRY_SECOND : 0};

    return like;
}

void engine_mask(struct engine *e, uint32_t node, struct node_place *p, bool second, uint64_t mask)
{
    struct group *g = &e->group[p->group];
    struct entry like = like_part(e, node, p, second);

    if (mask == p->mask[second])
        return;
    engine_mark(e, p->group, like.time_us);
    if (p->mask[second] == 0) {
        like.mask = mask;
        *append(g) = like;
    } else {
        find_part(e, g, &like)->mask = mask;
    }
    g->holes |= mask == 0;
    p->mask[second] = mask;
}

void engine_forget_part(struct engine *e, uint32_t node, struct node_place *p, bool second)
{
    struct group *g = &e->group[p->group];
    struct entry like = like_part(e, node, p, second);

    if (p->mask[second] == 0)
        return;
    find_part(e, g, &like)->mask = 0;
    g->holes = true;
    p->mask[second] = 0;
}

/* One merge of two neighbouring runs [from, mid) and [mid, to). */
static void merge(struct engine *e, struct entry *x, size_t from, size_t mid, size_t to)
{
    size_t n = mid - from;
    size_t a = 0;
    size_t b = mid;

    if (n > e->merge_room) {
        e->merge_room = n + n / 2;
        e->merge = mem_grow(e->merge, e->merge_room, sizeof *e->merge);
    }
    memcpy(e->merge, x + from, n * sizeof *x);
    for (size_t out = from; a < n; out++)
        x[out] = b < to && engine_compare(e, &x[b], &e->merge[a]) < 0 ? x[b++] : e->merge[a++];
}

static size_t run_end(const struct engine *e, const struct entry *x, size_t from, size_t to)
{
    size_t i = from + 1;

    while (i < to && engine_compare(e, &x[i - 1], &x[i]) <= 0)
        i++;
    return i < to ? i : to;
}

/* Merges natural runs pairwise until one is left: input that is nearly in order costs nearly nothing. */
static void sort(struct engine *e, struct entry *x, size_t from, size_t to)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = from; i < to;) {
            size_t mid = run_end(e, x, i, to);
            size_t end = mid < to ? run_end(e, x, mid, to) : to;
            if (mid < end)
                merge(e, x, i, mid, end);
            again |= i > from || end < to;
            i = end;
        }
    }
}

static void close_holes(struct group *g)
{
    size_t out = 0;
    size_t sorted = 0;

    for (size_t i = 0; i < g->count; i++) {
        if (i == g->sorted)
            sorted = out;
        if (g->entry[i].mask != 0)
            g->entry[out++] = g->entry[i];
    }
    g->sorted = g->sorted == g->count ? out : sorted;
    g->count = out;
    g->holes = false;
}

static void sort_new(struct engine *e, struct group *g)
{
    if (g->sorted == g->count)
        return;
    sort(e, g->entry, g->sorted, g->count);
    /* Only the sorted entries behind the earliest new one move. */
    size_t from = engine_lower(g, g->entry[g->sorted].time_us);
    if (from < g->sorted)
        merge(e, g->entry, from, g->sorted, g->count);
    g->sorted = g->count;
}

void engine_tidy(struct engine *e, struct group *g)
{
    if (g->holes)
        close_holes(g);
    sort_new(e, g);
}
