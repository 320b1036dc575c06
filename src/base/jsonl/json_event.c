#include "base/jsonl/json_event.h"

#include <math.h>

#include "core/hex.h"
#include "core/timestamp.h"

static const char *const PRIORITY[] = {"low", "medium", "critical"};
static const char *const TRUST[] = {"trusted", "repaired", "suspect"};

/* ---- values */

static bool as_uint(const struct json_field *f, uint64_t max, uint64_t *ret)
{
    uint64_t v;

    if (f->kind == JSON_INT && f->value.i >= 0)
        v = (uint64_t)f->value.i;
    else if (f->kind == JSON_UINT)
        v = f->value.u;
    else
        return false;
    if (v > max)
        return false;
    *ret = v;
    return true;
}

/* "0x1A" and decimal texts, for tools that write identifiers and 64-bit numbers as text. */
static bool text_as_uint(struct slice s, uint64_t *ret)
{
    bool hex = s.len > 2 && s.ptr[0] == '0' && (s.ptr[1] | 0x20) == 'x';
    uint64_t base = hex ? 16 : 10, v = 0;

    if (hex)
        s = slice_from(s, 2);
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = hex_digit(s.ptr[i]);
        if (digit < 0 || (uint64_t)digit >= base || v > (UINT64_MAX - (uint64_t)digit) / base)
            return false;
        v = v * base + (uint64_t)digit;
    }
    *ret = v;
    return true;
}

static bool as_time(const struct json_field *f, int64_t *ret)
{
    if (f->kind == JSON_TEXT)
        return timestamp_parse(f->value.s, ret);
    if (f->kind != JSON_INT || f->value.i < 0 || f->value.i > TIMESTAMP_US_MAX)
        return false;
    *ret = f->value.i;
    return true;
}

