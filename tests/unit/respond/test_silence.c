/* Silences: what they hold, what gets through, who may make them (R-019; docs/alerts.md). */
#include "respond/economy_scene.h"
#include "respond/rule_info.h"
#include "respond/silence_preview.h"
#include "respond/vehicle_tag.h"

static void a_silenced_alert_is_kept_and_comes_back(void **state)
{
    struct scene *s = *state;
    int64_t number = silence_rule(s, "storm", 5, 0);

    scene_put(s, one(1, 1, "storm"));
    scene_put(s, one(2, 2, "other"));
    settle(s);
    assert_int_equal(scene_home(s, 1), 0);
    assert_int_not_equal(scene_home(s, 2), 0);
    assert_int_equal(held_now(s), 1);
    assert_int_equal(scene_number(s, "SELECT silenced FROM budget_day WHERE rule = 'storm'"), 1);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident WHERE rule = 'storm'"), 0);
    lift(s, number);
    assert_int_not_equal(scene_home(s, 1), 0);
    assert_int_equal(held_now(s), 0);
    /* Its SLA clocks start when it comes to the queue. */
    assert_true(scene_incident(s, scene_home(s, 1)).opened_us > SCENE_T0 + 1000);
    assert_int_equal(
        scene_number(
            s, "SELECT count(*) FROM audit WHERE act IN ('silence.create', 'silence.revoked') AND object = 'SIL-1'"),
        2);
}

static void a_silence_ends_with_the_time_of_the_log(void **state)
{
    struct scene *s = *state;

    silence_rule(s, "storm", 5, 0);
    scene_put(s, one(1, 1, "storm"));
    struct scene_alert closed = one(2, 2, "storm");
    closed.state = ALERT_CLOSED;
    scene_put(s, closed);
    settle(s);
    s->now_us += 6 * SCENE_HOUR;
    settle(s);
    assert_int_not_equal(scene_home(s, 1), 0);
    /* What had ended by then stays with the silence. */
    assert_int_equal(scene_home(s, 2), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM silence_alert WHERE ended_why = 'ended'"), 2);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM audit WHERE act = 'silence.expired' AND who = 'system'"), 1);
}

static void what_is_worked_on_stays_worked_on(void **state)
{
    struct scene *s = *state;

    scene_put(s, one(1, 1, "storm"));
    int64_t home = scene_home(s, 1);
    silence_rule(s, "storm", 5, 0);
    struct scene_alert again = one(1, 1, "storm");
    again.revision = 2;
    again.last_h = 3;
    scene_put(s, again);
    settle(s);
    assert_int_equal(scene_home(s, 1), home);
    assert_int_equal(held_now(s), 0);
}

static void severity_and_spread_break_through(void **state)
{
    struct scene *s = *state;

    silence_rule(s, "storm", 5, SILENCE_SEVERITIES_PLAIN);
    scene_put(s, one(1, 1, "storm"));
    struct scene_alert wide = {.id = 2, .fleet = 2, .rule = "storm", .signature = "S", .severity = ALERT_LOW};
    scene_put(s, wide);
    settle(s);
    assert_int_equal(held_now(s), 2);
    struct scene_alert graver = one(1, 1, "storm");
    graver.revision = 2;
    graver.severity = ALERT_HIGH;
    scene_put(s, graver);
    wide.revision = 2;
    wide.fleet = 6; /* three times as many: not more than that */
    scene_put(s, wide);
    settle(s);
    assert_int_not_equal(scene_home(s, 1), 0);
    assert_int_equal(scene_home(s, 2), 0);
    wide.revision = 3;
    wide.fleet = 7;
    scene_put(s, wide);
    settle(s);
    assert_int_not_equal(scene_home(s, 2), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM silence_alert WHERE ended_why IN ('severity', 'spread')"),
                     2);
    assert_int_equal(scene_number(s, "SELECT through FROM budget_day WHERE rule = 'storm'"), 2);
}

