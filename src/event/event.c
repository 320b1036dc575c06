#include "event/event.h"

#include <assert.h>

#include "core/timestamp.h"
#include "core/utf8.h"

void event_init(struct event *ev, uint16_t type, int64_t time_us)
{
    const struct ev_type_info *info = ev_type_find(type);

    assert(info != NULL);
    memset(ev, 0, offsetof(struct event, field));
    ev->type = type;
    ev->first_us = time_us;
    ev->last_us = time_us;
    ev->count = 1;
    ev->priority = info->priority;
}

const struct ev_field *event_get(const struct event *ev, enum ev_field_id id)
{
    for (unsigned i = 0; i < ev->field_count; i++)
        if (ev->field[i].id == id)
            return &ev->field[i];
    return NULL;
}

static struct ev_field *event_place(struct event *ev, enum ev_field_id id)
{
    assert(ev_field_find((uint8_t)id) != NULL);
    for (unsigned i = 0; i < ev->field_count; i++)
        if (ev->field[i].id == id)
            return &ev->field[i];
    assert(ev->field_count < EV_FIELDS_MAX);
    struct ev_field *f = &ev->field[ev->field_count++];
    f->id = (uint8_t)id;
    return f;
}

void event_set_uint(struct event *ev, enum ev_field_id id, uint64_t v)
{
    struct ev_field *f = event_place(ev, id);

    assert(ev_field_find(f->id)->kind == EV_KIND_UINT);
    f->value.u = v;
}

void event_set_int(struct event *ev, enum ev_field_id id, int64_t v)
{
    struct ev_field *f = event_place(ev, id);

    assert(ev_field_find(f->id)->kind == EV_KIND_INT);
    f->value.i = v;
}

void event_set_bool(struct event *ev, enum ev_field_id id, bool v)
{
    struct ev_field *f = event_place(ev, id);

    assert(ev_field_find(f->id)->kind == EV_KIND_BOOL);
    f->value.u = v;
}

void event_set_text(struct event *ev, enum ev_field_id id, struct slice s)
{
    struct ev_field *f = event_place(ev, id);

    assert(ev_field_find(f->id)->kind >= EV_KIND_TEXT);
    f->value.s = s;
}

static enum vs_err check_value(const struct ev_field *f, const struct ev_field_info *info)
{
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        return f->value.u <= info->max ? VS_OK : VS_ERR_RANGE;
    case EV_KIND_INT:
        return f->value.i >= info->min && (f->value.i < 0 || (uint64_t)f->value.i <= info->max) ? VS_OK : VS_ERR_RANGE;
    case EV_KIND_BOOL:
        return f->value.u <= 1 ? VS_OK : VS_ERR_RANGE;
    case EV_KIND_TEXT:
        if (f->value.s.len > EV_TEXT_LEN_MAX)
            return VS_ERR_LIMIT;
        return utf8_valid(f->value.s) ? VS_OK : VS_ERR_MALFORMED;
    case EV_KIND_BYTES:
        return f->value.s.len <= EV_TEXT_LEN_MAX ? VS_OK : VS_ERR_LIMIT;
    }
    return VS_ERR_MALFORMED;
}

/* Bit i of the result: the type's field i is there. Fails on a field that does not belong to the type. */
static enum vs_err check_fields(const struct event *ev, const struct ev_type_info *type, uint32_t *ret_present,
                                uint8_t *ret_field)
{
    uint32_t present = 0;

    for (unsigned i = 0; i < ev->field_count; i++) {
        const struct ev_field *f = &ev->field[i];
        const struct ev_field_info *info = ev_field_find(f->id);
        unsigned at = 0;

        *ret_field = f->id;
        while (at < type->field_count && type->field[at] != f->id)
            at++;
        if (info == NULL || at == type->field_count)
            return VS_ERR_MALFORMED;
        enum vs_err err = check_value(f, info);
        if (err != VS_OK)
            return err;
        present |= UINT32_C(1) << at;
    }
    *ret_present = present;
    return VS_OK;
}

static bool texts_fit(const struct event *ev)
{
    const struct slice *part[] = {&ev->ecu, &ev->sensor, &ev->bus};

    for (unsigned i = 0; i < 3; i++)
        if (part[i]->len > EV_TEXT_LEN_MAX || !utf8_valid(*part[i]))
            return false;
    return true;
}

enum vs_err event_validate(const struct event *ev, uint8_t *ret_field)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    uint8_t where = EV_F_NONE;
    uint32_t present = 0;
    enum vs_err err = VS_OK;

    if (type == NULL)
        err = VS_ERR_UNKNOWN_TYPE;
    else if (ev->count < 1 || ev->first_us < 0 || ev->last_us < ev->first_us || ev->last_us > TIMESTAMP_US_MAX ||
             ev->priority > EV_PRIORITY_CRITICAL || ev->trust > EV_TRUST_SUSPECT)
        err = VS_ERR_RANGE;
    else if (!texts_fit(ev))
        err = VS_ERR_MALFORMED;
    else
        err = check_fields(ev, type, &present, &where);
    if (err == VS_OK && (present & type->required) != type->required) {
        uint32_t absent = type->required & ~present;
        unsigned at = 0;

        while ((absent >> at & 1) == 0)
            at++;
        where = type->field[at];
        err = VS_ERR_MALFORMED;
    }
    if (err != VS_OK && ret_field != NULL)
        *ret_field = where;
    return err;
}

static void put_part(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        writer_u8(w, s.ptr[i] < 0x20 || s.ptr[i] == '|' || s.ptr[i] == 0x7F ? '_' : s.ptr[i]);
}

static void put_hex_number(struct writer *w, uint64_t v, unsigned digits_min)
{
    unsigned digits = digits_min;

    while (digits < 16 && v >> (4 * digits) != 0)
        digits++;
    writer_text(w, "0x");
    for (unsigned i = digits; i > 0; i--)
        writer_u8(w, (uint8_t) "0123456789ABCDEF"[v >> (4 * (i - 1)) & 15]);
}

static void put_field_part(struct writer *w, const struct event *ev, uint8_t id)
{
    const struct ev_field *f = id == EV_F_NONE ? NULL : event_get(ev, (enum ev_field_id)id);

    if (f == NULL)
        return;
    const struct ev_field_info *info = ev_field_find(id);
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
    case EV_KIND_BOOL:
        if (info->hex_digits > 0)
            put_hex_number(w, f->value.u, info->hex_digits);
        else
            writer_u64_text(w, f->value.u);
        break;
    case EV_KIND_INT:
        if (info->hex_digits > 0 && f->value.i >= 0)
            put_hex_number(w, (uint64_t)f->value.i, info->hex_digits);
        else
            writer_fixed_text(w, f->value.i, info->decimals);
        break;
    case EV_KIND_TEXT:
        put_part(w, f->value.s);
        break;
    case EV_KIND_BYTES:
        writer_hex(w, slice_head(f->value.s, 64), false);
        break;
    }
}

void event_signature(const struct event *ev, struct writer *w)
{
    const struct ev_type_info *type = ev_type_find(ev->type);

    assert(type != NULL);
    writer_text(w, type->signature_label);
    writer_u8(w, '|');
    put_field_part(w, ev, type->signature_subject);
    writer_u8(w, '|');
    put_field_part(w, ev, type->signature_detail);
}
