/* The row of an incident, worked out from the alerts that are at home in it: those whose `incident` is its number and
 * that no later alert took in. Two statements read all that the queue shows, so that the cost does not grow with the
 * number of columns. An incident that no alert is at home in any more (its alert went to a campaign after it was
 * closed) keeps the row it had. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/timestamp.h"
#include "core/utf8.h"
#include "core/writer.h"
#include "respond/incident.h"
#include "store/change.h"

#define SPREAD_US        (48 * 3600 * US_PER_S)
#define NOTICE_SIGNATURE 50 /* characters of a signature in a campaign's title */

struct row {
    int64_t alerts, severity, first_us, last_us, rules, standing, late; /* of the alerts */
    int64_t vehicles, vehicles_48h, motion, motion_us;
    int64_t kind, safety; /* safety -1 = not assessed */
    char rule[INCIDENT_TEXT_SIZE], rule_title[INCIDENT_TEXT_SIZE], title[INCIDENT_TEXT_SIZE];
    char signature[INCIDENT_TEXT_SIZE], vid[VID_TEXT_SIZE], model[INCIDENT_TEXT_SIZE], ecu[INCIDENT_TEXT_SIZE];
    char sw_version[INCIDENT_TEXT_SIZE], bus[INCIDENT_TEXT_SIZE];
};

/* Copies at most size - 1 bytes, cut between characters. Shown text only: nothing is looked up by it. */
static void keep(char *text, size_t size, struct slice s)
{
    size_t len = 0, n;

    while (len < s.len && (n = utf8_length(slice_from(s, len))) > 0 && len + n < size)
        len += n;
    if (len > 0)
        memcpy(text, s.ptr, len);
    text[len] = '\0';
}

static enum vs_err read_alerts(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT count(*), max(CASE WHEN state = 2 THEN -1 ELSE severity END), max(severity), min(first_us), "
            "max(last_us), count(DISTINCT CASE WHEN state = 2 THEN NULL ELSE rule END), "
            "sum(CASE WHEN state = 2 THEN 0 ELSE 1 END), max(late), max(vehicles) "
            "FROM alert WHERE incident = ? AND superseded_by IS NULL");

    _Static_assert(ALERT_RETRACTED == 2, "the number in the SQL");
    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK && store_i64(q, 0) > 0) {
        r->alerts = store_i64(q, 0);
        r->severity = store_i64(q, 1) >= 0 ? store_i64(q, 1) : store_i64(q, 2);
        r->first_us = store_i64(q, 3);
        r->last_us = store_i64(q, 4);
        r->rules = store_i64(q, 5);
        r->standing = store_i64(q, 6);
        r->late = store_i64(q, 7);
        r->vehicles = store_i64(q, 8);
    }
    store_done(q);
    return err;
}

/* The alert whose rule names the incident: one that stands, a campaign alert before those of single vehicles, then the
 * gravest, then the earliest. */
static enum vs_err read_leader(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT rule, title, vid FROM alert WHERE incident = ? AND superseded_by IS NULL "
            "ORDER BY CASE WHEN state = 2 THEN 1 ELSE 0 END, CASE WHEN vid IS NULL THEN 0 ELSE 1 END, severity DESC, "
            "first_us, id LIMIT 1");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        keep(r->rule, sizeof r->rule, store_text(q, 0));
        keep(r->rule_title, sizeof r->rule_title, store_text(q, 1));
        keep(r->vid, sizeof r->vid, store_text(q, 2));
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

/* The value of a column when all rows agree on it, else "". Columns: count of distinct values, smallest value. */
static void agreed(struct store_stmt *q, int at, char *text, size_t size)
{
    if (store_i64(q, at) == 1)
        keep(text, size, store_text(q, at + 1));
}

static enum vs_err read_vehicles(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT count(DISTINCT v.vid), count(DISTINCT v.signature), min(v.signature), count(DISTINCT v.model), "
            "min(v.model), count(DISTINCT v.sw_version), min(v.sw_version) FROM alert a JOIN alert_vehicle v "
            "ON v.alert = a.id WHERE a.incident = ? AND a.superseded_by IS NULL");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK && store_i64(q, 0) > 0) {
        r->vehicles = store_i64(q, 0);
        agreed(q, 1, r->signature, sizeof r->signature);
        agreed(q, 3, r->model, sizeof r->model);
        agreed(q, 5, r->sw_version, sizeof r->sw_version);
    }
    store_done(q);
    return err;
}

