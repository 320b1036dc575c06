#include "detect/sigma/record.h"

#include "core/timestamp.h"

#include <math.h>
#include <stdlib.h>

static const char *const ENVELOPE[FIELD_SCHEMA] = {"vin",   "time",       "type", "seq",    "epoch",     "count",
                                                   "last",  "ecu",        "bus",  "sensor", "signature", "priority",
                                                   "model", "sw_version", "hw",   "region", "trust",     "received"};
static const char *const PRIORITY[] = {"low", "medium", "critical"};
static const char *const TRUST[] = {"trusted", "repaired", "suspect"};

void fields_init(struct fields *f)
{
    memset(f, 0, sizeof *f);
    intern_init(&f->names, 0);
    intern_init(&f->types, 0);
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        (void)intern_add(&f->types, slice_str(ev_type_at(i)->name));
    for (unsigned i = 0; i < FIELD_SCHEMA; i++)
        (void)fields_add(f, slice_str(ENVELOPE[i]));
    for (unsigned i = 0; i < EV_FIELD_ID_COUNT; i++) {
        const struct ev_field_info *info = ev_field_find((uint8_t)i);
        uint32_t id = fields_add(f, slice_str(info != NULL ? info->name : "?"));
        if (info != NULL && (info->kind == EV_KIND_UINT || info->kind == EV_KIND_INT))
            f->numeric[id] = 1;
    }
    f->numeric[FIELD_SEQ] = f->numeric[FIELD_EPOCH] = f->numeric[FIELD_COUNT] = 1;
}

void fields_done(struct fields *f)
{
    intern_done(&f->names);
    intern_done(&f->types);
    free(f->numeric);
    free(f->hash);
    memset(f, 0, sizeof *f);
}

uint32_t fields_add(struct fields *f, struct slice name)
{
    uint32_t known = intern_find(&f->names, name);

    if (known != INTERN_NONE)
        return known;
    if (f->names.count == FIELDS_MAX)
        return FIELD_NONE;
    if (f->names.count == f->room) {
        f->room = f->room > 0 ? f->room * 2 : 256;
        f->numeric = mem_grow(f->numeric, f->room, sizeof *f->numeric);
        f->hash = mem_grow(f->hash, f->room, sizeof *f->hash);
    }
    uint32_t id = intern_add(&f->names, name);
    f->numeric[id] = 0;
    f->hash[id] = hash_bytes(name, 0);
    return id;
}

uint32_t fields_find(const struct fields *f, struct slice name)
{
    return intern_find(&f->names, name);
}

void record_init(struct record *r, const struct fields *fields)
{
    memset(r, 0, sizeof *r);
    r->fields = fields;
    r->kind = RECORD_KIND_NONE;
    r->val = mem_zalloc(fields->names.count, sizeof *r->val);
    r->set = mem_zalloc(fields->names.count, sizeof *r->set);
    r->names = mem_zalloc(1, sizeof *r->names);
    name_cache_init(r->names);
    arena_init(&r->scratch);
}

void record_done(struct record *r)
{
    free(r->names);
    free(r->val);
    free(r->set);
    free(r->extra);
    arena_done(&r->scratch);
    memset(r, 0, sizeof *r);
}

static void start(struct record *r)
{
    for (uint32_t i = 0; i < r->set_count; i++)
        r->val[r->set[i]].kind = VAL_NONE;
    r->set_count = 0;
    r->extra_count = 0;
    r->loose = 0;
    arena_reset(&r->scratch);
    r->vehicle = r->type = r->service = slice_str("");
    r->first_us = r->last_us = r->received_us = 0;
    r->count = 1;
    r->epoch = 0;
    r->seq = 0;
    r->has_seq = r->has_received = false;
    r->time_trusted = true;
    r->kind = RECORD_KIND_NONE;
    r->content.hi = r->content.lo = 0;
}

static struct val *new_extra(struct record *r, uint32_t *ret_index)
{
    if (r->extra_count == r->extra_room) {
        r->extra_room = r->extra_room > 0 ? r->extra_room * 2 : 64;
        r->extra = mem_grow(r->extra, r->extra_room, sizeof *r->extra);
    }
    *ret_index = r->extra_count++;
    return &r->extra[*ret_index];
}

/* Sums are independent of the order of the keys, so no sorting is needed to compare contents. */
static void add_content(struct record *r, uint64_t name_hash, const struct val *v)
{
    struct hash128 h = val_hash(v, name_hash);

    r->content.hi += h.hi;
    r->content.lo += h.lo;
}

