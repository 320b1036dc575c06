#include "gateway/prioritise.h"

#include "event/types.gen.h"

#define DAY_S 86400u

void prioritise_init(struct prioritise *p, const struct prioritise_config *cfg)
{
    *p = (struct prioritise){.cfg = *cfg, .bearer = BEARER_NONE};
    if (p->cfg.budget_period_s == 0)
        p->cfg.budget_period_s = DAY_S;
}

static bool is_free(const struct prioritise *p)
{
    return p->bearer == BEARER_FREE || p->bearer == BEARER_MAINTENANCE;
}

/* The next multiple of the period after now. A clock that went back opens the window at once rather than never. */
void prioritise_tick(struct prioritise *p, uint64_t seq_next, int64_t now_us)
{
    int64_t period_us = (int64_t)p->cfg.window_period_s * 1000000;
    int64_t budget_us = (int64_t)p->cfg.budget_period_s * 1000000;

    if (period_us == 0) {
        p->window_seq = UINT64_MAX;
    } else if (p->window_next_us == 0) {
        p->window_next_us = (now_us / period_us + 1) * period_us;
    } else if (now_us >= p->window_next_us || p->window_next_us - now_us > period_us) {
        p->window_next_us = (now_us / period_us + 1) * period_us;
        p->window_seq = seq_next;
    }
    if (now_us - p->budget_from_us >= budget_us || now_us < p->budget_from_us) {
        p->budget_from_us = now_us / budget_us * budget_us;
        p->budget_used = 0;
    }
}

bool prioritise_allows(const struct prioritise *p, uint8_t priority, uint64_t seq)
{
    if (p->bearer == BEARER_NONE)
        return false;
    if (priority == EV_PRIORITY_CRITICAL || is_free(p))
        return true;
    if (priority == EV_PRIORITY_LOW && !p->cfg.low_on_metered)
        return false;
    if (seq >= p->window_seq)
        return false;
    return p->cfg.budget_bytes == 0 || p->budget_used < p->cfg.budget_bytes;
}

void prioritise_spent(struct prioritise *p, uint64_t bytes)
{
    if (is_free(p))
        return;
    if (p->cfg.budget_bytes > 0 && p->budget_used < p->cfg.budget_bytes &&
        p->budget_used + bytes >= p->cfg.budget_bytes)
        p->budget_hit_count++;
    p->budget_used += bytes;
}