static enum vs_err read_members(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT count(DISTINCT m.ecu), min(m.ecu), count(DISTINCT m.bus), min(m.bus) FROM alert a JOIN alert_member m "
        "ON m.alert = a.id WHERE a.incident = ? AND a.superseded_by IS NULL");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        agreed(q, 0, r->ecu, sizeof r->ecu);
        agreed(q, 2, r->bus, sizeof r->bus);
    }
    store_done(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "SELECT v.vid FROM alert a JOIN alert_vehicle v ON v.alert = a.id WHERE a.incident = ? "
                          "AND a.superseded_by IS NULL ORDER BY v.first_us, v.vid LIMIT 1");
    store_bind_i64(q, 1, number);
    err = store_step(q);
    if (err == VS_OK)
        keep(r->vid, sizeof r->vid, store_text(q, 0));
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err read_motion(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT v.motion, v.last_us FROM alert a JOIN alert_vehicle v ON v.alert = a.id WHERE a.incident = ? "
            "AND a.superseded_by IS NULL AND v.motion <> 0 ORDER BY v.last_us DESC, v.motion DESC LIMIT 1");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        r->motion = store_i64(q, 0);
        r->motion_us = store_i64(q, 1);
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

/* Distinct vehicles with the same signature, or rule when the signatures differ, in the 48 h up to the last event. */
static enum vs_err read_spread(struct store *st, struct row *r)
{
    const char *by_signature = "SELECT count(DISTINCT vid) FROM alert_vehicle WHERE signature = ? AND last_us >= ? "
                               "AND first_us <= ?";
    const char *by_rule = "SELECT count(DISTINCT v.vid) FROM alert a JOIN alert_vehicle v ON v.alert = a.id "
                          "WHERE a.rule = ? AND v.last_us >= ? AND v.first_us <= ? AND a.superseded_by IS NULL";
    bool has_signature = r->signature[0] != '\0';
    struct store_stmt *q = store_prepare(st, has_signature ? by_signature : by_rule);

    store_bind_text(q, 1, slice_str(has_signature ? r->signature : r->rule));
    store_bind_i64(q, 2, r->last_us - SPREAD_US);
    store_bind_i64(q, 3, r->last_us);
    enum vs_err err = store_step(q);
    if (err == VS_OK)
        r->vehicles_48h = store_i64(q, 0) > r->vehicles ? store_i64(q, 0) : r->vehicles;
    store_done(q);
    return err;
}

static enum vs_err read_own(struct store *st, int64_t number, struct row *r)
{
    struct store_stmt *q = store_prepare(st, "SELECT kind, coalesce(safety, -1) FROM incident WHERE number = ?");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        r->kind = store_i64(q, 0);
        r->safety = store_i64(q, 1);
    }
    store_done(q);
    return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
}

static enum vs_err read_all(struct store *st, int64_t number, struct row *r)
{
    memset(r, 0, sizeof *r);
    enum vs_err err = read_own(st, number, r);
    if (err == VS_OK)
        err = read_alerts(st, number, r);
    if (err != VS_OK || r->alerts == 0)
        return err;
    if ((err = read_leader(st, number, r)) == VS_OK && (err = read_vehicles(st, number, r)) == VS_OK &&
        (err = read_members(st, number, r)) == VS_OK && (err = read_motion(st, number, r)) == VS_OK)
        err = read_spread(st, r);
    return err;
}

/* A campaign says its signature, cut, and on how many vehicles it was seen; a vehicle's incident says its rule. */
static void make_title(struct row *r)
{
    struct writer w;

    writer_init(&w, r->title, sizeof r->title - 1);
    writer_text(&w, r->kind == INCIDENT_BUDGET ? "Over budget: " : "");
    writer_text(&w, r->rule_title);
    if (r->kind == INCIDENT_BUDGET) {
        writer_text(&w, ", ");
        writer_u64_text(&w, (uint64_t)r->alerts);
        writer_text(&w, r->alerts == 1 ? " alert" : " alerts");
    }
    if (r->kind == INCIDENT_CAMPAIGN) {
        char cut[NOTICE_SIGNATURE + 1];
        keep(cut, sizeof cut, slice_str(r->signature));
        writer_text(&w, ": ");
        writer_text(&w, cut);
        writer_text(&w, strlen(cut) < strlen(r->signature) ? "..." : "");
        writer_text(&w, cut[0] != '\0' ? " on " : "");
        writer_u64_text(&w, (uint64_t)r->vehicles);
        writer_text(&w, r->vehicles == 1 ? " vehicle" : " vehicles");
    }
    r->title[w.len] = '\0';
}

static void rank_input_of(const struct row *r, struct rank_input *ret)
{
    struct rank_input in = {.severity = (int)r->severity,
                            .safety = (int)r->safety,
                            .motion = (int)r->motion,
                            .vehicles = r->vehicles,
                            .vehicles_48h = r->vehicles_48h,
                            .rules = r->rules,
                            .all_retracted = r->standing == 0,
                            .late = r->late != 0};
    *ret = in;
}

