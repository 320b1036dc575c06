/* An open addressing table of rows, and beside it a list of those that changed. Texts of a row stand one behind the
 * other in one allocation: type, model, sw_version, region. */
#include "store/rollup.h"

#include <stdlib.h>

#define PARTS      4
#define FIRST_ROOM 1024u
#define RECENT     1024u /* a power of two */

struct row {
    char *text; /* owned */
    uint16_t len[PARTS];
    int64_t day_us;
    uint64_t hash;
    int64_t events, occurrences;
    bool dirty;
};

struct rollup {
    struct row *row;
    uint32_t count, room;
    uint32_t *slot; /* row number + 1; 0 = empty; a power of two of them, at least twice the rows */
    uint32_t slot_count;
    uint32_t *dirty;
    uint32_t dirty_count;
    uint32_t recent[RECENT]; /* row number + 1 of events seen lately, by where their texts lie; 0 = none */
    uint64_t left_out;
};

enum vs_err rollup_new(struct rollup **ret)
{
    struct rollup *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    r->room = FIRST_ROOM;
    r->slot_count = FIRST_ROOM * 2;
    r->row = calloc(r->room, sizeof *r->row);
    r->dirty = calloc(r->room, sizeof *r->dirty);
    r->slot = calloc(r->slot_count, sizeof *r->slot);
    if (r->row == NULL || r->dirty == NULL || r->slot == NULL) {
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
    for (uint32_t i = 0; i < r->count; i++)
        free(r->row[i].text);
    free(r->row);
    free(r->dirty);
    free(r->slot);
    free(r);
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 29;
}

static uint64_t hash_key(int64_t day_us, const struct slice part[PARTS])
{
    uint64_t h = UINT64_C(0xCBF29CE484222325) ^ (uint64_t)day_us * UINT64_C(0x9E3779B97F4A7C15);

    for (unsigned i = 0; i < PARTS; i++)
        h = hash_bytes(h * 31 + part[i].len, part[i].ptr, part[i].len);
    return h;
}

static bool row_is(const struct row *row, int64_t day_us, const struct slice part[PARTS])
{
    const char *at = row->text;

    if (row->day_us != day_us)
        return false;
    for (unsigned i = 0; i < PARTS; i++) {
        if (!slice_equal(slice_make(at, row->len[i]), part[i]))
            return false;
        at += row->len[i];
    }
    return true;
}

static void slot_put(struct rollup *r, uint32_t number)
{
    uint32_t at = (uint32_t)r->row[number].hash & (r->slot_count - 1);

    while (r->slot[at] != 0)
        at = (at + 1) & (r->slot_count - 1);
    r->slot[at] = number + 1;
}

/* Doubles everything. On failure the table stays as it was. */
static bool grow(struct rollup *r)
{
    uint32_t room = r->room * 2;
    struct row *row = realloc(r->row, room * sizeof *row);

    if (row == NULL)
        return false;
    r->row = row;
    uint32_t *dirty = realloc(r->dirty, room * sizeof *dirty);
    if (dirty == NULL)
        return false;
    r->dirty = dirty;
    uint32_t *slot = calloc(room * 2u, sizeof *slot);
    if (slot == NULL)
        return false;
    free(r->slot);
    r->slot = slot;
    r->slot_count = room * 2;
    r->room = room;
    for (uint32_t i = 0; i < r->count; i++)
        slot_put(r, i);
    return true;
}

static enum vs_err row_add(struct rollup *r, uint64_t hash, int64_t day_us, const struct slice part[PARTS],
                           struct row **ret)
{
    size_t len = 0;

    if (r->count == r->room && !grow(r))
        return VS_ERR_NO_MEMORY;
    for (unsigned i = 0; i < PARTS; i++)
        len += part[i].len;
    struct row *row = &r->row[r->count];
    memset(row, 0, sizeof *row);
    row->text = malloc(len + 1);
    if (row->text == NULL)
        return VS_ERR_NO_MEMORY;
    len = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        if (part[i].len > 0)
            memcpy(row->text + len, part[i].ptr, part[i].len);
        row->len[i] = (uint16_t)part[i].len;
        len += part[i].len;
    }
    row->hash = hash;
    row->day_us = day_us;
    slot_put(r, r->count++);
    *ret = row;
    return VS_OK;
}

