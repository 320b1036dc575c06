/* window: the value of a sliding window over sorted entries, one entry at a time.
 *
 * The window of entry i holds the entries j <= i with time[i] - time[j] <= span. The value is: the sum of weights
 * (event_count), the number of distinct values (value_count), the number of distinct rules present (temporal), the
 * length of the longest start of the list of rules that occurs in order, each in an entry of its own
 * (temporal_ordered), the sum, mean or percentile of the values, each as often as its weight (value_*), or the distance
 * in kilometres, to the metre, from the entry before (geo_velocity). Everything is counted in integers, so that a
 * window has one value however it was reached.
 *
 * Cost per entry: O(1) amortised; O(rules) for temporal; O(log n) for percentile.
 * Memory: tables are kept between uses and grow with the numbers of values; one window object per thread. */
#ifndef DETECT_ENGINE_WINDOW_H
#define DETECT_ENGINE_WINDOW_H

#include "detect/sigma/rule.h"

enum { ENTRY_HIT = 1, ENTRY_SECOND = 2 }; /* SECOND: the part of an aggregated record that stands at its last time */

struct entry {
    int64_t time_us;
    uint64_t mask; /* referred rules that match; 0 = taken out */
    uint32_t node; /* the event */
    uint32_t vehicle;
    uint32_t weight;
    uint32_t value; /* value_count: number of the value; others: index of the point; VALUE_NONE */
    uint32_t flags;
};

#define VALUE_NONE UINT32_MAX

/* A number or a position of an entry. */
struct point {
    nano number;
    int32_t lat, lon;
};

struct window {
    const struct correlation *corr;
    const struct entry *entry;
    const struct point *point;
    size_t left;         /* first entry in the window */
    size_t right;        /* behind the last entry in it */
    uint64_t weight_sum; /* event_count: all; value_*: of those with a value */
    nano number_sum;
    uint32_t distinct;
    uint32_t *value_weight; /* value_count: entries per value in the window */
    uint32_t value_room;
    int64_t seen[RULE_REFS_MAX]; /* temporal: last time of rule i; ordered: latest start of a sequence of i + 1 rules */
    nano *rank;                  /* percentile: the distinct values in sight, sorted */
    uint64_t *tree;              /* percentile: Fenwick tree of weights by rank */
    size_t rank_count, rank_room;
};

void window_init(struct window *w);
void window_done(struct window *w);

/* Starts before entry `from`; entries up to `to` will be looked at. `value_count` is the number of values there are. */
void window_begin(struct window *w, const struct correlation *c, const struct entry *entry, const struct point *point,
                  size_t from, size_t to, uint32_t value_count);
/* Takes in entry `right` and gives the value of its window; false when there is none (no number in sight). */
bool window_step(struct window *w, nano *ret);
/* Takes out what is still in the window. */
void window_end(struct window *w);

/* Great circle distance on a sphere of 6371 km. */
double geo_distance_km(int32_t lat_a, int32_t lon_a, int32_t lat_b, int32_t lon_b);

#endif
