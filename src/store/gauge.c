#include "store/gauge.h"

enum vs_err gauge_put(struct store *st, const char *name, int64_t value, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO gauge (name, value, at_us) VALUES (?, ?, ?) ON CONFLICT (name) "
                          "DO UPDATE SET value = excluded.value, at_us = excluded.at_us");

    store_bind_text(q, 1, slice_str(name));
    store_bind_i64(q, 2, value);
    store_bind_i64(q, 3, now_us);
    return store_run(q);
}

bool gauge_get(struct store *st, const char *name, int64_t *ret, int64_t *ret_at_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT value, at_us FROM gauge WHERE name = ?");

    store_bind_text(q, 1, slice_str(name));
    bool found = store_step(q) == VS_OK;
    if (found) {
        *ret = store_i64(q, 0);
        if (ret_at_us != NULL)
            *ret_at_us = store_i64(q, 1);
    }
    store_done(q);
    return found;
}
