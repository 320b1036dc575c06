/* slots: an open hash table of item numbers, for keys that are kept elsewhere.
 *
 * A slot holds 32 bits of the key's hash and the item's number; the table's user compares keys. Because the low bits of
 * those 32 are the place where a slot belongs, growing and removing never look at a key, so they touch no memory but
 * the table. Removal shifts back what follows: no tombstones, no decay over a long run.
 *
 *     for (uint32_t i = slots_first(s, tag); s->slot[i].item != 0; i = slots_next(s, i))
 *         if (s->slot[i].tag == tag && <item s->slot[i].item - 1 has the key>)
 *             ..
 *
 * Memory: 8 bytes a slot, at most two thirds used; heap. Bounds: 2^31 slots. Threads: one at a time. */
#ifndef DETECT_ENGINE_SLOTS_H
#define DETECT_ENGINE_SLOTS_H

#include "detect/sigma/arena.h"

struct slot {
    uint32_t tag;  /* low half of the key's hash */
    uint32_t item; /* number + 1; 0 = free */
};

struct slots {
    struct slot *slot;
    uint32_t mask; /* slots - 1 */
    uint32_t used;
};

void slots_init(struct slots *s);
void slots_done(struct slots *s);
/* Adds an item whose key is not there. Places of other items may change. */
void slots_add(struct slots *s, uint32_t tag, uint32_t item);
/* Removes the item in slot i. */
void slots_remove(struct slots *s, uint32_t i);

static inline uint32_t slots_first(const struct slots *s, uint32_t tag)
{
    return tag & s->mask;
}

static inline uint32_t slots_next(const struct slots *s, uint32_t i)
{
    return (i + 1) & s->mask;
}

#endif
