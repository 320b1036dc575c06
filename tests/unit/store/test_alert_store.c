/* Alerts in the state database: revisions, members, and what takes whose place. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "store/alert_store.h"
#include "store/change.h"

static int open_store(void **state)
{
    struct store_error error;
    struct store *st = NULL;

    assert_int_equal(store_open("memory:", &st, &error), VS_OK);
    assert_int_equal(store_begin(st), VS_OK);
    *state = st;
    return 0;
}

static int close_store(void **state)
{
    store_close(*state);
    return 0;
}

static struct alert an_alert(uint8_t id, uint32_t revision)
{
    struct alert al = {.rule = SLICE_LIT("storm"),
                       .title = SLICE_LIT("Storm"),
                       .severity = ALERT_HIGH,
                       .group_count = 2,
                       .group = {{SLICE_LIT("vin"), SLICE_LIT("0102030405060708090a0b0c0d0e0f10")},
                                 {SLICE_LIT("pdu"), SLICE_LIT("Eng\"Torque")}},
                       .first_us = 1000,
                       .last_us = 2000,
                       .count = 3,
                       .vehicles = 1,
                       .peak = SLICE_LIT("3"),
                       .revision = revision};

    memset(al.id, id, sizeof al.id);
    return al;
}

static struct alert_member a_member(uint8_t vid, uint64_t seq, const char *signature)
{
    struct alert_member m = {.epoch = 1,
                             .seq = seq,
                             .time_us = (int64_t)seq * 10,
                             .count = 2,
                             .type = SLICE_LIT("secoc.x"),
                             .signature = slice_str(signature),
                             .model = SLICE_LIT("M1")};

    memset(m.vid, vid, sizeof m.vid);
    return m;
}

static int64_t number(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);

    assert_int_equal(store_step(q), VS_OK);
    int64_t n = store_i64(q, 0);
    store_done(q);
    return n;
}

static void a_revision_is_taken_once_and_never_backwards(void **state)
{
    struct store *st = *state;
    struct alert al = an_alert(1, 2);
    struct alert_row row;
    struct store_stmt *q;
    bool fresh = false;

    assert_int_equal(alert_store_put(st, &al, "opened", 5, &fresh), VS_OK);
    assert_true(fresh);
    assert_int_equal(alert_store_put(st, &al, "opened", 6, &fresh), VS_OK);
    assert_false(fresh);
    al.revision = 1;
    al.count = 99;
    assert_int_equal(alert_store_put(st, &al, "late", 7, &fresh), VS_OK);
    assert_false(fresh);
    al.revision = 3;
    al.state = ALERT_RETRACTED;
    assert_int_equal(alert_store_put(st, &al, "retracted", 8, &fresh), VS_OK);
    assert_true(fresh);
    assert_int_equal(alert_store_find(st, slice_str("01010101010101010101010101010101"), &q, &row), VS_OK);
    assert_int_equal(row.revision, 3);
    assert_int_equal(row.state, ALERT_RETRACTED);
    assert_int_equal(row.created_us, 5);
    assert_int_equal(row.changed_us, 8);
    check_slice(row.vid, "0102030405060708090a0b0c0d0e0f10");
    check_slice(row.group_json, "{\"vin\":\"0102030405060708090a0b0c0d0e0f10\",\"pdu\":\"Eng\\\"Torque\"}");
    store_done(q);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_revision"), 2);
    assert_int_equal(change_head(st), 2);
    assert_int_equal(alert_store_find(st, slice_str("none"), &q, &row), VS_ERR_NOT_FOUND);
}

static void members_are_counted_once(void **state)
{
    struct store *st = *state;
    struct alert al = an_alert(1, 1);
    struct alert_member m[] = {a_member(1, 1, "s"), a_member(1, 2, "s"), a_member(2, 1, "t"), a_member(1, 1, "s")};

    assert_int_equal(alert_store_put(st, &al, "opened", 5, NULL), VS_OK);
    assert_int_equal(alert_store_add_members(st, al.id, m, 4, false), VS_OK);
    assert_int_equal(alert_store_add_members(st, al.id, m, 2, false), VS_OK);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member"), 3);
    assert_int_equal(number(st, "SELECT members_total FROM alert"), 3);
    assert_int_equal(number(st, "SELECT events FROM alert_vehicle WHERE signature = 's'"), 4);
    assert_int_equal(number(st, "SELECT last_us - first_us FROM alert_vehicle WHERE signature = 's'"), 10);
    assert_int_equal(alert_store_add_members(st, al.id, m + 2, 1, true), VS_OK);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member"), 1);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_vehicle"), 1);
    assert_int_equal(number(st, "SELECT members_total FROM alert"), 1);
}

static void more_members_than_are_kept_still_count(void **state)
{
    struct store *st = *state;
    struct alert al = an_alert(1, 1);

    assert_int_equal(alert_store_put(st, &al, "opened", 5, NULL), VS_OK);
    for (uint64_t i = 0; i < ALERT_MEMBERS_MAX + 50; i++) {
        struct alert_member m = a_member((uint8_t)(i % 200), i + 1, "s");
        assert_int_equal(alert_store_add_members(st, al.id, &m, 1, false), VS_OK);
    }
    assert_int_equal(number(st, "SELECT count(*) FROM alert_member"), ALERT_MEMBERS_MAX);
    assert_int_equal(number(st, "SELECT members_total FROM alert"), ALERT_MEMBERS_MAX + 50);
    assert_int_equal(number(st, "SELECT sum(events) FROM alert_vehicle"), 2 * (ALERT_MEMBERS_MAX + 50));
}

static void an_alert_taken_in_points_to_the_new_one(void **state)
{
    struct store *st = *state;
    struct alert one = an_alert(1, 1), two = an_alert(2, 1), both = an_alert(3, 1);
    struct alert_row row;
    struct store_stmt *q;

    both.supersedes_count = 2;
    memset(both.supersedes[0], 1, ALERT_ID_SIZE);
    memset(both.supersedes[1], 2, ALERT_ID_SIZE);
    assert_int_equal(alert_store_put(st, &one, "opened", 5, NULL), VS_OK);
    assert_int_equal(alert_store_put(st, &two, "opened", 5, NULL), VS_OK);
    assert_int_equal(alert_store_put(st, &both, "merged", 6, NULL), VS_OK);
    assert_int_equal(alert_store_find(st, slice_str("01010101010101010101010101010101"), &q, &row), VS_OK);
    check_slice(row.superseded_by, "03030303030303030303030303030303");
    store_done(q);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_supersedes"), 2);
}

static void a_later_fact_about_a_vehicle_wins(void **state)
{
    struct store *st = *state;
    struct alert al = an_alert(1, 1);
    struct alert_member later = a_member(1, 9, "s"), earlier = a_member(1, 2, "s");

    later.model = slice_str("new");
    later.motion = ALERT_MOTION_MOVING;
    earlier.model = slice_str("old");
    assert_int_equal(alert_store_put(st, &al, "opened", 5, NULL), VS_OK);
    assert_int_equal(alert_store_add_members(st, al.id, &later, 1, false), VS_OK);
    assert_int_equal(alert_store_add_members(st, al.id, &earlier, 1, false), VS_OK);
    assert_int_equal(number(st, "SELECT count(*) FROM alert_vehicle WHERE model = 'new' AND motion = 2"), 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_revision_is_taken_once_and_never_backwards),
        TEST(members_are_counted_once),
        TEST(more_members_than_are_kept_still_count),
        TEST(an_alert_taken_in_points_to_the_new_one),
        TEST(a_later_fact_about_a_vehicle_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
