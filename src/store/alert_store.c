#include <string.h>

#include "core/hex.h"
#include "core/writer.h"
#include "store/alert_store.h"
#include "store/change.h"

#define GROUP_JSON_MAX 8192

static const char *const SEVERITY_CODE[] = {"info", "low", "medium", "high", "critical"};
static const char *const STATE_CODE[] = {"open", "closed", "retracted"};

const char *alert_severity_code(int64_t severity)
{
    return severity >= 0 && severity <= ALERT_CRITICAL ? SEVERITY_CODE[severity] : SEVERITY_CODE[0];
}

const char *alert_state_code(int64_t state)
{
    return state >= 0 && state <= ALERT_RETRACTED ? STATE_CODE[state] : STATE_CODE[0];
}

int alert_severity_from_code(struct slice code)
{
    for (int i = 0; i <= ALERT_CRITICAL; i++)
        if (slice_equal_str(code, SEVERITY_CODE[i]))
            return i;
    return -1;
}

static void hex_text(struct slice bytes, char *text, size_t size)
{
    struct writer w;

    writer_init(&w, text, size - 1);
    writer_hex(&w, bytes, false);
    text[w.len] = '\0';
}

void alert_id_text(const uint8_t id[ALERT_ID_SIZE], char ret[ALERT_ID_TEXT_SIZE])
{
    hex_text(slice_make(id, ALERT_ID_SIZE), ret, ALERT_ID_TEXT_SIZE);
}

void alert_vid_text(const uint8_t vid[EV_VID_SIZE], char ret[VID_TEXT_SIZE])
{
    hex_text(slice_make(vid, EV_VID_SIZE), ret, VID_TEXT_SIZE);
}

/* {"field":"value",...} in the order of the rule's group-by. */
static struct slice group_json(const struct alert *al, uint8_t *buf, size_t size)
{
    struct writer w;

    writer_init(&w, buf, size);
    writer_text(&w, "{");
    for (unsigned i = 0; i < al->group_count; i++) {
        if (i > 0)
            writer_text(&w, ",");
        writer_json_text(&w, al->group[i].field);
        writer_text(&w, ":");
        writer_json_text(&w, al->group[i].value);
    }
    writer_text(&w, "}");
    return writer_slice(&w);
}

/* The vehicle of the group, when the rule groups by it: such an alert is about one vehicle, any other about a fleet. */
static struct slice group_vid(const struct alert *al)
{
    for (unsigned i = 0; i < al->group_count; i++)
        if (slice_equal_str(al->group[i].field, "vin") || slice_equal_str(al->group[i].field, "vid"))
            return al->group[i].value;
    return slice_make(NULL, 0);
}

static void bind_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.len > 0)
        store_bind_text(q, at, s);
    else
        store_bind_null(q, at);
}

static int64_t stored_revision(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "SELECT revision FROM alert WHERE id = ?");

    store_bind_text(q, 1, id);
    int64_t revision = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return revision;
}

static enum vs_err put_row(struct store *st, const struct alert *al, struct slice id, int64_t number, int64_t now_us)
{
    uint8_t group[GROUP_JSON_MAX];
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO alert (id, rule, title, severity, state, late, group_json, vid, first_us, last_us, count, "
            "vehicles, peak, revision, superseded_count, members_total, created_us, changed_us, number) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET title = excluded.title, severity = excluded.severity, "
            "state = excluded.state, late = excluded.late, first_us = excluded.first_us, last_us = excluded.last_us, "
            "count = excluded.count, vehicles = excluded.vehicles, peak = excluded.peak, "
            "revision = excluded.revision, superseded_count = excluded.superseded_count, "
            "changed_us = excluded.changed_us");

    store_bind_text(q, 1, id);
    store_bind_text(q, 2, al->rule);
    store_bind_text(q, 3, al->title);
    store_bind_i64(q, 4, al->severity);
    store_bind_i64(q, 5, al->state);
    store_bind_i64(q, 6, al->late);
    store_bind_text(q, 7, group_json(al, group, sizeof group));
    bind_or_null(q, 8, group_vid(al));
    store_bind_i64(q, 9, al->first_us);
    store_bind_i64(q, 10, al->last_us);
    store_bind_i64(q, 11, (int64_t)al->count);
    store_bind_i64(q, 12, (int64_t)al->vehicles);
    store_bind_text(q, 13, al->peak);
    store_bind_i64(q, 14, al->revision);
    store_bind_i64(q, 15, al->supersedes_count);
    store_bind_i64(q, 16, now_us);
    store_bind_i64(q, 17, now_us);
    store_bind_i64(q, 18, number);
    return store_run(q);
}

