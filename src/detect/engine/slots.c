#include "detect/engine/slots.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SLOTS_MIN  64u
#define HUGE_PAGE  ((uintptr_t)2 << 20)
#define HUGE_BYTES ((size_t)8 << 20) /* a table this large is asked for as huge pages: it is visited at random */

static struct slot *new_table(uint32_t count)
{
    struct slot *slot = mem_zalloc(count, sizeof *slot);
    uintptr_t from = ((uintptr_t)slot + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t to = (uintptr_t)(slot + count) & ~(HUGE_PAGE - 1);

    if (count * sizeof *slot >= HUGE_BYTES)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE); /* a hint: it may be refused */
    return slot;
}

void slots_init(struct slots *s)
{
    s->slot = new_table(SLOTS_MIN);
    s->mask = SLOTS_MIN - 1;
    s->used = 0;
}

void slots_done(struct slots *s)
{
    free(s->slot);
    memset(s, 0, sizeof *s);
}

static void place(struct slots *s, struct slot what)
{
    uint32_t i = slots_first(s, what.tag);

    while (s->slot[i].item != 0)
        i = slots_next(s, i);
    s->slot[i] = what;
}

static void resize(struct slots *s, uint32_t count)
{
    struct slots old = *s;

    s->slot = new_table(count);
    s->mask = count - 1;
    for (uint32_t i = 0; i <= old.mask; i++)
        if (old.slot[i].item != 0)
            place(s, old.slot[i]);
    free(old.slot);
}

void slots_add(struct slots *s, uint32_t tag, uint32_t item)
{
    struct slot what = {tag, item + 1};

    if ((uint64_t)(s->used + 1) * 3 > ((uint64_t)s->mask + 1) * 2)
        resize(s, (s->mask + 1) * 2);
    place(s, what);
    s->used++;
}

void slots_remove(struct slots *s, uint32_t i)
{
    uint32_t hole = i;

    for (uint32_t k = slots_next(s, i); s->slot[k].item != 0; k = slots_next(s, k)) {
        /* What belongs between the hole and its place, going round, must stay; anything else may fill the hole. */
        uint32_t home = slots_first(s, s->slot[k].tag);
        if (((k - home) & s->mask) < ((k - hole) & s->mask))
            continue;
        s->slot[hole] = s->slot[k];
        hole = k;
    }
    s->slot[hole].item = 0;
    s->used--;
}
