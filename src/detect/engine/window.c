#include "detect/engine/window.h"

#include <math.h>
#include <stdlib.h>

#define NEVER INT64_MIN

void window_init(struct window *w)
{
    memset(w, 0, sizeof *w);
    tally_init(&w->values);
}

void window_done(struct window *w)
{
    tally_done(&w->values);
    free(w->rank);
    free(w->tree);
    memset(w, 0, sizeof *w);
}

double geo_distance_km(int32_t lat_a, int32_t lon_a, int32_t lat_b, int32_t lon_b)
{
    static const double RADIUS_KM = 6371.0;
    static const double RADIANS = 3.14159265358979323846 / 180.0 / 1e7;
    double a = lat_a * RADIANS;
    double b = lat_b * RADIANS;
    double dlat = sin((b - a) / 2);
    double dlon = sin(((double)lon_b - (double)lon_a) * RADIANS / 2);
    double h = dlat * dlat + cos(a) * cos(b) * dlon * dlon;

    return 2 * RADIUS_KM * asin(sqrt(h < 1 ? h : 1));
}

static const struct point *point_of(const struct window *w, const struct entry *e)
{
    return pages_at(w->points, e->value, sizeof(struct point));
}

static int compare_nano(const void *a, const void *b)
{
    nano x = *(const nano *)a;
    nano y = *(const nano *)b;

    return x < y ? -1 : x > y;
}

static void rank_values(struct window *w, size_t from, size_t to)
{
    size_t n = 0;

    if (to - from > w->rank_room) {
        w->rank_room = to - from;
        w->rank = mem_grow(w->rank, w->rank_room, sizeof *w->rank);
        w->tree = mem_grow(w->tree, w->rank_room + 1, sizeof *w->tree);
    }
    for (size_t i = from; i < to; i++)
        if (w->entry[i].value != VALUE_NONE)
            w->rank[n++] = point_of(w, &w->entry[i])->at.number;
    if (n > 0)
        qsort(w->rank, n, sizeof *w->rank, compare_nano);
    w->rank_count = 0;
    for (size_t i = 0; i < n; i++)
        if (w->rank_count == 0 || w->rank[w->rank_count - 1] != w->rank[i])
            w->rank[w->rank_count++] = w->rank[i];
    if (w->tree != NULL)
        memset(w->tree, 0, (w->rank_count + 1) * sizeof *w->tree);
}

static void tree_add(struct window *w, nano value, uint64_t weight)
{
    size_t lo = 0;
    size_t hi = w->rank_count;

    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (w->rank[mid] <= value)
            lo = mid;
        else
            hi = mid;
    }
    for (size_t i = lo + 1; i <= w->rank_count; i += i & (~i + 1))
        w->tree[i] += weight; /* a removal adds the two's complement */
}

/* The smallest value such that at least `percent` per cent of the weight is not above it (nearest rank). */
static nano tree_percentile(const struct window *w, unsigned percent)
{
    unano scaled = (unano)w->weight_sum * percent;
    uint64_t want = (uint64_t)((scaled + 99) / 100);
    size_t step = 1;
    size_t at = 0;

    if (want == 0)
        want = 1;
    while (step * 2 <= w->rank_count)
        step *= 2;
    for (; step > 0; step /= 2) {
        if (at + step <= w->rank_count && w->tree[at + step] < want) {
            at += step;
            want -= w->tree[at];
        }
    }
    return w->rank[at];
}

static void put_value(struct window *w, const struct entry *e, bool in)
{
    if (e->value == VALUE_NONE)
        return;
    switch ((enum correlation_type)w->corr->type) {
    case CORR_VALUE_COUNT:
        if (in)
            w->distinct += tally_in(&w->values, e->value);
        else
            w->distinct -= tally_out(&w->values, e->value);
        return;
    case CORR_VALUE_PERCENTILE:
        tree_add(w, point_of(w, e)->at.number, in ? e->weight : (uint64_t)0 - e->weight);
        break;
    case CORR_VALUE_SUM:
    case CORR_VALUE_AVG: {
        nano part = point_of(w, e)->at.number * e->weight;
        w->number_sum += in ? part : -part;
        break;
    }
    case CORR_EVENT_COUNT:
    case CORR_TEMPORAL:
    case CORR_TEMPORAL_ORDERED:
    case CORR_GEO_VELOCITY:
        return;
    }
    w->weight_sum += in ? e->weight : (uint64_t)0 - e->weight;
}

static void put(struct window *w, const struct entry *e, bool in)
{
    if (w->corr->type == CORR_EVENT_COUNT)
        w->weight_sum += in ? e->weight : (uint64_t)0 - e->weight;
    else
        put_value(w, e, in);
}

