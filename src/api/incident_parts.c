#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/incident_parts.h"
#include "api/vehicle_json.h"

/* ---- timeline */

/* What the system and people wrote down, of this incident and of those merged into it, and the first and last event. */
static const char TIMELINE_SQL[] =
    "SELECT id, at_us, lane, kind, who, text, detail, vid, ref FROM timeline WHERE incident = ?1 OR incident IN "
    "(SELECT number FROM incident WHERE merged_into = ?1) "
    "UNION ALL SELECT -2, first_us, 'event', 'event.first', NULL, 'first event', NULL, vid, NULL FROM incident "
    "WHERE number = ?1 AND alerts > 0 "
    "UNION ALL SELECT -1, last_us, 'event', 'event.last', NULL, 'last event so far', NULL, NULL, NULL FROM incident "
    "WHERE number = ?1 AND alerts > 0 ORDER BY 2 DESC, 1 DESC";

static json_t *timeline_item_json(struct store_stmt *q)
{
    char id[32];

    snprintf(id, sizeof id, "t%" PRId64, store_i64(q, 0));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", id, "time", json_time(store_i64(q, 1)),
                     "lane", json_column(q, 2), "kind", json_column(q, 3), "who", json_column(q, 4), "text",
                     json_column(q, 5), "detail", json_column(q, 6), "vid", json_column(q, 7), "ref",
                     json_column(q, 8));
}

json_t *parts_timeline(struct store *st, int64_t number, int64_t *ret_total)
{
    struct store_stmt *q = store_prepare(st, TIMELINE_SQL);
    json_t *list = json_array();
    int64_t total = 0;

    store_bind_i64(q, 1, number);
    for (; store_step(q) == VS_OK; total++)
        if (total < 500)
            json_array_append_new(list, timeline_item_json(q));
    store_done(q);
    *ret_total = total;
    return list;
}

/* ---- vehicles */

/* Events of a vehicle: the most that any one alert saw, because alerts of different rules share events. */
static const char VEHICLES_SQL[] =
    "SELECT vid, max(model), max(hardware), max(sw_version), max(region), max(events), min(first_us), max(last_us), "
    "max(motion) FROM (SELECT v.alert AS alert, v.vid AS vid, max(v.model) AS model, max(v.hardware) AS hardware, "
    "max(v.sw_version) AS sw_version, max(v.region) AS region, sum(v.events) AS events, min(v.first_us) AS first_us, "
    "max(v.last_us) AS last_us, max(v.motion) AS motion FROM incident_alert ia JOIN alert a ON a.id = ia.alert "
    "JOIN alert_vehicle v ON v.alert = a.id WHERE ia.incident = ? AND a.superseded_by IS NULL GROUP BY v.alert, v.vid) "
    "x "
    "GROUP BY vid ORDER BY 6 DESC, vid LIMIT ? OFFSET ?";

static int64_t count_vehicles(struct store *st, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT count(DISTINCT v.vid) FROM incident_alert ia JOIN alert a ON a.id = ia.alert "
                          "JOIN alert_vehicle v ON v.alert = a.id WHERE ia.incident = ? AND a.superseded_by IS NULL");

    store_bind_i64(q, 1, number);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

json_t *parts_vehicles(struct store *st, int64_t number, int64_t from, int64_t limit, int64_t *ret_total)
{
    struct store_stmt *q = store_prepare(st, VEHICLES_SQL);
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    store_bind_i64(q, 2, limit);
    store_bind_i64(q, 3, from);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:s}", "vid", json_column(q, 0),
                                              "model", json_column(q, 1), "hardware", json_column(q, 2), "sw_version",
                                              json_column(q, 3), "region", json_column(q, 4), "events",
                                              (json_int_t)store_i64(q, 5), "first", json_time(store_i64(q, 6)), "last",
                                              json_time(store_i64(q, 7)), "motion", motion_code(store_i64(q, 8))));
    store_done(q);
    *ret_total = count_vehicles(st, number);
    return list;
}

/* ---- similar incidents */

#define SIMILAR_MAX 20

/* Those with the same signature, then of the same vehicle, then of the same rule: three lists of the newest, each by
 * its index. The same incident may come several times; the first time counts. */
#define SIMILAR_BY(where_, because_)                                                                                   \
    "SELECT * FROM (SELECT o.number, o.title, o.severity, o.stage, o.disposition, o.vehicles, o.last_us, " because_    \
    " AS because FROM incident o WHERE " where_ " AND o.number <> ?1 AND o.merged_into IS NULL "                       \
    "ORDER BY o.last_us DESC LIMIT 20) x"
static const char SIMILAR_SQL[] =
    SIMILAR_BY("o.signature = (SELECT signature FROM incident WHERE number = ?1)", "0") " UNION ALL " SIMILAR_BY(
        "o.vid = (SELECT vid FROM incident WHERE number = ?1) AND o.vehicles = 1",
        "1") " UNION ALL " SIMILAR_BY("o.rule = (SELECT rule FROM incident WHERE number = ?1)",
                                      "2") " ORDER BY 8, 7 DESC, 1 DESC";

