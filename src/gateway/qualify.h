/* qualify: which security events leave the vehicle, in the order of the AUTOSAR IdsM (SWS_IdsM_01001 and following):
 * reporting mode, block state, sampling, aggregation, threshold, then the rate and traffic limits of the whole gateway.
 *
 * The first filter that says no withholds the event; nothing is lost silently: the caller keeps the sequence number in
 * an accounting event (account.h) under the filter's id. Aggregation itself is in aggregate.h; here are the filters
 * before it and after it.
 *
 * Rules come from a table; the first whose type and instance match is taken, so particular rules stand before general
 * ones. Memory: the caller's, one struct qualify_state per rule. No clock: `now_us` is the vehicle's. O(rules) per
 * event. */
#ifndef GATEWAY_QUALIFY_H
#define GATEWAY_QUALIFY_H

#include "event/event.h"

enum qualify_mode {
    QUALIFY_DETAILED,        /* everything */
    QUALIFY_BRIEF,           /* without context: only required fields and those of the attack signature */
    QUALIFY_OFF,             /* nothing */
    QUALIFY_DETAILED_BYPASS, /* everything, past all filters */
    QUALIFY_BRIEF_BYPASS
};

struct qualify_rule {
    uint16_t type;           /* enum ev_type_id; 0 = any */
    struct slice ecu;        /* empty = any */
    struct slice sensor;     /* empty = any */
    uint8_t mode;            /* enum qualify_mode */
    uint32_t blocked_states; /* bit s: withheld while the vehicle is in state s (workshop, production, ...) */
    uint32_t sample_every;   /* forwards the 1st, n+1st, ... occurrence; 0 and 1 = all. Only in a rule with a type */
    uint32_t aggregate_ms;   /* window in which repetitions become one record; 0 = none */
    bool lead;               /* the first of a window passes at once, the repetitions follow as one record */
    uint32_t threshold; /* withheld until so many occurrences in the window; 0 = none. Only in a rule with a type */
    uint32_t threshold_ms;
};

/* Limits of the whole gateway per window. Critical events are counted but never withheld by them. 0 = no limit. */
struct qualify_limits {
    uint32_t window_ms;
    uint32_t events_max;
    uint32_t bytes_max; /* of encoded records */
};

struct qualify_state {
    uint64_t sampled; /* occurrences seen by the sampling filter */
    int64_t threshold_from_us;
    uint64_t threshold_seen;
};

struct qualify {
    const struct qualify_rule *rule; /* borrowed */
    struct qualify_state *state;     /* borrowed, one per rule */
    uint32_t rule_count;
    struct qualify_limits limits;
    uint32_t vehicle_state; /* bit mask of the states the vehicle is in */
    int64_t limit_from_us;
    uint32_t limit_events, limit_bytes;
};

/* VS_ERR_CONFIG when a rule names no known type, has an unknown mode, or samples or thresholds without a type (its
 * counter would mix types). */
VS_MUST_USE enum vs_err qualify_init(struct qualify *q, const struct qualify_rule *rule, struct qualify_state *state,
                                     uint32_t rule_count, const struct qualify_limits *limits);

/* The rule for an event, as an index for qualify_rule_at. Where no rule of the table matches, everything is reported in
 * detail, repetitions within a minute become one record, and the first of a critical kind passes at once. */
uint32_t qualify_rule_for(const struct qualify *q, const struct event *ev);
const struct qualify_rule *qualify_rule_at(const struct qualify *q, uint32_t rule);

/* The filters before aggregation. May take context fields out of *ev (brief modes). Returns 0 when the event passes,
 * else the enum ev_filter that withholds it. */
uint8_t qualify_before(struct qualify *q, uint32_t rule, struct event *ev);
/* The filters after aggregation, for a record of `bytes`. */
uint8_t qualify_after(struct qualify *q, uint32_t rule, const struct event *ev, size_t bytes, int64_t now_us);
/* True for a rule whose events skip every filter. */
bool qualify_bypasses(const struct qualify_rule *rule);

#endif
