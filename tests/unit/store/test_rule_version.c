/* Versions of rules in the state database: written once, found by the start of their hash, named by alerts in order. */
#include <string.h>

#include "check.h"
#include "store/rule_version.h"

static struct slice text_of(uint8_t n)
{
    static const char *const TEXT[] = {"", "title: one\n", "title: two\n"};

    return slice_str(TEXT[n]);
}

static void put(struct store *st, uint8_t n, int64_t now_us)
{
    uint8_t version[RULE_VERSION_SIZE];

    memset(version, n, sizeof version);
    assert_int_equal(rule_version_put(st, version, slice_str("storm"), text_of(n), now_us), VS_OK);
}

static void note(struct store *st, const uint8_t *alert, uint8_t n, int64_t now_us)
{
    uint8_t version[RULE_VERSION_SIZE];

    memset(version, n, sizeof version);
    assert_int_equal(rule_version_note(st, alert, version, now_us), VS_OK);
}

static void an_alert_names_the_versions_that_wrote_it(void **state)
{
    struct alert al = {.rule = SLICE_LIT("storm"), .title = SLICE_LIT("Storm"), .peak = SLICE_LIT("1"), .revision = 1};
    uint8_t version[RULE_VERSION_SIZE];
    char id[ALERT_ID_TEXT_SIZE];
    struct rule_version_row row;
    struct store_error error;
    struct store *st = NULL;

    (void)state;
    memset(al.id, 7, sizeof al.id);
    alert_id_text(al.id, id);
    assert_int_equal(store_open("memory:", &st, &error), VS_OK);
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(alert_store_put(st, &al, "opened", 5, NULL), VS_OK);
    memset(version, 1, sizeof version);
    assert_false(rule_version_known(st, version));
    put(st, 1, 10);
    put(st, 1, 99); /* again: stays as it was */
    put(st, 2, 20);
    assert_true(rule_version_known(st, version));
    note(st, al.id, 2, 30);
    note(st, al.id, 1, 25);
    note(st, al.id, 2, 40);

    struct store_stmt *q = rule_version_list(st, slice_str(""), slice_str(id));
    assert_true(rule_version_next(q, &row));
    assert_true(slice_equal(row.text, text_of(1)));
    assert_int_equal(row.first_us, 10);
    assert_int_equal(row.alerts, 1);
    assert_true(rule_version_next(q, &row));
    assert_true(slice_equal(row.text, text_of(2)));
    assert_false(rule_version_next(q, &row));
    store_done(q);

    assert_int_equal(rule_version_find(st, slice_str("0202"), &q, &row), VS_OK);
    assert_true(slice_equal(row.text, text_of(2)));
    store_done(q);
    assert_int_equal(rule_version_find(st, slice_str("0"), &q, &row), VS_ERR_CONFLICT);
    assert_int_equal(rule_version_find(st, slice_str("ff"), &q, &row), VS_ERR_NOT_FOUND);
    assert_int_equal(store_commit(st), VS_OK);
    store_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_alert_names_the_versions_that_wrote_it)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
