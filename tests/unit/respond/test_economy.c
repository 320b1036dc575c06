/* Silences and budgets: nothing is lost, whatever they say (R-019 and the alert economy of docs/alerts.md). By hand,
 * and as a property over random alerts, silences and budgets in random orders. */
#include <stdlib.h>
#include <unistd.h>

#include "respond/budget.h"
#include "respond/budget_file.h"
#include "respond/rule_info.h"
#include "respond/scene.h"
#include "respond/settle.h"
#include "respond/silence.h"
#include "respond/silence_preview.h"
#include "respond/vehicle_tag.h"
#include "seed.h"

#define DAY_US (24 * SCENE_HOUR)

static const struct actor LENA = {.name = SLICE_LIT("lena"), .permissions = UINT32_MAX, .source = SLICE_LIT("test")};
static const struct actor OTTO = {.name = SLICE_LIT("otto"), .permissions = UINT32_MAX, .source = SLICE_LIT("test")};

static void settle(struct scene *s)
{
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(respond_settle(s->st, s->now_us), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static struct silence_matcher matcher(const char *field, const char *op, const char *value)
{
    struct silence_matcher m;
    const char *why = NULL;

    assert_true(silence_matcher_parse(slice_str(field), slice_str(op), slice_str(value), &m, &why));
    return m;
}

static struct silence_draft draft(const struct silence_matcher *m, unsigned count, int64_t expires_us)
{
    struct silence_draft d = {.cause = SLICE_LIT("maintenance"),
                              .reason = SLICE_LIT("new brakes are run in"),
                              .expires_us = expires_us,
                              .matcher_count = count,
                              .matcher = m};
    return d;
}

static int64_t silence_rule(struct scene *s, const char *rule, int64_t hours, uint32_t severities)
{
    struct silence_matcher m = matcher("rule", "is", rule);
    struct silence_draft d = draft(&m, 1, s->now_us + hours * SCENE_HOUR);
    struct silence_refusal no;
    int64_t number = 0;

    d.severities = severities;
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
    return number;
}

static void lift(struct scene *s, int64_t number)
{
    struct silence_refusal no;

    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_revoke(s->st, number, slice_str("over"), &LENA, s->now_us, &no), VS_OK);
    assert_int_equal(respond_settle(s->st, s->now_us), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
}

static void budget(struct scene *s, int64_t rule, int64_t team)
{
    struct budget_limit limit[2] = {{BUDGET_RULE, "*", rule}, {BUDGET_TEAM, "*", team}};

    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(budget_limits_put(s->st, limit, 2), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static struct scene_alert one(uint8_t id, uint8_t vid, const char *rule)
{
    return (struct scene_alert){
        .id = id, .vid = vid, .rule = rule, .signature = rule, .first_h = id, .last_h = id, .severity = ALERT_MEDIUM};
}

static int64_t held_now(struct scene *s)
{
    return scene_number(s, "SELECT count(*) FROM silence_alert WHERE ended_us IS NULL");
}

/* ---- silences */

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

/* ---- budgets */

static void over_budget_gathers_and_asks_the_owner(void **state)
{
    struct scene *s = *state;
    const struct alert_context owned = {.rationale = SLICE_LIT("because"), .owner = SLICE_LIT("net"), .safety = -1};

    budget(s, 3, -1);
    for (uint8_t i = 9; i >= 1; i--) {
        struct scene_alert a = one(i, i, "storm");
        a.severity = i == 8 ? ALERT_CRITICAL : ALERT_MEDIUM;
        a.first_h = a.last_h = (int64_t)i * 30; /* each vehicle an incident of its own */
        scene_put_with(s, &a, &owned);
    }
    settle(s);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident WHERE kind = 2"), 1);
    int64_t gathered = scene_number(s, "SELECT number FROM incident WHERE kind = 2");
    for (uint8_t i = 1; i <= 9; i++)
        assert_int_equal(scene_home(s, i) == gathered, i > 3 && i != 8);
    assert_int_equal(scene_number(s, "SELECT queued FROM budget_day"), 3);
    assert_int_equal(scene_number(s, "SELECT through FROM budget_day"), 1);
    assert_int_equal(scene_number(s, "SELECT over FROM budget_day"), 5);
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM task WHERE kind = 'tune_rule' AND title LIKE 'net: tune rule "
                                  "storm, 5 alerts over the budget of 3 on %'"),
                     1);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident WHERE title = 'Over budget: storm, 5 alerts'"), 1);
    /* One that turns critical leaves for the queue. */
    struct scene_alert graver = one(9, 9, "storm");
    graver.revision = 2;
    graver.severity = ALERT_CRITICAL;
    scene_put_with(s, &graver, &owned);
    settle(s);
    assert_int_not_equal(scene_home(s, 9), gathered);
    assert_int_equal(scene_incident(s, scene_home(s, 9)).kind, INCIDENT_VEHICLE);
    assert_int_equal(scene_number(s, "SELECT alerts FROM incident WHERE kind = 2"), 4);
    /* The next day begins anew. */
    s->now_us += DAY_US;
    scene_put_with(
        s, &(struct scene_alert){.id = 20, .vid = 20, .rule = "storm", .signature = "x", .first_h = 900, .last_h = 900},
        &owned);
    settle(s);
    assert_int_not_equal(scene_home(s, 20), gathered);
}

static void a_team_has_a_budget_over_its_rules(void **state)
{
    struct scene *s = *state;
    const struct alert_context owned = {.rationale = SLICE_LIT("because"), .owner = SLICE_LIT("net"), .safety = -1};

    budget(s, -1, 2);
    for (uint8_t i = 1; i <= 4; i++) {
        struct scene_alert a = one(i, i, i % 2 ? "storm" : "rain");
        scene_put_with(s, &a, &owned);
    }
    settle(s);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM budget_incident WHERE scope = 'team' AND name = 'net'"), 2);
    assert_int_equal(scene_number(s, "SELECT sum(over) FROM budget_day"), 2);
}

static void over_budget_joins_what_is_worked_on(void **state)
{
    struct scene *s = *state;

    scene_put(s, one(1, 1, "theft"));
    budget(s, 0, -1);
    scene_put(s, one(2, 1, "storm"));
    scene_put(s, one(3, 2, "storm"));
    settle(s);
    assert_int_equal(scene_home(s, 2), scene_home(s, 1));
    assert_int_equal(scene_incident(s, scene_home(s, 3)).kind, INCIDENT_BUDGET);
    assert_int_equal(scene_number(s, "SELECT joined FROM budget_day WHERE rule = 'storm'"), 1);
}

static void a_campaign_takes_its_alerts_out_of_the_heap(void **state)
{
    struct scene *s = *state;

    budget(s, 0, -1);
    for (uint8_t i = 1; i <= 3; i++)
        scene_put(s, (struct scene_alert){.id = i, .vid = i, .rule = "storm", .signature = "S", .last_h = 9});
    settle(s);
    int64_t gathered = scene_home(s, 1);
    assert_int_equal(scene_incident(s, gathered).kind, INCIDENT_BUDGET);
    scene_put(s,
              (struct scene_alert){
                  .id = 9, .fleet = 3, .rule = "campaign", .signature = "S", .last_h = 9, .severity = ALERT_CRITICAL});
    settle(s);
    int64_t campaign = scene_home(s, 9);
    for (uint8_t i = 1; i <= 3; i++)
        assert_int_equal(scene_home(s, i), campaign);
    assert_int_equal(scene_incident(s, gathered).merged_into, 0); /* the day's record stays */
}

static void a_budget_file_is_read_or_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        int count;     /* -1 = refused */
        unsigned line; /* of the fault */
    } ROWS[] = {{"", 2, 0},
                {"default: {rule: 5, team: unlimited}\n", 2, 0},
                {"rules: {a: 1, b: 0}\nteams: {x: 7}\n", 5, 0},
                {"rules: {a: -1}\n", -1, 1},
                {"rules:\n  a: 1\n  a: 2\n", -1, 3},
                {"rulez: {}\n", -1, 1},
                {"default:\n  rule: 1\n  squad: 2\n", -1, 3},
                {"rules: 7\n", -1, 1},
                {"[]\n", -1, 1},
                {"rules: {a: 1000001}\n", -1, 1},
                {"rules: {a\n", -1, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char path[] = "/tmp/vsoc-budget-XXXXXX";
        int fd = mkstemp(path);
        FILE *f = fdopen(fd, "w");
        struct budget_limit *limit = NULL;
        struct budget_file_error error = {0};
        unsigned count = 0;
        assert_non_null(f);
        fputs(ROWS[i].text, f);
        fclose(f);
        enum vs_err err = budget_file_read(path, &limit, &count, &error);
        CHECK_ROW(i, (err == VS_OK) == (ROWS[i].count >= 0));
        CHECK_ROW(i, err != VS_OK || count == (unsigned)ROWS[i].count);
        CHECK_ROW(i, err == VS_OK || error.line == ROWS[i].line);
        free(limit);
        unlink(path);
    }
}

/* ---- whatever happens */

#define PEOPLE_MAX 60

/* Every alert is somewhere, in one place only, and the counts say the same as the rows. */
static void check_all_is_there(struct scene *s)
{
    assert_int_equal(scene_number(s, "SELECT count(*) FROM alert_waiting"), 0);
    /* In no incident, not held, and not held when its silence ended or before late events took its ground. */
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM alert a WHERE a.incident IS NULL AND a.superseded_by IS NULL "
                                  "AND a.state <> 2 AND a.id NOT IN (SELECT alert FROM silence_alert WHERE ended_us "
                                  "IS NULL OR ended_why = 'ended')"),
                     0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM alert a JOIN silence_alert h ON h.alert = a.id "
                                     "WHERE a.incident IS NOT NULL AND h.ended_us IS NULL"),
                     0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM (SELECT alert FROM silence_alert WHERE ended_us IS NULL "
                                     "GROUP BY alert HAVING count(*) > 1) x"),
                     0);
    /* What an incident of a budget says it has is what is at home there. */
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM incident i WHERE i.kind = 2 AND i.alerts <> (SELECT count(*) "
                                  "FROM alert a WHERE a.incident = i.number AND a.superseded_by IS NULL) AND (SELECT "
                                  "count(*) FROM alert a WHERE a.incident = i.number AND a.superseded_by IS NULL) > 0"),
                     0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident WHERE kind = 2 AND merged_into IS NOT NULL"), 0);
    /* No rule brought more to the queue in a day than it may, the grave ones apart. */
    assert_int_equal(scene_number(s, "SELECT count(*) FROM budget_day d, budget_limit l WHERE l.scope = 'rule' "
                                     "AND l.name = '*' AND l.per_day >= 0 AND d.queued > l.per_day"),
                     0);
    /* Each alert is counted where it went last, and nowhere twice on one day. */
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM budget_day d WHERE d.queued < (SELECT count(*) FROM "
                                  "alert_outcome o WHERE o.rule = d.rule AND o.day_us = d.day_us AND o.outcome = 0) "
                                  "OR d.over < (SELECT count(*) FROM alert_outcome o WHERE o.rule = d.rule "
                                  "AND o.day_us = d.day_us AND o.outcome = 3) OR d.silenced < (SELECT count(*) FROM "
                                  "alert_outcome o WHERE o.rule = d.rule AND o.day_us = d.day_us AND o.outcome = 4)"),
                     0);
}

