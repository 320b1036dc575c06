/* intern: gives each distinct text a small number, 0, 1, 2, .. in order of first sight, and the text back.
 *
 * Numbers make state compact and comparisons cheap; they are never used to order anything that leaves the engine, since
 * they depend on what was seen first. Cost: O(1). Bounds: INTERN_MAX texts; beyond it intern_add gives INTERN_NONE.
 * Memory: texts are copied and kept until done. Threads: one at a time. */
#ifndef DETECT_SIGMA_INTERN_H
#define DETECT_SIGMA_INTERN_H

#include "detect/sigma/arena.h"

#define INTERN_NONE UINT32_MAX
#define INTERN_MAX  (UINT32_MAX - 1)

struct intern {
    struct arena texts;
    struct slice *text; /* by number */
    uint32_t count, text_room;
    struct intern_slot *slot;
    uint32_t slot_count; /* a power of two */
    uint64_t seed;
};

void intern_init(struct intern *in, uint64_t seed);
void intern_done(struct intern *in);
uint32_t intern_add(struct intern *in, struct slice text);
uint32_t intern_find(const struct intern *in, struct slice text);

static inline struct slice intern_text(const struct intern *in, uint32_t number)
{
    return in->text[number];
}

#endif
