#include "gateway/uplink.h"

#define SECOND_US INT64_C(1000000)

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

void uplink_init(struct uplink *u, const struct uplink_config *cfg)
{
    *u = (struct uplink){.cfg = *cfg, .state = UPLINK_IDLE};
    u->cfg.backoff_ms_min = or_default(cfg->backoff_ms_min, 1000);
    u->cfg.backoff_ms_max = or_default(cfg->backoff_ms_max, 900000);
    u->cfg.answer_ms_max = or_default(cfg->answer_ms_max, 60000);
    u->cfg.refused_ms = or_default(cfg->refused_ms, 900000);
    u->cfg.retry_after_s_max = or_default(cfg->retry_after_s_max, 86400);
}

/* A clock that went back behind the start of a wait ends it: better one try too many than a vehicle that stays silent.
 */
static bool wait_is_over(const struct uplink *u, int64_t now_us)
{
    return now_us >= u->wait_until_us || now_us < u->wait_from_us;
}

bool uplink_ready(struct uplink *u, int64_t now_us)
{
    if ((u->state == UPLINK_BACKOFF || u->state == UPLINK_PAUSED) && wait_is_over(u, now_us))
        u->state = UPLINK_IDLE;
    return u->state == UPLINK_IDLE;
}

void uplink_started(struct uplink *u, int64_t now_us)
{
    u->state = UPLINK_WAITING;
    u->started_us = now_us;
    u->counters.started++;
}

bool uplink_overdue(const struct uplink *u, int64_t now_us)
{
    return u->state == UPLINK_WAITING &&
           (now_us < u->started_us || now_us - u->started_us >= (int64_t)u->cfg.answer_ms_max * 1000);
}

static void wait_for(struct uplink *u, enum uplink_state state, int64_t now_us, int64_t wait_us)
{
    u->state = (uint8_t)state;
    u->wait_from_us = now_us;
    u->wait_until_us = now_us + wait_us;
}

/* Full jitter between half and all of min * 2^tries, so that a fleet that lost the backend does not come back as one.
 */
static int64_t backoff_us(const struct uplink *u, uint32_t random)
{
    uint64_t ms = u->cfg.backoff_ms_min;

    for (unsigned i = 1; i < u->tries && ms < u->cfg.backoff_ms_max; i++)
        ms *= 2;
    if (ms > u->cfg.backoff_ms_max)
        ms = u->cfg.backoff_ms_max;
    return (int64_t)(ms * 500 + (ms * 500 * (uint64_t)random >> 32));
}

static void fail(struct uplink *u, uint32_t random, int64_t now_us)
{
    if (u->tries < UINT8_MAX)
        u->tries++;
    wait_for(u, UPLINK_BACKOFF, now_us, backoff_us(u, random));
}

static void pause_as_told(struct uplink *u, const struct uplink_reply *reply, uint32_t random, int64_t now_us)
{
    uint32_t s = reply->retry_after_s;

    u->counters.busy++;
    if (s == 0) {
        fail(u, random, now_us);
        u->state = UPLINK_PAUSED;
        return;
    }
    if (s > u->cfg.retry_after_s_max)
        s = u->cfg.retry_after_s_max;
    /* Never earlier than told; up to a tenth later, so that not all come at once. */
    wait_for(u, UPLINK_PAUSED, now_us, s * SECOND_US + (s * INT64_C(100) * random >> 32) * 1000);
}

enum uplink_verdict uplink_answered(struct uplink *u, const struct uplink_reply *reply, uint32_t random, int64_t now_us)
{
    switch (reply->status) {
    case 200:
        u->counters.acked++;
        u->tries = 0;
        u->state = UPLINK_IDLE;
        return UPLINK_ACKED;
    case 400:
    case 409:
    case 413:
    case 422:
        u->counters.refused++;
        u->tries = 0;
        u->state = UPLINK_IDLE;
        return UPLINK_REFUSED;
    case 429:
    case 503:
        pause_as_told(u, reply, random, now_us);
        return UPLINK_AGAIN;
    case 401:
    case 403:
        u->counters.unauthorised++;
        wait_for(u, UPLINK_PAUSED, now_us, (int64_t)u->cfg.refused_ms * 1000);
        return UPLINK_AGAIN;
    default:
        if (uplink_overdue(u, now_us))
            u->counters.timed_out++;
        u->counters.failed++;
        fail(u, random, now_us);
        return UPLINK_AGAIN;
    }
}

void uplink_hurry(struct uplink *u)
{
    if (u->state != UPLINK_BACKOFF)
        return;
    u->state = UPLINK_IDLE;
    u->tries = 0;
}

uint32_t uplink_wait_ms(const struct uplink *u, int64_t now_us, uint32_t cap)
{
    int64_t left_us = 0;

    if (u->state == UPLINK_BACKOFF || u->state == UPLINK_PAUSED)
        left_us = wait_is_over(u, now_us) ? 0 : u->wait_until_us - now_us;
    else if (u->state == UPLINK_WAITING)
        left_us = uplink_overdue(u, now_us) ? 0 : u->started_us + (int64_t)u->cfg.answer_ms_max * 1000 - now_us;
    else
        return cap;
    return left_us / 1000 >= cap ? cap : (uint32_t)(left_us / 1000) + 1;
}
