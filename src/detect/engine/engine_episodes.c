#include "detect/engine/engine_internal.h"

#include "base/crypto.h"

/* The id is a function of the rule, the group and the identity of the first member: SHA-256 over
 *
 *     label 00 | per group-by value: length (4) text | vehicle 00 | epoch (4) seq (8), or content (16) without a number
 *
 * and a byte 01 when the first member is the second part of an aggregated record, whose first part may begin another
 * episode; cut to ALERT_ID_SIZE bytes. */
static void make_id(const struct engine *e, const struct group *g, struct episode *ep)
{
    const struct entry *first = &g->entry[engine_lower(g, ep->first_us)];
    const struct node *n = engine_node(e, first->node);
    const struct rule *rule = engine_rule(e, g->corr);
    uint8_t number[4 * ALERT_GROUP_MAX + 17], hash[SHA256_SIZE];
    struct slice part[4 + 2 * ALERT_GROUP_MAX + 1];
    size_t count = 0;
    struct writer w;

    writer_init(&w, number, sizeof number);
    part[count++] = rule->label;
    part[count++] = slice_make("", 1);
    for (uint8_t i = 0; i < rule->corr->group_count; i++) {
        struct slice value = engine_group_value(e, g, i);
        part[count++] = slice_make(number + w.len, 4);
        writer_u32be(&w, (uint32_t)value.len);
        part[count++] = value;
    }
    part[count++] = names_text(&e->vehicles, n->vehicle);
    part[count++] = slice_make("", 1);
    size_t mark = w.len;
    if (n->has_seq) {
        writer_u32be(&w, n->epoch);
        writer_u64be(&w, n->number);
    } else {
        writer_u64be(&w, n->content_hi);
        writer_u64be(&w, n->number);
    }
    if (first->second)
        writer_u8(&w, 1);
    part[count++] = slice_from(writer_slice(&w), mark);
    sha256_parts(part, count, hash);
    memcpy(ep->id, hash, ALERT_ID_SIZE);
}

static bool next_stamp(struct engine *e, uint32_t vehicle)
{
    bool first = e->vehicle[vehicle].stamp != e->stamp_now;

    e->vehicle[vehicle].stamp = e->stamp_now;
    return first;
}

static void stamps_begin(struct engine *e)
{
    if (++e->stamp_now > 0)
        return;
    for (uint32_t i = 0; i < e->vehicle_room; i++) /* wrapped: old stamps would look new */
        e->vehicle[i].stamp = 0;
    e->stamp_now = 1;
}

struct hash128 engine_start_of(const struct engine *e, const struct entry *x)
{
    const struct node *n = engine_node(e, x->node);
    struct hash128 h = engine_identity_of(e, n);

    h.hi = hash_mix(h.hi, x->second);
    return h;
}

/* Members are all entries of the group from first to last. */
static void count_members(struct engine *e, const struct group *g, struct episode *ep)
{
    size_t i = engine_lower(g, ep->first_us);

    stamps_begin(e);
    ep->start = engine_start_of(e, &g->entry[i]);
    for (; i < g->count && g->entry[i].time_us <= ep->last_us; i++) {
        ep->count += g->entry[i].weight;
        ep->vehicles += next_stamp(e, g->entry[i].vehicle);
        ep->late |= engine_node(e, g->entry[i].node)->late;
    }
}

void engine_fresh_add(struct engine *e, const struct episode *ep)
{
    if (e->fresh_count == e->fresh_room) {
        e->fresh_room = e->fresh_room > 0 ? e->fresh_room * 2 : 8;
        e->fresh = mem_grow(e->fresh, e->fresh_room, sizeof *e->fresh);
    }
    e->fresh[e->fresh_count++] = *ep;
}

