/* The layout is in docs/formats/batch.md. Keys below are those of its tables. */
#include "event/batch.h"

#include <assert.h>

#include "core/timestamp.h"

enum envelope_key {
    KEY_VERSION = 1,
    KEY_VID,
    KEY_EPOCH,
    KEY_SEQ_BASE,
    KEY_SEQ_NEXT,
    KEY_TIME_BASE,
    KEY_SENT,
    KEY_COUNT,
    KEY_ENCODING,
    KEY_BODY_LEN,
    KEY_BODY,
    KEY_EPOCH_STARTED
};

enum event_key {
    KEY_TYPE = -1,
    KEY_SEQ = -2,
    KEY_FIRST = -3,
    KEY_DURATION = -4,
    KEY_EVENT_COUNT = -5,
    KEY_ECU = -6,
    KEY_SENSOR = -7,
    KEY_BUS = -8,
    KEY_PRIORITY = -9,
    KEY_TRUST = -10,
    KEY_FOLDS = -11
};

#define ENVELOPE_KEYS_NEEDED (((1u << KEY_BODY) - 1) << 1 & ((2u << KEY_BODY) - 1))

void batch_body_begin(struct writer *w, uint32_t count)
{
    cbor_put_array(w, count);
}

static void put_key_text(struct writer *w, int key, struct slice s)
{
    if (s.len == 0)
        return;
    cbor_put_int(w, key);
    cbor_put_text(w, s);
}

static void put_field(struct writer *w, const struct ev_field *f)
{
    cbor_put_uint(w, f->id);
    switch ((enum ev_kind)ev_field_find(f->id)->kind) {
    case EV_KIND_UINT:
        cbor_put_uint(w, f->value.u);
        break;
    case EV_KIND_INT:
        cbor_put_int(w, f->value.i);
        break;
    case EV_KIND_BOOL:
        cbor_put_bool(w, f->value.u != 0);
        break;
    case EV_KIND_TEXT:
        cbor_put_text(w, f->value.s);
        break;
    case EV_KIND_BYTES:
        cbor_put_bytes(w, f->value.s);
        break;
    }
}

static void put_folds(struct writer *w, const struct batch *b, const struct event *ev)
{
    if (ev->fold_count == 0)
        return;
    cbor_put_int(w, KEY_FOLDS);
    cbor_put_array(w, ev->fold_count);
    for (unsigned i = 0; i < ev->fold_count; i++) {
        cbor_put_array(w, 3);
        cbor_put_uint(w, ev->fold[i].filter);
        cbor_put_int(w, (int64_t)(ev->fold[i].seq_first - b->seq_base));
        cbor_put_uint(w, ev->fold[i].count);
    }
}

void batch_body_add(struct writer *w, const struct batch *b, const struct event *ev)
{
    const struct ev_type_info *type = ev_type_find(ev->type);

    assert(type != NULL);
    assert(ev->seq >= b->seq_base);
    bool lasts = ev->last_us != ev->first_us, many = ev->count != 1, ranked = ev->priority != type->priority;
    bool doubted = ev->trust != EV_TRUST_TRUSTED, folds = ev->fold_count > 0;
    unsigned pairs = 3u + lasts + many + ranked + doubted + folds + (ev->ecu.len > 0) + (ev->sensor.len > 0) +
                     (ev->bus.len > 0) + ev->field_count;

    cbor_put_map(w, pairs);
    cbor_put_int(w, KEY_TYPE);
    cbor_put_uint(w, ev->type);
    cbor_put_int(w, KEY_SEQ);
    cbor_put_uint(w, ev->seq - b->seq_base);
    cbor_put_int(w, KEY_FIRST);
    cbor_put_int(w, ev->first_us - b->time_base_us);
    if (lasts) {
        cbor_put_int(w, KEY_DURATION);
        cbor_put_uint(w, (uint64_t)(ev->last_us - ev->first_us));
    }
    if (many) {
        cbor_put_int(w, KEY_EVENT_COUNT);
        cbor_put_uint(w, ev->count);
    }
    put_key_text(w, KEY_ECU, ev->ecu);
    put_key_text(w, KEY_SENSOR, ev->sensor);
    put_key_text(w, KEY_BUS, ev->bus);
    if (ranked) {
        cbor_put_int(w, KEY_PRIORITY);
        cbor_put_uint(w, ev->priority);
    }
    if (doubted) {
        cbor_put_int(w, KEY_TRUST);
        cbor_put_uint(w, ev->trust);
    }
    put_folds(w, b, ev);
    for (unsigned i = 0; i < ev->field_count; i++)
        put_field(w, &ev->field[i]);
}

