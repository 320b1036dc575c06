/* interest: what is said of a kind of event before it comes must agree with asking the event itself, whole and as JSON.
 */
#include "detect/feed.h"

#include "event/event_json.h"
#include "seed.h"

#define RULES  24
#define EVENTS 4000

static const char *const ITEM[] = {
    "type: %s",
    "type: ['%s', uds.negative_response, can.rate]",
    "'type|startswith': can.",
    "'type|neq': %s",
    "'type|re': '^(can|uds|ve).*'",
    "'type|all': ['*s*', '*.*']",
    "'type|fieldref': ecu",
    "'type|exists': false",
    "priority: low",
    "'priority|neq': critical",
    "priority: [medium, critical]",
    "'signature|exists': true",
    "'signature|exists': false",
    "'signature|contains': '|x'",
    "'lat|exists': true, 'lon|exists': true",
    "'nosuch|exists': true",
    "'nosuch|exists': false",
    "nosuch: null",
    "nosuch: ''",
    "pdu: null",
    "'pdu|neq': x",
    "nrc: 0x35",
    "'nrc|exists': true",
    "'value|gt': 5",
    "'ecu|fieldref': bus",
    "'ecu|exists': false",
    "'can_id|exists': true",
    "'vin|exists': true",
    "trust: suspect",
    "'model|exists': true",
};
#define ITEM_COUNT (sizeof ITEM / sizeof ITEM[0])

static const char *const CONDITION[] = {"a",
                                        "not a",
                                        "a and b",
                                        "a or b",
                                        "a and not b",
                                        "(a or b) and not (c and a)",
                                        "1 of them",
                                        "all of them",
                                        "not (a or not b) or c",
                                        "a and b and c"};
#define CONDITION_COUNT (sizeof CONDITION / sizeof CONDITION[0])

static const char *const SOURCE[] = {"product: vehicle",
                                     "product: vehicle, service: can",
                                     "product: vehicle, service: uds",
                                     "product: windows",
                                     "category: x",
                                     "service: vehicle"};
#define SOURCE_COUNT (sizeof SOURCE / sizeof SOURCE[0])

/* Windows read fields that no detection names. */
static const char WINDOWS[] =
    "---\ntitle: w0\nname: w0\n"
    "correlation: {type: event_count, rules: [r0, r1, r2], group-by: [vin, ecu], timespan: 60s, condition: {gte: 2}}\n"
    "---\ntitle: w1\n"
    "correlation: {type: value_count, rules: [r3, r4], group-by: [signature], timespan: 60s, condition: {field: bus, "
    "gte: 2}}\n"
    "---\ntitle: w2\n"
    "correlation: {type: value_sum, rules: [r5, r6], group-by: [type], timespan: 60s, condition: {field: can_id, gte: "
    "2}}\n"
    "---\ntitle: w3\n"
    "correlation: {type: geo_velocity, rules: [r7, r8, r9, r10], group-by: [vin], timespan: 60s, condition: {gt: 2}}\n"
    "---\ntitle: w4\n"
    "correlation: {type: value_count, rules: [w0], group-by: [priority], timespan: 60s, condition: {field: sensor, "
    "gte: 2}}\n";

static size_t put_selection(struct seed *s, char *text, size_t size, char name)
{
    size_t len = (size_t)snprintf(text, size, "%c: {", name);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    len += (size_t)snprintf(text + len, size - len, ITEM[seed_below(s, ITEM_COUNT)],
                            ev_type_at((unsigned)seed_below(s, EV_TYPE_COUNT))->name);
#pragma GCC diagnostic pop
    return len + (size_t)snprintf(text + len, size - len, "}, ");
}

static void random_rules(struct seed *s, char *text, size_t size, bool keywords)
{
    size_t len = 0;

    for (int i = 0; i < RULES; i++) {
        len += (size_t)snprintf(text + len, size - len, "---\ntitle: r%d\nname: r%d\nlogsource: {%s}\ndetection: {", i,
                                i, SOURCE[seed_below(s, SOURCE_COUNT)]);
        for (char name = 'a'; name <= 'c'; name++)
            len += put_selection(s, text + len, size - len, name);
        if (keywords && seed_below(s, 3) == 0)
            len += (size_t)snprintf(text + len, size - len, "d: [ecu1, trusted], condition: 1 of them}\n");
        else
            len +=
                (size_t)snprintf(text + len, size - len, "condition: %s}\n", CONDITION[seed_below(s, CONDITION_COUNT)]);
    }
    len += (size_t)snprintf(text + len, size - len, "%s", WINDOWS);
    assert_true(len < size);
}

