/* page: keyset paging. A cursor is the sort key and the id of the last row of a page, with the name of the order it
 * belongs to: "-priority~8000~12". It is text for the caller to hand back, not to read. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE_CURSOR_SIZE 128

struct call;

struct page {
    const char *order;
    int64_t limit;
    bool has_cursor;
    int64_t key, id;             /* of the cursor */
    char next[PAGE_CURSOR_SIZE]; /* "" = the end */
};

/* Reads limit and cursor of a call. False: the call has been answered with what is wrong. */
bool page_read(struct call *c, const char *order, struct page *ret);
/* There is more behind the row with this key and id. */
void page_next(struct page *p, int64_t key, int64_t id);
json_t *page_next_json(const struct page *p);

#endif
