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
    const struct node *n = &e->node[ep->member];
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
    part[count++] = intern_text(&e->vehicles, n->vehicle);
    part[count++] = slice_make("", 1);
    size_t mark = w.len;
    if (n->has_seq) {
        writer_u32be(&w, n->epoch);
        writer_u64be(&w, n->seq);
    } else {
        writer_u64be(&w, n->content.hi);
        writer_u64be(&w, n->content.lo);
    }
    if (ep->member_second)
        writer_u8(&w, 1);
    part[count++] = slice_from(writer_slice(&w), mark);
    sha256_parts(part, count, hash);
    memcpy(ep->id, hash, ALERT_ID_SIZE);
}

static bool next_stamp(struct engine *e, uint32_t vehicle)
{
    if (vehicle >= e->stamp_room) {
        uint32_t room = e->vehicles.count + e->vehicles.count / 2 + 1;
        e->stamp = mem_grow(e->stamp, room, sizeof *e->stamp);
        memset(e->stamp + e->stamp_room, 0, (room - e->stamp_room) * sizeof *e->stamp);
        e->stamp_room = room;
    }
    bool first = e->stamp[vehicle] != e->stamp_now;
    e->stamp[vehicle] = e->stamp_now;
    return first;
}

static struct hash128 identity_of(const struct node *n, bool second)
{
    struct hash128 h = {hash_mix(n->vehicle, n->epoch), hash_mix(n->epoch, second)};

    h.hi = hash_mix(h.hi, n->has_seq ? n->seq : n->content.hi);
    h.lo = hash_mix(h.lo + n->vehicle, n->has_seq ? n->seq : n->content.lo);
    return h;
}

/* Members are all entries of the group from first to last. */
static void count_members(struct engine *e, const struct group *g, struct episode *ep)
{
    size_t i = engine_lower(g, ep->first_us);

    if (++e->stamp_now == 0) { /* wrapped: old stamps would look new */
        memset(e->stamp, 0, e->stamp_room * sizeof *e->stamp);
        e->stamp_now = 1;
    }
    ep->member = g->entry[i].node;
    ep->member_second = (g->entry[i].flags & ENTRY_SECOND) != 0;
    ep->start = identity_of(&e->node[ep->member], ep->member_second);
    ep->count = 0;
    ep->vehicles = 0;
    ep->late = false;
    for (; i < g->count && g->entry[i].time_us <= ep->last_us; i++) {
        ep->count += g->entry[i].weight;
        ep->vehicles += next_stamp(e, g->entry[i].vehicle);
        ep->late |= e->node[g->entry[i].node].late;
    }
}

static void add_fresh(struct engine *e, const struct episode *ep)
{
    if (e->fresh_count == e->fresh_room) {
        e->fresh_room = e->fresh_room > 0 ? e->fresh_room * 2 : 8;
        e->fresh = mem_grow(e->fresh, e->fresh_room, sizeof *e->fresh);
    }
    e->fresh[e->fresh_count++] = *ep;
}

