/* event_json: one flat object with the keys in their order; never longer than the header says. */
#include "check.h"

#include "event/event_json.h"

static void an_event_as_json(void **state)
{
    static char text[EVENT_JSON_SIZE];
    struct event ev;
    struct writer w;

    (void)state;
    event_init(&ev, EV_SECOC_VERIFICATION_FAILED, INT64_C(1795000000123456));
    ev.last_us += 1000000;
    ev.count = 3;
    ev.seq = 7;
    ev.epoch = 2;
    ev.ecu = slice_str("BRAKE\"1");
    event_set_text(&ev, EV_F_PDU, slice_str("EngTorque"));
    event_set_int(&ev, EV_F_VALUE, 0xDEAD);
    writer_init(&w, text, sizeof text);
    event_json_write(&ev, slice_str("00ff"), slice_str(",\"model\":\"M\""), &w);
    check_slice(
        writer_slice(&w),
        "{\"vin\":\"00ff\",\"time\":\"2026-11-18T11:06:40.123456Z\",\"last\":\"2026-11-18T11:06:41.123456Z\","
        "\"type\":\"secoc.verification_failed\",\"epoch\":2,\"seq\":7,\"count\":3,\"priority\":\"critical\","
        "\"ecu\":\"BRAKE\\\"1\",\"signature\":\"SecOC_fail|EngTorque|0xDEAD\",\"pdu\":\"EngTorque\",\"value\":57005,"
        "\"model\":\"M\"}");
}

static void fixed_point_and_bytes(void **state)
{
    static char text[EVENT_JSON_SIZE];
    struct event ev;
    struct writer w;

    (void)state;
    event_init(&ev, EV_VEHICLE_CONTACT, 0);
    event_set_int(&ev, EV_F_LAT, -481234500);
    event_set_int(&ev, EV_F_SPEED, -5);
    event_set_bool(&ev, EV_F_IGNITION, true);
    writer_init(&w, text, sizeof text);
    event_json_write(&ev, slice_str("v"), slice_str(""), &w);
    check_slice(
        writer_slice(&w),
        "{\"vin\":\"v\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"type\":\"vehicle.contact\",\"priority\":\"low\","
        "\"signature\":\"VEH_contact||\",\"lat\":-48.12345,\"speed\":-0.05,\"ignition\":true}");
}

/* Every text at its longest and every character in need of an escape. */
static void the_longest_object_fits(void **state)
{
    static char text[EVENT_JSON_SIZE];
    uint8_t longest[EV_TEXT_LEN_MAX];
    size_t most = 0;

    (void)state;
    memset(longest, 1, sizeof longest);
    struct slice s = slice_make(longest, sizeof longest);
    for (unsigned t = 0; t < EV_TYPE_COUNT; t++) {
        const struct ev_type_info *type = ev_type_at(t);
        struct event ev;
        struct writer w;

        event_init(&ev, type->id, 0);
        ev.last_us = 1;
        ev.epoch = ev.count = UINT32_MAX;
        ev.seq = UINT64_MAX;
        ev.trust = EV_TRUST_REPAIRED;
        ev.ecu = ev.sensor = ev.bus = s;
        for (unsigned i = 0; i < type->field_count; i++) {
            enum ev_field_id id = (enum ev_field_id)type->field[i];
            const struct ev_field_info *info = ev_field_find(type->field[i]);

            if (info->kind >= EV_KIND_TEXT)
                event_set_text(&ev, id, s);
            else if (info->kind == EV_KIND_UINT)
                event_set_uint(&ev, id, info->max);
            else if (info->kind == EV_KIND_INT)
                event_set_int(&ev, id, info->min);
        }
        writer_init(&w, text, sizeof text);
        event_json_write(&ev, slice_make(longest, 64), slice_str(""), &w);
        CHECK_ROW(t, !w.full);
        most = w.len > most ? w.len : most;
    }
    assert_true(most > EVENT_JSON_SIZE / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_as_json),
        cmocka_unit_test(fixed_point_and_bytes),
        cmocka_unit_test(the_longest_object_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
