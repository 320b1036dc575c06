/* clock: what to think of a vehicle's clock, from when a batch says it was sent and when it was received.
 *
 * Pure. The rules are in ingest/normalise.h; the numbers come from its configuration. */
#ifndef INGEST_CLOCK_H
#define INGEST_CLOCK_H

#include "event/event.h"

#define CLOCK_UNKNOWN INT64_MIN /* no batch with a time of sending was seen in this epoch */

struct clock_limits {
    int64_t tolerance_us;
    int64_t jump_us;
    int64_t future_us;
    int64_t time_min_us;
};

struct clock_verdict {
    int64_t offset_us; /* received - sent; CLOCK_UNKNOWN when sent is not told */
    int64_t shift_us;  /* to add to the times of the batch's events; 0 when the clock is good */
    int64_t sent_us;   /* after the shift */
    uint8_t trust;     /* enum ev_trust at best for the batch's events */
};

/* sent_us 0 = not told. before_us: offset of the epoch's batch before, or CLOCK_UNKNOWN. */
struct clock_verdict clock_judge(const struct clock_limits *limits, int64_t received_us, int64_t sent_us,
                                 int64_t before_us);
/* Puts the verdict on one event. False: it lies in the future of its reception, and is unchanged. */
bool clock_apply(const struct clock_limits *limits, const struct clock_verdict *v, int64_t received_us,
                 struct event *ev);

#endif
