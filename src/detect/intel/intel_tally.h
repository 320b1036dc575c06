/* intel_tally: what matched, added up by indicator, vehicle and hour of event time.
 *
 * A sum of a set: the same matches in any order give the same rows, so that live matching, a search back over the log
 * and any mix of both agree. Of each row the earliest INTEL_MEMBERS_MAX events are kept by name, ordered by (time,
 * epoch, seq, place in the log). Each event must be added once: duplicates are gone before.
 *
 * Memory: heap, about 200 bytes a row plus its members with their texts. Bound: INTEL_TALLY_MAX rows; what comes beyond
 * is counted in left_out. Threads: one owner. */
#ifndef DETECT_INTEL_INTEL_TALLY_H
#define DETECT_INTEL_INTEL_TALLY_H

#include "store/alert_store.h"

#define INTEL_MEMBERS_MAX 8u
#define INTEL_TALLY_MAX   (1u << 20)
#define INTEL_HOUR_US     INT64_C(3600000000)

struct intel_tally_row {
    uint32_t indicator;
    uint8_t vid[EV_VID_SIZE];
    int64_t hour; /* of event time since 1970 */
    int64_t first_us, last_us;
    uint64_t count;
    bool late;
    uint8_t member_count;
    struct alert_member *member[INTEL_MEMBERS_MAX]; /* each with its texts in one block */
};

struct intel_tally {
    struct intel_tally_row *row;
    uint32_t *bucket;
    uint32_t count, room, bucket_count;
    uint64_t left_out;
};

void intel_tally_init(struct intel_tally *t);
void intel_tally_done(struct intel_tally *t);
/* Forgets the rows, keeps the room. */
void intel_tally_reset(struct intel_tally *t);
/* `m` names the event, its time and count; everything in it is copied. VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err intel_tally_add(struct intel_tally *t, uint32_t indicator, const struct alert_member *m,
                                        bool late);
/* In a fixed order: by indicator, vehicle, hour. The rows are moved; call once, before reading. */
void intel_tally_sort(struct intel_tally *t);

#endif
