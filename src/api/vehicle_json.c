#include <stdio.h>
#include <string.h>

#include "api/event_log.h"
#include "api/fleet.h"
#include "api/incident_json.h"
#include "api/vehicle_json.h"
#include "ingest/ledger_store.h"
#include "ingest/vault.h"

#define SHOWN_MAX 200
#define GAPS_MAX  50

/* Silent: longer without contact than the limit; a vehicle that was enrolled and never heard of counts from then. */
static bool is_silent(int64_t last_contact_us, int64_t enrolled_us, int64_t now_us)
{
    int64_t since_us = last_contact_us != 0 ? last_contact_us : enrolled_us;

    return since_us != 0 && now_us - since_us > FLEET_SILENT_US;
}

json_t *vehicle_row_json(struct store_stmt *q, int64_t now_us)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I}", "vid", json_column(q, 0), "model",
                     json_column(q, 1), "hardware", json_column(q, 2), "sw_version", json_column(q, 3), "region",
                     json_column(q, 4), "first_contact", json_time_column(q, 5), "last_contact", json_time_column(q, 6),
                     "silent", is_silent(store_i64(q, 6), store_i64(q, 7), now_us), "incidents_open",
                     (json_int_t)store_i64(q, 8));
}

/* ---- software */

static const char *source_code(int64_t source)
{
    return source == SOFTWARE_OTA ? "ota" : source == SOFTWARE_EVENT ? "event" : "import";
}

/* Newest first; a period ends where the next one begins. */
static json_t *software_json(struct store *st, const char *vid)
{
    struct store_stmt *q = store_prepare(st, "SELECT software, from_us, source FROM vehicle_software WHERE vid = ? "
                                             "AND component = '' ORDER BY from_us DESC, recorded_us DESC LIMIT 200");
    json_t *list = json_array();
    int64_t next_us = 0;

    store_bind_text(q, 1, slice_str(vid));
    while (store_step(q) == VS_OK) {
        int64_t from_us = store_i64(q, 1);
        if (from_us == next_us && json_array_size(list) > 0)
            continue; /* learned earlier about the same instant, and corrected since */
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:s}", "sw_version", json_column(q, 0), "from",
                                              json_time(from_us), "to", json_time_or_null(next_us), "source",
                                              source_code(store_i64(q, 2))));
        next_us = from_us;
    }
    store_done(q);
    return list;
}

json_t *vehicle_ecus(struct store *st, const char *vid, int64_t as_of_us)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT s.component, (SELECT b.software FROM vehicle_software b WHERE b.vid = s.vid AND b.component = "
        "s.component ORDER BY b.from_us, b.recorded_us DESC LIMIT 1), s.software, s.from_us, v.hardware "
        "FROM vehicle_software s LEFT JOIN vehicle v ON v.vid = s.vid WHERE s.vid = ?1 AND s.component <> '' "
        "AND s.from_us <= ?2 AND NOT EXISTS (SELECT 1 FROM vehicle_software n WHERE n.vid = s.vid AND n.component = "
        "s.component AND n.from_us <= ?2 AND (n.from_us > s.from_us OR (n.from_us = s.from_us AND n.recorded_us > "
        "s.recorded_us))) ORDER BY 1 LIMIT 300");
    json_t *list = json_array();

    store_bind_text(q, 1, slice_str(vid));
    store_bind_i64(q, 2, as_of_us);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_pack("{s:o, s:n, s:o, s:o, s:o, s:n}", "ecu", json_column(q, 0), "hardware",
                                              "sw_built", json_column(q, 1), "sw_now", json_column(q, 2), "since",
                                              json_time(store_i64(q, 3)), "fleet_share"));
    store_done(q);
    return list;
}

static void add_software_at(json_t *o, struct store *st, const char *vid, int64_t as_of_us)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT software, from_us FROM vehicle_software WHERE vid = ? AND component = '' "
                          "AND from_us <= ? ORDER BY from_us DESC, recorded_us DESC LIMIT 1");

    store_bind_text(q, 1, slice_str(vid));
    store_bind_i64(q, 2, as_of_us);
    bool found = store_step(q) == VS_OK;
    json_object_set_new(o, "sw_version", found ? json_column(q, 0) : json_null());
    json_object_set_new(o, "sw_since", found ? json_time(store_i64(q, 1)) : json_null());
    store_done(q);
}

/* ---- ledger */

static json_t *gaps_json(struct store *st, const struct vehicle_name *name)
{
    struct ledger_gap_row row[GAPS_MAX];
    size_t count = 0;
    json_t *list = json_array();

    if (ledger_store_gaps(st, name->vid, row, GAPS_MAX, &count) != VS_OK)
        return list;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:I, s:I, s:I, s:o, s:n}", "epoch", (json_int_t)row[i].gap.epoch, "seq_first",
                                        (json_int_t)row[i].gap.seq_first, "seq_last", (json_int_t)row[i].gap.seq_last,
                                        "noticed", json_time(row[i].noticed_us), "reason"));
    return list;
}

