/* arena: memory that is given back all at once.
 *
 * Blocks double up to ARENA_BLOCK_MAX. Memory comes zeroed and aligned for any type. arena_reset keeps the largest
 * block, so that a per-event scratch arena stops allocating after a few events. When the machine has no memory left the
 * process ends: detection that goes on with half its state would be a silent lie. Threads: one at a time. */
#ifndef DETECT_SIGMA_ARENA_H
#define DETECT_SIGMA_ARENA_H

#include "core/slice.h"

struct arena_block;

struct arena {
    struct arena_block *block; /* the one that is filled; older ones behind it */
    size_t bytes;              /* given out */
};

void arena_init(struct arena *a);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
/* An own copy, with a NUL behind it that is not counted. */
struct slice arena_copy(struct arena *a, struct slice s);
const char *arena_str(struct arena *a, const char *text);

/* malloc, realloc and calloc that end the process instead of failing. */
void *mem_alloc(size_t count, size_t size);
void *mem_zalloc(size_t count, size_t size);
void *mem_grow(void *old, size_t count, size_t size);

#endif