static enum vs_err put_revision(struct store *st, const struct alert *al, struct slice id, const char *why,
                                int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO alert_revision (id, revision, at_us, state, severity, count, vehicles, why) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, revision) DO NOTHING");

    store_bind_text(q, 1, id);
    store_bind_i64(q, 2, al->revision);
    store_bind_i64(q, 3, now_us);
    store_bind_i64(q, 4, al->state);
    store_bind_i64(q, 5, al->severity);
    store_bind_i64(q, 6, (int64_t)al->count);
    store_bind_i64(q, 7, (int64_t)al->vehicles);
    store_bind_text(q, 8, slice_str(why));
    return store_run(q);
}

/* Links the alert to the ones it takes in, and those to it. */
static enum vs_err put_supersedes(struct store *st, const struct alert *al, struct slice id)
{
    enum vs_err err = VS_OK;

    for (unsigned i = 0; i < al->supersedes_count && i < ALERT_SUPERSEDES_MAX && err == VS_OK; i++) {
        char old[ALERT_ID_TEXT_SIZE];
        alert_id_text(al->supersedes[i], old);
        if (slice_equal_str(id, old))
            continue;
        struct store_stmt *q =
            store_prepare(st, "INSERT INTO alert_supersedes (id, old) VALUES (?, ?) ON CONFLICT (id, old) DO NOTHING");
        store_bind_text(q, 1, id);
        store_bind_text(q, 2, slice_str(old));
        err = store_run(q);
        if (err != VS_OK)
            return err;
        q = store_prepare(st, "UPDATE alert SET superseded_by = ? WHERE id = ?");
        store_bind_text(q, 1, id);
        store_bind_text(q, 2, slice_str(old));
        err = store_run(q);
    }
    return err;
}

enum vs_err alert_store_put(struct store *st, const struct alert *al, const char *why, int64_t now_us,
                            bool *ret_new_revision)
{
    char text[ALERT_ID_TEXT_SIZE];

    alert_id_text(al->id, text);
    struct slice id = slice_str(text);
    int64_t before = stored_revision(st, id), number = 0;
    bool fresh = before < (int64_t)al->revision;
    enum vs_err err = before == 0 ? counter_next(st, "alert", &number) : VS_OK;
    if (fresh && err == VS_OK) {
        err = put_row(st, al, id, number, now_us);
        if (err == VS_OK)
            err = put_revision(st, al, id, why, now_us);
        if (err == VS_OK)
            err = put_supersedes(st, al, id);
        if (err == VS_OK)
            err = change_add(st, "alert", id, al->revision, now_us, NULL);
    }
    if (err == VS_OK && ret_new_revision != NULL)
        *ret_new_revision = fresh;
    return err;
}

/* True in *ret_new when the row was not there before. */
static enum vs_err add_member(struct store *st, struct slice id, struct slice vid, const struct alert_member *m,
                              bool *ret_new)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO alert_member (alert, vid, epoch, seq, time_us, count, log_partition, log_offset, type, "
            "signature, ecu, bus) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (alert, vid, epoch, seq) DO NOTHING");

    store_bind_text(q, 1, id);
    store_bind_text(q, 2, vid);
    store_bind_i64(q, 3, m->epoch);
    store_bind_i64(q, 4, (int64_t)m->seq);
    store_bind_i64(q, 5, m->time_us);
    store_bind_i64(q, 6, m->count);
    store_bind_i64(q, 7, m->log_partition);
    store_bind_i64(q, 8, (int64_t)m->log_offset);
    store_bind_text(q, 9, m->type);
    store_bind_text(q, 10, m->signature);
    store_bind_text(q, 11, m->ecu);
    store_bind_text(q, 12, m->bus);
    enum vs_err err = store_run(q);
    *ret_new = err == VS_OK && store_changes(st) > 0;
    return err;
}