static json_t *ledger_json(struct store *st, const struct vehicle_name *name)
{
    struct ledger l = {0};
    uint32_t epochs = 0;

    if (ledger_store_vehicle(st, name->vid, &l, &epochs) != VS_OK)
        epochs = 0;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "produced", (json_int_t)l.produced, "stored",
                     (json_int_t)l.stored, "merged", (json_int_t)l.merged, "dead_lettered", (json_int_t)l.dead_lettered,
                     "missing", (json_int_t)l.missing, "epochs", (json_int_t)epochs, "gaps", gaps_json(st, name));
}

/* ---- alerts and incidents */

static void add_alerts(json_t *o, struct store *st, const char *vid)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT " ALERT_ROW_COLUMNS " FROM alert a WHERE a.superseded_by IS NULL AND (a.vid = ?1 OR EXISTS (SELECT 1 "
        "FROM alert_vehicle v WHERE v.alert = a.id AND v.vid = ?1)) ORDER BY a.last_us DESC, a.number DESC");
    json_t *list = json_array();
    int64_t total = 0;

    store_bind_text(q, 1, slice_str(vid));
    for (; store_step(q) == VS_OK; total++) {
        struct alert_row row;
        if (total >= SHOWN_MAX)
            continue;
        alert_row_read(q, &row);
        json_array_append_new(list, alert_json(st, &row));
    }
    store_done(q);
    json_object_set_new(o, "alerts", list);
    json_object_set_new(o, "alerts_total", json_integer(total));
}

static void add_incidents(json_t *o, struct store *st, const char *vid, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT " INCIDENT_ROW_COLUMNS
            " FROM incident i WHERE i.merged_into IS NULL AND i.number IN (SELECT a.incident "
            "FROM alert_vehicle v JOIN alert a ON a.id = v.alert WHERE v.vid = ?1 UNION SELECT incident FROM alert "
            "WHERE vid = ?1) ORDER BY i.last_us DESC, i.number DESC");
    json_t *list = json_array();
    int64_t total = 0;

    store_bind_text(q, 1, slice_str(vid));
    for (; store_step(q) == VS_OK; total++)
        if (total < SHOWN_MAX)
            json_array_append_new(list, incident_row_json(q, now_us));
    store_done(q);
    json_object_set_new(o, "incidents", list);
    json_object_set_new(o, "incidents_total", json_integer(total));
}

static void add_motion(json_t *o, struct store *st, const char *vid)
{
    struct store_stmt *q = store_prepare(st, "SELECT motion, last_us FROM alert_vehicle WHERE vid = ? AND motion <> 0 "
                                             "ORDER BY last_us DESC LIMIT 1");

    store_bind_text(q, 1, slice_str(vid));
    bool found = store_step(q) == VS_OK;
    json_object_set_new(o, "motion", json_string(found ? motion_code(store_i64(q, 0)) : "unknown"));
    json_object_set_new(o, "motion_time", found ? json_time(store_i64(q, 1)) : json_null());
    store_done(q);
}

static void add_facts(json_t *o, struct store *st, const char *vid, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT model, hardware, region, first_contact_us, last_contact_us, enrolled_us, "
                          "clock_offset_us FROM vehicle WHERE vid = ?");

    store_bind_text(q, 1, slice_str(vid));
    bool found = store_step(q) == VS_OK;
    json_object_set_new(o, "model", found ? json_column(q, 0) : json_null());
    json_object_set_new(o, "hardware", found ? json_column(q, 1) : json_null());
    json_object_set_new(o, "region", found ? json_column(q, 2) : json_null());
    json_object_set_new(o, "first_contact", found ? json_time_column(q, 3) : json_null());
    json_object_set_new(o, "last_contact", found ? json_time_column(q, 4) : json_null());
    json_object_set_new(o, "silent", json_boolean(found && is_silent(store_i64(q, 4), store_i64(q, 5), now_us)));
    /* The vehicle's clock minus ours, in milliseconds; the row has it the other way round. */
    bool skew = found && !store_is_null(q, 6);
    json_object_set_new(o, "skew_ms", skew ? json_integer(-store_i64(q, 6) / 1000) : json_null());
    store_done(q);
}

json_t *vehicle_json(struct call *c, const struct vehicle_name *name, int64_t as_of_us)
{
    json_t *o = json_object();

    json_object_set_new(o, "vid", json_string(name->text));
    json_object_set_new(o, "vin_known", json_boolean(vault_has(c->st, name->vid)));
    add_facts(o, c->st, name->text, c->now_us);
    add_software_at(o, c->st, name->text, as_of_us);
    json_object_set_new(o, "silent_after_s", json_integer(FLEET_SILENT_US / 1000000));
    add_motion(o, c->st, name->text);
    json_object_set_new(o, "tz", json_null());
    json_object_set_new(o, "as_of", json_time(as_of_us));
    json_object_set_new(o, "ledger", ledger_json(c->st, name));
    json_object_set_new(o, "software", software_json(c->st, name->text));
    json_object_set_new(o, "ecus", vehicle_ecus(c->st, name->text, as_of_us));
    add_alerts(o, c->st, name->text);
    add_incidents(o, c->st, name->text, c->now_us);
    json_object_set_new(o, "events_by_type", vehicle_types_json(c, name));
    return o;
}