static void put_key_uint(struct writer *w, enum envelope_key key, uint64_t v)
{
    cbor_put_uint(w, key);
    cbor_put_uint(w, v);
}

void batch_envelope_write(struct writer *w, const struct batch *b)
{
    cbor_put_map(w, b->epoch_started_us != 0 ? 12 : 11);
    put_key_uint(w, KEY_VERSION, BATCH_VERSION);
    cbor_put_uint(w, KEY_VID);
    cbor_put_bytes(w, slice_make(b->vid, sizeof b->vid));
    put_key_uint(w, KEY_EPOCH, b->epoch);
    put_key_uint(w, KEY_SEQ_BASE, b->seq_base);
    put_key_uint(w, KEY_SEQ_NEXT, b->seq_next);
    put_key_uint(w, KEY_TIME_BASE, (uint64_t)b->time_base_us);
    put_key_uint(w, KEY_SENT, (uint64_t)b->sent_us);
    put_key_uint(w, KEY_COUNT, b->count);
    put_key_uint(w, KEY_ENCODING, b->encoding);
    put_key_uint(w, KEY_BODY_LEN, b->body_len);
    if (b->epoch_started_us != 0)
        put_key_uint(w, KEY_EPOCH_STARTED, (uint64_t)b->epoch_started_us);
    cbor_put_uint(w, KEY_BODY);
    cbor_put_bytes(w, b->body);
}

static enum vs_err fail(struct batch_error *e, enum vs_err err, size_t byte, const char *reason)
{
    if (e != NULL) {
        e->byte = byte;
        e->reason = reason;
    }
    return err;
}

/* Takes one uint of an envelope that must not exceed `max`. */
static uint64_t take_uint(struct cbor *r, uint64_t max, enum vs_err *err)
{
    uint64_t v = cbor_uint(r);

    if (v > max)
        *err = VS_ERR_RANGE;
    return v;
}

static enum vs_err take_envelope_key(struct cbor *r, uint64_t key, struct batch *b)
{
    enum vs_err err = VS_OK;
    struct slice s;

    switch (key) {
    case KEY_VERSION:
        if (cbor_uint(r) != BATCH_VERSION)
            err = VS_ERR_VERSION;
        break;
    case KEY_VID:
        s = cbor_bytes(r);
        if (s.len != sizeof b->vid)
            err = VS_ERR_RANGE;
        else
            memcpy(b->vid, s.ptr, s.len);
        break;
    case KEY_EPOCH:
        b->epoch = (uint32_t)take_uint(r, UINT32_MAX, &err);
        break;
    case KEY_SEQ_BASE:
        b->seq_base = take_uint(r, INT64_MAX, &err);
        break;
    case KEY_SEQ_NEXT:
        b->seq_next = take_uint(r, INT64_MAX, &err);
        break;
    case KEY_TIME_BASE:
        b->time_base_us = (int64_t)take_uint(r, TIMESTAMP_US_MAX, &err);
        break;
    case KEY_SENT:
        b->sent_us = (int64_t)take_uint(r, TIMESTAMP_US_MAX, &err);
        break;
    case KEY_EPOCH_STARTED:
        b->epoch_started_us = (int64_t)take_uint(r, TIMESTAMP_US_MAX, &err);
        break;
    case KEY_COUNT:
        b->count = (uint32_t)take_uint(r, BATCH_EVENTS_MAX, &err);
        break;
    case KEY_ENCODING:
        b->encoding = (uint8_t)take_uint(r, BATCH_ZSTD, &err);
        break;
    case KEY_BODY_LEN:
        b->body_len = (uint32_t)take_uint(r, BATCH_BODY_MAX, &err);
        break;
    case KEY_BODY:
        b->body = cbor_bytes(r);
        break;
    default:
        cbor_skip(r);
    }
    return err;
}

