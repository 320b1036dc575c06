#include "detect/engine/engine_internal.h"

#include <assert.h>
#include <stdlib.h>

#define TAIL_MAX     64 /* new entries that are searched one by one before they are sorted in */
#define DOUBLE_UP_TO 64 /* entries; above it a group grows by a quarter */

/* The order among copies of one second: epoch, sequence number, content, part. */
static int compare_nodes(const struct engine *e, const struct entry *a, const struct entry *b)
{
    const struct node *x = engine_node(e, a->node);
    const struct node *y = engine_node(e, b->node);

    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    if (node_seq(x) != node_seq(y))
        return node_seq(x) < node_seq(y) ? -1 : 1;
    if (x->content_hi != y->content_hi)
        return x->content_hi < y->content_hi ? -1 : 1;
    uint64_t p = x->has_seq ? 0 : x->number;
    uint64_t q = y->has_seq ? 0 : y->number;
    if (p != q)
        return p < q ? -1 : 1;
    return (int)a->second - (int)b->second;
}

/* Event time, vehicle, then what tells events of one vehicle apart. Vehicles compare by name: their numbers depend on
 * the order of arrival. */
int engine_compare(const struct engine *e, const struct entry *a, const struct entry *b)
{
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    if (a->vehicle != b->vehicle)
        return slice_compare(names_text(&e->vehicles, a->vehicle), names_text(&e->vehicles, b->vehicle));
    return compare_nodes(e, a, b);
}

static struct queued *queue_up(struct engine *e, uint32_t group)
{
    struct group *g = engine_group_at(e, group);
    struct corr_state *c = &e->corr[g->corr];

    if (g->queue_at > 0)
        return &c->queue[g->queue_at - 1];
    if (c->queue_count == c->queue_room) {
        c->queue_room = c->queue_room > 0 ? c->queue_room * 2 : 16;
        c->queue = mem_grow(c->queue, c->queue_room, sizeof *c->queue);
    }
    struct queued *q = &c->queue[c->queue_count++];
    memset(q, 0, sizeof *q);
    q->group = group;
    q->lo_us = 1; /* nothing yet: lo > hi */
    g->queue_at = c->queue_count;
    return q;
}

void engine_mark(struct engine *e, uint32_t group, int64_t time_us, bool added)
{
    struct group *g = engine_group_at(e, group);
    struct queued *q = queue_up(e, group);

    if (!added)
        g->touched = true;
    else if (group_live(g) && time_us >= g->large->last.time_us)
        return; /* it came behind what is settled, or beside its last: engine_live_append looks at it */
    else
        q->inserted++;
    if (q->lo_us > q->hi_us) {
        q->lo_us = q->hi_us = time_us;
        return;
    }
    if (time_us < q->lo_us)
        q->lo_us = time_us;
    if (time_us > q->hi_us)
        q->hi_us = time_us;
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

static bool is_part(const struct entry *x, uint32_t node, bool second)
{
    return x->mask != 0 && x->node == node && (x->second != 0) == second;
}

/* Among the sorted entries. Beside it may stand one that was taken out. */
static struct entry *find_sorted(const struct engine *e, const struct group *g, const struct entry *like)
{
    size_t lo = 0;
    size_t hi = g->sorted;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (engine_compare(e, &g->entry[mid], like) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (lo < g->sorted && g->entry[lo].mask == 0)
        lo++;
    return lo < g->sorted && is_part(&g->entry[lo], like->node, like->second) ? &g->entry[lo] : NULL;
}

static struct entry *find_entry(const struct engine *e, uint32_t node, const struct node_place *p, bool second)
{
    struct group *g = engine_group_at(e, p->group);
    struct entry like = engine_like(e, node, p, second);

    if ((p->parts >> second & 1) == 0)
        return NULL;
    for (uint32_t i = g->count; i-- > g->sorted;)
        if (is_part(&g->entry[i], node, second))
            return &g->entry[i];
    struct entry *x = find_sorted(e, g, &like);
    assert(x != NULL);
    return x;
}

struct entry *engine_entry(struct engine *e, uint32_t node, const struct node_place *p, bool second)
{
    struct group *g = engine_group_at(e, p->group);

    if ((p->parts >> second & 1) != 0 && g->count - g->sorted > TAIL_MAX)
        sort_new(e, g);
    return find_entry(e, node, p, second);
}

void engine_entries_room(struct engine *e, struct group *g, uint32_t room)
{
    g->entry = slab_resize(&e->entries, g->entry, g->room * sizeof *g->entry, room * sizeof *g->entry);
    g->room = room;
}

struct entry *engine_append(struct engine *e, struct group *g)
{
    if (g->count == g->room) {
        uint32_t more = g->room < DOUBLE_UP_TO ? g->room : g->room / 4;
        engine_entries_room(e, g, g->room == 0 ? 1 : g->room + more);
    }
    return &g->entry[g->count++];
}

struct entry engine_like(const struct engine *e, uint32_t node, const struct node_place *p, bool second)
{
    const struct node *n = engine_node(e, node);
    struct entry like = {.time_us = second ? n->last_us : n->first_us,
                         .node = node & ((1u << 30) - 1),
                         .second = second,
                         .vehicle = n->vehicle,
                         .weight = second ? n->count - 1 : 1,
                         .value = p->value};

    return like;
}

uint64_t engine_mask_of(struct engine *e, uint32_t node, const struct node_place *p, bool second)
{
    const struct entry *x = engine_entry(e, node, p, second);

    return x != NULL ? x->mask : 0;
}

void engine_mask(struct engine *e, uint32_t node, struct node_place *p, bool second, uint64_t mask)
{
    struct group *g = engine_group_at(e, p->group);
    struct entry *x = engine_entry(e, node, p, second);

    if (mask == (x != NULL ? x->mask : 0))
        return;
    int64_t time_us = second ? engine_node(e, node)->last_us : engine_node(e, node)->first_us;
    engine_mark(e, p->group, time_us, x == NULL);
    if (x == NULL) {
        struct entry like = engine_like(e, node, p, second);
        like.mask = mask;
        *engine_append(e, g) = like;
        p->parts |= 1u << second;
        return;
    }
    x->mask = mask;
    if (mask != 0)
        return;
    bool hit = x->hit;
    g->holes = true;
    p->parts &= ~(1u << second) & 3u;
    if (hit) /* nobody will look at it again: what it was a hit for must hear of it now (bounded by the chain) */
        engine_tell_parents(e, g->corr, node, second, false);
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
    uint32_t out = 0;
    uint32_t sorted = 0;

    for (uint32_t i = 0; i < g->count; i++) {
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
    /* Only the sorted entries behind the earliest new one move; mostly it came behind them all. */
    bool late = g->sorted > 0 && g->entry[g->sorted].time_us <= g->entry[g->sorted - 1].time_us;
    size_t from = late ? engine_lower(g, g->entry[g->sorted].time_us) : g->sorted;
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
