#include "app/alert_writer.h"

#include <stdlib.h>

#include "core/hex.h"

#define MEMBERS_AT_ONCE 256

/* An alert that was closed does not open again without a change of its contents: a replay only passes by that moment.
 */
static bool says_the_same(const struct alert_row *row, const struct alert *al)
{
    bool passing_by = row->state == ALERT_CLOSED && al->state == ALERT_OPEN;

    return row->severity == al->severity && (row->state == al->state || passing_by) && row->late == al->late &&
           row->first_us == al->first_us && row->last_us == al->last_us && row->count == (int64_t)al->count &&
           row->vehicles == (int64_t)al->vehicles && slice_equal(row->peak, al->peak);
}

/* Whether the members that are stored are those of the alert: what has only been closed, or become more severe by a
 * changed rule, has the members that it had. */
static bool same_members(const struct alert_row *row, const struct alert *al)
{
    return row->state != ALERT_RETRACTED && row->first_us == al->first_us && row->last_us == al->last_us &&
           row->count == (int64_t)al->count && row->vehicles == (int64_t)al->vehicles;
}

/* The revision that the alert will have, 0 when the stored one says the same already. */
static enum vs_err next_revision(struct store *st, const struct alert *al, uint32_t *ret_revision,
                                 bool *ret_same_members)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct store_stmt *q = NULL;
    struct alert_row row;

    *ret_same_members = false;
    alert_id_text(al->id, id);
    enum vs_err err = alert_store_find(st, slice_str(id), &q, &row);
    if (err == VS_ERR_NOT_FOUND) {
        *ret_revision = 1;
        return VS_OK;
    }
    if (err != VS_OK)
        return err;
    *ret_revision = says_the_same(&row, al) ? 0 : (uint32_t)row.revision + 1;
    *ret_same_members = same_members(&row, al);
    store_done(q);
    return VS_OK;
}

struct member_writer {
    struct store *st;
    const struct alert *al;
    struct alert_member member[MEMBERS_AT_ONCE];
    size_t count;
    bool replace; /* the first part takes the place of what was there */
    enum vs_err err;
};

static void flush_members(struct member_writer *w)
{
    if (w->err == VS_OK && w->count > 0)
        w->err = alert_store_add_members(w->st, w->al->id, w->member, w->count, w->replace);
    w->replace = false;
    w->count = 0;
}

static bool on_member(void *ctx, const struct alert_member *m)
{
    struct member_writer *w = ctx;

    w->member[w->count++] = *m;
    if (w->count == MEMBERS_AT_ONCE)
        flush_members(w);
    return w->err == VS_OK;
}

static enum vs_err write_members(struct store *st, const struct alert_source *source, const struct alert *al)
{
    if (source->members == NULL)
        return VS_OK;
    struct member_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return VS_ERR_NO_MEMORY;
    w->st = st;
    w->al = al;
    w->replace = true;
    source->members(source->ctx, al, on_member, w);
    flush_members(w);
    enum vs_err err = w->err;
    free(w);
    return err;
}

enum vs_err alert_writer_put(struct store *st, const struct alert_source *source, const struct alert_context *rule,
                             const struct alert *al, int64_t now_us, bool *ret_changed)
{
    struct alert stored = *al;
    bool members_stand;
    enum vs_err err = next_revision(st, al, &stored.revision, &members_stand);

    *ret_changed = false;
    if (err != VS_OK || stored.revision == 0)
        return err;
    const char *why = al->state == ALERT_RETRACTED ? "retracted"
                      : al->state == ALERT_CLOSED  ? "closed"
                      : stored.revision == 1       ? "opened"
                      : al->late                   ? "late event"
                                                   : "extended";
    err = alert_store_put(st, &stored, why, now_us, NULL);
    if (err == VS_OK && al->state != ALERT_RETRACTED && !members_stand)
        err = write_members(st, source, al);
    if (err == VS_OK)
        err = respond_on_alert(st, &stored, rule, now_us);
    *ret_changed = err == VS_OK;
    return err;
}
