#include "store/intel_store.h"

#include "store/change.h"

static void bind_text_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.len == 0)
        store_bind_null(q, at);
    else
        store_bind_text(q, at, s);
}

static void bind_or_null(struct store_stmt *q, int at, int64_t v, int64_t none)
{
    if (v == none)
        store_bind_null(q, at);
    else
        store_bind_i64(q, at, v);
}

/* The version of the object that counts so far, and what the new one is beside it. */
static enum vs_err compare(struct store *st, const struct intel_object_row *row, enum intel_put *ret)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT modified_us, body FROM intel_object WHERE id = ? ORDER BY modified_us DESC LIMIT 1");

    store_bind_text(q, 1, row->id);
    enum vs_err err = store_step(q);
    if (err == VS_ERR_END) {
        *ret = INTEL_PUT_FIRST;
    } else if (err == VS_OK) {
        int64_t modified_us = store_i64(q, 0);
        int order = slice_compare(row->body, store_text(q, 1));
        bool same = row->modified_us == modified_us && order == 0;
        bool newer = row->modified_us > modified_us || (row->modified_us == modified_us && order > 0);
        *ret = same ? INTEL_PUT_SAME : newer ? INTEL_PUT_NEWEST : INTEL_PUT_OLDER;
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err intel_store_object(struct store *st, const struct intel_object_row *row, enum intel_put *ret)
{
    enum vs_err err = compare(st, row, ret);

    if (err != VS_OK || *ret == INTEL_PUT_SAME)
        return err;
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO intel_object (id, modified_us, type, tlp, marked_further, source, body) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, modified_us) DO UPDATE SET "
                          "tlp = excluded.tlp, marked_further = excluded.marked_further, body = excluded.body "
                          "WHERE excluded.body > intel_object.body");
    store_bind_text(q, 1, row->id);
    store_bind_i64(q, 2, row->modified_us);
    store_bind_text(q, 3, row->type);
    store_bind_i64(q, 4, row->tlp);
    store_bind_i64(q, 5, row->marked_further);
    store_bind_text(q, 6, row->source);
    store_bind_text(q, 7, row->body);
    return store_run(q);
}

static void bind_indicator(struct store_stmt *q, const struct intel_indicator_row *row)
{
    store_bind_text(q, 1, row->source);
    bind_text_or_null(q, 2, row->created_by);
    store_bind_i64(q, 3, row->modified_us);
    store_bind_i64(q, 4, row->revoked);
    store_bind_text(q, 5, row->name);
    store_bind_text(q, 6, row->pattern);
    store_bind_i64(q, 7, row->valid_from_us);
    bind_or_null(q, 8, row->valid_until_us, INT64_MAX);
    bind_or_null(q, 9, row->confidence, -1);
    store_bind_i64(q, 10, row->tlp);
    bind_text_or_null(q, 11, row->refused);
    store_bind_i64(q, 12, row->version);
    store_bind_text(q, 13, row->id);
}

enum vs_err intel_store_indicator(struct store *st, const struct intel_indicator_row *row, bool first)
{
    struct store_stmt *q;

    if (!first) {
        q = store_prepare(st, "UPDATE intel_indicator SET source = ?, created_by = ?, modified_us = ?, revoked = ?, "
                              "name = ?, pattern = ?, valid_from_us = ?, valid_until_us = ?, confidence = ?, tlp = ?, "
                              "refused = ?, version = ?, hunted = 0 WHERE id = ?");
        bind_indicator(q, row);
        return store_run(q);
    }
    q = store_prepare(st, "INSERT INTO intel_indicator (source, created_by, modified_us, revoked, name, pattern, "
                          "valid_from_us, valid_until_us, confidence, tlp, refused, version, id, number, hunted) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)");
    bind_indicator(q, row);
    store_bind_i64(q, 14, row->number);
    return store_run(q);
}

