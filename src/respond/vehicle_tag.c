#include "respond/vehicle_tag.h"

#include "respond/audit.h"

const char *vehicle_tag_fault(struct slice tag)
{
    if (tag.len == 0 || tag.len > VEHICLE_TAG_MAX)
        return "a tag has 1 to 32 characters";
    for (size_t i = 0; i < tag.len; i++) {
        uint8_t ch = tag.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'))
            return "a tag is made of a-z, 0-9, _ and -";
    }
    return NULL;
}

static enum vs_err note(struct store *st, const char *act, struct slice vid, struct slice before, struct slice after,
                        struct slice reason, const struct actor *who, int64_t now_us)
{
    struct audit_record rec = {.who = who->name,
                               .act = slice_str(act),
                               .object = vid,
                               .before = before,
                               .after = after,
                               .reason = reason,
                               .source = who->source};

    return audit_add(st, &rec, now_us, NULL);
}

enum vs_err vehicle_tag_put(struct store *st, struct slice vid, struct slice tag, struct slice reason, int64_t until_us,
                            const struct actor *who, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT count(*) FROM vehicle_tag WHERE vid = ? AND tag <> ?");

    store_bind_text(q, 1, vid);
    store_bind_text(q, 2, tag);
    enum vs_err err = store_step(q);
    bool full = err == VS_OK && store_i64(q, 0) >= VEHICLE_TAGS_MAX;
    store_done(q);
    if (err != VS_OK || full)
        return full ? VS_ERR_LIMIT : err;
    q = store_prepare(st, "INSERT INTO vehicle_tag (vid, tag, who, reason, at_us, until_us) VALUES (?, ?, ?, ?, ?, ?) "
                          "ON CONFLICT (vid, tag) DO UPDATE SET who = excluded.who, reason = excluded.reason, "
                          "until_us = excluded.until_us");
    store_bind_text(q, 1, vid);
    store_bind_text(q, 2, tag);
    store_bind_text(q, 3, who->name);
    store_bind_text(q, 4, reason);
    store_bind_i64(q, 5, now_us);
    if (until_us != 0)
        store_bind_i64(q, 6, until_us);
    err = store_run(q);
    return err == VS_OK ? note(st, "vehicle.tag", vid, slice_make(NULL, 0), tag, reason, who, now_us) : err;
}

enum vs_err vehicle_tag_take(struct store *st, struct slice vid, struct slice tag, struct slice reason,
                             const struct actor *who, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "DELETE FROM vehicle_tag WHERE vid = ? AND tag = ?");

    store_bind_text(q, 1, vid);
    store_bind_text(q, 2, tag);
    enum vs_err err = store_run(q);
    if (err == VS_OK && store_changes(st) == 0)
        return VS_ERR_NOT_FOUND;
    return err == VS_OK ? note(st, "vehicle.untag", vid, tag, slice_make(NULL, 0), reason, who, now_us) : err;
}
