#include "detect/engine/names.h"

void names_init(struct names *n, uint64_t seed, uint64_t bytes_max)
{
    pages_init(&n->name, sizeof(struct name *));
    slab_init(&n->slab);
    slots_init(&n->slots);
    n->bytes = 0;
    n->bytes_max = bytes_max;
    n->seed = seed;
}

/* The slab does not know of pieces that are too large for it. */
static void free_long(struct names *n, struct name *at)
{
    if (sizeof *at + at->len > SLAB_SIZE_MAX)
        slab_free(&n->slab, at, sizeof *at + at->len);
}

void names_done(struct names *n)
{
    for (uint32_t i = 0; i <= n->slots.mask; i++)
        if (n->slots.slot[i].item != 0)
            free_long(n, names_at(n, n->slots.slot[i].item - 1));
    slab_done(&n->slab);
    slots_done(&n->slots);
    pages_done(&n->name);
}

/* The slot of a text; one that is free when there is none. */
static uint32_t find(const struct names *n, struct slice text, uint32_t tag)
{
    uint32_t i = slots_first(&n->slots, tag);

    while (n->slots.slot[i].item != 0) {
        const struct slot *s = &n->slots.slot[i];
        if (s->tag == tag && slice_equal(names_text(n, s->item - 1), text))
            break;
        i = slots_next(&n->slots, i);
    }
    return i;
}

uint32_t names_find(const struct names *n, struct slice text)
{
    return n->slots.slot[find(n, text, (uint32_t)hash_bytes(text, n->seed))].item - 1; /* 0 - 1 is NAME_NONE */
}

uint32_t names_take(struct names *n, struct slice text)
{
    return names_take_hashed(n, text, hash_bytes(text, n->seed));
}

uint32_t names_take_hashed(struct names *n, struct slice text, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash;
    uint32_t item = n->slots.slot[find(n, text, tag)].item;

    if (item != 0) {
        names_ref(n, item - 1);
        return item - 1;
    }
    if (n->bytes_max > 0 && n->bytes + text.len > n->bytes_max)
        return NAME_NONE;
    uint32_t number = pages_take(&n->name);
    struct name *at = slab_alloc(&n->slab, sizeof *at + text.len);
    *(struct name **)pages_at(&n->name, number, sizeof at) = at;
    at->refs = 1;
    at->number = number;
    at->len = (uint32_t)text.len;
    if (text.len > 0)
        memcpy(at->text, text.ptr, text.len);
    n->bytes += text.len;
    slots_add(&n->slots, tag, number);
    return number;
}

void names_release(struct names *n, uint32_t number)
{
    struct name *at = names_at(n, number);

    if (--at->refs > 0)
        return;
    struct slice text = name_text(at);
    slots_remove(&n->slots, find(n, text, (uint32_t)hash_bytes(text, n->seed)));
    n->bytes -= at->len;
    slab_free(&n->slab, at, sizeof *at + at->len);
    pages_give(&n->name, number);
}
