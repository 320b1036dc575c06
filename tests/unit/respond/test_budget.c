/* Alert budgets: what is gathered, what comes through, and the file that sets them (R-019; docs/alerts.md). */
#include <stdlib.h>
#include <unistd.h>

#include "respond/budget_file.h"
#include "respond/economy_scene.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(over_budget_gathers_and_asks_the_owner),
        SCENE_TEST(a_team_has_a_budget_over_its_rules),
        SCENE_TEST(over_budget_joins_what_is_worked_on),
        SCENE_TEST(a_campaign_takes_its_alerts_out_of_the_heap),
        SCENE_TEST(a_budget_file_is_read_or_refused_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
