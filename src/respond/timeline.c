#include "respond/timeline.h"
#include "store/change.h"

static void bind_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.len > 0)
        store_bind_text(q, at, s);
    else
        store_bind_null(q, at);
}

enum vs_err timeline_add(struct store *st, int64_t incident, const struct timeline_item *item, int64_t now_us)
{
    int64_t id;
    enum vs_err err = counter_next(st, "timeline", &id);

    if (err != VS_OK)
        return err;
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO timeline (id, incident, at_us, lane, kind, who, text, detail, vid, ref) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    store_bind_i64(q, 1, id);
    store_bind_i64(q, 2, incident);
    store_bind_i64(q, 3, now_us);
    store_bind_text(q, 4, slice_str(item->lane));
    store_bind_text(q, 5, slice_str(item->kind));
    bind_or_null(q, 6, item->who);
    store_bind_text(q, 7, item->text);
    bind_or_null(q, 8, item->detail);
    bind_or_null(q, 9, item->vid);
    bind_or_null(q, 10, item->ref);
    return store_run(q);
}