enum vs_err batch_envelope_read(struct slice in, struct batch *ret, struct batch_error *ret_error)
{
    struct cbor r;
    struct batch b = {0};
    uint32_t seen = 0;

    cbor_init(&r, in);
    uint64_t pairs = cbor_map(&r);
    for (uint64_t i = 0; i < pairs && !cbor_failed(&r); i++) {
        size_t at = cbor_pos(&r);
        uint64_t key = cbor_uint(&r);

        if (key >= 1 && key <= KEY_EPOCH_STARTED) {
            if (seen >> key & 1)
                return fail(ret_error, VS_ERR_MALFORMED, at, "a key of the envelope stands twice");
            seen |= UINT32_C(1) << key;
        }
        enum vs_err err = take_envelope_key(&r, key, &b);
        if (!cbor_failed(&r) && err != VS_OK)
            return fail(ret_error, err, at,
                        err == VS_ERR_VERSION ? "envelope version is not 1" : "envelope value out of range");
    }
    if (cbor_failed(&r))
        return fail(ret_error, VS_ERR_MALFORMED, cbor_pos(&r), "envelope is not the CBOR expected");
    if (!cbor_at_end(&r))
        return fail(ret_error, VS_ERR_MALFORMED, cbor_pos(&r), "bytes after the envelope");
    if ((seen & ENVELOPE_KEYS_NEEDED) != ENVELOPE_KEYS_NEEDED)
        return fail(ret_error, VS_ERR_MALFORMED, in.len, "a key of the envelope is missing");
    if (b.seq_base < 1 || b.seq_next < b.seq_base)
        return fail(ret_error, VS_ERR_RANGE, 0, "sequence numbers start at 1 and end before seq_next");
    if (b.encoding == BATCH_PLAIN && b.body.len != b.body_len)
        return fail(ret_error, VS_ERR_MALFORMED, 0, "body_len differs from the body");
    *ret = b;
    return VS_OK;
}

enum vs_err batch_reader_init(struct batch_reader *r, const struct batch *b, struct slice plain,
                              struct batch_error *ret_error)
{
    cbor_init(&r->cbor, plain);
    r->batch = b;
    uint64_t count = cbor_array(&r->cbor);
    if (cbor_failed(&r->cbor) || count != b->count)
        return fail(ret_error, VS_ERR_MALFORMED, cbor_pos(&r->cbor), "body does not hold the number of events told");
    r->left = (uint32_t)count;
    return VS_OK;
}

bool batch_reader_broken(const struct batch_reader *r)
{
    return cbor_failed(&r->cbor);
}

static enum vs_err take_folds(struct batch_reader *r, struct event *ev)
{
    uint64_t count = cbor_array(&r->cbor);
    enum vs_err err = count <= EV_FOLDS_MAX ? VS_OK : VS_ERR_LIMIT;

    for (uint64_t i = 0; i < count && !cbor_failed(&r->cbor); i++) {
        struct ev_fold fold;

        if (cbor_array(&r->cbor) != 3) {
            r->cbor.c.failed = true;
            break;
        }
        uint64_t filter = cbor_uint(&r->cbor);
        int64_t delta = cbor_int(&r->cbor);
        uint64_t n = cbor_uint(&r->cbor);
        int64_t first = (int64_t)r->batch->seq_base;
        if (filter > UINT8_MAX || n < 1 || n > UINT32_MAX || delta < 1 - first || delta > INT64_MAX - first) {
            err = VS_ERR_RANGE;
            continue;
        }
        fold.filter = (uint8_t)filter;
        fold.seq_first = (uint64_t)(first + delta);
        fold.count = (uint32_t)n;
        if (err == VS_OK)
            ev->fold[ev->fold_count++] = fold;
    }
    return err;
}

