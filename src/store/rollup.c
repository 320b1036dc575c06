/* An open addressing table of rows. A row keeps the slices of its cohort as they were given; mostly the next event of
 * the cohort gives the very same ones, and comparing their addresses is enough. */
#include "store/rollup.h"

#include <stdlib.h>

#define PARTS      4
#define FIRST_ROOM 1024u
#define RECENT     1024u /* a power of two */

struct row {
    struct slice part[PARTS]; /* type, model, sw_version, region */
    int64_t day_us;
    uint64_t hash;
    int64_t events, occurrences;
};

struct rollup {
    struct row *row;
    uint32_t count, room;
    uint32_t *slot;          /* row number + 1; 0 = empty; a power of two of them, twice the room */
    uint32_t recent[RECENT]; /* row number + 1 of events seen lately, by where their texts lie; 0 = none */
    uint64_t left_out;
};

enum vs_err rollup_new(struct rollup **ret)
{
    struct rollup *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    r->room = FIRST_ROOM;
    r->row = calloc(r->room, sizeof *r->row);
    r->slot = calloc((size_t)r->room * 2, sizeof *r->slot);
    if (r->row == NULL || r->slot == NULL) {
        rollup_free(r);
        return VS_ERR_NO_MEMORY;
    }
    *ret = r;
    return VS_OK;
}

void rollup_free(struct rollup *r)
{
    if (r == NULL)
        return;
    free(r->row);
    free(r->slot);
    free(r);
}

static uint64_t hash_bytes(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.ptr[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 29;
}

static uint64_t hash_key(int64_t day_us, const struct slice part[PARTS])
{
    uint64_t h = UINT64_C(0xCBF29CE484222325) ^ (uint64_t)day_us * UINT64_C(0x9E3779B97F4A7C15);

    for (unsigned i = 0; i < PARTS; i++)
        h = hash_bytes(h * 31 + part[i].len, part[i]);
    return h;
}

static bool row_is(const struct row *row, int64_t day_us, const struct slice part[PARTS])
{
    bool same = row->day_us == day_us;

    for (unsigned i = 0; same && i < PARTS; i++)
        same =
            row->part[i].len == part[i].len && (row->part[i].ptr == part[i].ptr || slice_equal(row->part[i], part[i]));
    return same;
}

static uint32_t slot_of(const struct rollup *r, uint64_t hash, int64_t day_us, const struct slice part[PARTS])
{
    uint32_t mask = r->room * 2 - 1, at = (uint32_t)hash & mask;

    while (r->slot[at] != 0 &&
           (r->row[r->slot[at] - 1].hash != hash || !row_is(&r->row[r->slot[at] - 1], day_us, part)))
        at = (at + 1) & mask;
    return at;
}

/* Doubles everything. On failure the table stays as it was. */
static bool grow(struct rollup *r)
{
    uint32_t room = r->room * 2;
    struct row *row = realloc(r->row, room * sizeof *row);

    if (row == NULL)
        return false;
    r->row = row;
    uint32_t *slot = calloc((size_t)room * 2, sizeof *slot);
    if (slot == NULL)
        return false;
    free(r->slot);
    r->slot = slot;
    r->room = room;
    for (uint32_t i = 0; i < r->count; i++)
        slot[slot_of(r, row[i].hash, row[i].day_us, row[i].part)] = i + 1;
    return true;
}

/* The row, new if need be; NULL when there are too many. */
static enum vs_err row_of(struct rollup *r, int64_t day_us, const struct slice part[PARTS], struct row **ret)
{
    uint64_t hash = hash_key(day_us, part);
    uint32_t at = slot_of(r, hash, day_us, part);

    *ret = NULL;
    if (r->slot[at] == 0) {
        if (r->count == ROLLUP_ROWS_MAX) {
            r->left_out++;
            return VS_OK;
        }
        if (r->count == r->room) {
            if (!grow(r))
                return VS_ERR_NO_MEMORY;
            at = slot_of(r, hash, day_us, part);
        }
        struct row *row = &r->row[r->count];
        *row = (struct row){.day_us = day_us, .hash = hash};
        memcpy(row->part, part, sizeof row->part);
        r->slot[at] = ++r->count;
    }
    *ret = &r->row[r->slot[at] - 1];
    return VS_OK;
}

/* A place in `recent`. Texts of the same cohort mostly lie at the same address, which is quicker to mix than what they
 * say. */
static uint32_t where(int64_t day_us, const struct slice part[PARTS])
{
    uint64_t h = (uint64_t)day_us;

    for (unsigned i = 0; i < PARTS; i++)
        h = (h ^ (uint64_t)(uintptr_t)part[i].ptr) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 32) & (RECENT - 1);
}