enum vs_err intel_store_last_number(struct store *st, int64_t *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT value FROM counter WHERE name = 'intel_indicator'");
    enum vs_err err = store_step(q);

    *ret = err == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err intel_store_set_last_number(struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO counter (name, value) VALUES ('intel_indicator', ?) "
                                             "ON CONFLICT (name) DO UPDATE SET value = excluded.value");

    store_bind_i64(q, 1, number);
    return store_run(q);
}

enum vs_err intel_store_relation(struct store *st, const struct intel_relation_row *row)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO intel_relation (id, modified_us, kind, source_ref, target_ref, revoked) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET modified_us = excluded.modified_us, "
            "kind = excluded.kind, source_ref = excluded.source_ref, target_ref = excluded.target_ref, "
            "revoked = excluded.revoked");

    store_bind_text(q, 1, row->id);
    store_bind_i64(q, 2, row->modified_us);
    store_bind_text(q, 3, row->kind);
    store_bind_text(q, 4, row->source_ref);
    store_bind_text(q, 5, row->target_ref);
    store_bind_i64(q, 6, row->revoked);
    return store_run(q);
}

enum vs_err intel_store_subject(struct store *st, const struct intel_subject_row *row)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO intel_subject (id, modified_us, type, name, techniques) VALUES (?, ?, ?, ?, ?) "
                          "ON CONFLICT (id) DO UPDATE SET modified_us = excluded.modified_us, name = excluded.name, "
                          "techniques = excluded.techniques");

    store_bind_text(q, 1, row->id);
    store_bind_i64(q, 2, row->modified_us);
    store_bind_text(q, 3, row->type);
    store_bind_text(q, 4, row->name);
    store_bind_text(q, 5, row->techniques);
    return store_run(q);
}

enum vs_err intel_store_sighting(struct store *st, const struct intel_sighting_row *row)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO intel_sighting (id, modified_us, sighting_of, created_by, count, first_us, last_us, tlp, "
            "source, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "modified_us = excluded.modified_us, sighting_of = excluded.sighting_of, count = excluded.count, "
            "first_us = excluded.first_us, last_us = excluded.last_us, tlp = excluded.tlp, revoked = excluded.revoked");

    store_bind_text(q, 1, row->id);
    store_bind_i64(q, 2, row->modified_us);
    store_bind_text(q, 3, row->sighting_of);
    bind_text_or_null(q, 4, row->created_by);
    store_bind_i64(q, 5, row->count);
    bind_or_null(q, 6, row->first_us, 0);
    bind_or_null(q, 7, row->last_us, 0);
    store_bind_i64(q, 8, row->tlp);
    store_bind_text(q, 9, row->source);
    store_bind_i64(q, 10, row->revoked);
    return store_run(q);
}

enum vs_err intel_store_next_version(struct store *st, int64_t *ret)
{
    return counter_next(st, "intel_version", ret);
}

int64_t intel_store_version(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT value FROM counter WHERE name = 'intel_version'");
    int64_t version = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return version;
}

void intel_indicator_row_read(struct store_stmt *q, struct intel_indicator_row *ret)
{
    *ret = (struct intel_indicator_row){
        .number = store_i64(q, 0),
        .id = store_text(q, 1),
        .source = store_text(q, 2),
        .created_by = store_text(q, 3),
        .name = store_text(q, 4),
        .pattern = store_text(q, 5),
        .refused = store_text(q, 6),
        .modified_us = store_i64(q, 7),
        .valid_from_us = store_i64(q, 8),
        .valid_until_us = store_is_null(q, 9) ? INT64_MAX : store_i64(q, 9),
        .confidence = store_is_null(q, 10) ? -1 : store_i64(q, 10),
        .version = store_i64(q, 11),
        .tlp = (uint8_t)store_i64(q, 12),
        .revoked = store_i64(q, 13) != 0,
        .hunted = store_i64(q, 14) != 0,
    };
}
