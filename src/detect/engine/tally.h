/* tally: how often each of some numbers was counted in and not yet out again.
 *
 * Counting the distinct values of a sliding window: O(1) in, O(1) out, whatever the window holds. A number whose count
 * is back at zero keeps its slot until the table is rebuilt, which then takes the size that the numbers in use need.
 * Memory: heap, 8 bytes a slot, at most two thirds used. Threads: one at a time. */
#ifndef DETECT_ENGINE_TALLY_H
#define DETECT_ENGINE_TALLY_H

#include "detect/sigma/arena.h"

struct tally_slot {
    uint32_t key; /* + 1; 0 = free */
    uint32_t count;
};

struct tally {
    struct tally_slot *slot; /* NULL before the first count */
    uint32_t mask, used;
};

void tally_init(struct tally *t);
void tally_done(struct tally *t);
/* True when it was not there. The number is below UINT32_MAX. */
bool tally_in(struct tally *t, uint32_t number);
/* True when it is not there any more. It must have been counted in. */
bool tally_out(struct tally *t, uint32_t number);

#endif