/* False when the field has a value already and this is not one more of an array. */
static bool set_field(struct record *r, uint32_t id, const struct val *v)
{
    struct val *at = &r->val[id];
    uint32_t index;

    if (at->kind == VAL_NONE) {
        *at = *v;
        r->set[r->set_count++] = id;
        return true;
    }
    if (!at->element || !v->element)
        return false;
    struct val *more = new_extra(r, &index);
    *more = *v;
    while (at->more != 0)
        at = &r->extra[at->more - 1];
    at->more = index + 1;
    return true;
}

static void set_loose(struct record *r, const struct val *v)
{
    uint32_t index;
    struct val *more = new_extra(r, &index);

    *more = *v;
    more->more = r->loose;
    r->loose = index + 1;
}

static struct val text_value(struct slice s)
{
    struct val v = {.kind = VAL_TEXT, .has_text = true};

    v.text = s.len > 0 ? s : slice_str("");
    return v;
}

/* Written field by field into its place: a value is large enough that making it elsewhere and copying it shows. */
static void value_of_json(struct val *v, const struct json_field *f)
{
    v->kind = VAL_NULL;
    v->has_text = v->has_fold = false;
    v->element = f->element;
    v->more = 0;
    switch ((enum json_kind)f->kind) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        v->kind = VAL_BOOL;
        v->num.u = 0;
        v->num.b = f->value.b;
        break;
    case JSON_INT:
        v->kind = VAL_INT;
        v->num.i = f->value.i;
        break;
    case JSON_UINT:
        v->kind = VAL_UINT;
        v->num.u = f->value.u;
        break;
    case JSON_DOUBLE:
        v->kind = VAL_DOUBLE;
        v->num.d = f->value.d;
        break;
    case JSON_TEXT:
        v->kind = VAL_TEXT;
        v->has_text = true;
        v->text = f->value.s.len > 0 ? f->value.s : slice_str("");
        break;
    }
}

/* "0x35" in a field of numbers is a number that also has a text. */
static void type_number(struct val *v)
{
    struct val number;

    if (v->kind != VAL_TEXT || !val_parse_number(v->text, &number))
        return;
    v->kind = number.kind;
    v->num = number.num;
}

/* A value of a name that no rule knows: part of what the event says, and of what keywords search. */
static void take_unknown(struct record *r, const struct json_field *f, uint64_t name_hash, bool say)
{
    struct val v;

    if (!say && !r->fields->keywords_used)
        return;
    value_of_json(&v, f);
    if (say)
        add_content(r, name_hash, &v);
    if (r->fields->keywords_used)
        set_loose(r, &v);
}

/* `say`: the content is wanted. */
static bool take_json(struct record *r, const struct json_field *f, bool say, const char **ret_reason)
{
    const struct name_slot *name = name_cache_find(r->names, r->fields, f->name);
    uint32_t id = name->number;
    struct val more;

    if (id == INTERN_NONE) {
        take_unknown(r, f, name->hash, say);
        return true;
    }
    struct val *v = r->val[id].kind == VAL_NONE ? &r->val[id] : &more;
    value_of_json(v, f);
    if (r->fields->numeric[id])
        type_number(v);
    if (say && id != FIELD_RECEIVED)
        add_content(r, name->hash, v);
    if (v != &more) {
        r->set[r->set_count++] = id;
        return true;
    }
    if (set_field(r, id, v))
        return true;
    *ret_reason = "a key stands twice";
    return false;
}

static bool read_time(const struct val *v, int64_t *ret)
{
    if (v->kind == VAL_INT && v->num.i >= 0 && v->num.i <= TIMESTAMP_US_MAX) {
        *ret = v->num.i;
        return true;
    }
    return v->kind == VAL_TEXT && timestamp_parse(v->text, ret);
}

static bool read_uint(const struct val *v, uint64_t max, uint64_t *ret)
{
    if ((v->kind != VAL_INT && v->kind != VAL_UINT) || (v->kind == VAL_INT && v->num.i < 0) || v->num.u > max)
        return false;
    *ret = v->num.u;
    return true;
}

static bool optional_uint(struct record *r, uint32_t field, uint64_t max, uint64_t *ret)
{
    const struct val *v = record_get(r, field);

    return v == NULL || v->kind == VAL_NULL || read_uint(v, max, ret);
}

