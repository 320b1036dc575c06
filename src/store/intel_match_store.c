#include "store/intel_match_store.h"

#include "core/hex.h"

static void bind_name(struct store_stmt *q, int64_t indicator, struct slice vid, int64_t hour)
{
    store_bind_i64(q, 1, indicator);
    store_bind_text(q, 2, vid);
    store_bind_i64(q, 3, hour);
}

static enum vs_err add_sum(struct store *st, const struct intel_match_row *row, struct slice vid)
{
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO intel_match (indicator, vid, hour, first_us, last_us, count, late) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (indicator, vid, hour) DO UPDATE SET "
        "first_us = CASE WHEN excluded.first_us < intel_match.first_us THEN excluded.first_us "
        "ELSE intel_match.first_us END, "
        "last_us = CASE WHEN excluded.last_us > intel_match.last_us THEN excluded.last_us "
        "ELSE intel_match.last_us END, "
        "count = intel_match.count + excluded.count, "
        "late = CASE WHEN excluded.late > intel_match.late THEN excluded.late ELSE intel_match.late END");

    bind_name(q, row->indicator, vid, row->hour);
    store_bind_i64(q, 4, row->first_us);
    store_bind_i64(q, 5, row->last_us);
    store_bind_i64(q, 6, (int64_t)row->count);
    store_bind_i64(q, 7, row->late);
    return store_run(q);
}

static enum vs_err add_member(struct store *st, const struct intel_match_row *row, struct slice vid,
                              const struct alert_member *m)
{
    const struct slice text[] = {m->type,  m->signature, m->ecu,        m->bus,
                                 m->model, m->hardware,  m->sw_version, m->region};
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO intel_member (indicator, vid, hour, time_us, epoch, seq, count, log_partition, log_offset, type, "
        "signature, ecu, bus, model, hardware, sw_version, region) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");

    bind_name(q, row->indicator, vid, row->hour);
    store_bind_i64(q, 4, m->time_us);
    store_bind_i64(q, 5, m->epoch);
    store_bind_i64(q, 6, (int64_t)m->seq);
    store_bind_i64(q, 7, m->count);
    store_bind_i64(q, 8, m->log_partition);
    store_bind_i64(q, 9, (int64_t)m->log_offset);
    for (int i = 0; i < 8; i++)
        store_bind_text(q, 10 + i, text[i]);
    return store_run(q);
}

/* Deletes what stands behind the last member that may stay. */
static enum vs_err trim(struct store *st, const struct intel_match_row *row, struct slice vid, unsigned max)
{
    int64_t last[5];
    struct store_stmt *q = store_prepare(
        st,
        "SELECT time_us, epoch, seq, log_partition, log_offset FROM intel_member WHERE indicator = ? AND vid = ? AND "
        "hour = ? ORDER BY time_us, epoch, seq, log_partition, log_offset LIMIT 1 OFFSET ?");

    bind_name(q, row->indicator, vid, row->hour);
    store_bind_i64(q, 4, (int64_t)max - 1);
    enum vs_err err = store_step(q);
    for (int i = 0; err == VS_OK && i < 5; i++)
        last[i] = store_i64(q, i);
    store_done(q);
    if (err != VS_OK)
        return err == VS_ERR_END ? VS_OK : err;
    q = store_prepare(st, "DELETE FROM intel_member WHERE indicator = ? AND vid = ? AND hour = ? AND "
                          "(time_us, epoch, seq, log_partition, log_offset) > (?, ?, ?, ?, ?)");
    bind_name(q, row->indicator, vid, row->hour);
    for (int i = 0; i < 5; i++)
        store_bind_i64(q, 4 + i, last[i]);
    return store_run(q);
}

enum vs_err intel_match_add(struct store *st, const struct intel_match_row *row, struct alert_member *const *member,
                            unsigned member_count, unsigned members_max)
{
    char text[VID_TEXT_SIZE];

    alert_vid_text(row->vid, text);
    struct slice vid = slice_str(text);
    enum vs_err err = add_sum(st, row, vid);
    for (unsigned i = 0; err == VS_OK && i < member_count; i++)
        err = add_member(st, row, vid, member[i]);
    return err == VS_OK ? trim(st, row, vid, members_max) : err;
}

enum vs_err intel_match_forget(struct store *st, int64_t indicator)
{
    struct store_stmt *q = store_prepare(st, "DELETE FROM intel_member WHERE indicator = ?");

    store_bind_i64(q, 1, indicator);
    enum vs_err err = store_run(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "DELETE FROM intel_match WHERE indicator = ?");
    store_bind_i64(q, 1, indicator);
    return store_run(q);
}

enum vs_err intel_match_members(struct store *st, int64_t indicator, struct slice vid, int64_t from_hour,
                                int64_t to_hour, bool (*each)(void *ctx, const struct alert_member *m), void *ctx)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT time_us, epoch, seq, count, log_partition, log_offset, type, signature, ecu, bus, model, hardware, "
            "sw_version, region FROM intel_member WHERE indicator = ? AND vid = ? AND hour >= ? AND hour <= ? "
            "ORDER BY time_us, epoch, seq, log_partition, log_offset");
    enum vs_err err;
    bool more = true;

    bind_name(q, indicator, vid, from_hour);
    store_bind_i64(q, 4, to_hour);
    while (more && (err = store_step(q)) == VS_OK) {
        struct alert_member m = {.time_us = store_i64(q, 0),
                                 .epoch = (uint32_t)store_i64(q, 1),
                                 .seq = (uint64_t)store_i64(q, 2),
                                 .count = (uint32_t)store_i64(q, 3),
                                 .log_partition = (uint32_t)store_i64(q, 4),
                                 .log_offset = (uint64_t)store_i64(q, 5)};
        struct slice *to[] = {&m.type, &m.signature, &m.ecu, &m.bus, &m.model, &m.hardware, &m.sw_version, &m.region};
        for (int i = 0; i < 8; i++)
            *to[i] = store_text(q, 6 + i);
        more = hex_read(vid, m.vid, sizeof m.vid) && each(ctx, &m);
    }
    store_done(q);
    return more && err != VS_ERR_END ? err : VS_OK;
}
