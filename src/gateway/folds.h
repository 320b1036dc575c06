/* folds: the sequence numbers that one record stands for besides its own, as runs.
 *
 * Numbers come mostly in rising order; a number next to a run extends it, so that a storm of one event is one run
 * however long it is. At EV_FOLDS_MAX runs the set is full and its record has to be sent. Values, no allocation,
 * O(EV_FOLDS_MAX). */
#ifndef GATEWAY_FOLDS_H
#define GATEWAY_FOLDS_H

#include "event/event.h"

struct folds {
    uint8_t count;
    struct ev_fold run[EV_FOLDS_MAX];
};

/* Adds a run of numbers that a filter withheld or merged. False, and nothing changed, when it needs one run too many.
 */
VS_MUST_USE bool folds_add(struct folds *f, struct ev_fold run);
/* How many numbers they are. */
uint64_t folds_total(const struct folds *f);

#endif