/* The row, new if need be; NULL when there are too many. */
static enum vs_err row_of(struct rollup *r, int64_t day_us, const struct slice part[PARTS], struct row **ret)
{
    uint64_t hash = hash_key(day_us, part);

    for (uint32_t at = (uint32_t)hash & (r->slot_count - 1); r->slot[at] != 0; at = (at + 1) & (r->slot_count - 1)) {
        struct row *row = &r->row[r->slot[at] - 1];
        if (row->hash == hash && row_is(row, day_us, part)) {
            *ret = row;
            return VS_OK;
        }
    }
    *ret = NULL;
    if (r->count < ROLLUP_ROWS_MAX)
        return row_add(r, hash, day_us, part, ret);
    r->left_out++;
    return VS_OK;
}

/* A place in `recent`. Texts of the same cohort mostly lie at the same address, which is quicker to mix than what they
 * say. */
static uint32_t where(int64_t day_us, const struct slice part[PARTS])
{
    uint64_t h = (uint64_t)(day_us / ROLLUP_DAY_US);

    for (unsigned i = 0; i < PARTS; i++)
        h = (h ^ (uint64_t)(uintptr_t)part[i].ptr) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 32) & (RECENT - 1);
}

enum vs_err rollup_add(struct rollup *r, int64_t time_us, const struct rollup_cohort *cohort, uint32_t occurrences)
{
    const struct slice part[PARTS] = {slice_head(cohort->type, UINT8_MAX), slice_head(cohort->model, UINT8_MAX),
                                      slice_head(cohort->sw_version, UINT8_MAX), slice_head(cohort->region, UINT8_MAX)};
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
    if (!row->dirty) {
        row->dirty = true;
        r->dirty[r->dirty_count++] = (uint32_t)(row - r->row);
    }
    return VS_OK;
}

static enum vs_err write_row(const struct row *row, struct store *st)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO rollup_day (day_us, type, model, sw_version, region, events, occurrences) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day_us, type, model, sw_version, region) "
                          "DO UPDATE SET events = excluded.events, occurrences = excluded.occurrences");
    const char *at = row->text;

    store_bind_i64(q, 1, row->day_us);
    for (int i = 0; i < PARTS; i++) {
        store_bind_text(q, 2 + i, slice_make(at, row->len[i]));
        at += row->len[i];
    }
    store_bind_i64(q, 6, row->events);
    store_bind_i64(q, 7, row->occurrences);
    return store_run(q);
}

struct dirty_row {
    const struct row *row;
};

static size_t text_len(const struct row *row)
{
    size_t len = 0;

    for (unsigned i = 0; i < PARTS; i++)
        len += row->len[i];
    return len;
}

/* Nearly the order of the table's key, and exactly it where types and models are of one length. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = ((const struct dirty_row *)a)->row, *y = ((const struct dirty_row *)b)->row;
    size_t len_x = text_len(x), len_y = text_len(y);

    if (x->day_us != y->day_us)
        return x->day_us < y->day_us ? -1 : 1;
    int c = memcmp(x->text, y->text, len_x < len_y ? len_x : len_y);
    return c != 0 ? c : len_x < len_y ? -1 : len_x > len_y;
}

enum vs_err rollup_flush(struct rollup *r, struct store *st)
{
    enum vs_err err = VS_OK;
    struct dirty_row *sorted = malloc((r->dirty_count + (size_t)1) * sizeof *sorted);

    if (sorted == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < r->dirty_count; i++)
        sorted[i].row = &r->row[r->dirty[i]];
    /* Neighbours in the table lie on the same page. */
    qsort(sorted, r->dirty_count, sizeof *sorted, compare_rows);
    for (uint32_t i = 0; err == VS_OK && i < r->dirty_count; i++)
        err = write_row(sorted[i].row, st);
    free(sorted);
    if (err != VS_OK)
        return err;
    for (uint32_t i = 0; i < r->dirty_count; i++)
        r->row[r->dirty[i]].dirty = false;
    r->dirty_count = 0;
    return VS_OK;
}

uint64_t rollup_left_out(const struct rollup *r)
{
    return r->left_out;
}
