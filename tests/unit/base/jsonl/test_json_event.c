/* Events from JSON: what event_json writes is read back the same, and what does not fit is named. */
#include "check.h"

#include <stdlib.h>

#include "base/jsonl/json_event.h"
#include "event/event_json.h"
#include "seed.h"

static uint8_t bytes[EV_FIELDS_MAX][EV_TEXT_LEN_MAX];

static enum vs_err read_text(const char *text, size_t len, struct json_event *ret, struct slice *name)
{
    static struct json_reader *r;
    static char padded[EVENT_JSON_SIZE + JSON_PADDING];
    struct json_object o;
    const char *reason = "";

    if (r == NULL)
        assert_int_equal(json_reader_new(&r), VS_OK);
    memset(padded, 0, sizeof padded);
    memcpy(padded, text, len);
    assert_int_equal(json_reader_object(r, slice_make(padded, len), &o, &reason), VS_OK);
    return json_event_read(&o, bytes, ret, &reason, name);
}

static void random_field(struct seed *seed, struct event *ev, uint8_t id)
{
    static const char *const TEXT[] = {"", "x", "EngTorque", "a \"b\" \\ \n", "\xC3\xA4\xE2\x82\xAC", "0x12"};
    const struct ev_field_info *info = ev_field_find(id);
    uint64_t u = seed_next(seed) >> seed_below(seed, 64);

    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        event_set_uint(ev, (enum ev_field_id)id, u > info->max ? info->max : u);
        break;
    case EV_KIND_INT:
        /* Decimals pass through a double, so 15 digits are what is promised. */
        if (info->decimals > 0)
            u %= UINT64_C(1000000000000);
        event_set_int(ev, (enum ev_field_id)id, seed_below(seed, 2) ? (int64_t)(u >> 1) : -(int64_t)(u >> 1));
        break;
    case EV_KIND_BOOL:
        event_set_bool(ev, (enum ev_field_id)id, u & 1);
        break;
    case EV_KIND_TEXT:
        event_set_text(ev, (enum ev_field_id)id, slice_str(TEXT[u % 6]));
        break;
    case EV_KIND_BYTES:
        event_set_text(ev, (enum ev_field_id)id, slice_make("\x00\xFF\x10\x7F", u % 5));
        break;
    }
}

static void same(const struct event *a, const struct event *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->first_us, b->first_us);
    assert_int_equal(a->last_us, b->last_us);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->trust, b->trust);
    assert_true(slice_equal(a->ecu, b->ecu) && slice_equal(a->sensor, b->sensor) && slice_equal(a->bus, b->bus));
    assert_int_equal(a->field_count, b->field_count);
    for (unsigned i = 0; i < a->field_count; i++) {
        const struct ev_field *f = &a->field[i], *g = event_get(b, (enum ev_field_id)f->id);
        const struct ev_field_info *info = ev_field_find(f->id);

        assert_non_null(g);
        if (info->kind >= EV_KIND_TEXT)
            assert_true(slice_equal(f->value.s, g->value.s));
        else if (f->value.u != g->value.u)
            fail_msg("field %s: %lld, %lld", info->name, (long long)f->value.i, (long long)g->value.i);
    }
}

/* Every type, with every subset of its fields likely, there and back. */
static void test_there_and_back(void **state)
{
    struct seed seed = seed_start("json_event", 77);
    static char text[EVENT_JSON_SIZE];

    (void)state;
    for (unsigned round = 0; round < 40; round++)
        for (unsigned t = 0; t < EV_TYPE_COUNT; t++) {
            const struct ev_type_info *type = ev_type_at(t);
            struct event ev;
            struct json_event back;
            struct slice name;
            struct writer w;

            event_init(&ev, type->id, (int64_t)seed_below(&seed, INT64_C(4000000000000000)));
            ev.last_us += (int64_t)(seed_below(&seed, 2) * 12345);
            ev.seq = seed_below(&seed, 1000);
            ev.epoch = (uint32_t)seed_next(&seed);
            ev.count = 1 + (uint32_t)seed_below(&seed, 3);
            ev.priority = (uint8_t)seed_below(&seed, 3);
            ev.trust = (uint8_t)seed_below(&seed, 3);
            ev.ecu = slice_str("ECU");
            for (unsigned i = 0; i < type->field_count; i++)
                if ((type->required >> i & 1) || seed_below(&seed, 2))
                    random_field(&seed, &ev, type->field[i]);
            writer_init(&w, text, sizeof text);
            event_json_write(&ev, slice_str("car"), slice_str(",\"model\":\"M\""), &w);
            assert_false(w.full);
            if (read_text(text, w.len, &back, &name) != VS_OK)
                fail_msg("%.*s at %.*s", (int)w.len, text, (int)name.len, (const char *)name.ptr);
            check_slice(back.vehicle, "car");
            same(&ev, &back.ev);
        }
}

static void test_faults_are_named(void **state)
{
    static const struct {
        const char *text;
        enum vs_err err;
        const char *name;
    } ROW[] = {
        {"{}", VS_ERR_UNKNOWN_TYPE, "type"},
        {"{\"type\":\"no.such\",\"time\":1}", VS_ERR_UNKNOWN_TYPE, "type"},
        {"{\"type\":\"uds.negative_response\"}", VS_ERR_MALFORMED, "time"},
        {"{\"type\":\"uds.negative_response\",\"time\":\"noon\"}", VS_ERR_MALFORMED, "time"},
        {"{\"type\":\"uds.negative_response\",\"time\":-1}", VS_ERR_MALFORMED, "time"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":\"39\"}", VS_OK, ""},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":\"0x27\"}", VS_OK, ""},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":-1}", VS_ERR_MALFORMED, "service"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":1.5}", VS_ERR_MALFORMED, "service"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":null,\"other\":[1,2]}", VS_OK, ""},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"service\":1,\"service\":2}", VS_ERR_MALFORMED, "service"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"count\":0}", VS_ERR_MALFORMED, "count"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"priority\":\"urgent\"}", VS_ERR_MALFORMED, "priority"},
        {"{\"type\":\"uds.negative_response\",\"time\":1,\"epoch\":4294967296}", VS_ERR_MALFORMED, "epoch"},
        {"{\"type\":\"can.unknown_id\",\"time\":1,\"data\":\"0f1\"}", VS_ERR_MALFORMED, "data"},
        {"{\"type\":\"can.unknown_id\",\"time\":1,\"extended\":1}", VS_ERR_MALFORMED, "extended"},
        {"{\"type\":\"vehicle.contact\",\"time\":1,\"lat\":1e300}", VS_ERR_MALFORMED, "lat"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        struct json_event je;
        struct slice name = {NULL, 0};

        CHECK_ROW(i, read_text(ROW[i].text, strlen(ROW[i].text), &je, &name) == ROW[i].err);
        CHECK_ROW(i, slice_equal_str(name, ROW[i].name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_faults_are_named)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