static enum vs_err add_vehicle(struct store *st, struct slice id, struct slice vid, const struct alert_member *m)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO alert_vehicle (alert, vid, signature, events, first_us, last_us, model, hardware, sw_version, "
            "region, motion) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (alert, vid, signature) DO UPDATE SET events = alert_vehicle.events + excluded.events, "
            "first_us = CASE WHEN excluded.first_us < alert_vehicle.first_us THEN excluded.first_us "
            "ELSE alert_vehicle.first_us END, "
            "model = CASE WHEN excluded.last_us >= alert_vehicle.last_us THEN coalesce(excluded.model, "
            "alert_vehicle.model) ELSE alert_vehicle.model END, "
            "hardware = CASE WHEN excluded.last_us >= alert_vehicle.last_us THEN coalesce(excluded.hardware, "
            "alert_vehicle.hardware) ELSE alert_vehicle.hardware END, "
            "sw_version = CASE WHEN excluded.last_us >= alert_vehicle.last_us THEN coalesce(excluded.sw_version, "
            "alert_vehicle.sw_version) ELSE alert_vehicle.sw_version END, "
            "region = CASE WHEN excluded.last_us >= alert_vehicle.last_us THEN coalesce(excluded.region, "
            "alert_vehicle.region) ELSE alert_vehicle.region END, "
            "motion = CASE WHEN excluded.last_us >= alert_vehicle.last_us THEN excluded.motion "
            "ELSE alert_vehicle.motion END, "
            "last_us = CASE WHEN excluded.last_us > alert_vehicle.last_us THEN excluded.last_us "
            "ELSE alert_vehicle.last_us END");

    store_bind_text(q, 1, id);
    store_bind_text(q, 2, vid);
    store_bind_text(q, 3, m->signature);
    store_bind_i64(q, 4, m->count);
    store_bind_i64(q, 5, m->time_us);
    store_bind_i64(q, 6, m->time_us);
    bind_or_null(q, 7, m->model);
    bind_or_null(q, 8, m->hardware);
    bind_or_null(q, 9, m->sw_version);
    bind_or_null(q, 10, m->region);
    store_bind_i64(q, 11, m->motion);
    return store_run(q);
}

static enum vs_err clear_members(struct store *st, struct slice id)
{
    static const char *const SQL[] = {"DELETE FROM alert_member WHERE alert = ?",
                                      "DELETE FROM alert_vehicle WHERE alert = ?",
                                      "UPDATE alert SET members_total = 0 WHERE id = ?"};
    enum vs_err err = VS_OK;

    for (size_t i = 0; i < sizeof SQL / sizeof SQL[0] && err == VS_OK; i++) {
        struct store_stmt *q = store_prepare(st, SQL[i]);
        store_bind_text(q, 1, id);
        err = store_run(q);
    }
    return err;
}

static int64_t members_total(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "SELECT members_total FROM alert WHERE id = ?");

    store_bind_text(q, 1, id);
    int64_t total = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return total;
}

enum vs_err alert_store_add_members(struct store *st, const uint8_t alert_id[ALERT_ID_SIZE],
                                    const struct alert_member *member, size_t count, bool replace)
{
    char text[ALERT_ID_TEXT_SIZE], vid[VID_TEXT_SIZE];

    alert_id_text(alert_id, text);
    struct slice id = slice_str(text);
    enum vs_err err = replace ? clear_members(st, id) : VS_OK;
    int64_t total = members_total(st, id);

    for (size_t i = 0; i < count && err == VS_OK; i++) {
        /* Past the bound nobody can tell a member that is there from a new one; each call then counts as new. */
        bool fresh = true;
        alert_vid_text(member[i].vid, vid);
        if (total < ALERT_MEMBERS_MAX)
            err = add_member(st, id, slice_str(vid), &member[i], &fresh);
        if (err == VS_OK && fresh) {
            total++;
            err = add_vehicle(st, id, slice_str(vid), &member[i]);
        }
    }
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE alert SET members_total = ? WHERE id = ?");
    store_bind_i64(q, 1, total);
    store_bind_text(q, 2, id);
    return store_run(q);
}

void alert_row_read(struct store_stmt *q, struct alert_row *ret)
{
    struct slice *text[] = {&ret->id,  &ret->rule, &ret->title,        &ret->group_json,
                            &ret->vid, &ret->peak, &ret->superseded_by};
    int64_t *number[] = {&ret->severity,   &ret->state,    &ret->late,     &ret->first_us,      &ret->last_us,
                         &ret->count,      &ret->vehicles, &ret->revision, &ret->members_total, &ret->created_us,
                         &ret->changed_us, &ret->incident, &ret->cluster};
    int at = 0;

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        *text[i] = store_text(q, at++);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        *number[i] = store_i64(q, at++);
}

enum vs_err alert_store_find(struct store *st, struct slice id, struct store_stmt **ret_q, struct alert_row *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT " ALERT_ROW_COLUMNS " FROM alert a WHERE a.id = ?");

    store_bind_text(q, 1, id);
    enum vs_err err = store_step(q);
    if (err != VS_OK) {
        store_done(q);
        return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
    }
    alert_row_read(q, ret);
    *ret_q = q;
    return VS_OK;
}