static bool optional_time(struct record *r, uint32_t field, int64_t *ret)
{
    const struct val *v = record_get(r, field);

    return v == NULL || v->kind == VAL_NULL || read_time(v, ret);
}

static const char *read_envelope(struct record *r)
{
    const struct val *vin = record_get(r, FIELD_VIN);
    const struct val *time = record_get(r, FIELD_TIME);
    const struct val *type = record_get(r, FIELD_TYPE);
    const struct val *trust = record_get(r, FIELD_TRUST);
    uint64_t count = 1;
    uint64_t epoch = 0;

    if (vin == NULL || vin->kind != VAL_TEXT || vin->text.len == 0)
        return "'vin' must be there and be text";
    if (time == NULL || !read_time(time, &r->first_us))
        return "'time' must be there and be RFC 3339 text or integer microseconds";
    if (type == NULL || type->kind != VAL_TEXT || type->text.len == 0)
        return "'type' must be there and be text";
    r->last_us = r->first_us;
    if (!optional_uint(r, FIELD_COUNT, COUNT_MAX, &count) || count == 0)
        return "'count' must be an integer from 1 to 4294967295";
    if (!optional_uint(r, FIELD_EPOCH, UINT32_MAX, &epoch))
        return "'epoch' must be an integer from 0 to 4294967295";
    if (!optional_uint(r, FIELD_SEQ, UINT64_MAX, &r->seq))
        return "'seq' must be an integer from 0";
    if (!optional_time(r, FIELD_LAST, &r->last_us) || r->last_us < r->first_us)
        return "'last' must be a time not before 'time'";
    if (!optional_time(r, FIELD_RECEIVED, &r->received_us))
        return "'received' must be a time";
    r->has_seq = record_get(r, FIELD_SEQ) != NULL && record_get(r, FIELD_SEQ)->kind != VAL_NULL;
    r->has_received = record_get(r, FIELD_RECEIVED) != NULL && record_get(r, FIELD_RECEIVED)->kind != VAL_NULL;
    r->vehicle = vin->text;
    r->type = type->text;
    r->count = (uint32_t)count;
    r->epoch = (uint32_t)epoch;
    r->time_trusted = trust == NULL || trust->kind == VAL_NULL ||
                      (trust->kind == VAL_TEXT && slice_equal_str(trust->text, TRUST[EV_TRUST_TRUSTED]));
    return NULL;
}

static void set_default_text(struct record *r, uint32_t field, struct slice s)
{
    struct val v = text_value(s);

    if (r->val[field].kind == VAL_NONE)
        (void)set_field(r, field, &v);
}

static void set_service(struct record *r)
{
    const uint8_t *dot = r->type.len > 0 ? memchr(r->type.ptr, '.', r->type.len) : NULL;

    r->service = dot != NULL ? slice_make(r->type.ptr, (size_t)(dot - r->type.ptr)) : r->type;
}

static const struct ev_type_info *type_by_name(const struct fields *f, struct slice name)
{
    uint32_t n = intern_find(&f->types, name);

    return n != INTERN_NONE ? ev_type_at(n) : NULL;
}

/* Copies one schema field of the record into an event, so that the signature is built by the one function that knows
 * how. A value that does not fit the schema leaves its part of the signature empty. */
static void copy_field(struct record *r, struct event *ev, uint8_t id)
{
    const struct ev_field_info *info = ev_field_find(id);
    struct val *v = info != NULL ? record_get(r, FIELD_SCHEMA + (uint32_t)id) : NULL;

    if (v == NULL)
        return;
    if (info->kind == EV_KIND_TEXT && v->kind != VAL_NULL)
        event_set_text(ev, (enum ev_field_id)id, slice_head(val_text(v, &r->scratch), EV_TEXT_LEN_MAX));
    else if (info->kind == EV_KIND_BOOL && v->kind == VAL_BOOL)
        event_set_bool(ev, (enum ev_field_id)id, v->num.b);
    else if (info->kind == EV_KIND_UINT && (v->kind == VAL_UINT || (v->kind == VAL_INT && v->num.i >= 0)))
        event_set_uint(ev, (enum ev_field_id)id, v->num.u);
    else if (info->kind == EV_KIND_INT && info->decimals == 0 && v->kind == VAL_INT)
        event_set_int(ev, (enum ev_field_id)id, v->num.i);
    else if (info->kind == EV_KIND_INT && info->decimals > 0 && val_is_number(v) && fabs(val_double(v)) < 1e9)
        event_set_int(ev, (enum ev_field_id)id, llround(val_double(v) * pow(10.0, info->decimals)));
}