/* VSOC_ECONOMY_RUNS=n: more of them. */
static int runs_of(void)
{
    const char *n = getenv("VSOC_ECONOMY_RUNS");

    return n != NULL ? atoi(n) : 12;
}

struct life {
    struct scene_alert alert[PEOPLE_MAX];
    int count;
};

static void random_alert(struct scene *s, struct life *l, struct seed *seed)
{
    static const char *const RULE[] = {"storm", "rain", "hail"};
    static const char *const SIGNATURE[] = {"S", "T"};

    if (l->count == 0 || (l->count < PEOPLE_MAX && seed_below(seed, 3) > 0)) {
        struct scene_alert a = {.id = (uint8_t)(l->count + 1),
                                .vid = (uint8_t)seed_below(seed, 8),
                                .fleet = (uint8_t)(1 + seed_below(seed, 5)),
                                .rule = RULE[seed_below(seed, 3)],
                                .signature = SIGNATURE[seed_below(seed, 2)],
                                .first_h = (int64_t)seed_below(seed, 90),
                                .severity = (uint8_t)(ALERT_LOW + seed_below(seed, 4)),
                                .revision = 1};
        a.last_h = a.first_h + (int64_t)seed_below(seed, 4);
        if (l->count > 2 && seed_below(seed, 6) == 0) {
            struct scene_alert *old = &l->alert[seed_below(seed, (uint64_t)l->count)];
            if (old->state == ALERT_OPEN && old->supersedes[0] == 0) {
                a.supersedes[0] = old->id;
                a.rule = old->rule;
                a.vid = old->vid;
                old->state = ALERT_RETRACTED + 1; /* not touched again */
            }
        }
        l->alert[l->count++] = a;
        scene_put(s, a);
        return;
    }
    struct scene_alert *a = &l->alert[seed_below(seed, (uint64_t)l->count)];
    if (a->state > ALERT_RETRACTED)
        return;
    a->revision++;
    a->severity = (uint8_t)(ALERT_LOW + seed_below(seed, 4));
    a->fleet = (uint8_t)(a->fleet + seed_below(seed, 6));
    a->state = (uint8_t)seed_below(seed, 3);
    scene_put(s, *a);
}

