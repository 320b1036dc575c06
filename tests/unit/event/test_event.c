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

static uint8_t long_text[EV_TEXT_LEN_MAX + 1];

static void unknown_type(struct event *ev)
{
    ev->type = 0xFFFF;
}
static void count_zero(struct event *ev)
{
    ev->count = 0;
}
static void before_1970(struct event *ev)
{
    ev->first_us = -1;
}
static void ends_before_it_begins(struct event *ev)
{
    ev->last_us = ev->first_us - 1;
}
static void after_the_last_time(struct event *ev)
{
    ev->last_us = TIMESTAMP_US_MAX + 1;
}
static void priority_three(struct event *ev)
{
    ev->priority = 3;
}
static void trust_three(struct event *ev)
{
    ev->trust = 3;
}
static void long_ecu(struct event *ev)
{
    ev->ecu = slice_make(long_text, sizeof long_text);
}
static void bus_no_utf8(struct event *ev)
{
    ev->bus = slice_str("\xff");
}
static void long_field(struct event *ev)
{
    event_set_text(ev, EV_F_PDU, slice_make(long_text, sizeof long_text));
}
static void longest_field(struct event *ev)
{
    event_set_text(ev, EV_F_PDU, slice_make(long_text, EV_TEXT_LEN_MAX));
}
static void field_no_utf8(struct event *ev)
{
    event_set_text(ev, EV_F_PDU, slice_str("\xc0\x80"));
}
static void field_too_big(struct event *ev)
{
    event_set_uint(ev, EV_F_DATA_ID, 65536);
}
static void foreign_field(struct event *ev)
{
    event_set_text(ev, EV_F_SIGNAL, slice_str("not of this type"));
}
static void required_field_absent(struct event *ev)
{
    event_init(ev, EV_SECOC_VERIFICATION_FAILED, 0);
}

static void int_too_big(struct event *ev)
{
    event_init(ev, EV_RADIO_ROGUE_CELL, 0);
    event_set_int(ev, EV_F_RSSI, INT64_C(2147483648));
}

static void int_too_small(struct event *ev)
{
    event_init(ev, EV_RADIO_ROGUE_CELL, 0);
    event_set_int(ev, EV_F_RSSI, INT64_C(-2147483649));
}

#define UNTOUCHED 99

/* Each rule of event_validate broken once, with the field that it names. */
static void what_breaks_the_schema_is_named(void **state)
{
    static const struct {
        void (*spoil)(struct event *ev);
        enum vs_err err;
        uint8_t field;
    } row[] = {
        {unknown_type, VS_ERR_UNKNOWN_TYPE, EV_F_NONE},
        {count_zero, VS_ERR_RANGE, EV_F_NONE},
        {before_1970, VS_ERR_RANGE, EV_F_NONE},
        {ends_before_it_begins, VS_ERR_RANGE, EV_F_NONE},
        {after_the_last_time, VS_ERR_RANGE, EV_F_NONE},
        {priority_three, VS_ERR_RANGE, EV_F_NONE},
        {trust_three, VS_ERR_RANGE, EV_F_NONE},
        {long_ecu, VS_ERR_MALFORMED, EV_F_NONE},
        {bus_no_utf8, VS_ERR_MALFORMED, EV_F_NONE},
        {long_field, VS_ERR_LIMIT, EV_F_PDU},
        {longest_field, VS_OK, UNTOUCHED},
        {field_no_utf8, VS_ERR_MALFORMED, EV_F_PDU},
        {field_too_big, VS_ERR_RANGE, EV_F_DATA_ID},
        {foreign_field, VS_ERR_MALFORMED, EV_F_SIGNAL},
        {required_field_absent, VS_ERR_MALFORMED, EV_F_PDU},
        {int_too_big, VS_ERR_RANGE, EV_F_RSSI},
        {int_too_small, VS_ERR_RANGE, EV_F_RSSI},
    };

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct event ev;
        uint8_t field = UNTOUCHED;

        secoc(&ev);
        row[i].spoil(&ev);
        CHECK_ROW(i, event_validate(&ev, &field) == row[i].err && field == row[i].field);
        CHECK_ROW(i, event_validate(&ev, NULL) == row[i].err);
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