static json_t *similar_json(struct store_stmt *q)
{
    static const char *const BECAUSE[] = {"signature", "vehicle", "rule"};
    char id[INCIDENT_ID_SIZE];
    int64_t stage = store_i64(q, 3), d = store_i64(q, 4), because = store_i64(q, 7);

    incident_id_text(store_i64(q, 0), id);
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:I, s:o, s:s}", "id", id, "title", json_column(q, 1), "severity",
                     alert_severity_code(store_i64(q, 2)), "stage", stage_code((enum stage)stage), "disposition",
                     d > 0 && d < DISPOSITION_COUNT ? json_string(disposition_code((enum disposition)d)) : json_null(),
                     "vehicles", (json_int_t)store_i64(q, 5), "last", json_time(store_i64(q, 6)), "because",
                     BECAUSE[because >= 0 && because <= 2 ? because : 2]);
}

json_t *parts_similar(struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(st, SIMILAR_SQL);
    json_t *list = json_array();
    int64_t seen[SIMILAR_MAX];

    store_bind_i64(q, 1, number);
    while (json_array_size(list) < SIMILAR_MAX && store_step(q) == VS_OK) {
        size_t i = 0, count = json_array_size(list);
        while (i < count && seen[i] != store_i64(q, 0))
            i++;
        if (i < count)
            continue;
        seen[count] = store_i64(q, 0);
        json_array_append_new(list, similar_json(q));
    }
    store_done(q);
    return list;
}

/* ---- what the vehicles have in common, and other lists */

json_t *parts_distinct(struct store *st, int64_t number, enum parts_what what)
{
    static const char *const SQL[] = {
        [PARTS_ECU] = "SELECT DISTINCT m.ecu FROM incident_alert ia JOIN alert_member m ON m.alert = ia.alert "
                      "WHERE ia.incident = ? AND m.ecu <> '' ORDER BY 1 LIMIT 200",
        [PARTS_BUS] = "SELECT DISTINCT m.bus FROM incident_alert ia JOIN alert_member m ON m.alert = ia.alert "
                      "WHERE ia.incident = ? AND m.bus <> '' ORDER BY 1 LIMIT 200",
        [PARTS_SW_VERSION] =
            "SELECT DISTINCT v.sw_version FROM incident_alert ia JOIN alert_vehicle v "
            "ON v.alert = ia.alert WHERE ia.incident = ? AND v.sw_version IS NOT NULL ORDER BY 1 LIMIT 200"};
    struct store_stmt *q = store_prepare(st, SQL[what]);
    json_t *list = json_array();

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_column(q, 0));
    store_done(q);
    return list;
}

#define ATTRIBUTES 4

/* For an attribute of the affected vehicles: its commonest value, on how many, and of how many it is known. */
static const struct {
    const char *name, *affected, *fleet;
} ATTRIBUTE[ATTRIBUTES] = {
#define AFFECTED(column_)                                                                                              \
    "SELECT " column_ ", count(DISTINCT v.vid) FROM incident_alert ia JOIN alert_vehicle v ON v.alert = ia.alert "     \
    "WHERE ia.incident = ? AND " column_ " IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    {"model", AFFECTED("v.model"), "SELECT count(*) FROM vehicle WHERE model = ?"},
    {"hardware", AFFECTED("v.hardware"), "SELECT count(*) FROM vehicle WHERE hardware = ?"},
    {"region", AFFECTED("v.region"), "SELECT count(*) FROM vehicle WHERE region = ?"},
    {"sw_version", AFFECTED("v.sw_version"),
     "SELECT count(*) FROM vehicle_software s WHERE s.component = '' AND s.software = ? AND NOT EXISTS (SELECT 1 FROM "
     "vehicle_software n WHERE n.vid = s.vid AND n.component = '' AND (n.from_us > s.from_us OR (n.from_us = s.from_us "
     "AND n.recorded_us > s.recorded_us)))"},
};

static int64_t count_with(struct store *st, const char *sql, struct slice value)
{
    struct store_stmt *q = store_prepare(st, sql);

    store_bind_text(q, 1, value);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

json_t *parts_shared(struct store *st, int64_t number)
{
    struct store_stmt *all = store_prepare(st, "SELECT count(*) FROM vehicle");
    int64_t fleet = store_step(all) == VS_OK ? store_i64(all, 0) : 0, affected = count_vehicles(st, number);
    json_t *list = json_array();

    store_done(all);
    for (int i = 0; i < ATTRIBUTES; i++) {
        struct store_stmt *q = store_prepare(st, ATTRIBUTE[i].affected);
        store_bind_i64(q, 1, number);
        if (store_step(q) == VS_OK)
            json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "attribute", ATTRIBUTE[i].name,
                                                  "value", json_column(q, 0), "affected", (json_int_t)store_i64(q, 1),
                                                  "affected_total", (json_int_t)affected, "fleet",
                                                  (json_int_t)count_with(st, ATTRIBUTE[i].fleet, store_text(q, 0)),
                                                  "fleet_total", (json_int_t)fleet));
        store_done(q);
    }
    return list;
}

/* ECUs of the first vehicle, as of the incident's last event. */
json_t *parts_configuration(struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(st, "SELECT vid, last_us FROM incident WHERE number = ? AND vid IS NOT NULL");
    json_t *list = NULL;
    char vid[VID_TEXT_SIZE];

    store_bind_i64(q, 1, number);
    bool found = store_step(q) == VS_OK && slice_to_str(store_text(q, 0), vid, sizeof vid);
    int64_t last_us = found ? store_i64(q, 1) : 0;
    store_done(q);
    if (found)
        list = vehicle_ecus(st, vid, last_us);
    return list != NULL ? list : json_array();
}
