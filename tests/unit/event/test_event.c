/* event: what the schema says an event may be, and its attack signature. */
#include "check.h"

#include "core/timestamp.h"
#include "event/event.h"
#include "random_event.h"

static void secoc(struct event *ev)
{
    event_init(ev, EV_SECOC_VERIFICATION_FAILED, 1795000000000000);
    event_set_text(ev, EV_F_PDU, slice_str("EngTorque"));
    event_set_int(ev, EV_F_VALUE, 0xDEAD);
}

static void check_signature(const struct event *ev, const char *want)
{
    char text[EV_SIGNATURE_MAX];
    struct writer w;

    writer_init(&w, text, sizeof text);
    event_signature(ev, &w);
    assert_false(w.full);
    check_slice(writer_slice(&w), want);
}

static void signature_is_type_subject_detail(void **state)
{
    struct event ev;

    (void)state;
    secoc(&ev);
    check_signature(&ev, "SecOC_fail|EngTorque|0xDEAD");
    event_set_int(&ev, EV_F_VALUE, 1);
    check_signature(&ev, "SecOC_fail|EngTorque|0x0001");
    event_set_int(&ev, EV_F_VALUE, -2);
    check_signature(&ev, "SecOC_fail|EngTorque|-2");
    event_set_text(&ev, EV_F_PDU, slice_str("a|b\nc\x7f"));
    check_signature(&ev, "SecOC_fail|a_b_c_|-2");
    event_init(&ev, EV_SECOC_VERIFICATION_FAILED, 0);
    check_signature(&ev, "SecOC_fail||");
}

/* The longest texts of every type fit the size that the header tells. */
static void the_longest_signature_fits(void **state)
{
    uint8_t text[EV_TEXT_LEN_MAX];
    char out[EV_SIGNATURE_MAX];

    (void)state;
    memset(text, 'x', sizeof text);
    for (unsigned t = 0; t < EV_TYPE_COUNT; t++) {
        const struct ev_type_info *type = ev_type_at(t);
        struct event ev;
        struct writer w;

        event_init(&ev, type->id, 0);
        for (unsigned i = 0; i < type->field_count; i++) {
            const struct ev_field_info *info = ev_field_find(type->field[i]);
            enum ev_field_id id = (enum ev_field_id)type->field[i];

            if (info->kind >= EV_KIND_TEXT)
                event_set_text(&ev, id, slice_make(text, sizeof text));
            else if (info->kind == EV_KIND_UINT)
                event_set_uint(&ev, id, info->max);
            else if (info->kind == EV_KIND_INT)
                event_set_int(&ev, id, info->min);
        }
        writer_init(&w, out, sizeof out);
        event_signature(&ev, &w);
        CHECK_ROW(t, !w.full);
    }
}

static void every_random_event_is_valid(void **state)
{
    struct seed s = seed_start("every_random_event_is_valid", 6);
    struct event ev;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t field = 0;

        random_event(&ev, 1795000000000000, &s);
        if (event_validate(&ev, &field) != VS_OK)
            fail_msg("type %s, field %u", ev_type_find(ev.type)->name, field);
    }
}

static void setters_replace(void **state)
{
    struct event ev;

    (void)state;
    secoc(&ev);
    event_set_text(&ev, EV_F_PDU, slice_str("Other"));
    assert_int_equal(ev.field_count, 2);
    check_slice(event_get(&ev, EV_F_PDU)->value.s, "Other");
    assert_null(event_get(&ev, EV_F_SPEED));
}

/* Each rule of event_validate broken once, with the field that it names. */
static void what_breaks_the_schema_is_named(void **state)
{
    static uint8_t long_text[EV_TEXT_LEN_MAX + 1];
    struct event ev;

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    for (unsigned i = 0; i < 18; i++) {
        enum vs_err want = VS_ERR_RANGE;
        uint8_t field = 99, want_field = EV_F_NONE;

        secoc(&ev);
        switch (i) {
        case 0:
            ev.type = 0xFFFF;
            want = VS_ERR_UNKNOWN_TYPE;
            break;
        case 1:
            ev.count = 0;
            break;
        case 2:
            ev.first_us = -1;
            break;
        case 3:
            ev.last_us = ev.first_us - 1;
            break;
        case 4:
            ev.last_us = TIMESTAMP_US_MAX + 1;
            break;
        case 5:
            ev.priority = 3;
            break;
        case 6:
            ev.trust = 3;
            break;
        case 7:
            ev.ecu = slice_make(long_text, sizeof long_text);
            want = VS_ERR_MALFORMED;
            break;
        case 8:
            ev.bus = slice_str("\xff");
            want = VS_ERR_MALFORMED;
            break;
        case 9:
            event_set_text(&ev, EV_F_PDU, slice_make(long_text, sizeof long_text));
            want = VS_ERR_LIMIT;
            want_field = EV_F_PDU;
            break;
        case 10:
            event_set_text(&ev, EV_F_PDU, slice_str("\xc0\x80"));
            want = VS_ERR_MALFORMED;
            want_field = EV_F_PDU;
            break;
        case 11:
            event_set_uint(&ev, EV_F_DATA_ID, 65536);
            want_field = EV_F_DATA_ID;
            break;
        case 12:
            event_set_text(&ev, EV_F_SIGNAL, slice_str("not of this type"));
            want = VS_ERR_MALFORMED;
            want_field = EV_F_SIGNAL;
            break;
        case 13:
            event_init(&ev, EV_SECOC_VERIFICATION_FAILED, 0);
            want = VS_ERR_MALFORMED;
            want_field = EV_F_PDU;
            break;
        case 14:
            event_init(&ev, EV_RADIO_ROGUE_CELL, 0);
            event_set_int(&ev, EV_F_RSSI, INT64_C(2147483648));
            want_field = EV_F_RSSI;
            break;
        case 15:
            event_init(&ev, EV_RADIO_ROGUE_CELL, 0);
            event_set_int(&ev, EV_F_RSSI, INT64_C(-2147483649));
            want_field = EV_F_RSSI;
            break;
        case 16:
            event_init(&ev, EV_VEHICLE_CONTACT, 0);
            event_set_uint(&ev, EV_F_ODOMETER, UINT64_C(1) << 32);
            want_field = EV_F_ODOMETER;
            break;
        default:
            event_set_text(&ev, EV_F_PDU, slice_make(long_text, EV_TEXT_LEN_MAX));
            want = VS_OK;
            want_field = 99;
        }
        CHECK_ROW(i, event_validate(&ev, &field) == want && field == want_field);
        CHECK_ROW(i, event_validate(&ev, NULL) == want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_type_subject_detail), cmocka_unit_test(the_longest_signature_fits),
        cmocka_unit_test(every_random_event_is_valid),      cmocka_unit_test(setters_replace),
        cmocka_unit_test(what_breaks_the_schema_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
