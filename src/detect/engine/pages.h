/* pages: a growing array of things of one size whose places never move.
 *
 * Things are given out by number and taken back; numbers are used again, the last one given back first. Growth adds a
 * page of PAGE_ITEMS and copies nothing, so that no event waits for a gigabyte to be moved and nothing is kept in
 * reserve. A thing given back keeps its bytes but the first four, which link the free ones; users that walk over all
 * numbers mark free things in a field of their own behind those. Memory: heap, until done. Threads: one at a time. */
#ifndef DETECT_ENGINE_PAGES_H
#define DETECT_ENGINE_PAGES_H

#include "detect/sigma/arena.h"

#define PAGE_ITEMS 1024u
#define PAGES_NONE UINT32_MAX

struct pages {
    uint8_t **page;
    uint32_t page_room;
    uint32_t count; /* numbers given out so far, free ones included */
    uint32_t used;
    uint32_t free_first; /* PAGES_NONE: none */
    uint32_t size;       /* of one thing; at least 4 */
};

void pages_init(struct pages *p, size_t size);
void pages_done(struct pages *p);
/* A number whose thing is all zero. */
uint32_t pages_take(struct pages *p);
void pages_give(struct pages *p, uint32_t number);

static inline void *pages_at(const struct pages *p, uint32_t number, size_t size)
{
    return p->page[number / PAGE_ITEMS] + number % PAGE_ITEMS * size;
}

#endif
