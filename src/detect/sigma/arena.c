#include "detect/sigma/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK_MIN ((size_t)4096)
#define ARENA_BLOCK_MAX ((size_t)1 << 20)

struct arena_block {
    struct arena_block *older;
    size_t size, used;
    alignas(16) uint8_t data[];
};

static void *must_have(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

void *mem_alloc(size_t count, size_t size)
{
    return mem_grow(NULL, count, size);
}

void *mem_zalloc(size_t count, size_t size)
{
    return must_have(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        must_have(NULL);
    return must_have(realloc(old, count * size > 0 ? count * size : 1));
}

void arena_init(struct arena *a)
{
    a->block = NULL;
    a->bytes = 0;
}

void arena_done(struct arena *a)
{
    while (a->block != NULL) {
        struct arena_block *older = a->block->older;
        free(a->block);
        a->block = older;
    }
    a->bytes = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->block;

    if (keep != NULL) {
        a->block = keep->older;
        arena_done(a);
        keep->older = NULL;
        keep->used = 0;
        a->block = keep;
    }
    a->bytes = 0;
}

static void add_block(struct arena *a, size_t need)
{
    size_t size = a->block != NULL ? a->block->size * 2 : ARENA_BLOCK_MIN;

    if (size > ARENA_BLOCK_MAX)
        size = ARENA_BLOCK_MAX;
    if (size < need)
        size = need;
    struct arena_block *b = mem_alloc(1, sizeof *b + size);
    b->older = a->block;
    b->size = size;
    b->used = 0;
    a->block = b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;

    if (a->block == NULL || a->block->size - a->block->used < need)
        add_block(a, need);
    void *p = a->block->data + a->block->used;
    a->block->used += need;
    a->bytes += need;
    memset(p, 0, need);
    return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    uint8_t *p = arena_alloc(a, s.len + 1);

    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    return slice_make(p, s.len);
}

const char *arena_str(struct arena *a, const char *text)
{
    return (const char *)arena_copy(a, slice_str(text)).ptr;
}