/* By aliases an event can stand in two groups of one correlation: it is a hit as long as it is one in either. */
static bool still_hit(struct engine *e, uint32_t corr, uint32_t node, bool second)
{
    struct node *n = engine_node(e, node);

    for (uint16_t i = 0; i < n->place_count; i++) {
        const struct node_place *p = &node_places(n)[i];
        if (p->group == GROUP_FIELD || engine_group_at(e, p->group)->corr != corr)
            continue;
        const struct entry *x = engine_entry(e, node, p, second);
        if (x != NULL && x->hit)
            return true;
    }
    return false;
}

void engine_tell_parents(struct engine *e, uint32_t corr, uint32_t node, bool second, bool hit)
{
    struct node *n = engine_node(e, node);
    struct node_place *place = node_places(n);
    uint32_t rule = e->plan->corr[corr];

    if (n->place_count < 2 || (!hit && still_hit(e, corr, node, second)))
        return;
    for (uint16_t i = 0; i < n->place_count; i++) {
        struct node_place *p = &place[i];
        if (p->mask_chain == 0)
            continue;
        const struct correlation *c = engine_rule(e, engine_group_at(e, p->group)->corr)->corr;
        uint64_t mine = 0;
        for (uint8_t k = 0; k < c->ref_count; k++)
            if (c->ref[k] == rule)
                mine |= UINT64_C(1) << k & p->mask_chain;
        if (mine == 0)
            continue;
        uint64_t mask = engine_mask_of(e, node, p, second);
        engine_mask(e, node, p, second, hit ? mask | mine : mask & ~mine);
    }
}

/* Goes through entries [from, to): sets their hit flags and collects the episodes they form. */
static void scan(struct engine *e, struct group *g, size_t from, size_t to)
{
    const struct correlation *c = engine_rule(e, g->corr)->corr;
    struct window *w = &e->window;
    struct episode ep = {0};
    bool open = false;

    e->fresh_count = 0;
    window_begin(w, c, g->entry, &e->points, from, to);
    for (size_t i = from; i < to; i++) {
        struct entry *x = &g->entry[i];
        nano value;
        bool hit = window_step(w, &value) && correlation_holds(c, value);
        if (hit != x->hit) {
            x->hit = hit;
            engine_tell_parents(e, g->corr, x->node, x->second, hit);
        }
        if (!hit)
            continue;
        if (open && x->time_us - ep.last_us > c->span_us) {
            engine_fresh_add(e, &ep);
            open = false;
        }
        if (!open) {
            memset(&ep, 0, sizeof ep);
            ep.hit_us = x->time_us;
            ep.first_us = g->entry[w->left].time_us;
            ep.peak = value;
            open = true;
        }
        ep.last_us = x->time_us;
        if (value > ep.peak)
            ep.peak = value;
    }
    if (open)
        engine_fresh_add(e, &ep);
    e->counters.scanned += to - from;
}

static bool same(const struct episode *a, const struct episode *b)
{
    return a->first_us == b->first_us && a->last_us == b->last_us && a->count == b->count &&
           a->vehicles == b->vehicles && a->peak == b->peak && a->late == b->late;
}

