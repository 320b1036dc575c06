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
 * A window may be kept and carried on when entries are added behind (window_move says where they are now), except for
 * percentile, which ranks the values of one run.
 * Memory: tables are kept between uses and grow with the window; one window object per thread. */
#ifndef DETECT_ENGINE_WINDOW_H
#define DETECT_ENGINE_WINDOW_H

#include "detect/engine/pages.h"
#include "detect/engine/tally.h"
#include "detect/sigma/rule.h"

struct entry {
    int64_t time_us;
    uint64_t mask;      /* referred rules that match; 0 = taken out */
    uint32_t node : 30; /* the event */
    uint32_t hit : 1;
    uint32_t second : 1; /* the part of an aggregated record that stands at its last time */
    uint32_t vehicle;
    uint32_t weight;
    uint32_t value; /* value_count: number of the value; others: number of the point; VALUE_NONE */
};

#define VALUE_NONE UINT32_MAX

/* A number or a position of an entry. */
struct point {
    union {
        nano number;
        struct {
            uint32_t link; /* of free ones, see pages.h */
            int32_t lat, lon;
        } place;
    } at;
};

struct window {
    const struct correlation *corr;
    const struct entry *entry;
    const struct pages *points;
    size_t left;         /* first entry in the window */
    size_t right;        /* behind the last entry in it */
    uint64_t weight_sum; /* event_count: all; value_*: of those with a value */
    nano number_sum;
    uint32_t distinct;
    struct tally values;         /* value_count: entries per value in the window */
    int64_t seen[RULE_REFS_MAX]; /* temporal: last time of rule i; ordered: latest start of a sequence of i + 1 rules */
    nano *rank;                  /* percentile: the distinct values in sight, sorted */
    uint64_t *tree;              /* percentile: Fenwick tree of weights by rank */
    size_t rank_count, rank_room;
};

void window_init(struct window *w);
void window_done(struct window *w);

/* Starts before entry `from`; entries up to `to` will be looked at. */
void window_begin(struct window *w, const struct correlation *c, const struct entry *entry, const struct pages *points,
                  size_t from, size_t to);
/* Takes in entry `right` and gives the value of its window; false when there is none (no number in sight). */
bool window_step(struct window *w, nano *ret);
/* The entries that a kept window has seen are at `entry` now, `shift` places further behind. */
void window_move(struct window *w, const struct entry *entry, ptrdiff_t shift);
/* Whether a window of this type can be carried on. */
bool window_keeps(const struct correlation *c);
/* Takes out what is still in the window. */
void window_end(struct window *w);

/* Great circle distance on a sphere of 6371 km. */
double geo_distance_km(int32_t lat_a, int32_t lon_a, int32_t lat_b, int32_t lon_b);

#endif
