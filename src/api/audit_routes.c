/* The audit log and whether its chain holds. */
#include <string.h>

#include "api/filter.h"
#include "api/page.h"
#include "api/route.h"
#include "respond/audit.h"

#define AUDIT_WHERE                                                                                                    \
    "(?1 = '' OR who = ?1) AND (?2 = '' OR act = ?2) AND (?3 = '' OR object = ?3) AND at_us >= ?4 AND at_us < ?5"

struct audit_query {
    const char *who, *act, *object;
    int64_t from_us, to_us;
};

static void bind_query(struct store_stmt *q, const struct audit_query *aq)
{
    store_bind_text(q, 1, slice_str(aq->who));
    store_bind_text(q, 2, slice_str(aq->act));
    store_bind_text(q, 3, slice_str(aq->object));
    store_bind_i64(q, 4, aq->from_us);
    store_bind_i64(q, 5, aq->to_us);
}

static const char *text_of(struct call *c, const char *name)
{
    const char *text = http_query(c->rq, name);

    return text != NULL ? text : "";
}

static json_t *entry_json(struct store_stmt *q)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seq", (json_int_t)store_i64(q, 0), "time",
                     json_time(store_i64(q, 1)), "who", json_column(q, 2), "act", json_column(q, 3), "object",
                     json_column(q, 4), "before", json_column(q, 5), "after", json_column(q, 6), "reason",
                     json_column(q, 7), "source", json_column(q, 8), "hash", json_column(q, 9));
}

static json_t *page_rows(struct call *c, const struct audit_query *aq, struct page *page)
{
    struct store_stmt *q =
        store_prepare(c->st, "SELECT seq, at_us, who, act, object, before, after, reason, source, hash "
                             "FROM audit WHERE " AUDIT_WHERE " AND seq < ?6 ORDER BY seq DESC LIMIT ?7");
    json_t *rows = json_array();
    int64_t seq = 0;

    bind_query(q, aq);
    store_bind_i64(q, 6, page->has_cursor ? page->key : INT64_MAX);
    store_bind_i64(q, 7, page->limit + 1);
    while (store_step(q) == VS_OK) {
        if ((int64_t)json_array_size(rows) == page->limit) {
            page_next(page, seq, 0);
            break;
        }
        seq = store_i64(q, 0);
        json_array_append_new(rows, entry_json(q));
    }
    store_done(q);
    return rows;
}

void audit_list(struct call *c)
{
    struct audit_query aq = {text_of(c, "who"), text_of(c, "act"), text_of(c, "object"), 0, INT64_MAX};
    const char *from = http_query(c->rq, "from"), *to = http_query(c->rq, "to");
    struct page page;

    if ((from != NULL && filter_time(from, c->now_us, &aq.from_us) != VS_OK) ||
        (to != NULL && filter_time(to, c->now_us, &aq.to_us) != VS_OK)) {
        reply_fault(c, VS_ERR_MALFORMED, "from", "from and to take RFC 3339 or now-<number><s|m|h|d|w>");
        return;
    }
    if (!page_read(c, "seq", &page))
        return;
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM audit WHERE " AUDIT_WHERE);
    bind_query(q, &aq);
    int64_t total = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    json_t *rows = page_rows(c, &aq, &page);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "total", json_total(total), "rows", rows, "next", page_next_json(&page)));
}

void audit_check(struct call *c)
{
    struct audit_verdict v;
    enum vs_err err = audit_verify(c->st, &v);

    if (err != VS_OK) {
        reply_store_failure(c, err);
        return;
    }
    reply_json(c, 200,
               json_pack("{s:b, s:I, s:I, s:s, s:o, s:o, s:s}", "ok", v.ok, "verified_to", (json_int_t)v.verified_to,
                         "entries", (json_int_t)v.entries, "head_hash", v.head_hash, "first_bad",
                         v.ok ? json_null() : json_integer(v.first_bad), "checked", json_time(c->now_us), "why",
                         v.why));
}