/* First of some episodes, which are sorted and do not overlap, whose last time is not before a time. */
static uint32_t first_reaching(const struct episode *ep, uint32_t count, int64_t time_us)
{
    uint32_t lo = 0;
    uint32_t hi = count;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (ep[mid].last_us < time_us)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The episode that begins with the same event: two of those are the same alert. That event stands at one time, unless a
 * conflicting copy has taken its place; then every episode is looked at. NULL when there is none. */
static const struct episode *find_alike(const struct engine *e, const struct episode *ep, uint32_t count,
                                        const struct episode *like)
{
    uint32_t i = first_reaching(ep, count, like->first_us);

    if (i < count && hash128_equal(ep[i].start, like->start))
        return &ep[i];
    for (i = 0; e->counters.conflicts > 0 && i < count; i++)
        if (hash128_equal(ep[i].start, like->start))
            return &ep[i];
    return NULL;
}

/* A fresh episode that begins with the same event as an old one is that one, revised or not. */
static void identify(const struct engine *e, const struct group *g, struct episode *f, uint32_t a, uint32_t b)
{
    const struct episode *o = find_alike(e, b > a ? g->episode + a : NULL, b - a, f);

    f->revision = 1;
    f->closed = false;
    if (o == NULL) {
        make_id(e, g, f);
        return;
    }
    memcpy(f->id, o->id, sizeof f->id);
    f->closed = same(o, f) && o->closed;
    f->revision = o->revision + !same(o, f);
}

/* Hands out what is new, what changed and what is gone. What an alert cannot name as superseded any more is retracted.
 */
static void report(struct engine *e, const struct group *g, uint32_t a, uint32_t b, engine_emit *emit, void *ctx)
{
    const struct episode *old = b > a ? g->episode + a : NULL;
    uint32_t old_count = b - a;

    for (uint32_t i = 0; i < e->fresh_count; i++) {
        struct episode *f = &e->fresh[i];
        const struct episode *gone[ALERT_SUPERSEDES_MAX];
        const struct episode *self = find_alike(e, old, old_count, f);
        uint32_t gone_count = 0;
        bool changed = self == NULL || self->revision != f->revision;
        for (uint32_t k = first_reaching(old, old_count, f->first_us); k < old_count && old[k].first_us <= f->last_us;
             k++) {
            if (find_alike(e, e->fresh, e->fresh_count, &old[k]) != NULL)
                continue;
            if (gone_count < ALERT_SUPERSEDES_MAX)
                gone[gone_count++] = &old[k];
            else
                engine_show(e, g, &old[k], ALERT_RETRACTED, NULL, 0, emit, ctx);
        }
        if (!changed && gone_count > 0)
            f->revision++; /* what it supersedes is news too */
        if (changed || gone_count > 0)
            engine_show(e, g, f, ALERT_OPEN, gone, gone_count, emit, ctx);
    }
    for (uint32_t k = 0; k < old_count; k++) {
        uint32_t i = first_reaching(e->fresh, e->fresh_count, old[k].first_us);
        bool covered = i < e->fresh_count && e->fresh[i].first_us <= old[k].last_us;
        if (!covered && find_alike(e, e->fresh, e->fresh_count, &old[k]) == NULL)
            engine_show(e, g, &old[k], ALERT_RETRACTED, NULL, 0, emit, ctx);
    }
}

/* Puts the fresh episodes in the place of the old ones [a, b). The array is as long as the next power of two. */
static void replace(struct engine *e, struct group *g, uint32_t a, uint32_t b)
{
    uint32_t count = g->episode_count - (b - a) + e->fresh_count;

    if (count > g->episode_count) {
        uint32_t room = 1;
        while (room < count)
            room *= 2;
        g->episode = mem_grow(g->episode, room, sizeof *g->episode);
    }
    if (g->episode_count > b)
        memmove(g->episode + a + e->fresh_count, g->episode + b, (g->episode_count - b) * sizeof *g->episode);
    if (e->fresh_count > 0)
        memcpy(g->episode + a, e->fresh, e->fresh_count * sizeof *g->episode);
    g->episode_count = count;
}

void engine_episodes_set(struct engine *e, uint32_t group)
{
    replace(e, engine_group_at(e, group), 0, 0);
}

void engine_take_over(struct engine *e, uint32_t group, uint32_t a, uint32_t b, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, group);

    if (engine_rule(e, g->corr)->alerts) {
        for (uint32_t i = 0; i < e->fresh_count; i++)
            identify(e, g, &e->fresh[i], a, b);
        if (emit != NULL)
            report(e, g, a, b, emit, ctx);
    }
    replace(e, g, a, b);
    for (uint32_t i = 0; i < e->fresh_count && engine_rule(e, g->corr)->alerts; i++)
        if (!e->fresh[i].closed)
            engine_closing_add(e, group, engine_closing_us(e, g, &e->fresh[i]));
}

