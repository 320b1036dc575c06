#include "ingest/clock.h"

#include "core/timestamp.h"

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

struct clock_verdict clock_judge(const struct clock_limits *limits, int64_t received_us, int64_t sent_us,
                                 int64_t before_us)
{
    struct clock_verdict v = {.offset_us = CLOCK_UNKNOWN, .sent_us = received_us, .trust = EV_TRUST_TRUSTED};

    if (sent_us == 0)
        return v;
    v.offset_us = received_us - sent_us;
    v.sent_us = sent_us;
    if (distance(v.offset_us, 0) <= limits->tolerance_us)
        return v;
    v.shift_us = v.offset_us;
    v.sent_us = received_us;
    v.trust = EV_TRUST_REPAIRED;
    if (before_us != CLOCK_UNKNOWN && distance(v.offset_us, before_us) > limits->jump_us)
        v.trust = EV_TRUST_SUSPECT;
    return v;
}

bool clock_apply(const struct clock_limits *limits, const struct clock_verdict *v, int64_t received_us,
                 struct event *ev)
{
    int64_t first = ev->first_us + v->shift_us, last = ev->last_us + v->shift_us;
    uint8_t trust = ev->trust > v->trust ? ev->trust : v->trust;

    if (first < limits->time_min_us) {
        first = v->sent_us;
        last = v->sent_us;
        trust = EV_TRUST_SUSPECT;
    }
    if (last > received_us + limits->future_us || last > TIMESTAMP_US_MAX)
        return false;
    ev->first_us = first;
    ev->last_us = last;
    ev->trust = trust;
    return true;
}
