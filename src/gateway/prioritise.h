/* prioritise: which records may go out now. Critical at once on any link; medium at the next transmission window, and
 * whenever a link costs nothing; low only on a link that costs nothing or in maintenance, unless the override is set.
 *
 * A window opens at each multiple of its period on the vehicle clock, on the first tick at or after it: then every
 * medium record numbered so far may go, however coarse the ticks are. A budget bounds the bytes on a metered link per
 * period; critical records may overdraw it. Values; constant time. */
#ifndef GATEWAY_PRIORITISE_H
#define GATEWAY_PRIORITISE_H

#include <stdbool.h>
#include <stdint.h>

enum bearer {
    BEARER_NONE,       /* no link */
    BEARER_METERED,    /* cellular */
    BEARER_FREE,       /* Wi-Fi */
    BEARER_MAINTENANCE /* workshop, charging station, wire */
};

struct prioritise_config {
    uint32_t window_period_s; /* of medium on a metered link; 0 = always open */
    bool low_on_metered;      /* override: low goes with medium */
    uint32_t budget_bytes;    /* medium and low on a metered link per period; 0 = no bound */
    uint32_t budget_period_s; /* 0 = a day */
};

struct prioritise {
    struct prioritise_config cfg;
    uint8_t bearer; /* enum bearer */
    int64_t window_next_us;
    uint64_t window_seq; /* medium records with a smaller number may go */
    int64_t budget_from_us;
    uint64_t budget_used;
    uint64_t budget_hit_count; /* periods in which the budget ran out */
};

void prioritise_init(struct prioritise *p, const struct prioritise_config *cfg);
/* Advances windows and budget; seq_next is the next number to be given. */
void prioritise_tick(struct prioritise *p, uint64_t seq_next, int64_t now_us);
/* May a record of this priority and number go now? Records of older epochs are asked for with seq 0. */
bool prioritise_allows(const struct prioritise *p, uint8_t priority, uint64_t seq);
/* Counts bytes that were sent. */
void prioritise_spent(struct prioritise *p, uint64_t bytes);

#endif