static void random_silence(struct scene *s, struct seed *seed)
{
    static const char *const VALUE[] = {"storm", "r*", "?ail"};
    struct silence_matcher m[2] = {matcher("rule", "glob", VALUE[seed_below(seed, 3)]),
                                   matcher("signature", "is", seed_below(seed, 2) ? "S" : "T")};
    struct silence_draft d = draft(m, 1 + (unsigned)seed_below(seed, 2), 0);
    struct silence_refusal no;
    int64_t number;

    d.starts_us = s->now_us + (int64_t)seed_below(seed, 3) * SCENE_HOUR;
    d.expires_us = d.starts_us + (1 + (int64_t)seed_below(seed, 20)) * SCENE_HOUR;
    d.severities = 1 + (uint32_t)seed_below(seed, 31);
    d.spread_factor = (int64_t)seed_below(seed, 3);
    d.vehicles_max = (int64_t)seed_below(seed, 4);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    if ((d.severities >> ALERT_CRITICAL & 1) != 0 && seed_below(seed, 2))
        assert_int_equal(
            silence_approve(s->st, number, seed_below(seed, 3) > 0, slice_str("yes"), &OTTO, s->now_us, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static void random_revoke(struct scene *s)
{
    int64_t number = scene_number(s, "SELECT min(number) FROM silence WHERE ended_us IS NULL");

    if (number > 0)
        lift(s, number);
}

static void nothing_is_ever_lost(void **state)
{
    struct scene *s = *state;
    struct seed seed = seed_start(__func__, 19);
    int runs = runs_of();

    for (int run = 0; run < runs; run++) {
        struct life l = {.count = 0};
        struct store_error error;
        store_close(s->st);
        assert_int_equal(store_open("memory:", &s->st, &error), VS_OK);
        s->now_us = SCENE_T0;
        budget(s, (int64_t)seed_below(&seed, 8) - 1, (int64_t)seed_below(&seed, 12) - 1);
        for (int step = 0; step < 120; step++) {
            switch (seed_below(&seed, 8)) {
            case 0:
                random_silence(s, &seed);
                break;
            case 1:
                random_revoke(s);
                break;
            case 2:
                s->now_us += (int64_t)seed_below(&seed, 9) * SCENE_HOUR;
                break;
            default:
                random_alert(s, &l, &seed);
            }
            if (seed_below(&seed, 4) == 0) {
                settle(s);
                check_all_is_there(s);
            }
        }
        settle(s);
        check_all_is_there(s);
    }
}

/* Where every alert is, by its id, in words that do not depend on the numbers of incidents. */
static void places(struct scene *s, int count, char *ret, size_t size)
{
    size_t len = 0;

    for (int i = 1; i <= count; i++) {
        int64_t home = scene_home(s, (uint8_t)i);
        int first = 0; /* the lowest alert of the same incident stands for it */
        for (int j = 1; j <= count && first == 0 && home != 0; j++)
            if (scene_home(s, (uint8_t)j) == home)
                first = j;
        int kind = home != 0 ? (int)scene_incident(s, home).kind : -1;
        len += (size_t)snprintf(ret + len, size - len, "%d:%d/%d ", i, first, kind);
        assert_true(len < size);
    }
}

/* One transaction: the order in which its alerts come makes no difference. */
static void the_order_within_a_transaction_makes_no_difference(void **state)
{
    struct scene *s = *state;
    struct seed seed = seed_start(__func__, 19);
    int runs = runs_of();

    for (int run = 0; run < runs; run++) {
        char want[2048], got[2048];
        struct scene_alert list[20];
        uint64_t world = seed_below(&seed, UINT64_C(1) << 40);
        int n = (int)(sizeof list / sizeof list[0]);
        for (int i = 0; i < n; i++)
            list[i] = (struct scene_alert){.id = (uint8_t)(i + 1),
                                           .vid = (uint8_t)(1 + seed_below(&seed, 12)),
                                           .rule = seed_below(&seed, 2) ? "storm" : "rain",
                                           .signature = seed_below(&seed, 2) ? "S" : "T",
                                           .first_h = (int64_t)seed_below(&seed, 60),
                                           .severity = (uint8_t)(ALERT_LOW + seed_below(&seed, 4))};
        for (int i = 0; i < n; i++)
            list[i].last_h = list[i].first_h;
        for (int turn = 0; turn < 3; turn++) {
            struct store_error error;
            struct seed again = {world};
            store_close(s->st);
            assert_int_equal(store_open("memory:", &s->st, &error), VS_OK);
            s->now_us = SCENE_T0;
            budget(s, 3, -1);
            random_silence(s, &again);
            random_silence(s, &again);
            s->now_us = SCENE_T0 + 2 * SCENE_HOUR;
            for (int i = n - 1; i > 0; i--) {
                int j = (int)seed_below(&seed, (uint64_t)i + 1);
                struct scene_alert swap = list[i];
                list[i] = list[j];
                list[j] = swap;
            }
            for (int i = 0; i < n; i++)
                scene_put(s, list[i]);
            s->now_us = SCENE_T0 + 3 * SCENE_HOUR;
            settle(s);
            places(s, n, turn == 0 ? want : got, sizeof want);
            if (turn > 0)
                assert_string_equal(got, want);
        }
    }
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
        SCENE_TEST(over_budget_gathers_and_asks_the_owner),
        SCENE_TEST(a_team_has_a_budget_over_its_rules),
        SCENE_TEST(over_budget_joins_what_is_worked_on),
        SCENE_TEST(a_campaign_takes_its_alerts_out_of_the_heap),
        SCENE_TEST(a_budget_file_is_read_or_refused_with_its_line),
        SCENE_TEST(nothing_is_ever_lost),
        SCENE_TEST(the_order_within_a_transaction_makes_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
