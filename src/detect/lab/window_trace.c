#include "detect/lab/window_trace.h"

#include <stdlib.h>

#include "detect/engine/window.h"
#include "detect/sigma/intern.h"

struct seen {
    int64_t time_us[2]; /* first, last */
    uint64_t weight[2];
    struct slice vehicle;
    uint64_t seq, tag;
    uint32_t epoch;
    struct hash128 content;
};

struct spot {
    struct place place; /* copied */
    uint32_t event;
};

struct step {
    struct slice group;
    int64_t time_us;
    uint64_t weight, mask;
    const struct spot *spot;
    const struct seen *event;
    uint32_t event_number;
    uint8_t part;
};

struct window_trace {
    const struct plan *plan;
    const struct rule *rule;
    struct arena arena;
    struct intern identities;
    struct seen *event;
    uint32_t event_count, event_room;
    struct spot *spot;
    uint32_t spot_count, spot_room;
    bool *wanted;  /* by index in plan.corr: the rule and what it refers to */
    uint8_t **hit; /* by index in plan.corr: of each event, bit of each part */
};

static void want(struct window_trace *t, const struct rule *r)
{
    for (uint32_t i = 0; i < t->plan->corr_count; i++)
        if (t->plan->corr[i] == r->number)
            t->wanted[i] = true;
    for (uint8_t i = 0; r->is_correlation && i < r->corr->ref_count; i++)
        want(t, t->plan->rule[r->corr->ref[i]]);
}

struct window_trace *window_trace_new(const struct plan *plan, const struct rule *rule)
{
    struct window_trace *t = mem_zalloc(1, sizeof *t);

    t->plan = plan;
    t->rule = rule;
    arena_init(&t->arena);
    intern_init(&t->identities, 0);
    t->wanted = mem_zalloc((size_t)plan->corr_count + 1, sizeof *t->wanted);
    t->hit = mem_zalloc((size_t)plan->corr_count + 1, sizeof(*t->hit));
    want(t, rule);
    return t;
}

void window_trace_free(struct window_trace *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < t->plan->corr_count; i++)
        free(t->hit[i]);
    free(t->hit);
    free(t->wanted);
    free(t->event);
    free(t->spot);
    intern_done(&t->identities);
    arena_done(&t->arena);
    free(t);
}

static void keep_event(struct window_trace *t, uint32_t number, const struct sighting *s, uint64_t tag)
{
    if (number >= t->event_room) {
        t->event_room = t->event_room > 0 ? 2 * t->event_room : 1024;
        t->event = mem_grow(t->event, t->event_room, sizeof *t->event);
    }
    t->event[number] = (struct seen){.time_us = {s->first_us, s->last_us},
                                     .weight = {1, s->count > 0 ? s->count - 1 : 0},
                                     .vehicle = arena_copy(&t->arena, s->vehicle),
                                     .seq = s->seq,
                                     .tag = tag,
                                     .epoch = s->epoch,
                                     .content = s->content};
}

static void keep_spot(struct window_trace *t, uint32_t event, const struct place *p)
{
    if (t->spot_count == t->spot_room) {
        t->spot_room = t->spot_room > 0 ? 2 * t->spot_room : 1024;
        t->spot = mem_grow(t->spot, t->spot_room, sizeof *t->spot);
    }
    struct spot *s = &t->spot[t->spot_count++];
    s->place = *p;
    s->place.group = arena_copy(&t->arena, p->group);
    s->place.value = arena_copy(&t->arena, p->value);
    s->event = event;
}

/* Of copies that differ, the one with the smaller content counts: its places replace the other's. */
static void drop_spots(struct window_trace *t, uint32_t event)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < t->spot_count; i++)
        if (t->spot[i].event != event)
            t->spot[kept++] = t->spot[i];
    t->spot_count = kept;
}

void window_trace_put(struct window_trace *t, const struct sighting *s, uint64_t tag)
{
    uint32_t number = intern_add(&t->identities, slice_make(&s->identity, sizeof s->identity));

    if (number < t->event_count) {
        if (hash128_compare(s->content, t->event[number].content) >= 0)
            return;
        drop_spots(t, number);
    }
    keep_event(t, number, s, tag);
    t->event_count = number >= t->event_count ? number + 1 : t->event_count;
    for (uint32_t i = 0; i < s->place_count; i++)
        if (t->wanted[s->place[i].corr])
            keep_spot(t, number, &s->place[i]);
}