/* One bit per field id: which fields an event has already. */
struct field_set {
    uint64_t bits[(EV_FIELD_ID_COUNT + 63) / 64];
};

/* Adds a field; false when it was in the set before. */
static bool field_set_add(struct field_set *set, uint64_t id)
{
    uint64_t bit = UINT64_C(1) << (id & 63);
    bool fresh = (set->bits[id >> 6] & bit) == 0;

    set->bits[id >> 6] |= bit;
    return fresh;
}

/* Takes the value of a type's own field. A value of another kind is passed over and is the event's fault. */
static enum vs_err take_field(struct batch_reader *r, uint64_t id, struct field_set *set, struct event *ev)
{
    const struct ev_field_info *info = id < EV_FIELD_ID_COUNT ? ev_field_find((uint8_t)id) : NULL;
    struct ev_field f;
    enum cbor_major major = cbor_peek(&r->cbor);
    enum cbor_major want = CBOR_UINT;

    if (info == NULL) {
        cbor_skip(&r->cbor);
        return VS_OK;
    }
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        break;
    case EV_KIND_INT:
        want = major == CBOR_NEGATIVE ? CBOR_NEGATIVE : CBOR_UINT;
        break;
    case EV_KIND_BOOL:
        want = CBOR_SIMPLE;
        break;
    case EV_KIND_TEXT:
        want = CBOR_TEXT;
        break;
    case EV_KIND_BYTES:
        want = CBOR_BYTES;
        break;
    }
    if (major != want || ev->field_count == EV_FIELDS_MAX || !field_set_add(set, id)) {
        cbor_skip(&r->cbor);
        return VS_ERR_MALFORMED;
    }
    f.id = (uint8_t)id;
    if (info->kind == EV_KIND_UINT)
        f.value.u = cbor_uint(&r->cbor);
    else if (info->kind == EV_KIND_INT)
        f.value.i = cbor_int(&r->cbor);
    else if (info->kind == EV_KIND_BOOL)
        f.value.u = cbor_bool(&r->cbor);
    else
        f.value.s = info->kind == EV_KIND_TEXT ? cbor_text(&r->cbor) : cbor_bytes(&r->cbor);
    ev->field[ev->field_count++] = f;
    return VS_OK;
}

struct common {
    uint32_t seen; /* bit -key */
    uint64_t seq_delta;
    int64_t first_delta_us;
    uint64_t duration_us;
    uint64_t type, count, priority, trust;
};

static enum vs_err take_common(struct batch_reader *r, int64_t key, struct common *c, struct event *ev)
{
    struct cbor *in = &r->cbor;

    if (key < KEY_FOLDS) {
        cbor_skip(in);
        return VS_OK;
    }
    bool twice = c->seen >> -key & 1;
    c->seen |= UINT32_C(1) << -key;
    switch (key) {
    case KEY_TYPE:
        c->type = cbor_uint(in);
        break;
    case KEY_SEQ:
        c->seq_delta = cbor_uint(in);
        break;
    case KEY_FIRST:
        c->first_delta_us = cbor_int(in);
        break;
    case KEY_DURATION:
        c->duration_us = cbor_uint(in);
        break;
    case KEY_EVENT_COUNT:
        c->count = cbor_uint(in);
        break;
    case KEY_ECU:
        ev->ecu = cbor_text(in);
        break;
    case KEY_SENSOR:
        ev->sensor = cbor_text(in);
        break;
    case KEY_BUS:
        ev->bus = cbor_text(in);
        break;
    case KEY_PRIORITY:
        c->priority = cbor_uint(in);
        break;
    case KEY_TRUST:
        c->trust = cbor_uint(in);
        break;
    default:
        return twice ? (cbor_skip(in), VS_ERR_MALFORMED) : take_folds(r, ev);
    }
    return twice ? VS_ERR_MALFORMED : VS_OK;
}

