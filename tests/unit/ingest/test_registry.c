/* What is known of vehicles, as of event time.. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/registry.h"
#include "seed.h"

static void vid_of(uint32_t n, uint8_t vid[EV_VID_SIZE])
{
    memset(vid, 0, EV_VID_SIZE);
    memcpy(vid, &n, sizeof n);
}

static void put(struct registry *g, uint32_t n, const char *model)
{
    struct vehicle_facts f = {
        .model = slice_str(model), .hardware = slice_str("H2"), .region = slice_str("EU"), .owner = slice_str("o")};

    vid_of(n, f.vid);
    assert_int_equal(registry_put(g, &f), VS_OK);
}

static enum vs_err software(struct registry *g, uint32_t n, const char *component, const char *version, int64_t from,
                            int64_t recorded)
{
    struct software_period p = {slice_str(component), slice_str(version), from, recorded, SOFTWARE_IMPORT};
    uint8_t vid[EV_VID_SIZE];

    vid_of(n, vid);
    return registry_software_put(g, vid, &p);
}

static const struct vehicle_facts *facts(struct registry *g, uint32_t n)
{
    uint8_t vid[EV_VID_SIZE];

    vid_of(n, vid);
    return registry_find(g, vid);
}

/* an event before the update gets the version before, whenever it arrives. */
static void test_version_as_of_event_time(void **state)
{
    static const struct {
        const char *component;
        int64_t at;
        const char *want;
    } ROW[] = {{"", 99, ""},      {"", 100, "1.0"},    {"", 199, "1.0"},    {"", 200, "2.1"},  {"", 10000, "2.1"},
               {"ECU1", 149, ""}, {"ECU1", 150, "e1"}, {"ECU2", 500, "f1"}, {"ECU3", 500, ""}, {"E", 500, ""}};
    struct registry *g;

    (void)state;
    assert_int_equal(registry_new(&g), VS_OK);
    put(g, 1, "Model A");
    assert_int_equal(software(g, 1, "", "2.0", 200, 1000), VS_OK);
    assert_int_equal(software(g, 1, "ECU2", "f1", 0, 1000), VS_OK);
    assert_int_equal(software(g, 1, "", "1.0", 100, 1000), VS_OK);
    assert_int_equal(software(g, 1, "ECU1", "e1", 150, 1000), VS_OK);
    assert_int_equal(software(g, 1, "", "2.1", 200, 2000), VS_OK); /* learned later about the same instant */
    assert_int_equal(software(g, 1, "", "2.0", 200, 1000), VS_OK); /* the same again */
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++)
        CHECK_ROW(
            i, slice_equal_str(registry_software_at(facts(g, 1), slice_str(ROW[i].component), ROW[i].at), ROW[i].want));
    const struct software_period *p;
    assert_int_equal(registry_software(facts(g, 1), &p), 5);
    assert_int_equal(software(g, 2, "", "1.0", 0, 0), VS_ERR_NOT_FOUND);
    registry_free(g);
}

static void test_many_vehicles(void **state)
{
    struct registry *g;
    char model[32];

    (void)state;
    assert_int_equal(registry_new(&g), VS_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(model, sizeof model, "Model %u", i % 7);
        put(g, i, model);
    }
    put(g, 5, "Model X");
    assert_int_equal(registry_count(g), 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(model, sizeof model, i == 5 ? "Model X" : "Model %u", i % 7);
        assert_true(slice_equal_str(facts(g, i)->model, model));
    }
    assert_null(facts(g, 20000));
    registry_free(g);
}

static void test_texts_are_bounded(void **state)
{
    struct registry *g;
    char text[REGISTRY_TEXT_MAX + 2] = {0};
    struct vehicle_facts f = {.model = slice_make(text, REGISTRY_TEXT_MAX + 1)};

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(registry_new(&g), VS_OK);
    assert_int_equal(registry_put(g, &f), VS_ERR_LIMIT);
    assert_int_equal(registry_count(g), 0);
    registry_free(g);
}

/* the fleet itself tells when an update is installed. */
static void test_learns_from_events(void **state)
{
    struct registry *g;
    struct event ev;
    struct software_period p;

    (void)state;
    assert_int_equal(registry_new(&g), VS_OK);
    put(g, 1, "Model A");
    assert_int_equal(software(g, 1, "", "1.0", 0, 0), VS_OK);
    event_init(&ev, EV_OTA_INSTALLED, 500);
    vid_of(1, ev.vid);
    event_set_text(&ev, EV_F_VERSION, slice_str("2.0"));
    assert_true(registry_observe(g, &ev, 600, &p));
    assert_int_equal(p.from_us, 500);
    assert_int_equal(p.recorded_us, 600);
    assert_int_equal(p.source, SOFTWARE_OTA);
    check_slice(registry_software_at(facts(g, 1), slice_str(""), 499), "1.0");
    check_slice(registry_software_at(facts(g, 1), slice_str(""), 500), "2.0");
    assert_false(registry_observe(g, &ev, 700, &p));
    ev.first_us = 900;
    ev.trust = EV_TRUST_SUSPECT;
    event_set_text(&ev, EV_F_VERSION, slice_str("3.0"));
    assert_false(registry_observe(g, &ev, 1000, &p)); /* when is not known, so nothing is */
    vid_of(2, ev.vid);
    ev.trust = 0;
    assert_false(registry_observe(g, &ev, 1000, &p)); /* not enrolled */
    event_init(&ev, EV_VEHICLE_IGNITION_ON, 500);
    assert_false(registry_observe(g, &ev, 600, &p));
    registry_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_as_of_event_time),
        cmocka_unit_test(test_many_vehicles),
        cmocka_unit_test(test_texts_are_bounded),
        cmocka_unit_test(test_learns_from_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
