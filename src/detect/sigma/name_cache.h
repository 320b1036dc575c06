/* name_cache: the field numbers of the names that events bring, remembered by the names' own bytes.
 *
 * Events of one source carry the same keys over and over. Asking the table of all names costs a hash, a probe and a
 * comparison for each; here a name of up to NAME_CACHED_MAX bytes is three words, which are its identity and its place
 * in a small table at once. Names that no rule knows are remembered too, which saves looking for them under the
 * prefixes that tools put before names. Longer names are looked up each time. Memory: fixed, in the caller's record.
 * Cost: O(1). Threads: one at a time. */
#ifndef DETECT_SIGMA_NAME_CACHE_H
#define DETECT_SIGMA_NAME_CACHE_H

#include "core/slice.h"
#include "detect/sigma/intern.h"

#define NAME_CACHE_SLOTS 256
#define NAME_CACHED_MAX  24 /* bytes */

struct fields;

struct name_slot {
    uint64_t word[3];
    uint64_t hash;   /* of the name as the event has it, or of the field's own name when a rule knows it */
    uint32_t len;    /* 0: free */
    uint32_t number; /* INTERN_NONE: no rule knows it */
};

struct name_cache {
    struct name_slot slot[NAME_CACHE_SLOTS];
    struct name_slot other; /* the answer for a name that is too long */
};

void name_cache_init(struct name_cache *c);
/* What is known about a name. Valid until the next call. `f` must always be the same and not gain names meanwhile. */
const struct name_slot *name_cache_find(struct name_cache *c, const struct fields *f, struct slice name);

#endif
