/* slab: small pieces of memory of a few sizes, given out and taken back in a few instructions.
 *
 * Pieces are powers of two from 16 to SLAB_SIZE_MAX bytes, aligned to their size up to 64, so that one of up to a cache
 * line never lies in two; what is larger comes from malloc. A piece taken back is used again for its size. Everything
 * is freed at once by slab_done. Memory: chunks that double from 16 KB to 2 MB, the large ones asked for as huge pages,
 * because pieces are visited at random. Like arena, it ends the process when there is no memory. Threads: one at a
 * time. */
#ifndef DETECT_ENGINE_SLAB_H
#define DETECT_ENGINE_SLAB_H

#include "detect/sigma/arena.h"

#define SLAB_CLASSES  7
#define SLAB_SIZE_MAX 1024 /* 16 << (SLAB_CLASSES - 1) */

struct slab {
    struct slab_chunk *chunk;
    void *free[SLAB_CLASSES];
    uint8_t *next; /* of the newest chunk */
    size_t left, chunk_size;
};

void slab_init(struct slab *s);
void slab_done(struct slab *s);
/* Not zeroed. */
void *slab_alloc(struct slab *s, size_t size);
/* `size` as it was asked for; NULL is fine. */
void slab_free(struct slab *s, void *ptr, size_t size);
/* Moves to a piece of another size, and with it the bytes that fit in both. */
void *slab_resize(struct slab *s, void *ptr, size_t size_old, size_t size);

#endif
