#include <stdlib.h>

#include "api/call.h"
#include "api/incident_json.h"
#include "respond/silence.h"

const char *motion_code(int64_t motion)
{
    return motion == ALERT_MOTION_MOVING ? "moving" : motion == ALERT_MOTION_PARKED ? "parked" : "unknown";
}

static json_t *disposition_json(int64_t d)
{
    return d > 0 && d < DISPOSITION_COUNT ? json_string(disposition_code((enum disposition)d)) : json_null();
}

static json_t *id_json(int64_t number)
{
    char id[INCIDENT_ID_SIZE];

    incident_id_text(number, id);
    return json_string(id);
}

/* The clock in the row is the one that is due first; when none runs any more there is nothing to show. */
static void add_sla(json_t *o, struct store_stmt *q, int64_t now_us)
{
    int64_t opened_us = store_i64(q, 22), due_us = store_i64(q, 26);
    bool running = !store_is_null(q, 26);

    json_object_set_new(o, "sla_due", json_time_column(q, 26));
    json_object_set_new(o, "sla_state",
                        json_string(sla_state_code(running ? sla_judge(opened_us, due_us, 0, now_us) : SLA_NONE)));
}

json_t *incident_row_json(struct store_stmt *q, int64_t now_us)
{
    json_t *o = json_object();
    int64_t stage = store_i64(q, 4), priority = store_i64(q, 19);

    json_object_set_new(o, "id", id_json(store_i64(q, 0)));
    json_object_set_new(o, "version", json_integer(store_i64(q, 1)));
    json_object_set_new(o, "title", json_column(q, 2));
    json_object_set_new(o, "severity", json_string(alert_severity_code(store_i64(q, 3))));
    json_object_set_new(o, "stage", json_string(stage_code((enum stage)stage)));
    json_object_set_new(o, "disposition", disposition_json(store_i64(q, 5)));
    json_object_set_new(o, "assignee", json_column(q, 6));
    json_object_set_new(o, "rule", json_column(q, 7));
    json_object_set_new(o, "rule_title", json_column(q, 8));
    json_object_set_new(o, "signature", json_column(q, 9));
    json_object_set_new(o, "vid", json_column(q, 10));
    json_object_set_new(o, "vehicles", json_integer(store_i64(q, 11)));
    json_object_set_new(o, "vehicles_48h", json_integer(store_i64(q, 12)));
    json_object_set_new(o, "model", json_column(q, 13));
    json_object_set_new(o, "ecu", json_column(q, 14));
    json_object_set_new(o, "sw_version", json_column(q, 15));
    json_object_set_new(o, "bus", json_column(q, 16));
    json_object_set_new(o, "motion", json_string(motion_code(store_i64(q, 17))));
    json_object_set_new(o, "motion_time", json_time_column(q, 18));
    json_object_set_new(o, "priority", json_real((double)priority / 100));
    json_object_set_new(o, "alerts", json_integer(store_i64(q, 20)));
    json_object_set_new(o, "safety", store_is_null(q, 21) ? json_null() : json_integer(store_i64(q, 21)));
    json_object_set_new(o, "opened", json_time(store_i64(q, 22)));
    json_object_set_new(o, "updated", json_time(store_i64(q, 23)));
    json_object_set_new(o, "first", json_time(store_i64(q, 24)));
    json_object_set_new(o, "last", json_time(store_i64(q, 25)));
    add_sla(o, q, now_us);
    return o;
}

json_t *incident_row_of(struct store *st, int64_t number, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT " INCIDENT_ROW_COLUMNS " FROM incident i WHERE i.number = ?");
    json_t *o = NULL;

    store_bind_i64(q, 1, number);
    if (store_step(q) == VS_OK)
        o = incident_row_json(q, now_us);
    store_done(q);
    return o;
}

int64_t incident_resolve(struct store *st, int64_t number)
{
    /* A merged incident points to one with a row of its own; chains end because each points to one that stayed. */
    for (int hops = 0; hops < 64; hops++) {
        struct store_stmt *q = store_prepare(st, "SELECT merged_into FROM incident WHERE number = ?");
        store_bind_i64(q, 1, number);
        bool found = store_step(q) == VS_OK;
        int64_t into = found ? store_i64(q, 0) : 0;
        store_done(q);
        if (!found)
            return 0;
        if (into == 0)
            return number;
        number = into;
    }
    return 0;
}

static json_t *supersedes_json(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "SELECT old FROM alert_supersedes WHERE id = ? ORDER BY old");
    json_t *list = json_array();

    store_bind_text(q, 1, id);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_slice(store_text(q, 0)));
    store_done(q);
    return list;
}

/* The silence that holds the alert now; null when none does. */
static json_t *silence_of(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "SELECT silence FROM silence_alert WHERE alert = ? AND ended_us IS NULL");
    char text[SILENCE_ID_SIZE];

    store_bind_text(q, 1, id);
    bool held = store_step(q) == VS_OK;
    silence_id_text(held ? store_i64(q, 0) : 0, text);
    store_done(q);
    return held ? json_string(text) : json_null();
}

/* The peak is the text that detection wrote; as JSON it is a number. */
static json_t *peak_json(struct slice text)
{
    char buf[64];
    json_t *v = slice_to_str(text, buf, sizeof buf) ? json_loads(buf, JSON_DECODE_ANY, NULL) : NULL;

    if (json_is_number(v))
        return v;
    json_decref(v);
    return json_integer(0);
}

json_t *alert_json(struct store *st, const struct alert_row *row)
{
    json_t *o = json_object();
    json_t *group = json_loadb((const char *)row->group_json.ptr, row->group_json.len, 0, NULL);

    json_object_set_new(o, "id", json_slice(row->id));
    json_object_set_new(o, "rule", json_slice(row->rule));
    json_object_set_new(o, "title", json_slice(row->title));
    json_object_set_new(o, "severity", json_string(alert_severity_code(row->severity)));
    json_object_set_new(o, "group", group != NULL ? group : json_object());
    json_object_set_new(o, "first", json_time(row->first_us));
    json_object_set_new(o, "last", json_time(row->last_us));
    json_object_set_new(o, "count", json_integer(row->count));
    json_object_set_new(o, "peak", peak_json(row->peak));
    json_object_set_new(o, "vehicles", json_integer(row->vehicles));
    json_object_set_new(o, "state", json_string(alert_state_code(row->state)));
    json_object_set_new(o, "late", json_boolean(row->late != 0));
    json_object_set_new(o, "supersedes", supersedes_json(st, row->id));
    json_object_set_new(o, "incident", row->incident != 0 ? id_json(row->incident) : json_null());
    json_object_set_new(o, "silence", silence_of(st, row->id));
    return o;
}