enum vs_err incident_rank_input(struct store *st, int64_t number, struct rank_input *ret)
{
    struct row r;
    enum vs_err err = read_all(st, number, &r);

    if (err == VS_OK)
        rank_input_of(&r, ret);
    return err;
}

/* What free text looks through, in lower case (ASCII letters). */
static struct slice search_text(const struct row *r, int64_t number, char *buf, size_t size)
{
    const char *part[] = {r->title, r->rule, r->rule_title, r->signature, r->model, r->ecu};
    struct writer w;
    char id[INCIDENT_ID_SIZE];

    writer_init(&w, buf, size);
    incident_id_text(number, id);
    writer_text(&w, id);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        writer_text(&w, " ");
        writer_text(&w, part[i]);
    }
    for (size_t i = 0; i < w.len; i++)
        if (buf[i] >= 'A' && buf[i] <= 'Z')
            buf[i] = (char)(buf[i] + ('a' - 'A'));
    return writer_slice(&w);
}

static void bind_or_null(struct store_stmt *q, int at, const char *text)
{
    if (text[0] != '\0')
        store_bind_text(q, at, slice_str(text));
    else
        store_bind_null(q, at);
}

static enum vs_err write_row(struct store *st, int64_t number, const struct row *r, int64_t now_us)
{
    static const char SQL[] =
        "UPDATE incident SET version = version + 1, title = ?, severity = ?, rule = ?, rule_title = ?, signature = ?, "
        "vid = ?, vehicles = ?, vehicles_48h = ?, model = ?, ecu = ?, sw_version = ?, bus = ?, motion = ?, motion_us = "
        "?, "
        "priority = ?, alerts = ?, updated_us = ?, first_us = ?, last_us = ?, search = ? WHERE number = ?";
    char search[7 * INCIDENT_TEXT_SIZE];
    struct rank_input in;
    struct rank_term term[RANK_TERMS];
    struct store_stmt *q = store_prepare(st, SQL);

    rank_input_of(r, &in);
    store_bind_text(q, 1, slice_str(r->title));
    store_bind_i64(q, 2, r->severity);
    store_bind_text(q, 3, slice_str(r->rule));
    store_bind_text(q, 4, slice_str(r->rule_title));
    bind_or_null(q, 5, r->signature);
    bind_or_null(q, 6, r->vid);
    store_bind_i64(q, 7, r->vehicles);
    store_bind_i64(q, 8, r->vehicles_48h);
    bind_or_null(q, 9, r->model);
    bind_or_null(q, 10, r->ecu);
    bind_or_null(q, 11, r->sw_version);
    bind_or_null(q, 12, r->bus);
    store_bind_i64(q, 13, r->motion);
    if (r->motion != 0)
        store_bind_i64(q, 14, r->motion_us);
    store_bind_i64(q, 15, rank_terms(&in, term));
    store_bind_i64(q, 16, r->alerts);
    store_bind_i64(q, 17, now_us);
    store_bind_i64(q, 18, r->first_us);
    store_bind_i64(q, 19, r->last_us);
    store_bind_text(q, 20, search_text(r, number, search, sizeof search));
    store_bind_i64(q, 21, number);
    return store_run(q);
}

/* The clock that is due first, for sorting and for the queue's column. */
static enum vs_err write_sla(struct store *st, const struct incident_state *in, int64_t now_us)
{
    struct sla_input s;
    struct sla_reading next;
    struct store_stmt *q = store_prepare(st, "UPDATE incident SET sla_clock = ?, sla_due_us = ? WHERE number = ?");

    incident_sla_input(in, &s);
    if (sla_next(&s, now_us, &next)) {
        store_bind_i64(q, 1, next.clock);
        store_bind_i64(q, 2, next.due_us);
    }
    store_bind_i64(q, 3, in->number);
    return store_run(q);
}

enum vs_err incident_refresh(struct store *st, int64_t number, int64_t now_us)
{
    struct row r;
    struct incident_state in;
    char id[INCIDENT_ID_SIZE];
    enum vs_err err = read_all(st, number, &r);

    if (err == VS_OK && r.alerts > 0) {
        make_title(&r);
        err = write_row(st, number, &r, now_us);
    } else if (err == VS_OK) {
        struct store_stmt *q =
            store_prepare(st, "UPDATE incident SET version = version + 1, updated_us = ? WHERE number = ?");
        store_bind_i64(q, 1, now_us);
        store_bind_i64(q, 2, number);
        err = store_run(q);
    }
    if (err == VS_OK)
        err = incident_load(st, number, &in);
    if (err == VS_OK)
        err = write_sla(st, &in, now_us);
    incident_id_text(number, id);
    return err == VS_OK ? change_add(st, "incident", slice_str(id), in.version, now_us, NULL) : err;
}