static void see_rules(struct window *w, const struct entry *e)
{
    const struct correlation *c = w->corr;

    if (c->type == CORR_TEMPORAL) {
        for (uint8_t i = 0; i < c->ref_count; i++)
            if (e->mask >> i & 1)
                w->seen[i] = e->time_us;
    } else if (c->type == CORR_TEMPORAL_ORDERED) {
        /* From the end, so that one entry does not stand for two steps of the sequence. */
        for (uint8_t i = c->ref_count; i-- > 0;) {
            if (!(e->mask >> i & 1))
                continue;
            if (i == 0)
                w->seen[0] = e->time_us;
            else if (w->seen[i - 1] > w->seen[i])
                w->seen[i] = w->seen[i - 1];
        }
    }
}

void window_begin(struct window *w, const struct correlation *c, const struct entry *entry, const struct pages *points,
                  size_t from, size_t to)
{
    w->corr = c;
    w->entry = entry;
    w->points = points;
    w->weight_sum = 0;
    w->number_sum = 0;
    w->distinct = 0;
    for (uint8_t i = 0; i < c->ref_count; i++)
        w->seen[i] = NEVER;
    size_t left = from;
    while (left > 0 && from < to && entry[from].time_us - entry[left - 1].time_us <= c->span_us)
        left--;
    if (c->type == CORR_VALUE_PERCENTILE)
        rank_values(w, left, to);
    w->left = left;
    for (w->right = left; w->right < from; w->right++) {
        put(w, &entry[w->right], true);
        see_rules(w, &entry[w->right]);
    }
}

/* How many rules were seen within the span that ends now. */
static unsigned rules_seen(const struct window *w, int64_t now_us)
{
    const struct correlation *c = w->corr;
    unsigned n = 0;

    for (uint8_t i = 0; i < c->ref_count; i++) {
        bool seen = w->seen[i] != NEVER && now_us - w->seen[i] <= c->span_us;
        if (c->type == CORR_TEMPORAL_ORDERED && !seen)
            break;
        n += seen;
    }
    return n;
}

static nano divide_down(nano a, nano b)
{
    nano q = a / b;

    return a % b < 0 ? q - 1 : q;
}

static bool geo_value(const struct window *w, const struct entry *e, nano *ret)
{
    if (w->right < 2 || e->time_us - e[-1].time_us > w->corr->span_us)
        return false;
    const struct point *a = point_of(w, e - 1);
    const struct point *b = point_of(w, e);
    if (a->at.place.lat == b->at.place.lat && a->at.place.lon == b->at.place.lon) {
        *ret = 0; /* it was parked */
        return true;
    }
    *ret = (nano)llround(geo_distance_km(a->at.place.lat, a->at.place.lon, b->at.place.lat, b->at.place.lon) * 1e3) *
           (NANO_ONE / 1000);
    return true;
}

bool window_step(struct window *w, nano *ret)
{
    const struct entry *e = &w->entry[w->right];
    const struct correlation *c = w->corr;

    put(w, e, true);
    see_rules(w, e);
    w->right++;
    for (; e->time_us - w->entry[w->left].time_us > c->span_us; w->left++)
        put(w, &w->entry[w->left], false);
    switch ((enum correlation_type)c->type) {
    case CORR_EVENT_COUNT:
        *ret = (nano)w->weight_sum * NANO_ONE;
        return true;
    case CORR_VALUE_COUNT:
        *ret = (nano)w->distinct * NANO_ONE;
        return true;
    case CORR_TEMPORAL:
    case CORR_TEMPORAL_ORDERED:
        *ret = (nano)rules_seen(w, e->time_us) * NANO_ONE;
        return true;
    case CORR_VALUE_SUM:
        *ret = w->number_sum;
        return w->weight_sum > 0;
    case CORR_VALUE_AVG:
        if (w->weight_sum > 0)
            *ret = divide_down(w->number_sum, (nano)w->weight_sum);
        return w->weight_sum > 0;
    case CORR_VALUE_PERCENTILE:
        if (w->weight_sum > 0)
            *ret = tree_percentile(w, c->percentile);
        return w->weight_sum > 0;
    case CORR_GEO_VELOCITY:
        return geo_value(w, e, ret);
    }
    return false;
}

void window_move(struct window *w, const struct entry *entry, ptrdiff_t shift)
{
    w->entry = entry;
    w->left += (size_t)shift;
    w->right += (size_t)shift;
}

bool window_keeps(const struct correlation *c)
{
    return c->type != CORR_VALUE_PERCENTILE;
}

void window_end(struct window *w)
{
    for (; w->left < w->right; w->left++)
        put(w, &w->entry[w->left], false);
}
