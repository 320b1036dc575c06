#include "detect/engine/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_MIN  ((size_t)16 << 10)
#define CHUNK_MAX  ((size_t)2 << 20)
#define CHUNK_HEAD 64

struct slab_chunk {
    struct slab_chunk *older;
};

void slab_init(struct slab *s)
{
    memset(s, 0, sizeof *s);
    s->chunk_size = CHUNK_MIN;
}

void slab_done(struct slab *s)
{
    while (s->chunk != NULL) {
        struct slab_chunk *older = s->chunk->older;
        free(s->chunk);
        s->chunk = older;
    }
    slab_init(s);
}

static unsigned class_of(size_t size)
{
    return size <= 16 ? 0 : 60u - (unsigned)__builtin_clzll(size - 1);
}

static void add_chunk(struct slab *s)
{
    struct slab_chunk *c = aligned_alloc(s->chunk_size == CHUNK_MAX ? CHUNK_MAX : 64, s->chunk_size);

    if (c == NULL)
        abort();
    if (s->chunk_size == CHUNK_MAX)
        (void)madvise(c, CHUNK_MAX, MADV_HUGEPAGE); /* a hint: it may be refused */
    c->older = s->chunk;
    s->chunk = c;
    s->next = (uint8_t *)c + CHUNK_HEAD;
    s->left = s->chunk_size - CHUNK_HEAD;
    if (s->chunk_size < CHUNK_MAX)
        s->chunk_size *= 2;
}

void *slab_alloc(struct slab *s, size_t size)
{
    unsigned k = class_of(size);

    if (size > SLAB_SIZE_MAX)
        return mem_alloc(size, 1);
    void *p = s->free[k];
    if (p != NULL) {
        memcpy(&s->free[k], p, sizeof p);
        return p;
    }
    size_t piece = (size_t)16 << k;
    size_t align = piece < 64 ? piece : 64;
    size_t skip = (size_t)(-(uintptr_t)s->next & (align - 1));
    if (s->left < piece + skip) {
        add_chunk(s);
        skip = 0;
    }
    p = s->next + skip;
    s->next += skip + piece;
    s->left -= skip + piece;
    return p;
}

void slab_free(struct slab *s, void *ptr, size_t size)
{
    if (size > SLAB_SIZE_MAX) {
        free(ptr);
        return;
    }
    if (ptr == NULL)
        return;
    unsigned k = class_of(size);
    memcpy(ptr, &s->free[k], sizeof ptr);
    s->free[k] = ptr;
}

void *slab_resize(struct slab *s, void *ptr, size_t size_old, size_t size)
{
    if (ptr != NULL && size_old > SLAB_SIZE_MAX && size > SLAB_SIZE_MAX)
        return mem_grow(ptr, size, 1);
    void *to = slab_alloc(s, size);
    if (ptr != NULL)
        memcpy(to, ptr, size < size_old ? size : size_old);
    slab_free(s, ptr, size_old);
    return to;
}