static void random_field(struct seed *s, struct event *ev, uint8_t id)
{
    const struct ev_field_info *info = ev_field_find(id);
    uint64_t number = seed_below(s, 2) == 0 ? 0x35 : seed_below(s, 10);

    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        event_set_uint(ev, (enum ev_field_id)id, number);
        break;
    case EV_KIND_INT:
        event_set_int(ev, (enum ev_field_id)id, (int64_t)number);
        break;
    case EV_KIND_BOOL:
        event_set_bool(ev, (enum ev_field_id)id, number % 2 != 0);
        break;
    case EV_KIND_TEXT:
    case EV_KIND_BYTES:
        event_set_text(ev, (enum ev_field_id)id, slice_str((const char *[]){"x", "y", "ecu1"}[seed_below(s, 3)]));
        break;
    }
}

static void random_event(struct seed *s, struct event *ev)
{
    static const char *const PLACE[] = {"", "ecu1", "can.rate"};
    const struct ev_type_info *type = ev_type_at((unsigned)seed_below(s, EV_TYPE_COUNT));
    uint8_t field = EV_F_NONE;

    event_init(ev, type->id, INT64_C(1767571200000000));
    memset(ev->vid, (int)seed_below(s, 3), sizeof ev->vid);
    ev->seq = 1 + seed_below(s, 100);
    ev->priority = (uint8_t)seed_below(s, RECORD_PRIORITIES);
    ev->trust = (uint8_t)seed_below(s, 3);
    ev->ecu = slice_str(PLACE[seed_below(s, 3)]);
    ev->bus = slice_str(PLACE[seed_below(s, 3)]);
    ev->sensor = slice_str(PLACE[seed_below(s, 3)]);
    for (unsigned i = 0; i < type->field_count; i++)
        if ((type->required >> i & 1) != 0 || seed_below(s, 2) == 0)
            random_field(s, ev, type->field[i]);
    assert_int_equal(event_validate(ev, &field), VS_OK);
}

static void same_places(const struct sighting *a, const struct sighting *b)
{
    assert_int_equal(a->place_count, b->place_count);
    for (uint32_t i = 0; i < a->place_count; i++) {
        assert_int_equal(a->place[i].corr, b->place[i].corr);
        assert_int_equal(a->place[i].mask, b->place[i].mask);
        assert_int_equal(a->place[i].mask_chain, b->place[i].mask_chain);
        assert_true(slice_equal(a->place[i].group, b->place[i].group));
        assert_int_equal(a->place[i].has_value, b->place[i].has_value);
        assert_true(slice_equal(a->place[i].value, b->place[i].value));
        assert_true(a->place[i].number == b->place[i].number);
        assert_true(a->place[i].lat == b->place[i].lat && a->place[i].lon == b->place[i].lon);
    }
    assert_true(slice_equal(a->vehicle, b->vehicle));
}

/* The same event three times: by the list of its kind, by asking every candidate rule, and as a JSON line. */
static unsigned see_thrice(struct feed *f, struct sighter *other, const struct event *ev)
{
    const struct enrichment nothing = {.received_us = 0};
    static const struct field_set EVERY_FIELD = {.bits = {UINT64_MAX, UINT64_MAX}};
    static struct record r, whole;
    static char json[EVENT_JSON_SIZE];
    struct sighting listed = {0}, asked = {0}, read = {0};
    char vid[EV_VID_TEXT_LEN];
    struct writer name, w;

    record_init(&r, &f->plan.fields);
    r.unique = true;
    const struct interest_kind *kind = interest_of(f->plan.interest, interest_kind(ev));
    record_from_event(&r, ev, &nothing, &kind->fields);
    assert_int_equal(sighter_step(&f->sighter, &r, &listed), SIGHT_OK);
    if (kind->count == 0)
        assert_int_equal(listed.place_count, 0);
    record_init(&whole, &f->plan.fields);
    record_from_event(&whole, ev, &nothing, &EVERY_FIELD);
    whole.kind = RECORD_KIND_NONE;
    assert_int_equal(sighter_step(other, &whole, &asked), SIGHT_OK);
    same_places(&listed, &asked);
    const struct hash128 identity = asked.identity;
    record_done(&whole);
    writer_init(&name, vid, sizeof vid);
    writer_hex(&name, slice_make(ev->vid, EV_VID_SIZE), false);
    writer_init(&w, json, sizeof json - 1);
    event_json_write(ev, writer_slice(&name), slice_str(""), &w);
    json[w.len] = '\0';
    feed_record(f, json, true);
    assert_int_equal(sighter_step(other, &f->record, &read), SIGHT_OK);
    same_places(&listed, &read);
    assert_true(hash128_equal(identity, read.identity));
    record_done(&r);
    return listed.place_count;
}

