#include "event/event_json.h"

#include <assert.h>

#include "core/timestamp.h"

static const char *const PRIORITY_NAME[] = {"low", "medium", "critical"};
static const char *const TRUST_NAME[] = {"trusted", "repaired", "suspect"};

static void put_key(struct writer *w, const char *key)
{
    writer_text(w, ",\"");
    writer_text(w, key);
    writer_text(w, "\":");
}

static void put_text(struct writer *w, const char *key, struct slice s)
{
    if (s.len == 0)
        return;
    put_key(w, key);
    writer_json_text(w, s);
}

static void put_time(struct writer *w, const char *key, int64_t us)
{
    put_key(w, key);
    writer_u8(w, '"');
    timestamp_write(w, us);
    writer_u8(w, '"');
}

static void put_number(struct writer *w, const char *key, uint64_t v)
{
    put_key(w, key);
    writer_u64_text(w, v);
}

void event_json_value(const struct ev_field *f, struct writer *w)
{
    const struct ev_field_info *info = ev_field_find(f->id);

    assert(info != NULL);
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        writer_u64_text(w, f->value.u);
        break;
    case EV_KIND_INT:
        writer_fixed_text(w, f->value.i, info->decimals);
        break;
    case EV_KIND_BOOL:
        writer_text(w, f->value.u != 0 ? "true" : "false");
        break;
    case EV_KIND_TEXT:
        writer_json_text(w, f->value.s);
        break;
    case EV_KIND_BYTES:
        writer_u8(w, '"');
        writer_hex(w, f->value.s, false);
        writer_u8(w, '"');
        break;
    }
}

static void put_signature(const struct event *ev, struct writer *w)
{
    char text[EV_SIGNATURE_MAX];
    struct writer sig;

    writer_init(&sig, text, sizeof text);
    event_signature(ev, &sig);
    put_text(w, "signature", writer_slice(&sig));
}

void event_json_write(const struct event *ev, struct slice vehicle, struct slice extra, struct writer *w)
{
    const struct ev_type_info *type = ev_type_find(ev->type);

    assert(type != NULL && ev->priority <= EV_PRIORITY_CRITICAL && ev->trust <= EV_TRUST_SUSPECT);
    writer_text(w, "{\"vin\":");
    writer_json_text(w, vehicle);
    put_time(w, "time", ev->first_us);
    if (ev->last_us != ev->first_us)
        put_time(w, "last", ev->last_us);
    put_text(w, "type", slice_str(type->name));
    if (ev->epoch != 0)
        put_number(w, "epoch", ev->epoch);
    if (ev->seq != 0)
        put_number(w, "seq", ev->seq);
    if (ev->count != 1)
        put_number(w, "count", ev->count);
    put_text(w, "priority", slice_str(PRIORITY_NAME[ev->priority]));
    if (ev->trust != EV_TRUST_TRUSTED)
        put_text(w, "trust", slice_str(TRUST_NAME[ev->trust]));
    put_text(w, "ecu", ev->ecu);
    put_text(w, "sensor", ev->sensor);
    put_text(w, "bus", ev->bus);
    put_signature(ev, w);
    for (unsigned i = 0; i < ev->field_count; i++) {
        put_key(w, ev_field_find(ev->field[i].id)->name);
        event_json_value(&ev->field[i], w);
    }
    writer_put(w, extra);
    writer_u8(w, '}');
}
