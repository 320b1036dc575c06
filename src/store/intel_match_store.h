/* intel_match_store: what the fleet showed of indicators, in the state database (migration 0600).
 *
 * Rows are sums by indicator, vehicle and hour of event time; adding is commutative, and of each row the earliest
 * `members_max` events stay. Inside the caller's transaction. */
#ifndef STORE_INTEL_MATCH_STORE_H
#define STORE_INTEL_MATCH_STORE_H

#include "store/alert_store.h"

struct intel_match_row {
    int64_t indicator;
    uint8_t vid[EV_VID_SIZE];
    int64_t hour, first_us, last_us;
    uint64_t count;
    bool late;
};

/* Adds to the row of that indicator, vehicle and hour. */
VS_MUST_USE enum vs_err intel_match_add(struct store *st, const struct intel_match_row *row,
                                        struct alert_member *const *member, unsigned member_count,
                                        unsigned members_max);
/* Forgets everything that an indicator matched. */
VS_MUST_USE enum vs_err intel_match_forget(struct store *st, int64_t indicator);
/* The members of an indicator and vehicle within hours [from, to], in time order. */
VS_MUST_USE enum vs_err intel_match_members(struct store *st, int64_t indicator, struct slice vid, int64_t from_hour,
                                            int64_t to_hour, bool (*each)(void *ctx, const struct alert_member *m),
                                            void *ctx);

#endif