static void derive_signature(struct record *r, const struct ev_type_info *type)
{
    struct event ev;
    struct writer w;
    uint8_t *text = arena_alloc(&r->scratch, EV_SIGNATURE_MAX);

    event_init(&ev, type->id, r->first_us);
    copy_field(r, &ev, type->signature_subject);
    copy_field(r, &ev, type->signature_detail);
    writer_init(&w, text, EV_SIGNATURE_MAX);
    event_signature(&ev, &w);
    set_default_text(r, FIELD_SIGNATURE, writer_slice(&w));
}

static void derive(struct record *r)
{
    set_service(r);
    set_default_text(r, FIELD_TRUST, slice_str(TRUST[EV_TRUST_TRUSTED]));
    if (r->val[FIELD_COUNT].kind == VAL_NONE) {
        struct val one = {.kind = VAL_INT};
        one.num.i = 1;
        (void)set_field(r, FIELD_COUNT, &one);
    }
    bool signature = r->fields->signature_used && r->val[FIELD_SIGNATURE].kind == VAL_NONE;
    bool priority = r->fields->priority_used && r->val[FIELD_PRIORITY].kind == VAL_NONE;
    if (!signature && !priority)
        return;
    const struct ev_type_info *type = type_by_name(r->fields, r->type);
    if (type == NULL)
        return;
    if (priority)
        set_default_text(r, FIELD_PRIORITY, slice_str(PRIORITY[type->priority]));
    if (signature)
        derive_signature(r, type);
}

enum vs_err record_from_json(struct record *r, const struct json_object *o, bool envelope, const char **ret_reason)
{
    start(r);
    for (uint32_t i = 0; i < o->field_count; i++)
        if (!take_json(r, &o->field[i], envelope, ret_reason))
            return VS_ERR_MALFORMED;
    if (!envelope) {
        const struct val *type = record_get(r, FIELD_TYPE);
        if (type != NULL && type->kind == VAL_TEXT)
            r->type = type->text;
        set_service(r);
        return VS_OK;
    }
    const char *reason = read_envelope(r);
    if (reason != NULL) {
        *ret_reason = reason;
        return VS_ERR_MALFORMED;
    }
    derive(r);
    return VS_OK;
}

/* What is put into a record made from a struct event: `say` when it is part of what the event says, which its content
 * is a hash of. */
static void put(struct record *r, uint32_t field, const struct val *v, bool say)
{
    if (say)
        add_content(r, r->fields->hash[field], v);
    if (field_set_has(r->wanted, field))
        (void)set_field(r, field, v);
}

static inline bool wanted(const struct record *r, uint32_t field, bool say)
{
    return say || field_set_has(r->wanted, field);
}

static void put_text(struct record *r, uint32_t field, struct slice s, bool say)
{
    if (s.len == 0 || !wanted(r, field, say))
        return;
    struct val v = text_value(s);
    put(r, field, &v, say);
}

static void put_int(struct record *r, uint32_t field, int64_t i, bool say)
{
    struct val v = {.kind = VAL_INT};

    v.num.i = i;
    if (wanted(r, field, say))
        put(r, field, &v, say);
}

static struct slice hex_text(struct record *r, struct slice bytes)
{
    uint8_t *hex = arena_alloc(&r->scratch, 2 * bytes.len + 1);
    struct writer w;

    writer_init(&w, hex, 2 * bytes.len);
    writer_hex(&w, bytes, false);
    return writer_slice(&w);
}

/* A number of the schema with decimals, as the double nearest to it. */
static double scaled(int64_t i, unsigned decimals)
{
    static const double UNIT[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

    return (double)i / (decimals < sizeof UNIT / sizeof UNIT[0] ? UNIT[decimals] : pow(10.0, decimals));
}

static void put_field(struct record *r, const struct ev_field *f, bool say)
{
    const struct ev_field_info *info = ev_field_find(f->id);
    uint32_t field = FIELD_SCHEMA + (uint32_t)f->id;
    struct val v = {.kind = VAL_INT};

    if (!wanted(r, field, say))
        return;
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_TEXT:
        put_text(r, field, f->value.s, say);
        return;
    case EV_KIND_BYTES:
        put_text(r, field, hex_text(r, f->value.s), say);
        return;
    case EV_KIND_BOOL:
        v.kind = VAL_BOOL;
        v.num.b = f->value.u != 0;
        break;
    case EV_KIND_UINT:
        v.kind = f->value.u > INT64_MAX ? VAL_UINT : VAL_INT;
        v.num.u = f->value.u;
        break;
    case EV_KIND_INT:
        v.num.i = f->value.i;
        if (info->decimals > 0) {
            v.kind = VAL_DOUBLE;
            v.num.d = scaled(f->value.i, info->decimals);
        }
        break;
    }
    put(r, field, &v, say);
}

