/* engine: windows over the set of events, and the alerts that follow from it (docs/rules.md).
 *
 * Alerts are a pure function of the set of events: sightings may come in any order, late, and more than once. Of
 * several copies of one identity the content with the smallest hash counts, whichever came first. Each group of a
 * correlation keeps its entries sorted; a new or withdrawn entry marks a stretch of time, and engine_settle recomputes
 * hits and episodes only where that stretch can reach (one window on either side, and the episodes it touches). Hits of
 * a correlation that others refer to become entries there. engine_settle goes through the correlations from the lowest
 * level up, so one call settles everything.
 *
 * Order of arrival is a matter of cost alone. Entries that come in order are appended, and a large group carries its
 * window and the members of its last episode on from one settling to the next, so that each costs O(1); a late one
 * costs a look at what it can reach.
 *
 * Changes are handed out once each: a new alert, a revised one, one that supersedes others (their episodes merged, or
 * their first member changed), a retracted one, a closed one (nothing can extend it any more unless something late
 * comes; or its rule is gone). Memory: the engine owns its state; an alert handed out is borrowed for the duration of
 * the call. 72 bytes an event, 16 a further place, 32 a part in a group (up to half more while the group grows), 64 a
 * group; names are freed with the last thing that bears them. Bounds: struct engine_limits, each with a counter of what
 * it turned away, and engine_limits_take tells whom. Threads: one at a time; no clock is read here. */
#ifndef DETECT_ENGINE_ENGINE_H
#define DETECT_ENGINE_ENGINE_H

#include "base/snapshot.h"
#include "detect/engine/sighting.h"

#define DEFER_ENTRIES_MIN 4096
#define LARGE_ENTRIES_MIN 32
#define ENGINE_EVENTS_MAX (1u << 30) /* kept events, whatever the limits say */

struct engine_limits {
    uint64_t events_max;             /* kept events, 0 = ENGINE_EVENTS_MAX */
    uint32_t events_per_vehicle_max; /* of one vehicle, 0 = no limit: no car may push out another one's state */
    uint32_t groups_max;             /* rule and group pairs, 0 = ENGINE_EVENTS_MAX */
    uint64_t name_bytes_max;         /* of group-by values and of distinct values, 0 = no limit */
    bool unique_input;               /* the caller hands in every identity once: no table of identities is kept */
    uint32_t defer_entries_min;      /* smallest scan that engine_settle_due may put off; 0 = DEFER_ENTRIES_MIN */
    uint32_t large_entries_min;      /* a scan of so many makes a group large; 0 = LARGE_ENTRIES_MIN */
    uint64_t seed;                   /* of hash tables; any value gives the same alerts */
};

struct engine_counters {
    uint64_t events;          /* sightings put in */
    uint64_t duplicates;      /* copies of an event that was there */
    uint64_t conflicts;       /* copies that say something else under the same identity */
    uint64_t matched;         /* events that have a place somewhere */
    uint64_t refused_total;   /* events turned away by events_max, and places by groups_max or name_bytes_max */
    uint64_t refused_vehicle; /* turned away by events_per_vehicle_max */
    uint64_t expired;         /* events forgotten by engine_expire */
    uint64_t scanned;         /* entries looked at by recomputation */
};

/* What there is now. */
struct engine_size {
    uint64_t events, groups, vehicles, names, name_bytes;
    uint64_t identities; /* known to be copies should they come again */
};

struct engine;

struct engine *engine_new(const struct plan *plan, const struct engine_limits *limits);
void engine_free(struct engine *e);

/* Puts in what a sighter saw. */
void engine_put(struct engine *e, const struct sighting *s);
/* Puts several, in this order. What each will look at in memory is asked for before the first is put, so that their
 * cache misses overlap: worth it from about 16 on, when there are more groups or identities than a cache holds. */
void engine_put_all(struct engine *e, const struct sighting *s, uint32_t count);

typedef void engine_emit(void *ctx, const struct rule *rule, const struct alert *al);

