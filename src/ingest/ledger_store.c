#include "ingest/ledger_store.h"

#include "ingest/vid_text.h"

static enum vs_err put_contact(struct store *st, struct slice vid, const struct normalise_vehicle *v)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO vehicle (vid, version, first_contact_us, last_contact_us, clock_offset_us) "
            "VALUES (?, 0, ?, ?, ?) ON CONFLICT (vid) DO UPDATE SET first_contact_us = excluded.first_contact_us, "
            "last_contact_us = excluded.last_contact_us, clock_offset_us = excluded.clock_offset_us");

    store_bind_text(q, 1, vid);
    store_bind_i64(q, 2, v->first_received_us);
    store_bind_i64(q, 3, v->last_received_us);
    store_bind_i64(q, 4, v->clock_offset_us);
    return store_run(q);
}

static enum vs_err put_sums(struct store *st, struct slice vid, const struct normalise_vehicle *v)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO ledger (vid, produced, stored, merged, dead_lettered, missing, duplicates, epochs) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (vid) DO UPDATE SET produced = excluded.produced, "
            "stored = excluded.stored, merged = excluded.merged, dead_lettered = excluded.dead_lettered, "
            "missing = excluded.missing, duplicates = excluded.duplicates, epochs = excluded.epochs");
    const struct ledger *l = &v->sum;

    store_bind_text(q, 1, vid);
    store_bind_i64(q, 2, (int64_t)l->produced);
    store_bind_i64(q, 3, (int64_t)l->stored);
    store_bind_i64(q, 4, (int64_t)l->merged);
    store_bind_i64(q, 5, (int64_t)l->dead_lettered);
    store_bind_i64(q, 6, (int64_t)l->missing);
    store_bind_i64(q, 7, (int64_t)l->duplicates);
    store_bind_i64(q, 8, v->epochs);
    return store_run(q);
}

enum vs_err ledger_store_gaps(struct store *st, const uint8_t vid[EV_VID_SIZE], struct ledger_gap_row *row, size_t size,
                              size_t *ret_count)
{
    struct vid_text text = vid_text(vid);
    struct store_stmt *q =
        store_prepare(st, "SELECT epoch, seq_first, seq_last, noticed_us FROM ledger_gap WHERE vid = ? "
                          "ORDER BY epoch DESC, seq_first DESC");
    enum vs_err err = VS_OK;
    size_t count = 0;

    store_bind_text(q, 1, slice_str(text.hex));
    while (count < size && (err = store_step(q)) == VS_OK) {
        row[count].gap =
            (struct ledger_gap){(uint32_t)store_i64(q, 0), (uint64_t)store_i64(q, 1), (uint64_t)store_i64(q, 2)};
        row[count].noticed_us = store_i64(q, 3);
        count++;
    }
    store_done(q);
    if (err != VS_OK && err != VS_ERR_END)
        return err;
    *ret_count = count;
    return VS_OK;
}

/* When a gap was noticed first; a gap that shrank or was split keeps the time of the one it was part of. */
static int64_t noticed(const struct ledger_gap_row *old, size_t count, const struct ledger_gap *gap, int64_t now_us)
{
    for (size_t i = 0; i < count; i++)
        if (old[i].gap.epoch == gap->epoch && old[i].gap.seq_first <= gap->seq_last &&
            gap->seq_first <= old[i].gap.seq_last)
            return old[i].noticed_us;
    return now_us;
}

static bool same_gaps(const struct ledger_gap_row *old, size_t old_count, const struct ledger_gap *gap, size_t count)
{
    bool same = old_count == count;

    for (size_t i = 0; same && i < count; i++)
        same = old[i].gap.epoch == gap[i].epoch && old[i].gap.seq_first == gap[i].seq_first &&
               old[i].gap.seq_last == gap[i].seq_last;
    return same;
}