static void lists_agree_with_asking(void **state)
{
    static char text[65536];
    struct seed s = seed_start("interest", 0x1A7E);
    uint64_t places = 0;

    (void)state;
    for (int round = 0; round < 12; round++) {
        static struct sighter other;
        struct feed f;

        random_rules(&s, text, sizeof text, round % 3 == 2);
        feed_init(&f, text);
        sighter_init(&other, &f.plan);
        for (int i = 0; i < EVENTS / 12; i++) {
            struct event ev;

            random_event(&s, &ev);
            places += see_thrice(&f, &other, &ev);
        }
        sighter_done(&other);
        feed_done(&f);
    }
    assert_true(places > 0);
}

static bool may_match(const char *detection, enum ev_type_id type, uint8_t priority)
{
    struct event ev;
    struct feed f;
    char text[1024];

    snprintf(text, sizeof text, "title: t\nlogsource: {product: vehicle}\ndetection: %s\n", detection);
    feed_init(&f, text);
    event_init(&ev, (uint16_t)type, 0);
    ev.priority = priority;
    bool may = interest_of(f.plan.interest, interest_kind(&ev))->count > 0;
    feed_done(&f);
    return may;
}

static void kinds_without_interest(void **state)
{
    static const char EVIDENCE[] =
        "{s: {'signature|exists': true}, low: {priority: low}, b: {'type|startswith': backend.}, "
        "condition: s and not low and not b}";

    (void)state;
    assert_false(may_match(EVIDENCE, EV_HOST_AUDIT, EV_PRIORITY_LOW));
    assert_true(may_match(EVIDENCE, EV_HOST_AUDIT, EV_PRIORITY_CRITICAL));
    assert_false(may_match(EVIDENCE, EV_BACKEND_LOGIN, EV_PRIORITY_CRITICAL));
    assert_true(may_match("{s: {nrc: 0x35}, condition: s}", EV_UDS_NEGATIVE_RESPONSE, EV_PRIORITY_LOW));
    assert_false(may_match("{s: {nrc: 0x35}, condition: s}", EV_HOST_AUDIT, EV_PRIORITY_LOW));
    assert_true(may_match("{s: {nrc: null}, condition: s}", EV_HOST_AUDIT, EV_PRIORITY_LOW));
    assert_true(may_match("{s: [anything], condition: s}", EV_HOST_AUDIT, EV_PRIORITY_LOW));
}

/* The list is bounded; rules beyond it are found in the other way. */
static void many_rules_of_one_kind(void **state)
{
    static struct sighter other;
    static char text[65536];
    struct event ev;
    struct feed f;
    size_t len = 0;

    (void)state;
    for (int i = 0; i <= INTEREST_RULES_MAX; i++)
        len += (size_t)snprintf(
            text + len, sizeof text - len,
            "---\ntitle: r%d\nlogsource: {product: vehicle}\ndetection: {s: {'ecu|contains': cu%d}, condition: s}\n", i,
            i % 9);
    feed_init(&f, text);
    sighter_init(&other, &f.plan);
    event_init(&ev, EV_HOST_AUDIT, 0);
    ev.seq = 1;
    ev.ecu = slice_str("ECU1");
    assert_int_equal(see_thrice(&f, &other, &ev), 8);
    sighter_done(&other);
    feed_done(&f);
}

/* A signature is made from the event here and from the record of a JSON line there; bytes and decimals would differ. */
static void signatures_are_made_of_plain_fields(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        const uint8_t part[2] = {ev_type_at(i)->signature_subject, ev_type_at(i)->signature_detail};

        for (unsigned k = 0; k < 2; k++) {
            const struct ev_field_info *info = part[k] == EV_F_NONE ? NULL : ev_field_find(part[k]);

            assert_true(info == NULL || (info->kind != EV_KIND_BYTES && info->decimals == 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree_with_asking),
        cmocka_unit_test(kinds_without_interest),
        cmocka_unit_test(many_rules_of_one_kind),
        cmocka_unit_test(signatures_are_made_of_plain_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
