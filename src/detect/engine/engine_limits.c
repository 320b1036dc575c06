#include "detect/engine/engine_internal.h"

#include <stdlib.h>

const char *engine_limit_name(enum engine_limit limit)
{
    static const char *const NAME[] = {[LIMIT_EVENTS] = "events",
                                       [LIMIT_EVENTS_PER_VEHICLE] = "events per vehicle",
                                       [LIMIT_GROUPS] = "groups",
                                       [LIMIT_NAME_BYTES] = "bytes of group and value names"};

    return NAME[limit];
}

/* A vehicle that is listed keeps its name until the list is taken. */
void engine_refuse_vehicle(struct engine *e, uint32_t vehicle)
{
    struct vehicle *v = &e->vehicle[vehicle];

    if (v->refused == 0) {
        if (e->refused_vehicle_count == e->refused_vehicle_room) {
            e->refused_vehicle_room = e->refused_vehicle_room > 0 ? e->refused_vehicle_room * 2 : 16;
            e->refused_vehicle = mem_grow(e->refused_vehicle, e->refused_vehicle_room, sizeof *e->refused_vehicle);
        }
        e->refused_vehicle[e->refused_vehicle_count++] = vehicle;
        names_ref(&e->vehicles, vehicle);
    }
    v->refused += v->refused < UINT32_MAX;
}

static int compare_hits(const void *a, const void *b)
{
    const struct engine_limit_hit *x = a;
    const struct engine_limit_hit *y = b;

    if (x->limit != y->limit)
        return x->limit < y->limit ? -1 : 1;
    return slice_compare(x->name, y->name);
}

/* Collects what was turned away into `hit`, which has room; how many there are. */
static size_t collect(const struct engine *e, struct engine_limit_hit *hit)
{
    size_t n = 0;

    if (e->refused_events > 0)
        hit[n++] = (struct engine_limit_hit){LIMIT_EVENTS, slice_str(""), e->refused_events};
    for (uint32_t i = 0; i < e->refused_vehicle_count; i++) {
        uint32_t v = e->refused_vehicle[i];
        hit[n++] =
            (struct engine_limit_hit){LIMIT_EVENTS_PER_VEHICLE, names_text(&e->vehicles, v), e->vehicle[v].refused};
    }
    for (uint32_t c = 0; c < e->plan->corr_count; c++) {
        struct slice label = engine_rule(e, c)->label;
        if (e->corr[c].refused_groups > 0)
            hit[n++] = (struct engine_limit_hit){LIMIT_GROUPS, label, e->corr[c].refused_groups};
        if (e->corr[c].refused_names > 0)
            hit[n++] = (struct engine_limit_hit){LIMIT_NAME_BYTES, label, e->corr[c].refused_names};
    }
    return n;
}

void engine_limits_take(struct engine *e, engine_limit_fn *each, void *ctx)
{
    size_t room = 1 + (size_t)e->refused_vehicle_count + 2 * (size_t)e->plan->corr_count;
    struct engine_limit_hit *hit = mem_alloc(room, sizeof *hit);
    size_t n = collect(e, hit);

    qsort(hit, n, sizeof *hit, compare_hits);
    for (size_t i = 0; i < n; i++)
        each(ctx, &hit[i]);
    free(hit);
    e->refused_events = 0;
    for (uint32_t i = 0; i < e->refused_vehicle_count; i++) {
        e->vehicle[e->refused_vehicle[i]].refused = 0;
        engine_vehicle_release(e, e->refused_vehicle[i]);
    }
    e->refused_vehicle_count = 0;
    for (uint32_t c = 0; c < e->plan->corr_count; c++)
        e->corr[c].refused_groups = e->corr[c].refused_names = 0;
}