/* The vehicle's name, which is mostly that of the event before. */
static void take_vehicle(struct record *r, const uint8_t vid[EV_VID_SIZE])
{
    struct writer w;

    if (r->vid_text[1] == 0 || memcmp(r->vid, vid, EV_VID_SIZE) != 0) {
        memcpy(r->vid, vid, EV_VID_SIZE);
        writer_init(&w, r->vid_text, sizeof r->vid_text);
        writer_u16be(&w, EV_VID_TEXT_LEN);
        writer_hex(&w, slice_make(vid, EV_VID_SIZE), false);
    }
    r->vehicle = slice_make(r->vid_text + 2, EV_VID_TEXT_LEN);
}

static void take_envelope(struct record *r, const struct event *ev, const struct ev_type_info *type,
                          int64_t received_us)
{
    take_vehicle(r, ev->vid);
    r->type = slice_str(type->name);
    r->service = slice_str(type->service);
    r->kind = (uint32_t)(type - ev_type_at(0)) * RECORD_PRIORITIES + ev->priority;
    r->first_us = ev->first_us;
    r->last_us = ev->last_us;
    r->count = ev->count;
    r->epoch = ev->epoch;
    r->seq = ev->seq;
    r->has_seq = ev->seq != 0;
    r->time_trusted = ev->trust == EV_TRUST_TRUSTED;
    r->received_us = received_us;
    r->has_received = received_us != 0;
}

static void put_envelope(struct record *r, const struct event *ev, bool say)
{
    const uint64_t others = UINT64_C(1) << FIELD_VIN | UINT64_C(1) << FIELD_BUS;

    /* Mostly the vehicle and the bus are all that anybody reads of it. */
    if (!say && (r->wanted->bits[0] & ((UINT64_C(1) << FIELD_SCHEMA) - 1) & ~others) == 0) {
        put_text(r, FIELD_VIN, r->vehicle, say);
        put_text(r, FIELD_BUS, ev->bus, say);
        return;
    }
    put_text(r, FIELD_VIN, r->vehicle, say);
    put_int(r, FIELD_TIME, ev->first_us, say);
    put_text(r, FIELD_TYPE, r->type, say);
    put_int(r, FIELD_EPOCH, ev->epoch, say);
    if (r->has_seq)
        put_int(r, FIELD_SEQ, (int64_t)ev->seq, say);
    put_int(r, FIELD_COUNT, ev->count, say);
    put_int(r, FIELD_LAST, ev->last_us, say);
    put_text(r, FIELD_PRIORITY, slice_str(PRIORITY[ev->priority]), say);
    put_text(r, FIELD_TRUST, slice_str(TRUST[ev->trust]), say);
    put_text(r, FIELD_ECU, ev->ecu, say);
    put_text(r, FIELD_SENSOR, ev->sensor, say);
    put_text(r, FIELD_BUS, ev->bus, say);
}

static void put_signature(struct record *r, const struct event *ev)
{
    uint8_t text[EV_SIGNATURE_MAX];
    struct writer w;

    writer_init(&w, text, sizeof text);
    event_signature(ev, &w);
    put_text(r, FIELD_SIGNATURE, arena_copy(&r->scratch, writer_slice(&w)), false);
}

void record_from_event(struct record *r, const struct event *ev, const struct enrichment *add,
                       const struct field_set *wanted)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    bool say = !r->unique || ev->seq == 0;

    start(r);
    r->wanted = wanted;
    take_envelope(r, ev, type, add->received_us);
    put_envelope(r, ev, say);
    for (unsigned i = 0; i < ev->field_count; i++)
        put_field(r, &ev->field[i], say);
    /* What the backend knows about the vehicle is no part of what the event says. */
    put_text(r, FIELD_MODEL, add->model, false);
    put_text(r, FIELD_HW, add->hw, false);
    put_text(r, FIELD_SW_VERSION, add->sw_version, false);
    put_text(r, FIELD_REGION, add->region, false);
    if (field_set_has(wanted, FIELD_SIGNATURE))
        put_signature(r, ev);
}
