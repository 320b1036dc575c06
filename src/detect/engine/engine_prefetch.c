/* Asks for the memory of several events before the first is put.
 *
 * An event looks at things one behind the other: the slot of its identity; the slot of its group, the group, its key
 * and the end of its entries. Each step needs what the one before it found, and with a million groups each is a cache
 * miss. So every event of a stretch takes its first step, then every event its second, and so on. Nothing is changed,
 * and a wrong guess (a slot that another text with the same hash holds) costs a fetch for nothing. */
#include "detect/engine/engine_internal.h"

#define STRETCH     32u
#define PLACES_EACH 2u /* of an event; further places come unannounced */

struct guess {
    uint32_t tag;
    const struct group *group; /* NULL: none found */
};

/* The item of the first slot that has the tag. A key with this tag lies at its place or close behind it. */
static uint32_t item_of(const struct slots *t, uint32_t tag)
{
    uint32_t i = slots_first(t, tag);

    while (t->slot[i].item != 0 && t->slot[i].tag != tag)
        i = slots_next(t, i);
    return t->slot[i].item;
}

static uint32_t ask_slots(const struct engine *e, const struct sighting *s, uint32_t count, struct guess *ret)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!e->limits.unique_input)
            __builtin_prefetch(
                &e->identity_slots.slot[slots_first(&e->identity_slots, engine_identity_tag(e, s[i].identity))], 1);
        for (uint32_t k = 0; k < s[i].place_count && k < PLACES_EACH; k++) {
            ret[n].tag = engine_group_tag(e, s[i].place[k].corr, s[i].place[k].group);
            __builtin_prefetch(&e->group_slots.slot[slots_first(&e->group_slots, ret[n].tag)], 1);
            n++;
        }
    }
    return n;
}

static void ask(const struct engine *e, const struct sighting *s, uint32_t count)
{
    struct guess guess[STRETCH * PLACES_EACH];
    uint32_t n = ask_slots(e, s, count, guess);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t item = item_of(&e->group_slots, guess[i].tag);
        guess[i].group = item != 0 ? engine_group_at(e, item - 1) : NULL;
        if (item != 0)
            __builtin_prefetch(guess[i].group, 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct group *g = guess[i].group;
        if (g == NULL)
            continue;
        __builtin_prefetch(g->key);
        if (g->entry != NULL)
            __builtin_prefetch(g->entry + g->count, 1);
    }
}

void engine_put_all(struct engine *e, const struct sighting *s, uint32_t count)
{
    for (uint32_t from = 0; from < count; from += STRETCH) {
        uint32_t n = count - from < STRETCH ? count - from : STRETCH;

        ask(e, s + from, n);
        for (uint32_t i = from; i < from + n; i++)
            engine_put(e, &s[i]);
    }
}
