#include "detect/engine/pages.h"

#include <stdlib.h>

void pages_init(struct pages *p, size_t size)
{
    memset(p, 0, sizeof *p);
    p->size = (uint32_t)size;
    p->free_first = PAGES_NONE;
}

void pages_done(struct pages *p)
{
    for (uint32_t i = 0; i < (p->count + PAGE_ITEMS - 1) / PAGE_ITEMS; i++)
        free(p->page[i]);
    free(p->page);
    memset(p, 0, sizeof *p);
}

static void add_page(struct pages *p)
{
    uint32_t number = p->count / PAGE_ITEMS;

    if (number == p->page_room) {
        p->page_room = p->page_room > 0 ? p->page_room * 2 : 16;
        p->page = mem_grow(p->page, p->page_room, sizeof *p->page);
    }
    p->page[number] = mem_zalloc(PAGE_ITEMS, p->size);
}

uint32_t pages_take(struct pages *p)
{
    uint32_t number = p->free_first;

    p->used++;
    if (number != PAGES_NONE) {
        memcpy(&p->free_first, pages_at(p, number, p->size), sizeof p->free_first);
        memset(pages_at(p, number, p->size), 0, p->size);
        return number;
    }
    if (p->count % PAGE_ITEMS == 0)
        add_page(p); /* zero from the start, which fresh memory of the system is without being written */
    return p->count++;
}

void pages_give(struct pages *p, uint32_t number)
{
    memcpy(pages_at(p, number, p->size), &p->free_first, sizeof p->free_first);
    p->free_first = number;
    p->used--;
}
