#include "store/change.h"

enum vs_err counter_next(struct store *st, const char *name, int64_t *ret)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO counter (name, value) VALUES (?, 1) "
                                             "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 "
                                             "RETURNING value");

    store_bind_text(q, 1, slice_str(name));
    enum vs_err err = store_step(q);
    int64_t value = err == VS_OK ? store_i64(q, 0) : 0;
    /* The row that came back is the last one; stepping on lets the statement finish its writing. */
    if (err == VS_OK)
        err = store_step(q);
    store_done(q);
    if (err != VS_ERR_END)
        return err == VS_OK ? VS_ERR_IO : err;
    *ret = value;
    return VS_OK;
}

enum vs_err change_add(struct store *st, const char *topic, struct slice object, int64_t version, int64_t now_us,
                       int64_t *ret_seq)
{
    int64_t seq;
    enum vs_err err = counter_next(st, "change", &seq);

    if (err != VS_OK)
        return err;
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO change (seq, topic, object, version, at_us) VALUES (?, ?, ?, ?, ?)");
    store_bind_i64(q, 1, seq);
    store_bind_text(q, 2, slice_str(topic));
    store_bind_text(q, 3, object);
    store_bind_i64(q, 4, version);
    store_bind_i64(q, 5, now_us);
    err = store_run(q);
    if (err == VS_OK && seq % (CHANGE_KEEP / 10) == 0) {
        q = store_prepare(st, "DELETE FROM change WHERE seq <= ?");
        store_bind_i64(q, 1, seq - CHANGE_KEEP);
        err = store_run(q);
    }
    if (err == VS_OK && ret_seq != NULL)
        *ret_seq = seq;
    return err;
}

int64_t change_head(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT value FROM counter WHERE name = 'change'");
    int64_t seq = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return seq;
}