/* Looks again at all that a changed stretch can reach. An entry changed at time t can reach hits up to t + W, and so
 * the episodes whose last hit is not before t - W and whose first hit is not after t + 2 W. Everything outside stays as
 * it is. `keep`: the group may be carried on from here. */
static void rescan(struct engine *e, uint32_t group, int64_t lo, int64_t hi, bool keep, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, group);
    int64_t span = engine_rule(e, g->corr)->corr->span_us;
    uint32_t a = first_reaching(g->episode, g->episode_count, lo - span);
    uint32_t b = a;

    while (b < g->episode_count && g->episode[b].hit_us <= hi + 2 * span)
        b++;
    int64_t start = b > a && g->episode[a].hit_us < lo ? g->episode[a].hit_us : lo;
    int64_t end = b > a && g->episode[b - 1].last_us > hi + span ? g->episode[b - 1].last_us : hi + span;
    size_t from = engine_lower(g, start);
    size_t to = engine_lower(g, end + 1);
    scan(e, g, from, to);
    if (engine_rule(e, g->corr)->alerts)
        for (uint32_t i = 0; i < e->fresh_count; i++)
            count_members(e, g, &e->fresh[i]);
    engine_take_over(e, group, a, b, emit, ctx);
    if (keep)
        engine_live_keep(e, g, from, to);
    else
        window_end(&e->window);
}

/* The stretch of a live group that has to be looked at again, when there is one. What came at the very time of the last
 * settled entry may have come before it. */
static void late_stretch(struct engine *e, const struct group *g, struct queued *q)
{
    const struct large *l = g->large;
    const struct entry *same = &g->entry[l->settled - 1 + q->inserted];

    if (same->node == l->last.node && same->second == l->last.second)
        return;
    size_t at = engine_lower(g, l->last.time_us);

    while (engine_compare(e, &g->entry[at], &l->last) < 0)
        at++;
    if (at + 1 - l->settled == q->inserted)
        return;
    if (q->lo_us > q->hi_us)
        q->lo_us = l->last.time_us;
    q->hi_us = l->last.time_us;
}

bool engine_apart(const struct engine *e, const struct group *g, const struct queued *q)
{
    int64_t span = engine_rule(e, g->corr)->corr->span_us;

    return q->hi_us + span < g->large->last.time_us - span &&
           (g->episode_count == 0 || q->hi_us + 2 * span < g->episode[g->episode_count - 1].hit_us);
}

/* New entries at the end of a live group, and perhaps old ones that cannot reach that end. */
static void recompute_live(struct engine *e, const struct queued *q, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, q->group);
    bool late = q->lo_us <= q->hi_us;

    if (late)
        engine_live_shift(g, q->inserted);
    engine_live_append(e, q->group, emit, ctx);
    if (!late)
        return;
    bool none = g->episode_count == 0;
    rescan(e, q->group, q->lo_us, q->hi_us, false, emit, ctx);
    if (none && g->episode_count > 0)
        engine_live_drop(e, g); /* the last episode is one whose members were not carried on */
}

void engine_recompute(struct engine *e, struct queued q, engine_emit *emit, void *ctx)
{
    struct group *g = engine_group_at(e, q.group);

    engine_tidy(e, g);
    bool live = group_live(g);
    if (live)
        late_stretch(e, g, &q);
    live = live && (q.lo_us > q.hi_us || engine_apart(e, g, &q));
    if (!live) {
        e->corr[g->corr].queue[g->queue_at - 1] = q;
        engine_live_drop(e, g); /* what came behind is looked at along with the rest */
        q = e->corr[g->corr].queue[g->queue_at - 1];
    }
    g->queue_at = 0;
    if (live)
        recompute_live(e, &q, emit, ctx);
    else
        rescan(e, q.group, q.lo_us, q.hi_us, true, emit, ctx);
    g->touched = false;
    engine_group_check(e, q.group);
}
