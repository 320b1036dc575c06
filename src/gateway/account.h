/* account: says which numbers a filter withheld, so that at the backend a number that never arrives is a loss and
 * nothing else.
 *
 * Per filter there is at most one open accounting event: gateway.withheld, or gateway.journal_full for numbers that the
 * full journal gave up. It takes its own number when it is opened, keeps the withheld ones as folds, and is sent when
 * its window ends or its folds are full. Like an open aggregate it is part of each journal commit. Values, no
 * allocation. */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include "event/event.h"
#include "gateway/folds.h"

#define ACCOUNT_FILTERS 9 /* enum ev_filter, 0 unused */

struct account_slot {
    bool used;
    bool dirty;
    uint64_t seq; /* of the accounting event */
    int64_t opened_us;
    int64_t last_us;
    uint64_t lost; /* numbers withheld */
    struct folds folds;
};

struct account {
    struct account_slot slot[ACCOUNT_FILTERS];
    uint64_t withheld_count[ACCOUNT_FILTERS]; /* numbers per filter since the start */
};

void account_init(struct account *a);
/* True when the filter's event is open and has room for a run; otherwise it must be sent or opened first. */
bool account_fits(const struct account *a, struct ev_fold run);
/* Opens the filter's event under its own number. */
void account_open(struct account *a, uint8_t filter, uint64_t seq, int64_t now_us);
/* Adds a run; account_fits must be true. */
void account_add(struct account *a, struct ev_fold run, int64_t now_us);
/* The accounting event; texts are constants. */
void account_event(const struct account *a, uint8_t filter, struct event *ret);

#endif
