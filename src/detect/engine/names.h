/* names: gives each distinct text a small number and keeps it as long as somebody refers to it.
 *
 * Unlike the plan's interned texts, which live as long as the plan, these come from events: vehicles, groups, distinct
 * values. A name whose last reference is gone is freed and its number used again, so that a process that runs for years
 * holds the names of its horizon and no others. Numbers are never used to order anything that leaves the engine.
 *
 * Cost: O(1). Memory: heap; 8 bytes, 12 bytes and the text (rounded up to 16, 32, 64, ..), and 12 to 24 bytes of table
 * a name. Bounds: bytes_max of texts, 0 = none; beyond it names_take gives NAME_NONE. Threads: one at a time. */
#ifndef DETECT_ENGINE_NAMES_H
#define DETECT_ENGINE_NAMES_H

#include "detect/engine/pages.h"
#include "detect/engine/slab.h"
#include "detect/engine/slots.h"
#include "detect/sigma/hash.h"

#define NAME_NONE UINT32_MAX

/* A name's text, in one piece with what is said about it. */
struct name {
    uint32_t refs;
    uint32_t number;
    uint32_t len;
    uint8_t text[];
};

struct names {
    struct pages name; /* by number: struct name * */
    struct slab slab;
    struct slots slots;
    uint64_t bytes; /* of all texts */
    uint64_t bytes_max;
    uint64_t seed;
};

void names_init(struct names *n, uint64_t seed, uint64_t bytes_max);
void names_done(struct names *n);
/* Takes a reference to a text's name, new if need be. */
uint32_t names_take(struct names *n, struct slice text);
/* The same when hash_bytes(text, seed) is known already. */
uint32_t names_take_hashed(struct names *n, struct slice text, uint64_t hash);
uint32_t names_find(const struct names *n, struct slice text);
void names_release(struct names *n, uint32_t number);

static inline struct name *names_at(const struct names *n, uint32_t number)
{
    return *(struct name **)pages_at(&n->name, number, sizeof(struct name *));
}

static inline void names_ref(struct names *n, uint32_t number)
{
    names_at(n, number)->refs++;
}

static inline struct slice name_text(const struct name *at)
{
    return slice_make(at->text, at->len);
}

/* Borrowed while somebody refers to the name. */
static inline struct slice names_text(const struct names *n, uint32_t number)
{
    return name_text(names_at(n, number));
}

#endif