static int compare_step(const void *x, const void *y)
{
    const struct step *a = x;
    const struct step *b = y;
    int order = slice_compare(a->group, b->group);

    if (order != 0)
        return order;
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    order = slice_compare(a->event->vehicle, b->event->vehicle);
    if (order != 0)
        return order;
    if (a->event->epoch != b->event->epoch)
        return a->event->epoch < b->event->epoch ? -1 : 1;
    if (a->event->seq != b->event->seq)
        return a->event->seq < b->event->seq ? -1 : 1;
    order = hash128_compare(a->event->content, b->event->content);
    return order != 0 ? order : a->part - b->part;
}

static uint32_t index_of(const struct window_trace *t, uint32_t rule)
{
    uint32_t i = 0;

    while (i < t->plan->corr_count && t->plan->corr[i] != rule)
        i++;
    return i;
}

/* A hit of a correlation below stands where its event (part) stands, once, however much the event weighs. */
static uint64_t chained_hits(const struct window_trace *t, const struct correlation *c, const struct spot *s,
                             uint8_t part)
{
    uint64_t mask = 0;

    for (uint8_t i = 0; i < c->ref_count; i++) {
        uint32_t below = index_of(t, c->ref[i]);
        if ((s->place.mask_chain >> i & 1) != 0 && below < t->plan->corr_count && t->hit[below] != NULL &&
            (t->hit[below][s->event] >> part & 1) != 0)
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

static struct step *steps_of(struct window_trace *t, uint32_t corr, uint32_t *ret_count)
{
    const struct correlation *c = t->plan->rule[t->plan->corr[corr]]->corr;
    struct step *step = mem_zalloc(2 * (size_t)t->spot_count + 1, sizeof *step);
    uint32_t count = 0;

    for (uint32_t i = 0; i < t->spot_count; i++) {
        const struct spot *s = &t->spot[i];
        const struct seen *ev = &t->event[s->event];
        for (uint8_t part = 0; s->place.corr == corr && part < 2; part++) {
            uint64_t direct = ev->weight[part] > 0 ? s->place.mask : 0;
            uint64_t chained = chained_hits(t, c, s, part);
            if ((direct | chained) == 0)
                continue;
            step[count++] = (struct step){s->place.group,
                                          ev->time_us[part],
                                          direct != 0 ? ev->weight[part] : 1,
                                          direct | chained,
                                          s,
                                          ev,
                                          s->event,
                                          part};
        }
    }
    qsort(step, count, sizeof *step, compare_step);
    *ret_count = count;
    return step;
}

static uint64_t count_distinct(const struct step *from, const struct step *to)
{
    uint64_t distinct = 0;

    for (const struct step *a = from; a <= to; a++) {
        bool again = !a->spot->place.has_value;
        for (const struct step *b = a + 1; b <= to && !again; b++)
            again = b->spot->place.has_value && slice_equal(a->spot->place.value, b->spot->place.value);
        distinct += !again;
    }
    return distinct;
}

static unsigned count_rules(const struct step *from, const struct step *to)
{
    uint64_t all = 0;
    unsigned n = 0;

    for (; from <= to; from++)
        all |= from->mask;
    for (; all != 0; all &= all - 1)
        n++;
    return n;
}

static unsigned count_in_order(const struct correlation *c, const struct step *from, const struct step *to)
{
    unsigned n = 0;

    for (; from <= to; from++)
        if (n < c->ref_count && (from->mask >> n & 1) != 0)
            n++;
    return n;
}

static int compare_number(const void *x, const void *y)
{
    nano a = (*(const struct step *const *)x)->spot->place.number;
    nano b = (*(const struct step *const *)y)->spot->place.number;

    return a < b ? -1 : a > b;
}

static nano percentile(const struct correlation *c, const struct step *from, const struct step *to, uint64_t weight)
{
    const struct step **sorted = mem_zalloc((size_t)(to - from) + 1, sizeof(*sorted));
    uint32_t n = 0;
    uint64_t below = 0;
    nano value = 0;

    for (; from <= to; from++)
        if (from->spot->place.has_value)
            sorted[n++] = from;
    qsort(sorted, n, sizeof(*sorted), compare_number);
    for (uint32_t i = 0; i < n; i++) {
        value = sorted[i]->spot->place.number;
        below += sorted[i]->weight;
        if ((unano)below * 100 >= (unano)weight * c->percentile)
            break;
    }
    free(sorted);
    return value;
}

static nano floor_div(nano a, nano b)
{
    return a / b - (a % b != 0 && a < 0);
}

static bool of_numbers(const struct correlation *c, const struct step *from, const struct step *to, nano *ret)
{
    uint64_t weight = 0;
    nano sum = 0;

    for (const struct step *s = from; s <= to; s++) {
        if (!s->spot->place.has_value)
            continue;
        weight += s->weight;
        sum += s->spot->place.number * (nano)s->weight;
    }
    if (weight == 0)
        return false;
    *ret = c->type == CORR_VALUE_SUM   ? sum
           : c->type == CORR_VALUE_AVG ? floor_div(sum, (nano)weight)
                                       : percentile(c, from, to, weight);
    return true;
}

/* To the metre, as the definition has it. */
static bool of_places(const struct step *from, const struct step *to, nano *ret)
{
    if (from == to)
        return false;
    double km =
        geo_distance_km(to[-1].spot->place.lat, to[-1].spot->place.lon, to->spot->place.lat, to->spot->place.lon);
    *ret = (nano)(int64_t)(km * 1000 + 0.5) * (NANO_ONE / 1000);
    return true;
}

static bool value_of(const struct correlation *c, const struct step *from, const struct step *to, nano *ret)
{
    uint64_t sum = 0;

    switch ((enum correlation_type)c->type) {
    case CORR_EVENT_COUNT:
        for (const struct step *s = from; s <= to; s++)
            sum += s->weight;
        *ret = (nano)sum * NANO_ONE;
        return true;
    case CORR_VALUE_COUNT:
        *ret = (nano)count_distinct(from, to) * NANO_ONE;
        return true;
    case CORR_TEMPORAL:
        *ret = (nano)count_rules(from, to) * NANO_ONE;
        return true;
    case CORR_TEMPORAL_ORDERED:
        *ret = (nano)count_in_order(c, from, to) * NANO_ONE;
        return true;
    case CORR_VALUE_SUM:
    case CORR_VALUE_AVG:
    case CORR_VALUE_PERCENTILE:
        return of_numbers(c, from, to, ret);
    case CORR_GEO_VELOCITY:
        return of_places(from, to, ret);
    }
    return false;
}

/* Entry `i` of a sorted list with its window. */
static struct window_trace_entry look_at(const struct correlation *c, const struct step *step, uint32_t i)
{
    uint32_t from = i;

    while (from > 0 && slice_equal(step[from - 1].group, step[i].group) &&
           step[i].time_us - step[from - 1].time_us <= c->span_us)
        from--;
    struct window_trace_entry e = {.tag = step[i].event->tag,
                                   .time_us = step[i].time_us,
                                   .from_us = step[from].time_us,
                                   .weight = step[i].weight,
                                   .mask = step[i].mask,
                                   .window_count = i - from + 1};
    e.has_value = value_of(c, &step[from], &step[i], &e.value);
    e.hit = e.has_value && correlation_holds(c, e.value);
    return e;
}

/* plan.corr has lower levels first. */
static void find_hits_below(struct window_trace *t, uint32_t target)
{
    for (uint32_t corr = 0; corr < target; corr++) {
        uint32_t count;
        if (!t->wanted[corr] || t->hit[corr] != NULL)
            continue;
        struct step *step = steps_of(t, corr, &count);
        t->hit[corr] = mem_zalloc((size_t)t->event_count + 1, 1);
        for (uint32_t i = 0; i < count; i++)
            if (look_at(t->plan->rule[t->plan->corr[corr]]->corr, step, i).hit)
                t->hit[corr][step[i].event_number] |= (uint8_t)(1u << step[i].part);
        free(step);
    }
}

void window_trace_run(struct window_trace *t, uint64_t tag, int64_t first_us, int64_t last_us, window_trace_fn *each,
                      void *ctx)
{
    uint32_t target = index_of(t, t->rule->number);
    uint32_t count, at = 0;

    find_hits_below(t, target);
    struct step *step = steps_of(t, target, &count);
    while (at < count && step[at].event->tag != tag)
        at++;
    for (uint32_t i = 0; at < count && i < count; i++) {
        if (!slice_equal(step[i].group, step[at].group) || step[i].time_us < first_us || step[i].time_us > last_us)
            continue;
        struct window_trace_entry e = look_at(t->rule->corr, step, i);
        each(ctx, &e);
    }
    free(step);
}