static enum vs_err insert_gap(struct store *st, struct slice vid, const struct ledger_gap *gap, int64_t noticed_us)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO ledger_gap (vid, epoch, seq_first, seq_last, noticed_us) "
                                             "VALUES (?, ?, ?, ?, ?)");

    store_bind_text(q, 1, vid);
    store_bind_i64(q, 2, gap->epoch);
    store_bind_i64(q, 3, (int64_t)gap->seq_first);
    store_bind_i64(q, 4, (int64_t)gap->seq_last);
    store_bind_i64(q, 5, noticed_us);
    return store_run(q);
}

static enum vs_err put_gaps(struct store *st, struct slice vid, const struct normalise *n,
                            const struct normalise_vehicle *v)
{
    struct ledger_gap gap[LEDGER_GAPS_KEPT];
    struct ledger_gap_row old[LEDGER_GAPS_KEPT];
    size_t count = normalise_gaps(n, v->vid, gap, LEDGER_GAPS_KEPT), old_count = 0;

    enum vs_err err = ledger_store_gaps(st, v->vid, old, LEDGER_GAPS_KEPT, &old_count);
    if (err != VS_OK || same_gaps(old, old_count, gap, count))
        return err;
    struct store_stmt *q = store_prepare(st, "DELETE FROM ledger_gap WHERE vid = ?");
    store_bind_text(q, 1, vid);
    err = store_run(q);
    for (size_t i = 0; err == VS_OK && i < count; i++)
        err = insert_gap(st, vid, &gap[i], noticed(old, old_count, &gap[i], v->last_received_us));
    return err;
}

enum vs_err ledger_store_put(struct store *st, const struct normalise *n, const struct normalise_vehicle *v)
{
    struct vid_text text = vid_text(v->vid);
    struct slice vid = slice_str(text.hex);

    enum vs_err err = put_contact(st, vid, v);
    if (err == VS_OK)
        err = put_sums(st, vid, v);
    return err == VS_OK ? put_gaps(st, vid, n, v) : err;
}

#define SUM_COLUMNS                                                                                                    \
    "coalesce(sum(produced), 0), coalesce(sum(stored), 0), coalesce(sum(merged), 0), coalesce(sum(dead_lettered), "    \
    "0), "                                                                                                             \
    "coalesce(sum(missing), 0), coalesce(sum(duplicates), 0)"

static void read_sums(struct store_stmt *q, struct ledger *ret)
{
    ret->produced = (uint64_t)store_i64(q, 0);
    ret->stored = (uint64_t)store_i64(q, 1);
    ret->merged = (uint64_t)store_i64(q, 2);
    ret->dead_lettered = (uint64_t)store_i64(q, 3);
    ret->missing = (uint64_t)store_i64(q, 4);
    ret->duplicates = (uint64_t)store_i64(q, 5);
}

enum vs_err ledger_store_total(struct store *st, struct ledger *ret, uint64_t *ret_vehicles, uint64_t *ret_with_gaps)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT " SUM_COLUMNS ", count(*), coalesce(sum(CASE WHEN missing > 0 THEN 1 ELSE 0 END), 0) FROM ledger");

    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        read_sums(q, ret);
        *ret_vehicles = (uint64_t)store_i64(q, 6);
        *ret_with_gaps = (uint64_t)store_i64(q, 7);
    }
    store_done(q);
    return err;
}

enum vs_err ledger_store_vehicle(struct store *st, const uint8_t vid[EV_VID_SIZE], struct ledger *ret,
                                 uint32_t *ret_epochs)
{
    struct vid_text text = vid_text(vid);
    struct store_stmt *q =
        store_prepare(st, "SELECT " SUM_COLUMNS ", coalesce(max(epochs), 0), count(*) FROM ledger WHERE vid = ?");

    store_bind_text(q, 1, slice_str(text.hex));
    enum vs_err err = store_step(q);
    if (err == VS_OK && store_i64(q, 7) == 0)
        err = VS_ERR_NOT_FOUND;
    if (err == VS_OK) {
        read_sums(q, ret);
        *ret_epochs = (uint32_t)store_i64(q, 6);
    }
    store_done(q);
    return err;
}