/* Turns the differences of the wire into absolute numbers, within bounds. */
static enum vs_err finish_event(const struct batch *b, const struct common *c, struct event *ev)
{
    const uint32_t needed = 1u << -KEY_TYPE | 1u << -KEY_SEQ | 1u << -KEY_FIRST;

    bool in_range = c->seq_delta < b->seq_next - b->seq_base;
    /* Known first of all, so that the ledger can say whose fault the rest is. */
    if ((c->seen >> -KEY_SEQ & 1) != 0 && in_range)
        ev->seq = b->seq_base + c->seq_delta;
    if ((c->seen & needed) != needed)
        return VS_ERR_MALFORMED;
    if (!in_range)
        return VS_ERR_RANGE;
    if (c->first_delta_us < -b->time_base_us || c->first_delta_us > TIMESTAMP_US_MAX - b->time_base_us)
        return VS_ERR_RANGE;
    ev->first_us = b->time_base_us + c->first_delta_us;
    if (c->duration_us > (uint64_t)(TIMESTAMP_US_MAX - ev->first_us))
        return VS_ERR_RANGE;
    ev->last_us = ev->first_us + (int64_t)c->duration_us;
    if (c->type > UINT16_MAX || c->count < 1 || c->count > EV_COUNT_MAX || c->trust > EV_TRUST_SUSPECT)
        return VS_ERR_RANGE;
    ev->type = (uint16_t)c->type;
    ev->count = (uint32_t)c->count;
    ev->trust = (uint8_t)c->trust;
    const struct ev_type_info *type = ev_type_find(ev->type);
    if (type == NULL)
        return VS_ERR_UNKNOWN_TYPE;
    if ((c->seen >> -KEY_PRIORITY & 1) == 0)
        ev->priority = type->priority;
    else if (c->priority > EV_PRIORITY_CRITICAL)
        return VS_ERR_RANGE;
    else
        ev->priority = (uint8_t)c->priority;
    return VS_OK;
}

enum vs_err batch_reader_next(struct batch_reader *r, struct event *ret, struct batch_error *ret_error)
{
    struct common c = {.count = 1};
    struct field_set set = {0};
    enum vs_err err = VS_OK;

    memset(ret, 0, offsetof(struct event, field));
    if (r->left == 0) {
        if (!cbor_failed(&r->cbor) && !cbor_at_end(&r->cbor)) {
            r->cbor.c.failed = true;
            return fail(ret_error, VS_ERR_MALFORMED, cbor_pos(&r->cbor), "bytes after the last event");
        }
        return VS_ERR_END;
    }
    r->left--;
    size_t start = cbor_pos(&r->cbor);
    uint64_t pairs = cbor_map(&r->cbor);
    for (uint64_t i = 0; i < pairs && !cbor_failed(&r->cbor); i++) {
        int64_t key;
        if (!cbor_short_int(&r->cbor, &key))
            key = cbor_int(&r->cbor);
        enum vs_err e = key < 0 ? take_common(r, key, &c, ret) : take_field(r, (uint64_t)key, &set, ret);

        if (err == VS_OK)
            err = e;
    }
    if (cbor_failed(&r->cbor)) {
        r->left = 0;
        return fail(ret_error, VS_ERR_MALFORMED, cbor_pos(&r->cbor), "body is not the CBOR expected");
    }
    memcpy(ret->vid, r->batch->vid, sizeof ret->vid);
    ret->epoch = r->batch->epoch;
    enum vs_err finish = finish_event(r->batch, &c, ret);
    if (finish != VS_OK)
        err = finish;
    if (err != VS_OK)
        return fail(ret_error, err, start,
                    err == VS_ERR_UNKNOWN_TYPE ? "event type is not known" : "event breaks the schema");
    return VS_OK;
}