/* A hit of a correlation is an entry in the correlations that refer to it. */
static void tell_parents(struct engine *e, uint32_t corr, const struct entry *x, bool hit)
{
    struct node *n = &e->node[x->node];
    uint32_t rule = e->plan->corr[corr];
    unsigned part = (x->flags & ENTRY_SECOND) != 0;

    for (uint16_t i = 0; i < n->place_count; i++) {
        struct node_place *p = &node_places(n)[i];
        const struct correlation *c = engine_rule(e, e->group[p->group].corr)->corr;
        uint64_t mine = 0;
        for (uint8_t k = 0; p->mask_chain != 0 && k < c->ref_count; k++)
            if (c->ref[k] == rule)
                mine |= UINT64_C(1) << k & p->mask_chain;
        if (mine != 0)
            engine_mask(e, x->node, p, part == 1, hit ? p->mask[part] | mine : p->mask[part] & ~mine);
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
    window_begin(w, c, g->entry, e->point, from, to, e->values.count);
    for (size_t i = from; i < to; i++) {
        struct entry *x = &g->entry[i];
        nano value;
        bool hit = window_step(w, &value) && correlation_holds(c, value);
        if (hit != ((x->flags & ENTRY_HIT) != 0)) {
            x->flags ^= ENTRY_HIT;
            tell_parents(e, g->corr, x, hit);
        }
        if (!hit)
            continue;
        if (open && x->time_us - ep.last_us > c->span_us) {
            add_fresh(e, &ep);
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
        add_fresh(e, &ep);
    window_end(w);
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

/* Completes the fresh episodes; one that begins with the same event as an old one is that one, revised or not. */
static void identify(struct engine *e, const struct group *g, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < e->fresh_count; i++) {
        struct episode *f = &e->fresh[i];
        count_members(e, g, f);
        const struct episode *o = find_alike(e, b > a ? g->episode + a : NULL, b - a, f);
        f->revision = 1;
        if (o == NULL) {
            make_id(e, g, f);
            continue;
        }
        memcpy(f->id, o->id, sizeof f->id);
        f->closed = same(o, f) && o->closed;
        f->revision = o->revision + !same(o, f);
    }
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

/* Puts the fresh episodes in the place of the old ones [a, b). */
static void replace(struct engine *e, struct group *g, uint32_t a, uint32_t b)
{
    uint32_t count = g->episode_count - (b - a) + e->fresh_count;

    if (count > g->episode_room) {
        g->episode_room = count + count / 2;
        g->episode = mem_grow(g->episode, g->episode_room, sizeof *g->episode);
    }
    if (g->episode_count > b)
        memmove(g->episode + a + e->fresh_count, g->episode + b, (g->episode_count - b) * sizeof *g->episode);
    if (e->fresh_count > 0)
        memcpy(g->episode + a, e->fresh, e->fresh_count * sizeof *g->episode);
    g->episode_count = count;
}

static void list_open(struct engine *e, uint32_t group)
{
    struct group *g = &e->group[group];

    if (g->open || g->episode_count == 0)
        return;
    if (e->open_count == e->open_room) {
        e->open_room = e->open_room > 0 ? e->open_room * 2 : 64;
        e->open = mem_grow(e->open, e->open_room, sizeof *e->open);
    }
    e->open[e->open_count++] = group;
    g->open = true;
}

/* What an entry changed at time t can reach: hits up to t + W, and so the episodes whose last hit is not before t - W
 * and whose first hit is not after t + 2 W. Everything outside stays as it is. */
void engine_recompute(struct engine *e, uint32_t group, engine_emit *emit, void *ctx)
{
    struct group *g = &e->group[group];
    int64_t span = engine_rule(e, g->corr)->corr->span_us;
    int64_t lo = g->dirty_lo_us;
    int64_t hi = g->dirty_hi_us;
    uint32_t a = first_reaching(g->episode, g->episode_count, lo - span);

    g->queued = false;
    g->dirty_lo_us = 1;
    g->dirty_hi_us = 0;
    engine_tidy(e, g);
    uint32_t b = a;
    while (b < g->episode_count && g->episode[b].hit_us <= hi + 2 * span)
        b++;
    int64_t start = b > a && g->episode[a].hit_us < lo ? g->episode[a].hit_us : lo;
    int64_t end = b > a && g->episode[b - 1].last_us > hi + span ? g->episode[b - 1].last_us : hi + span;
    size_t from = engine_lower(g, start);
    size_t to = engine_lower(g, end + 1);
    scan(e, g, from, to);
    g->scan_cost = to - from;
    g->scan_call = e->calls;
    if (!engine_rule(e, g->corr)->alerts) {
        for (uint32_t i = 0; i < e->fresh_count; i++) /* kept only to know how far a change reaches */
            e->fresh[i].member = NODE_NONE;
        replace(e, g, a, b);
        return;
    }
    identify(e, g, a, b);
    if (emit != NULL)
        report(e, g, a, b, emit, ctx);
    replace(e, g, a, b);
    list_open(e, group);
}
