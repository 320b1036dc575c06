#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/event_json_api.h"
#include "event/event_json.h"
#include "store/alert_store.h"

/* The largest whole number that every JSON reader keeps exactly. */
#define EXACT_MAX  INT64_C(9007199254740992)
#define VALUE_SIZE 2048

static bool is_position(uint8_t id)
{
    return id == EV_F_LAT || id == EV_F_LON;
}

/* Tenths of a degree: some ten kilometres. */
static json_t *rounded(int64_t fixed7)
{
    int64_t half = fixed7 < 0 ? -500000 : 500000;

    return json_real((double)((fixed7 + half) / 1000000) / 10);
}

/* The field as event_json writes it, which is the form people know; whole numbers that JSON readers would round travel
 * as text. */
static json_t *field_json(const struct ev_field *f, bool exact_position)
{
    char buf[VALUE_SIZE];
    struct writer w;

    if (is_position(f->id) && !exact_position)
        return rounded(f->value.i);
    writer_init(&w, buf, sizeof buf);
    event_json_value(f, &w);
    json_t *v = w.full ? NULL : json_loadb(buf, w.len, JSON_DECODE_ANY, NULL);
    if (json_is_integer(v) && (json_integer_value(v) > EXACT_MAX || json_integer_value(v) < -EXACT_MAX)) {
        json_decref(v);
        v = NULL;
    }
    return v != NULL ? v : json_slice(writer_slice(&w));
}

static json_t *fields_json(const struct event *ev, bool exact_position)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < ev->field_count; i++) {
        const struct ev_field_info *info = ev_field_find(ev->field[i].id);
        if (info != NULL)
            json_object_set_new(o, info->name, field_json(&ev->field[i], exact_position));
    }
    return o;
}

static const char *priority_code(uint8_t priority)
{
    return priority == EV_PRIORITY_CRITICAL ? "critical" : priority == EV_PRIORITY_MEDIUM ? "medium" : "low";
}

static const char *trust_code(uint8_t trust)
{
    return trust == EV_TRUST_TRUSTED ? "trusted" : trust == EV_TRUST_REPAIRED ? "repaired" : "distrusted";
}

json_t *event_api_json(const struct event *ev, const struct normalised *no, bool exact_position)
{
    char id[64], vid[VID_TEXT_SIZE], signature[EV_SIGNATURE_MAX];
    struct writer w;
    const struct ev_type_info *type = ev_type_find(ev->type);
    bool aggregated = ev->count > 1;
    json_t *o = json_object();

    snprintf(id, sizeof id, "%" PRIu32 "-%" PRIu64 "-%" PRIu32, no->partition, no->offset, no->index);
    alert_vid_text(ev->vid, vid);
    writer_init(&w, signature, sizeof signature);
    event_signature(ev, &w);
    json_object_set_new(o, "id", json_string(id));
    json_object_set_new(o, "vid", json_string(vid));
    json_object_set_new(o, "type", json_string(type != NULL ? type->name : "unknown"));
    json_object_set_new(o, "priority", json_string(priority_code(ev->priority)));
    json_object_set_new(o, "time", json_time(ev->first_us));
    json_object_set_new(o, "time_trust", json_string(trust_code(ev->trust)));
    json_object_set_new(o, "received", json_time(no->received_us));
    json_object_set_new(o, "count", json_integer(ev->count));
    json_object_set_new(o, "first", aggregated ? json_time(ev->first_us) : json_null());
    json_object_set_new(o, "last", aggregated ? json_time(ev->last_us) : json_null());
    json_object_set_new(o, "seq", json_integer((json_int_t)ev->seq));
    json_object_set_new(o, "epoch", json_integer(ev->epoch));
    json_object_set_new(o, "ecu", json_slice_or_null(ev->ecu));
    json_object_set_new(o, "bus", json_slice_or_null(ev->bus));
    json_object_set_new(o, "sensor", json_slice_or_null(ev->sensor));
    json_object_set_new(o, "signature", json_slice_or_null(writer_slice(&w)));
    json_object_set_new(o, "model", json_slice_or_null(no->model));
    json_object_set_new(o, "sw_version", json_slice_or_null(no->sw_version));
    json_object_set_new(o, "region", json_slice_or_null(no->region));
    json_object_set_new(o, "fields", fields_json(ev, exact_position));
    return o;
}