enum vs_err rollup_add(struct rollup *r, int64_t time_us, const struct rollup_cohort *cohort, uint32_t occurrences)
{
    const struct slice part[PARTS] = {cohort->type, cohort->model, cohort->sw_version, cohort->region};
    int64_t day_us = time_us - time_us % ROLLUP_DAY_US;
    uint32_t *recent = &r->recent[where(day_us, part)];
    struct row *row = *recent > 0 ? &r->row[*recent - 1] : NULL;

    if (row == NULL || !row_is(row, day_us, part)) {
        enum vs_err err = row_of(r, day_us, part, &row);
        if (err != VS_OK || row == NULL)
            return err;
        *recent = (uint32_t)(row - r->row) + 1;
    }
    row->events++;
    row->occurrences += occurrences;
    return VS_OK;
}

uint32_t rollup_pending(const struct rollup *r)
{
    return r->count;
}

static enum vs_err write_row(const struct row *row, struct store *st)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO rollup_day (day_us, type, model, sw_version, region, events, occurrences) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day_us, type, model, sw_version, region) DO UPDATE "
            "SET events = rollup_day.events + excluded.events, "
            "occurrences = rollup_day.occurrences + excluded.occurrences");

    store_bind_i64(q, 1, row->day_us);
    for (int i = 0; i < PARTS; i++)
        store_bind_text(q, 2 + i, row->part[i]);
    store_bind_i64(q, 6, row->events);
    store_bind_i64(q, 7, row->occurrences);
    return store_run(q);
}

/* The order of the table's key. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int c = 0;

    if (x->day_us != y->day_us)
        return x->day_us < y->day_us ? -1 : 1;
    for (unsigned i = 0; c == 0 && i < PARTS; i++)
        c = slice_compare(x->part[i], y->part[i]);
    return c;
}

enum vs_err rollup_flush(struct rollup *r, struct store *st)
{
    enum vs_err err = VS_OK;

    /* Neighbours in the table lie on the same page. Sorting breaks the slots, which are emptied anyway. */
    qsort(r->row, r->count, sizeof *r->row, compare_rows);
    for (uint32_t i = 0; err == VS_OK && i < r->count; i++)
        err = write_row(&r->row[i], st);
    r->count = 0;
    memset(r->slot, 0, (size_t)r->room * 2 * sizeof *r->slot);
    memset(r->recent, 0, sizeof r->recent);
    return err;
}

uint64_t rollup_left_out(const struct rollup *r)
{
    return r->left_out;
}

enum vs_err rollup_position(struct store *st, uint32_t partition, uint64_t *ret_offset)
{
    struct store_stmt *q = store_prepare(st, "SELECT log_offset FROM rollup_position WHERE log_partition = ?");

    store_bind_i64(q, 1, partition);
    enum vs_err err = store_step(q);
    *ret_offset = err == VS_OK ? (uint64_t)store_i64(q, 0) : 0;
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err rollup_position_put(struct store *st, uint32_t partition, uint64_t offset)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO rollup_position (log_partition, log_offset) VALUES (?, ?) "
                          "ON CONFLICT (log_partition) DO UPDATE SET log_offset = excluded.log_offset");

    store_bind_i64(q, 1, partition);
    store_bind_i64(q, 2, (int64_t)offset);
    return store_run(q);
}