static void critical_is_silenced_only_by_two(void **state)
{
    struct scene *s = *state;
    struct silence_refusal no;
    struct scene_alert grave = one(1, 1, "storm");

    grave.severity = ALERT_CRITICAL;
    silence_rule(s, "storm", 5, 0);
    int64_t number = silence_rule(s, "storm", 5, 1u << ALERT_CRITICAL);
    scene_put(s, grave);
    settle(s);
    assert_int_not_equal(scene_home(s, 1), 0); /* nobody has approved */
    assert_int_equal(silence_approve(s->st, number, true, slice_str("ok"), &LENA, s->now_us, &no), VS_ERR_FORBIDDEN);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_approve(s->st, number, true, slice_str("ok"), &OTTO, s->now_us, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    grave.id = 2;
    grave.vid = 2;
    scene_put(s, grave);
    settle(s);
    assert_int_equal(scene_home(s, 2), 0);
    assert_int_equal(scene_number(s, "SELECT silence FROM silence_alert WHERE ended_us IS NULL"), number);
}

static void rules_that_can_hurt_need_two_as_well(void **state)
{
    struct scene *s = *state;
    const struct alert_context brakes = {.rationale = SLICE_LIT("people may be hurt"), .safety = 3};
    struct silence_matcher m[2] = {matcher("rule", "glob", "bra*"), matcher("group.vin", "glob", "*")};
    struct silence_draft d = draft(m, 1, s->now_us + 40 * SCENE_HOUR);
    struct scene_alert a = one(1, 1, "brakes");
    struct silence_refusal no;
    bool second = false;

    scene_put_with(s, &a, &brakes);
    assert_int_equal(silence_check(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &second, &no), VS_ERR_RANGE);
    assert_string_equal(no.field, "expires");
    d.expires_us = s->now_us + 20 * SCENE_HOUR;
    assert_int_equal(silence_check(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &second, &no), VS_OK);
    assert_true(second);
    /* A silence that does not name the rule does not hold it either. */
    char vid[VID_TEXT_SIZE];
    scene_vid(2, vid);
    m[0] = matcher("vid", "is", vid);
    d.expires_us = s->now_us + 40 * SCENE_HOUR;
    int64_t number;
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
    a = one(2, 2, "brakes");
    scene_put_with(s, &a, &brakes);
    scene_put(s, one(3, 2, "radio"));
    settle(s);
    assert_int_not_equal(scene_home(s, 2), 0);
    assert_int_equal(scene_home(s, 3), 0);
}

static void further_vehicles_than_meant_are_not_held(void **state)
{
    struct scene *s = *state;
    struct silence_matcher m = matcher("rule", "is", "storm");
    struct silence_draft d = draft(&m, 1, s->now_us + SCENE_HOUR);
    struct silence_refusal no;
    int64_t number;

    d.vehicles_max = 2;
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
    for (uint8_t i = 4; i >= 1; i--) /* the earliest count first, whichever came first */
        scene_put(s, one(i, i, "storm"));
    settle(s);
    assert_int_equal(scene_home(s, 1), 0);
    assert_int_equal(scene_home(s, 2), 0);
    assert_int_not_equal(scene_home(s, 3), 0);
    assert_int_not_equal(scene_home(s, 4), 0);
}

static void an_alert_is_held_only_when_all_its_vehicles_are_meant(void **state)
{
    struct scene *s = *state;
    struct silence_matcher m[2] = {matcher("tag", "is", "test-fleet"), matcher("rule", "glob", "*")};
    struct silence_draft d = draft(m, 1, s->now_us + SCENE_HOUR);
    struct silence_refusal no;
    int64_t number;
    char vid[VID_TEXT_SIZE];

    assert_int_equal(store_begin(s->st), VS_OK);
    for (uint8_t v = 1; v <= 2; v++) {
        scene_vid(v, vid);
        assert_int_equal(
            vehicle_tag_put(s->st, slice_str(vid), slice_str("test-fleet"), slice_str("mule"), 0, &LENA, s->now_us),
            VS_OK);
    }
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
    scene_put(s, one(1, 1, "a"));
    scene_put(s, one(2, 3, "a"));
    scene_put(s, (struct scene_alert){.id = 3, .fleet = 2, .rule = "b", .signature = "S"});
    scene_put(s, (struct scene_alert){.id = 4, .fleet = 3, .rule = "c", .signature = "T"});
    settle(s);
    assert_int_equal(scene_home(s, 1), 0);
    assert_int_not_equal(scene_home(s, 2), 0);
    assert_int_equal(scene_home(s, 3), 0);
    assert_int_not_equal(scene_home(s, 4), 0);
}

static void a_preview_counts_what_would_have_been_held(void **state)
{
    struct scene *s = *state;
    struct silence_matcher m = matcher("rule", "is", "storm");
    struct silence_draft d = draft(&m, 1, SCENE_T0 + 20 * SCENE_HOUR);
    struct silence_preview p;
    struct scene_alert grave = one(4, 4, "storm");

    grave.severity = ALERT_CRITICAL;
    scene_put(s, one(1, 1, "storm"));
    scene_put(s, one(2, 2, "storm"));
    scene_put(s, one(3, 3, "other"));
    scene_put(s, grave);
    assert_int_equal(scene_decide(s, scene_home(s, 2), DISPOSITION_MALICIOUS), VS_OK);
    d.severities = SILENCE_SEVERITIES_PLAIN;
    assert_int_equal(silence_preview(s->st, &d, SCENE_T0 + 10 * SCENE_HOUR, &p), VS_OK);
    assert_true(p.complete);
    assert_int_equal(p.looked_at, 4);
    assert_int_equal(p.alerts, 2);
    assert_int_equal(p.graver, 1);
    assert_int_equal(p.vehicles, 2);
    assert_int_equal(p.incidents, 2);
    assert_int_equal(p.malicious, 1);
    assert_int_equal(p.rules, 1);
    assert_int_equal(p.samples, 2);
    /* Eight days on nothing of it is recent. */
    assert_int_equal(silence_preview(s->st, &d, SCENE_T0 + 9 * DAY_US, &p), VS_OK);
    assert_int_equal(p.looked_at, 0);
}

static void what_is_asked_for_is_checked(void **state)
{
    struct scene *s = *state;
    const struct actor tess = {.name = SLICE_LIT("tess"), .permissions = PERM_BIT(PERM_SILENCE_CREATE)};
    const struct actor none = {.name = SLICE_LIT("nobody")};
    struct silence_matcher rule = matcher("rule", "is", "storm"), wide = matcher("model", "is", "E4"),
                           all = matcher("rule", "glob", "**");
    const uint32_t mild = 1u << ALERT_LOW | 1u << ALERT_MEDIUM;
    const struct {
        const struct silence_matcher *m;
        const struct actor *who;
        int64_t hours;
        uint32_t severities;
        const char *cause, *reason;
        enum vs_err err;
        const char *field;
    } ROWS[] = {
        {&rule, &LENA, 24, 0, "workshop", "brake test", VS_OK, NULL},
        {&rule, &LENA, 24, 0, "because", "brake test", VS_ERR_RANGE, "cause"},
        {&rule, &LENA, 24, 0, "workshop", "", VS_ERR_RANGE, "reason"},
        {&wide, &LENA, 24, 0, "workshop", "brake test", VS_ERR_RANGE, "matchers"},
        {&all, &LENA, 24, 0, "workshop", "brake test", VS_ERR_RANGE, "matchers"},
        {&rule, &LENA, 24 * 30, 0, "workshop", "brake test", VS_OK, NULL},
        {&rule, &LENA, 24 * 31, 0, "workshop", "brake test", VS_ERR_RANGE, "expires"},
        {&rule, &LENA, 0, 0, "workshop", "brake test", VS_ERR_RANGE, "expires"},
        {&rule, &LENA, 25, UINT32_C(16), "workshop", "brake test", VS_ERR_RANGE, "expires"},
        {&rule, &tess, 24, mild, "workshop", "brake test", VS_OK, NULL},
        {&rule, &tess, 25, mild, "workshop", "brake test", VS_ERR_FORBIDDEN, "expires"},
        {&rule, &tess, 24, 0, "workshop", "brake test", VS_ERR_FORBIDDEN, "matchers"},
        {&rule, &none, 24, mild, "workshop", "brake test", VS_ERR_FORBIDDEN, NULL},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct silence_draft d = draft(ROWS[i].m, 1, s->now_us + ROWS[i].hours * SCENE_HOUR);
        struct silence_refusal no;
        bool second;
        d.cause = slice_str(ROWS[i].cause);
        d.reason = slice_str(ROWS[i].reason);
        d.severities = ROWS[i].severities;
        enum vs_err err = silence_check(s->st, &SILENCE_POLICY_DEFAULT, &d, ROWS[i].who, s->now_us, &second, &no);
        CHECK_ROW(i, err == ROWS[i].err);
        CHECK_ROW(i, err == VS_OK || ROWS[i].field == NULL || strcmp(no.field, ROWS[i].field) == 0);
    }
}

static void globs_are_read_as_written(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool fits;
    } ROWS[] = {
        {"*", "", true},           {"", "", true},           {"", "a", false},         {"a*c", "abbc", true},
        {"a*c", "abb", false},     {"*.1.?", "4.1.7", true}, {"*.1.?", "4.1.", false}, {"??", "\xc3\xa4x", true},
        {"*a*b*a", "aabba", true}, {"4.1", "4.10", false},   {"*b*", "aaa", false},    {"a\\*", "a\\x", true}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        CHECK_ROW(i, silence_glob(slice_str(ROWS[i].pattern), slice_str(ROWS[i].text)) == ROWS[i].fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(a_silenced_alert_is_kept_and_comes_back),
        SCENE_TEST(a_silence_ends_with_the_time_of_the_log),
        SCENE_TEST(what_is_worked_on_stays_worked_on),
        SCENE_TEST(severity_and_spread_break_through),
        SCENE_TEST(critical_is_silenced_only_by_two),
        SCENE_TEST(rules_that_can_hurt_need_two_as_well),
        SCENE_TEST(further_vehicles_than_meant_are_not_held),
        SCENE_TEST(an_alert_is_held_only_when_all_its_vehicles_are_meant),
        SCENE_TEST(a_preview_counts_what_would_have_been_held),
        SCENE_TEST(what_is_asked_for_is_checked),
        cmocka_unit_test(globs_are_read_as_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