/* Brings everything up to date and hands out what changed. `now_us` decides only which alerts are closed; 0 closes
 * none. */
void engine_settle(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx);
/* The same, but puts off large groups that cannot be carried on (something came late, or their values are ranked): one
 * whose last scan looked at n entries is scanned again when it has n / 16 new ones, or after n / 4096 calls. So a storm
 * costs a bounded amount per event and per call, and small groups are as prompt as ever. What was put off is handed out
 * by a later call, or by engine_settle. */
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

/* Forgets events before the cutoff that no standing episode can reach. Events that happened before the cutoff must not
 * come any more: the sighter's horizon sees to that when the cutoff is the horizon before the earliest receipt that
 * can still be read. Settled alerts stay as they were handed out. `groups_max` bounds the work of a call, which goes on
 * where the last one ended; 0 does it all. `forgotten` (may be NULL) is told the tag of each event that is gone. */
typedef void engine_forgotten_fn(void *ctx, uint64_t tag);
void engine_expire(struct engine *e, int64_t cutoff_us, uint32_t groups_max, engine_forgotten_fn *forgotten, void *ctx);
/* A number of groups that makes a call cheap (about a millisecond at a million groups) and lets 256 calls go round. */
uint32_t engine_expire_step(const struct engine *e);

/* Which limit turned something away since engine_limits_take was last called. */
enum engine_limit { LIMIT_EVENTS, LIMIT_EVENTS_PER_VEHICLE, LIMIT_GROUPS, LIMIT_NAME_BYTES };
struct engine_limit_hit {
    enum engine_limit limit;
    struct slice name; /* vehicle; for groups and names the rule's label; empty for events */
    uint64_t count;    /* events or places turned away since the last call */
};
typedef void engine_limit_fn(void *ctx, const struct engine_limit_hit *hit);
/* Hands out each, sorted by limit and name, and begins anew. */
void engine_limits_take(struct engine *e, engine_limit_fn *each, void *ctx);
/* "events", "events per vehicle", .. */
const char *engine_limit_name(enum engine_limit limit);

/* ---- snapshot and hot reload
 *
 * State belongs to a rule by the rule's meaning (what matches, how it is counted, with all it refers to) and its label,
 * not by its number. Loading and rebinding keep the state of rules that are in both plans with the same meaning, drop
 * that of others, and let rules that are new or mean something else begin empty. Those need a backfill: whoever has the
 * events hands them in by engine_backfill, in any order, and calls engine_backfill_end. */

/* Puts the whole state into the writer's current section (docs/formats/snapshot.md). Nothing is settled before; what
 * was not handed out yet will be handed out by the engine that loads it. Reads only, so it may run in a forked copy. */
void engine_save(const struct engine *e, struct snapshot_writer *w);
/* Fills a new engine from a section. VS_ERR_MALFORMED when it is not what engine_save writes: free the engine then and
 * take another. With the same plan the engine goes on as if it had never stopped. */
VS_MUST_USE enum vs_err engine_load(struct engine *e, struct snapshot_in *in);
/* Changes to another plan, which must have loaded without errors, since this cannot fail. Standing alerts of rules that
 * are gone or mean something else are handed out once as closed. The old plan is not looked at any more afterwards; a
 * sighter of the new plan must be used from now on. What was not settled before stays to be settled. */
void engine_rebind(struct engine *e, const struct plan *plan, engine_emit *emit, void *ctx);
/* Whether the rule began empty and lacks the events of before. */
bool engine_needs_backfill(const struct engine *e, const struct rule *rule);
/* Puts an event that was (or may have been) put before into the rules that need it, and only there. Of unique input
 * each event must be handed in once. Limits and horizon are as ever. */
void engine_backfill(struct engine *e, const struct sighting *s);
void engine_backfill_end(struct engine *e);

const struct engine_counters *engine_counters(const struct engine *e);
void engine_size(const struct engine *e, struct engine_size *ret);

#endif
