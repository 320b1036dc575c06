/* engine: windows over the set of events, and the alerts that follow from it (docs/rules.md).
 *
 * Alerts are a pure function of the set of events: sightings may come in any order, late, and more than once. Of
 * several copies of one identity the content with the smallest hash counts, whichever came first. Each group of a
 * correlation keeps its entries sorted; a new or withdrawn entry marks a stretch of time, and engine_settle recomputes
 * hits and episodes only where that stretch can reach (one window on either side, and the episodes it touches). Hits of
 * a correlation that others refer to become entries there. engine_settle goes through the correlations from the lowest
 * level up, so one call settles everything.
 *
 * Changes are handed out once each: a new alert, a revised one, one that supersedes others (their episodes merged, or
 * their first member changed), a retracted one, a closed one (nothing can extend it any more unless something late
 * comes). Memory: the engine owns its state; an alert handed out is borrowed for the duration of the call. Bounds:
 * struct engine_limits, each with a counter of what it turned away. Threads: one at a time; no clock is read here. */
#ifndef DETECT_ENGINE_ENGINE_H
#define DETECT_ENGINE_ENGINE_H

#include "detect/engine/sighting.h"

#define DEFER_ENTRIES_MIN 4096

struct engine_limits {
    uint64_t events_max;             /* kept events, 0 = no limit */
    uint32_t events_per_vehicle_max; /* of one vehicle, 0 = no limit: no car may push out another one's state */
    uint32_t groups_max;             /* rule and group pairs, 0 = no limit */
    bool unique_input;               /* the caller hands in every identity once: no table of identities is kept */
    uint32_t defer_entries_min;      /* smallest scan that engine_settle_due may put off; 0 = DEFER_ENTRIES_MIN */
    uint64_t seed;                   /* of hash tables; any value gives the same alerts */
};

struct engine_counters {
    uint64_t events;          /* sightings put in */
    uint64_t duplicates;      /* copies of an event that was there */
    uint64_t conflicts;       /* copies that say something else under the same identity */
    uint64_t matched;         /* events that have a place somewhere */
    uint64_t refused_total;   /* turned away by events_max or groups_max */
    uint64_t refused_vehicle; /* turned away by events_per_vehicle_max */
    uint64_t expired;         /* events forgotten by engine_expire */
    uint64_t scanned;         /* entries looked at by recomputation */
};

struct engine;

struct engine *engine_new(const struct plan *plan, const struct engine_limits *limits);
void engine_free(struct engine *e);

/* Puts in what a sighter saw. */
void engine_put(struct engine *e, const struct sighting *s);

typedef void engine_emit(void *ctx, const struct rule *rule, const struct alert *al);

/* Brings everything up to date and hands out what changed. `now_us` decides only which alerts are closed; 0 closes
 * none. */
void engine_settle(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx);
/* The same, but puts off large groups: one whose last scan looked at n entries is scanned again when it has n / 16 new
 * ones, or after n / 4096 calls. So a storm costs a bounded amount per event and per call, and small groups are as
 * prompt as ever. What was put off is handed out by a later call, or by engine_settle. */
void engine_settle_due(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx);
/* Hands out every standing alert, sorted by rule, group, first. Settles first, but reports no changes. */
void engine_alerts(struct engine *e, engine_emit *emit, void *ctx);
/* One event of a standing alert, as it was put in. */
struct engine_member {
    struct slice vehicle;
    int64_t time_us;
    uint64_t seq, tag;
    uint32_t epoch, count;
};
typedef void engine_member_fn(void *ctx, const struct engine_member *m);

/* Hands out the members of an alert that engine_settle or engine_alerts showed, in time order, each event once. Nothing
 * when the alert does not stand. Cost: O(members). */
void engine_members(const struct engine *e, const struct rule *rule, const struct alert *al, engine_member_fn *each,
                    void *ctx);
/* Forgets events before the cutoff that no standing episode can reach. Events from before the cutoff must not come any
 * more (the sighter's horizon sees to that). Settled alerts stay as they were handed out. */
void engine_expire(struct engine *e, int64_t cutoff_us);

const struct engine_counters *engine_counters(const struct engine *e);

#endif
