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

/* What the database says of the alert before it is written. */
struct standing {
    uint32_t revision; /* that the alert will have; 0 when the stored one says the same already */
    bool same_members;
    uint64_t members; /* that are stored */
};

static enum vs_err look_up(struct store *st, const struct alert *al, struct standing *ret)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct store_stmt *q = NULL;
    struct alert_row row;

    *ret = (struct standing){.revision = 1};
    alert_id_text(al->id, id);
    enum vs_err err = alert_store_find(st, slice_str(id), &q, &row);
    if (err != VS_OK)
        return err == VS_ERR_NOT_FOUND ? VS_OK : err;
    ret->revision = says_the_same(&row, al) ? 0 : (uint32_t)row.revision + 1;
    ret->same_members = same_members(&row, al);
    ret->members = (uint64_t)row.members_total;
    store_done(q);
    return VS_OK;
}

/* One walk over the members. Those that are stored already come first and are only compared; nothing is written before
 * the last of them was found to be as it was. */
struct member_writer {
    struct store *st;
    const struct alert *al;
    struct alert_member member[MEMBERS_AT_ONCE];
    size_t count;
    bool replace;                /* the first part takes the place of what was there */
    struct alert_written stored; /* what the walk has to begin with */
    struct alert_written seen;
    bool differs;
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

    alert_written_add(&w->seen, m);
    if (w->seen.count <= w->stored.count) {
        w->differs = w->seen.count == w->stored.count && w->seen.hash != w->stored.hash;
        return !w->differs;
    }
    w->member[w->count++] = *m;
    if (w->count == MEMBERS_AT_ONCE)
        flush_members(w);
    return w->err == VS_OK;
}

/* False: the alert does not begin with the members that are stored, and nothing was written. */
static bool walk(struct member_writer *w, const struct alert_source *source, struct alert_written stored)
{
    w->stored = stored;
    w->seen = (struct alert_written){0, 0};
    w->replace = stored.count == 0;
    w->differs = false;
    source->members(source->ctx, w->al, on_member, w);
    flush_members(w);
    return !w->differs && w->seen.count >= stored.count;
}

/* `members` are stored; what the book knows of them is good when it knows as many. */
static enum vs_err write_members(struct store *st, const struct alert_source *source, const struct alert *al,
                                 struct alert_book *book, uint64_t members)
{
    const struct alert_written none = {0, 0};
    struct alert_written stored = book != NULL ? alert_book_find(book, al->id) : none;

    if (source->members == NULL)
        return VS_OK;
    struct member_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return VS_ERR_NO_MEMORY;
    w->st = st;
    w->al = al;
    if (!walk(w, source, stored.count == members ? stored : none) && w->err == VS_OK)
        walk(w, source, none);
    if (book != NULL && w->err == VS_OK)
        alert_book_note(book, al->id, w->seen);
    enum vs_err err = w->err;
    free(w);
    return err;
}

enum vs_err alert_writer_grow(struct store *st, const struct alert_source *source, const struct alert_context *rule,
                              const struct alert *al, int64_t now_us, struct alert_book *book, bool *ret_changed)
{
    struct alert stored = *al;
    struct standing before;
    enum vs_err err = look_up(st, al, &before);

    *ret_changed = false;
    if (err != VS_OK || before.revision == 0)
        return err;
    stored.revision = before.revision;
    const char *why = al->state == ALERT_RETRACTED ? "retracted"
                      : al->state == ALERT_CLOSED  ? "closed"
                      : stored.revision == 1       ? "opened"
                      : al->late                   ? "late event"
                                                   : "extended";
    err = alert_store_put(st, &stored, why, now_us, NULL);
    if (err == VS_OK && al->state != ALERT_RETRACTED && !before.same_members)
        err = write_members(st, source, al, book, before.members);
    if (err == VS_OK)
        err = respond_on_alert(st, &stored, rule, now_us);
    *ret_changed = err == VS_OK;
    return err;
}

enum vs_err alert_writer_put(struct store *st, const struct alert_source *source, const struct alert_context *rule,
                             const struct alert *al, int64_t now_us, bool *ret_changed)
{
    return alert_writer_grow(st, source, rule, al, now_us, NULL, ret_changed);
}