static bool as_name(const struct json_field *f, const char *const *name, uint8_t count, uint8_t *ret)
{
    for (uint8_t i = 0; f->kind == JSON_TEXT && i < count; i++)
        if (slice_equal_str(f->value.s, name[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static bool as_text(const struct json_field *f, struct slice *ret)
{
    if (f->kind != JSON_TEXT || f->value.s.len > EV_TEXT_LEN_MAX)
        return false;
    *ret = f->value.s;
    return true;
}

/* Units of 10^-decimals, rounded to the nearest. */
static bool as_fixed(const struct json_field *f, unsigned decimals, int64_t *ret)
{
    double scale = 1, v;

    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    if (f->kind == JSON_INT)
        v = (double)f->value.i;
    else if (f->kind == JSON_DOUBLE)
        v = f->value.d;
    else
        return false;
    v = round(v * scale);
    if (!(v >= -9.2e18 && v <= 9.2e18))
        return false;
    *ret = (int64_t)v;
    return true;
}

static bool as_int(const struct json_field *f, unsigned decimals, int64_t *ret)
{
    uint64_t u;

    if (decimals > 0)
        return as_fixed(f, decimals, ret);
    if (f->kind == JSON_INT) {
        *ret = f->value.i;
        return true;
    }
    if (f->kind != JSON_TEXT || f->value.s.len == 0)
        return false;
    bool minus = f->value.s.ptr[0] == '-';
    if (!text_as_uint(slice_from(f->value.s, minus), &u) || u > (uint64_t)INT64_MAX)
        return false;
    *ret = minus ? -(int64_t)u : (int64_t)u;
    return true;
}

static bool take_field(const struct json_field *f, uint8_t id, const struct ev_field_info *info, uint8_t *bytes,
                       struct ev_field *ret)
{
    ret->id = id;
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        if (f->kind == JSON_TEXT)
            return text_as_uint(f->value.s, &ret->value.u);
        return as_uint(f, UINT64_MAX, &ret->value.u);
    case EV_KIND_INT:
        return as_int(f, info->decimals, &ret->value.i);
    case EV_KIND_BOOL:
        ret->value.u = f->value.b;
        return f->kind == JSON_BOOL;
    case EV_KIND_TEXT:
        return as_text(f, &ret->value.s);
    case EV_KIND_BYTES:
        if (f->kind != JSON_TEXT || f->value.s.len > 2 * EV_TEXT_LEN_MAX || f->value.s.len % 2 != 0)
            return false;
        ret->value.s = slice_make(bytes, f->value.s.len / 2);
        return hex_read(f->value.s, bytes, f->value.s.len / 2);
    }
    return false;
}

/* ---- keys */

enum common_key {
    KEY_VIN,
    KEY_TIME,
    KEY_LAST,
    KEY_TYPE,
    KEY_EPOCH,
    KEY_SEQ,
    KEY_COUNT,
    KEY_PRIORITY,
    KEY_TRUST,
    KEY_ECU,
    KEY_SENSOR,
    KEY_BUS,
    KEY_NAMES
};
static const char *const KEY_NAME[KEY_NAMES] = {"vin",   "time",     "last",  "type", "epoch",  "seq",
                                                "count", "priority", "trust", "ecu",  "sensor", "bus"};

struct reading {
    struct event *ev;
    struct slice vehicle;
    bool has_time, has_last, has_priority;
};

static bool take_common(const struct json_field *f, enum common_key key, struct reading *r)
{
    struct event *ev = r->ev;
    uint64_t v = 0;

    switch (key) {
    case KEY_VIN:
        return as_text(f, &r->vehicle);
    case KEY_TIME:
        r->has_time = as_time(f, &ev->first_us);
        return r->has_time;
    case KEY_LAST:
        r->has_last = as_time(f, &ev->last_us);
        return r->has_last;
    case KEY_EPOCH:
        if (!as_uint(f, UINT32_MAX, &v))
            return false;
        ev->epoch = (uint32_t)v;
        return true;
    case KEY_SEQ:
        return as_uint(f, INT64_MAX, &ev->seq);
    case KEY_COUNT:
        if (!as_uint(f, EV_COUNT_MAX, &v) || v < 1)
            return false;
        ev->count = (uint32_t)v;
        return true;
    case KEY_PRIORITY:
        r->has_priority = as_name(f, PRIORITY, 3, &ev->priority);
        return r->has_priority;
    case KEY_TRUST:
        return as_name(f, TRUST, 3, &ev->trust);
    case KEY_ECU:
        return as_text(f, &ev->ecu);
    case KEY_SENSOR:
        return as_text(f, &ev->sensor);
    case KEY_BUS:
        return as_text(f, &ev->bus);
    case KEY_TYPE:
    case KEY_NAMES:
        break;
    }
    return true;
}

static enum common_key find_key(struct slice name)
{
    unsigned i = 0;

    while (i < KEY_NAMES && !slice_equal_str(name, KEY_NAME[i]))
        i++;
    return (enum common_key)i;
}

static const struct ev_type_info *find_type(const struct json_object *o)
{
    for (uint32_t i = 0; i < o->field_count; i++) {
        if (o->field[i].kind != JSON_TEXT || !slice_equal_str(o->field[i].name, "type"))
            continue;
        for (unsigned t = 0; t < EV_TYPE_COUNT; t++)
            if (slice_equal_str(o->field[i].value.s, ev_type_at(t)->name))
                return ev_type_at(t);
    }
    return NULL;
}

/* The type's own field of that name; EV_F_NONE when it has none. */
static uint8_t find_field(const struct ev_type_info *type, struct slice name)
{
    for (unsigned i = 0; type != NULL && i < type->field_count; i++)
        if (slice_equal_str(name, ev_field_find(type->field[i])->name))
            return type->field[i];
    return EV_F_NONE;
}

static bool take_key(const struct json_field *f, const struct ev_type_info *type, uint8_t (*bytes)[EV_TEXT_LEN_MAX],
                     struct reading *r)
{
    enum common_key key = find_key(f->name);

    if (f->kind == JSON_NULL)
        return true;
    if (key != KEY_NAMES)
        return take_common(f, key, r);
    uint8_t id = find_field(type, f->name);
    if (id == EV_F_NONE)
        return true;
    if (r->ev->field_count == EV_FIELDS_MAX || event_get(r->ev, (enum ev_field_id)id) != NULL)
        return false;
    unsigned at = r->ev->field_count;
    if (!take_field(f, id, ev_field_find(id), bytes[at], &r->ev->field[at]))
        return false;
    r->ev->field_count++;
    return true;
}

enum vs_err json_event_read(const struct json_object *o, uint8_t bytes[EV_FIELDS_MAX][EV_TEXT_LEN_MAX],
                            struct json_event *ret, const char **ret_reason, struct slice *ret_name)
{
    const struct ev_type_info *type = find_type(o);
    struct reading r = {.ev = &ret->ev};
    enum vs_err err = VS_OK;

    memset(&ret->ev, 0, offsetof(struct event, field));
    ret->ev.count = 1;
    *ret_name = slice_make("", 0);
    for (uint32_t i = 0; i < o->field_count; i++)
        if (!take_key(&o->field[i], type, bytes, &r) && err == VS_OK) {
            err = VS_ERR_MALFORMED;
            *ret_reason = "a value does not fit its key";
            *ret_name = o->field[i].name;
        }
    ret->vehicle = r.vehicle;
    if (type == NULL) {
        *ret_reason = "the key type is missing or names no known event type";
        *ret_name = slice_str("type");
        return VS_ERR_UNKNOWN_TYPE;
    }
    if (err == VS_OK && !r.has_time) {
        *ret_reason = "the key time is missing";
        *ret_name = slice_str("time");
        return VS_ERR_MALFORMED;
    }
    ret->ev.type = type->id;
    if (!r.has_last)
        ret->ev.last_us = ret->ev.first_us;
    if (!r.has_priority)
        ret->ev.priority = type->priority;
    return err;
}
