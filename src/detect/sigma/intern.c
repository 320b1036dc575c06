#include "detect/sigma/intern.h"

#include "detect/sigma/hash.h"

#include <stdlib.h>

struct intern_slot {
    uint32_t tag;    /* high half of the hash */
    uint32_t number; /* + 1; 0 = free */
};

void intern_init(struct intern *in, uint64_t seed)
{
    memset(in, 0, sizeof *in);
    arena_init(&in->texts);
    in->seed = seed;
    in->slot_count = 64;
    in->slot = mem_zalloc(in->slot_count, sizeof *in->slot);
}

void intern_done(struct intern *in)
{
    arena_done(&in->texts);
    free(in->text);
    free(in->slot);
    memset(in, 0, sizeof *in);
}

/* The slot that holds the text, or the free one where it belongs. */
static struct intern_slot *place(const struct intern *in, struct slice text, uint64_t hash)
{
    uint32_t mask = in->slot_count - 1;

    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        struct intern_slot *s = &in->slot[i];
        if (s->number == 0 || (s->tag == (uint32_t)(hash >> 32) && slice_equal(in->text[s->number - 1], text)))
            return s;
    }
}

static void grow(struct intern *in)
{
    free(in->slot);
    in->slot_count *= 2;
    in->slot = mem_zalloc(in->slot_count, sizeof *in->slot);
    for (uint32_t n = 0; n < in->count; n++) {
        uint64_t hash = hash_bytes(in->text[n], in->seed);
        struct intern_slot *s = place(in, in->text[n], hash);
        s->tag = (uint32_t)(hash >> 32);
        s->number = n + 1;
    }
}

uint32_t intern_find(const struct intern *in, struct slice text)
{
    return place(in, text, hash_bytes(text, in->seed))->number - 1; /* 0 - 1 is INTERN_NONE */
}

uint32_t intern_add(struct intern *in, struct slice text)
{
    uint64_t hash = hash_bytes(text, in->seed);
    struct intern_slot *s = place(in, text, hash);

    if (s->number != 0)
        return s->number - 1;
    if (in->count == INTERN_MAX)
        return INTERN_NONE;
    if (in->count == in->text_room) {
        in->text_room = in->text_room > 0 ? in->text_room * 2 : 64;
        in->text = mem_grow(in->text, in->text_room, sizeof *in->text);
    }
    in->text[in->count] = arena_copy(&in->texts, text);
    s->tag = (uint32_t)(hash >> 32);
    s->number = ++in->count;
    uint32_t number = in->count - 1;
    if (in->count * 2 > in->slot_count)
        grow(in);
    return number;
}
