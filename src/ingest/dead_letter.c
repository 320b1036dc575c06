#include "ingest/dead_letter.h"

#include "ingest/vid_text.h"
#include "store/change.h"

#define HOUR_US     (INT64_C(3600) * 1000 * 1000)
#define PRUNE_EVERY 256 /* samples between two prunings, so that not each one costs a delete */

static enum vs_err add_count(struct store *st, int64_t received_us, const char *reason)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO dead_letter_hour (hour_us, reason, count) VALUES (?, ?, 1) "
                          "ON CONFLICT (hour_us, reason) DO UPDATE SET count = dead_letter_hour.count + 1");

    store_bind_i64(q, 1, received_us - received_us % HOUR_US);
    store_bind_text(q, 2, slice_str(reason));
    return store_run(q);
}

static enum vs_err prune(struct store *st, int64_t newest)
{
    struct store_stmt *q = store_prepare(st, "DELETE FROM dead_letter WHERE number <= ?");

    store_bind_i64(q, 1, newest - DEAD_LETTERS_KEPT);
    return store_run(q);
}

static bool is_there(struct store *st, const struct dead_letter *dl)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT 1 FROM dead_letter WHERE log_partition = ? AND log_offset = ? AND at_index = ?");

    store_bind_i64(q, 1, dl->record->partition);
    store_bind_i64(q, 2, (int64_t)dl->record->offset);
    store_bind_i64(q, 3, dl->whole ? -1 : (int64_t)dl->index);
    bool there = store_step(q) == VS_OK;
    store_done(q);
    return there;
}

static enum vs_err insert(struct store *st, const struct dead_letter *dl, int64_t number)
{
    struct vid_text vid = vid_text(dl->vid);
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO dead_letter (log_partition, log_offset, at_index, number, received_us, vid, epoch, seq, "
            "type, reason, error, text, field, at_byte, sample) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    store_bind_i64(q, 1, dl->record->partition);
    store_bind_i64(q, 2, (int64_t)dl->record->offset);
    store_bind_i64(q, 3, dl->whole ? -1 : (int64_t)dl->index);
    store_bind_i64(q, 4, number);
    store_bind_i64(q, 5, dl->record->received_us);
    if (dl->vid_known)
        store_bind_text(q, 6, slice_str(vid.hex));
    else
        store_bind_null(q, 6);
    store_bind_i64(q, 7, dl->epoch);
    store_bind_i64(q, 8, (int64_t)dl->seq);
    store_bind_i64(q, 9, dl->type);
    store_bind_text(q, 10, slice_str(normalise_reason_name(dl->reason)));
    store_bind_text(q, 11, slice_str(vs_err_info(dl->err)->name));
    store_bind_text(q, 12, slice_str(dl->text));
    store_bind_text(q, 13, slice_str(dl->field != EV_F_NONE ? ev_field_find(dl->field)->name : ""));
    store_bind_i64(q, 14, (int64_t)dl->byte);
    store_bind_blob(q, 15, slice_head(dl->sample, DEAD_LETTER_SAMPLE_MAX));
    return store_run(q);
}

enum vs_err dead_letter_put(struct store *st, const struct dead_letter *dl)
{
    int64_t number;

    if (is_there(st, dl))
        return VS_OK;
    enum vs_err err = counter_next(st, "dead_letter", &number);
    if (err == VS_OK)
        err = insert(st, dl, number);
    if (err == VS_OK)
        err = add_count(st, dl->record->received_us, normalise_reason_name(dl->reason));
    if (err == VS_OK && number % PRUNE_EVERY == 0)
        err = prune(st, number);
    return err;
}

enum vs_err dead_letter_count(struct store *st, int64_t since_us, uint64_t *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT coalesce(sum(count), 0) FROM dead_letter_hour WHERE hour_us >= ?");

    store_bind_i64(q, 1, since_us - since_us % HOUR_US);
    enum vs_err err = store_step(q);
    if (err == VS_OK)
        *ret = (uint64_t)store_i64(q, 0);
    store_done(q);
    return err;
}
