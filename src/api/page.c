#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/filter.h"
#include "api/page.h"

/* Keys may be negative. */
static bool read_signed(const char *text, size_t len, int64_t *ret)
{
    char digits[24];
    bool negative = len > 0 && text[0] == '-';

    if (!slice_to_str(slice_make(text + negative, len - negative), digits, sizeof digits) ||
        filter_number(digits, INT64_MAX, ret) != VS_OK)
        return false;
    if (negative)
        *ret = -*ret;
    return true;
}

static bool read_cursor(const char *text, struct page *p)
{
    size_t len = strlen(p->order);
    const char *rest = text + len + 1;

    if (strncmp(text, p->order, len) != 0 || text[len] != '~')
        return false;
    const char *split = strchr(rest, '~');
    return split != NULL && read_signed(rest, (size_t)(split - rest), &p->key) &&
           read_signed(split + 1, strlen(split + 1), &p->id);
}

bool page_read(struct call *c, const char *order, struct page *ret)
{
    const char *limit = http_query(c->rq, "limit"), *cursor = http_query(c->rq, "cursor");
    struct page p = {.order = order, .limit = FILTER_LIMIT_MAX};

    if (limit != NULL && (filter_number(limit, FILTER_LIMIT_MAX, &p.limit) != VS_OK || p.limit < 1)) {
        reply_fault(c, VS_ERR_RANGE, "limit", "1 to 200");
        return false;
    }
    if (cursor != NULL && cursor[0] != '\0') {
        if (!read_cursor(cursor, &p)) {
            reply_fault(c, VS_ERR_MALFORMED, "cursor", "not a cursor of this list in this order: begin without one");
            return false;
        }
        p.has_cursor = true;
    }
    *ret = p;
    return true;
}

void page_next(struct page *p, int64_t key, int64_t id)
{
    snprintf(p->next, sizeof p->next, "%s~%" PRId64 "~%" PRId64, p->order, key, id);
}

json_t *page_next_json(const struct page *p)
{
    return p->next[0] != '\0' ? json_string(p->next) : json_null();
}
