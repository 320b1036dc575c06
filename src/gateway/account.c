#include "gateway/account.h"

#include <assert.h>

static const char *const FILTER_NAME[ACCOUNT_FILTERS] = {
    [EV_FILTER_REPORTING_MODE] = "reporting_mode",
    [EV_FILTER_BLOCK_STATE] = "block_state",
    [EV_FILTER_SAMPLING] = "sampling",
    [EV_FILTER_AGGREGATION] = "aggregation",
    [EV_FILTER_THRESHOLD] = "threshold",
    [EV_FILTER_RATE] = "rate",
    [EV_FILTER_TRAFFIC] = "traffic",
    [EV_FILTER_JOURNAL_FULL] = "journal_full",
};

void account_init(struct account *a)
{
    memset(a, 0, sizeof *a);
}

bool account_fits(const struct account *a, struct ev_fold run)
{
    assert(run.filter > 0 && run.filter < ACCOUNT_FILTERS);
    struct folds trial = a->slot[run.filter].folds;

    return a->slot[run.filter].used && folds_add(&trial, run);
}

void account_open(struct account *a, uint8_t filter, uint64_t seq, int64_t now_us)
{
    struct account_slot *s = &a->slot[filter];

    memset(s, 0, sizeof *s);
    s->used = true;
    s->dirty = true;
    s->seq = seq;
    s->opened_us = now_us;
    s->last_us = now_us;
}

void account_add(struct account *a, struct ev_fold run, int64_t now_us)
{
    struct account_slot *s = &a->slot[run.filter];
    bool fits = folds_add(&s->folds, run);

    assert(fits);
    (void)fits;
    s->dirty = true;
    s->lost += run.count;
    if (now_us > s->last_us)
        s->last_us = now_us;
    a->withheld_count[run.filter] += run.count;
}

void account_event(const struct account *a, uint8_t filter, struct event *ret)
{
    const struct account_slot *s = &a->slot[filter];
    bool full = filter == EV_FILTER_JOURNAL_FULL;

    event_init(ret, full ? EV_GATEWAY_JOURNAL_FULL : EV_GATEWAY_WITHHELD, s->opened_us);
    ret->seq = s->seq;
    ret->last_us = s->last_us;
    if (full)
        event_set_text(ret, EV_F_REASON, slice_str("capacity"));
    else
        event_set_text(ret, EV_F_FILTER, slice_str(FILTER_NAME[filter]));
    event_set_uint(ret, EV_F_LOST, s->lost);
    ret->fold_count = s->folds.count;
    memcpy(ret->fold, s->folds.run, s->folds.count * sizeof ret->fold[0]);
}
