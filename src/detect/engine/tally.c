#include "detect/engine/tally.h"

#include <stdlib.h>

#define TALLY_MIN 16u

void tally_init(struct tally *t)
{
    memset(t, 0, sizeof *t);
}

void tally_done(struct tally *t)
{
    free(t->slot);
    memset(t, 0, sizeof *t);
}

static struct tally_slot *place(const struct tally *t, uint32_t key)
{
    uint32_t i = (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & t->mask;

    while (t->slot[i].key != 0 && t->slot[i].key != key)
        i = (i + 1) & t->mask;
    return &t->slot[i];
}

/* A table of the size that what is counted needs. */
static void rebuild(struct tally *t)
{
    struct tally old = *t;
    uint64_t in_use = 0;
    uint32_t size = TALLY_MIN;

    for (uint64_t i = 0; old.slot != NULL && i <= old.mask; i++)
        in_use += old.slot[i].count > 0;
    while (size < in_use * 3)
        size *= 2;
    t->slot = mem_zalloc(size, sizeof *t->slot);
    t->mask = size - 1;
    t->used = (uint32_t)in_use;
    for (uint64_t i = 0; old.slot != NULL && i <= old.mask; i++)
        if (old.slot[i].count > 0)
            *place(t, old.slot[i].key) = old.slot[i];
    free(old.slot);
}

bool tally_in(struct tally *t, uint32_t number)
{
    if (t->slot == NULL || (uint64_t)(t->used + 1) * 3 > ((uint64_t)t->mask + 1) * 2)
        rebuild(t);
    struct tally_slot *s = place(t, number + 1);
    if (s->key == 0) {
        s->key = number + 1;
        t->used++;
    }
    return s->count++ == 0;
}

bool tally_out(struct tally *t, uint32_t number)
{
    return --place(t, number + 1)->count == 0;
}
