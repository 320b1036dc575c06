/* aggregate: repetitions of one event within a window become one record with a count, a first and a last time.
 *
 * Two events are the same when type, priority, ECU, sensor, bus and attack signature are equal. The record keeps the
 * fields of the first one (AUTOSAR: only the first context data are kept) and the numbers of the others as folds. It is
 * closed when its window ends, when its folds or its count are full, or when its place is needed (the oldest goes
 * first). An open record is part of each journal commit as long as it changed, so that a power loss costs nothing.
 *
 * Memory: the caller's slots; events larger than AGGREGATE_EVENT_MAX bytes are not aggregated. O(slots) per event. */
#ifndef GATEWAY_AGGREGATE_H
#define GATEWAY_AGGREGATE_H

#include "event/event.h"
#include "gateway/folds.h"

#define AGGREGATE_EVENT_MAX 320 /* bytes of an encoded event that can be kept open */

struct aggregate_slot {
    bool used;
    bool dirty; /* changed since the last journal commit */
    uint16_t len;
    uint32_t rule; /* index of the rule that opened it, for the filters behind aggregation */
    uint32_t window_ms;
    uint32_t count;    /* 0: its first event passed at once, no repetition came yet */
    uint64_t hash;     /* of what makes two events the same; compared before the bytes are */
    uint64_t seq;      /* of the first event: the number of the record */
    int64_t opened_us; /* vehicle clock when it was opened */
    int64_t first_us, last_us;
    struct folds folds;
    uint8_t trust;
    uint8_t bytes[AGGREGATE_EVENT_MAX]; /* the first event, encoded */
};

enum aggregate_result {
    AGGREGATE_MERGED, /* its number is in an open record */
    AGGREGATE_OPENED, /* it opened a record */
    AGGREGATE_LEADS,  /* pass it on; repetitions within the window will be merged into a record of their own */
    AGGREGATE_LARGE,  /* cannot be kept open; pass it on */
    AGGREGATE_FULL,   /* nothing was done: the record of slot *ret_slot has no room; send it, restart it, offer again */
    AGGREGATE_EVICT   /* nothing was done: all slots are taken; send the oldest, *ret_slot, free it, offer again */
};

struct aggregate {
    struct aggregate_slot *slot; /* borrowed */
    uint32_t slot_count;
    uint32_t evicted_count; /* records closed because their place was needed */
};

void aggregate_init(struct aggregate *a, struct aggregate_slot *slot, uint32_t slot_count);
/* Offers a numbered, valid event. With `lead` the first of a window is not kept but only remembered. */
enum aggregate_result aggregate_offer(struct aggregate *a, const struct event *ev, uint32_t rule, uint32_t window_ms,
                                      bool lead, int64_t now_us, uint32_t *ret_slot);
/* After its record was sent: the slot goes on with its window and without a record, or is free. */
void aggregate_restart(struct aggregate_slot *s);
void aggregate_free(struct aggregate_slot *s);
/* The record of a slot (count > 0) as an event, borrowed from the slot. */
void aggregate_slot_event(const struct aggregate_slot *s, uint32_t epoch, struct event *ret);

#endif
