/* sighting: what the rules see in one event, with everything that windows need to know about it and nothing else.
 *
 * This is the first of two stages. It needs only the event and the plan, so it can run anywhere and in any number of
 * threads; the second stage (engine.h) keeps windows by rule and group. Between them a sighting is plain data.
 *
 * A place says: this event belongs into that group of that correlation, because of these referred rules (`mask`), or
 * could come to belong there when a correlation below finds a hit in it (`mask_chain`). An event without one of the
 * group-by fields has no place there. geo_velocity takes events with a trusted time and a valid position only; what it
 * leaves out is counted.
 * Memory: borrowed from the sighter and the record until the next step. Bounds: PLACES_MAX places; more are counted. */
#ifndef DETECT_ENGINE_SIGHTING_H
#define DETECT_ENGINE_SIGHTING_H

#include "detect/sigma/match.h"

#define PLACES_MAX         256
#define FUTURE_US_MAX      (INT64_C(300) * US_PER_S)        /* further ahead of its receipt an event is quarantined */
#define LATE_US_MIN        (INT64_C(3600) * US_PER_S)       /* received so long after it happened an event is late */
#define HORIZON_US_DEFAULT (INT64_C(30) * 86400 * US_PER_S) /* begun longer before its receipt an event is too old */
#define GROUP_KEY_MAX      4096                             /* bytes of one group's values */

struct place {
    uint32_t corr;       /* index in plan.corr */
    uint64_t mask;       /* bit i: referred rule i matches */
    uint64_t mask_chain; /* bit i: referred rule i is a correlation that may hit here */
    struct slice group;  /* values of the group-by fields, each with its length before it */
    bool has_value;
    struct slice value; /* value_count: the value, encoded like a group */
    nano number;        /* value_sum, value_avg, value_percentile */
    int32_t lat, lon;   /* geo_velocity: units of 10^-7 degrees */
};

struct sighting {
    struct slice vehicle;
    int64_t first_us, last_us;
    uint32_t count, epoch;
    uint64_t seq;
    bool has_seq, late;
    struct hash128 identity; /* of (vehicle, epoch, seq), or of the content; not made for a unique record */
    struct hash128 content;
    uint64_t
        tag; /* the caller's own name for the event; the engine hands it back with members. Not set by the sighter */
    uint32_t place_count;
    struct place *place;
};

enum sight { SIGHT_OK, SIGHT_FUTURE, SIGHT_BEYOND_HORIZON };

struct sighter {
    struct matcher matcher;
    struct place place[PLACES_MAX];
    struct sighter_use *use;
    uint32_t *use_first; /* by rule: first of its uses; uses of rule r are [use_first[r], use_first[r + 1]) */
    int64_t horizon_us;
    uint64_t places_dropped_count, geo_untrusted_count, geo_no_position_count;
};

void sighter_init(struct sighter *s, const struct plan *plan);
void sighter_done(struct sighter *s);
/* Looks at an event (a record made with its envelope). Anything but SIGHT_OK leaves *ret alone: the event is not
 * correlated and the caller counts it. */
enum sight sighter_step(struct sighter *s, struct record *r, struct sighting *ret);

/* The identity of an event with a sequence number. */
struct hash128 sighting_identity(struct slice vehicle, uint32_t epoch, uint64_t seq);
/* The n-th value of an encoded group. */
struct slice group_value(struct slice group, unsigned n);

#endif
