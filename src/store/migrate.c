#include <stdio.h>
#include <string.h>

#include "store/migrate.h"
#include "store/store_exec.h"

static const char TABLE[] = "CREATE TABLE IF NOT EXISTS schema_step (number BIGINT PRIMARY KEY, name TEXT NOT NULL)";

static bool applied(struct store *st, int number)
{
    struct store_stmt *q = store_prepare(st, "SELECT number FROM schema_step WHERE number = ?");

    store_bind_i64(q, 1, number);
    bool found = store_step(q) == VS_OK;
    store_done(q);
    return found;
}

static enum vs_err remember(struct store *st, const struct migration *m)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO schema_step (number, name) VALUES (?, ?)");

    store_bind_i64(q, 1, m->number);
    store_bind_text(q, 2, slice_str(m->name));
    return store_run(q);
}

/* One step under the write lock; nothing to do when another process was faster. */
static enum vs_err apply(struct store *st, const struct migration *m, struct store_error *ret_error)
{
    enum vs_err err = store_begin(st);

    if (err == VS_OK && applied(st, m->number)) {
        store_rollback(st);
        return VS_OK;
    }
    if (err == VS_OK)
        err = store_exec(st, m->sql);
    if (err == VS_OK)
        err = remember(st, m);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "migration %04d-%s: %s", m->number, m->name,
                 store_error_text(st));
        store_rollback(st);
    }
    return err;
}

static const struct migration *known(const struct migration *list, int count, int64_t number)
{
    for (int i = 0; i < count; i++)
        if (list[i].number == number)
            return &list[i];
    return NULL;
}

static enum vs_err refuse_newer(struct store *st, const struct migration *list, int count,
                                struct store_error *ret_error)
{
    struct store_stmt *q = store_prepare(st, "SELECT number FROM schema_step ORDER BY number");
    enum vs_err err = VS_OK;

    while (store_step(q) == VS_OK) {
        int64_t number = store_i64(q, 0);
        if (known(list, count, number) == NULL) {
            snprintf(ret_error->text, sizeof ret_error->text,
                     "the database has schema step %lld, which this build does not know: it was written by a newer "
                     "version",
                     (long long)number);
            err = VS_ERR_VERSION;
        }
    }
    store_done(q);
    return err;
}

enum vs_err migrate(struct store *st, const struct migration *list, int count, struct store_error *ret_error)
{
    enum vs_err err = store_exec(st, TABLE);

    if (err != VS_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "%s", store_error_text(st));
        return err;
    }
    err = refuse_newer(st, list, count, ret_error);
    for (int i = 0; i < count && err == VS_OK; i++)
        if (!applied(st, list[i].number))
            err = apply(st, &list[i], ret_error);
    return err;
}
