/* Which alerts are worked on together: by hand, and against a twin that reads grouping.h literally over random sets of
 * alerts in random orders. */
#include <stdlib.h>

#include "respond/scene.h"
#include "seed.h"

static void alerts_of_one_vehicle_close_in_time_share_an_incident(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .first_h = 0, .last_h = 1});
    scene_put(s, (struct scene_alert){.id = 2, .vid = 1, .rule = "b", .signature = "y", .first_h = 25, .last_h = 26});
    scene_put(s, (struct scene_alert){.id = 3, .vid = 1, .rule = "a", .signature = "x", .first_h = 51, .last_h = 51});
    scene_put(s, (struct scene_alert){.id = 4, .vid = 2, .rule = "a", .signature = "x", .first_h = 0, .last_h = 1});
    assert_int_equal(scene_home(s, 1), scene_home(s, 2));
    assert_int_not_equal(scene_home(s, 1), scene_home(s, 3));
    assert_int_not_equal(scene_home(s, 1), scene_home(s, 4));
}

static void a_late_alert_between_two_incidents_joins_them(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .first_h = 0, .last_h = 0});
    scene_put(s, (struct scene_alert){.id = 2, .vid = 1, .rule = "a", .signature = "x", .first_h = 40, .last_h = 40});
    int64_t first = scene_home(s, 1), second = scene_home(s, 2);
    assert_int_not_equal(first, second);
    assert_int_equal(scene_decide(s, second, DISPOSITION_MALICIOUS), VS_OK);
    assert_int_equal(scene_move(s, second, STAGE_CONTAIN, 0), VS_OK);
    assert_int_equal(scene_move(s, second, STAGE_INVESTIGATE, FACT_BIT(FACT_CONTAINMENT)), VS_OK);
    scene_put(s, (struct scene_alert){.id = 3, .vid = 1, .rule = "a", .signature = "x", .first_h = 20, .last_h = 20});
    /* The one that people are further on with stays. */
    assert_int_equal(scene_home(s, 1), second);
    assert_int_equal(scene_home(s, 3), second);
    assert_int_equal(scene_incident(s, first).merged_into, second);
    assert_int_equal(scene_incident(s, second).stage, STAGE_INVESTIGATE);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_alert"), 4); /* each still lists what it had */
}

static void a_campaign_absorbs_its_vehicles_but_not_a_theft(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "storm", .signature = "S", .first_h = 0, .last_h = 1});
    scene_put(s, (struct scene_alert){.id = 2, .vid = 2, .rule = "storm", .signature = "S", .first_h = 2, .last_h = 3});
    scene_put(s, (struct scene_alert){.id = 3, .vid = 2, .rule = "theft", .signature = "G", .first_h = 2, .last_h = 3});
    int64_t lone = scene_home(s, 1), mixed = scene_home(s, 2);
    scene_put(s, (struct scene_alert){.id = 9,
                                      .vid = 0,
                                      .fleet = 5,
                                      .rule = "campaign",
                                      .signature = "S",
                                      .first_h = 0,
                                      .last_h = 9,
                                      .severity = ALERT_CRITICAL});
    int64_t campaign = scene_home(s, 9);
    assert_int_equal(scene_home(s, 1), campaign);
    assert_int_equal(scene_home(s, 2), campaign);
    assert_int_equal(scene_home(s, 3), mixed);
    assert_int_equal(scene_incident(s, lone).merged_into, campaign);
    assert_int_equal(scene_incident(s, mixed).merged_into, 0);
    assert_int_equal(scene_number(s, "SELECT vehicles FROM incident WHERE kind = 1"), 5);
    /* One that comes later goes there at once. */
    scene_put(s, (struct scene_alert){.id = 4, .vid = 3, .rule = "storm", .signature = "S", .first_h = 4, .last_h = 5});
    assert_int_equal(scene_home(s, 4), campaign);
    scene_put(s,
              (struct scene_alert){.id = 5, .vid = 77, .rule = "storm", .signature = "S", .first_h = 4, .last_h = 5});
    assert_int_not_equal(scene_home(s, 5), campaign); /* not one of its vehicles */
}

static void a_closed_incident_keeps_its_record_when_a_campaign_takes_its_alert(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "storm", .signature = "S", .first_h = 0, .last_h = 1});
    int64_t n = scene_home(s, 1);
    assert_int_equal(scene_decide(s, n, DISPOSITION_HARDWARE_FAULT), VS_OK);
    assert_int_equal(scene_move(s, n, STAGE_CLOSED, FACT_BIT(FACT_REASON)), VS_OK);
    scene_put(s, (struct scene_alert){
                     .id = 9, .vid = 0, .fleet = 5, .rule = "c", .signature = "S", .first_h = 0, .last_h = 9});
    assert_int_equal(scene_home(s, 1), scene_home(s, 9));
    assert_int_equal(scene_incident(s, n).merged_into, 0);
    assert_int_equal(scene_incident(s, n).stage, STAGE_CLOSED);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_alert WHERE incident = 1"), 1);
}

static void an_alert_that_takes_others_in_stays_with_them(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .first_h = 0, .last_h = 1});
    scene_put(s, (struct scene_alert){.id = 2, .vid = 1, .rule = "a", .signature = "x", .first_h = 30, .last_h = 31});
    int64_t first = scene_home(s, 1);
    scene_put(s,
              (struct scene_alert){
                  .id = 3, .vid = 1, .rule = "a", .signature = "x", .first_h = 0, .last_h = 31, .supersedes = {1, 2}});
    assert_int_equal(scene_home(s, 3), first);
    assert_int_equal(scene_home(s, 1), first);
    assert_int_equal(scene_home(s, 2), first);
    assert_int_equal(scene_number(s, "SELECT alerts FROM incident WHERE number = 1"), 1); /* two of three are history */
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_alert WHERE incident = 1"), 3);
}

static void a_retracted_alert_leaves_a_note(void **state)
{
    struct scene *s = *state;
    struct scene_alert a = {.id = 1, .vid = 1, .rule = "a", .signature = "x", .severity = ALERT_HIGH};

    scene_put(s, a);
    a.revision = 2;
    a.state = ALERT_RETRACTED;
    scene_put(s, a);
    assert_int_equal(scene_home(s, 1), 1);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM timeline WHERE kind = 'alert.retracted'"), 1);
    a.id = 2;
    a.vid = 2;
    a.revision = 1;
    scene_put(s, a); /* retracted before anybody saw it */
    assert_int_equal(scene_home(s, 2), 0);
}

static void severity_is_that_of_the_gravest_alert_that_stands(void **state)
{
    struct scene *s = *state;
    struct scene_alert grave = {.id = 2, .vid = 1, .rule = "b", .signature = "y", .severity = ALERT_CRITICAL};

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .severity = ALERT_MEDIUM});
    assert_int_equal(scene_incident(s, 1).severity, ALERT_MEDIUM);
    scene_put(s, grave);
    assert_int_equal(scene_incident(s, 1).severity, ALERT_CRITICAL);
    grave.revision = 2;
    grave.state = ALERT_RETRACTED;
    scene_put(s, grave);
    assert_int_equal(scene_incident(s, 1).severity, ALERT_MEDIUM);
}

/* ---- what a rule asks for */

static void a_learning_rule_pages_nobody(void **state)
{
    struct scene *s = *state;
    const struct alert_context hunt = {.safety = -1, .hunt_only = true};
    const struct scene_alert a = {.id = 1, .vid = 1, .rule = "anomaly", .signature = "x"};

    scene_put_with(s, &a, &hunt);
    assert_int_equal(scene_home(s, 1), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident"), 0);
}

static void the_second_time_asks_for_more_than_the_first(void **state)
{
    struct scene *s = *state;
    const struct alert_context rule = {.safety = 2,
                                       .action_count = 3,
                                       .action = {{SLICE_LIT("analyst_review"), false},
                                                  {SLICE_LIT("key_rotation"), true},
                                                  {SLICE_LIT("isolate_analysis"), false}}};
    struct scene_alert a = {.id = 1, .vid = 1, .rule = "brute", .signature = "x"};

    scene_put_with(s, &a, &rule);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM task"), 1);
    assert_int_equal(scene_number(s, "SELECT analysis_isolated FROM incident"), 1);
    assert_int_equal(scene_number(s, "SELECT safety FROM incident"), 2);
    a.revision = 2;
    scene_put_with(s, &a, &rule); /* the same alert again is no repetition */
    assert_int_equal(scene_number(s, "SELECT count(*) FROM task"), 1);
    a.id = 2;
    a.revision = 1;
    a.first_h = a.last_h = 3;
    scene_put_with(s, &a, &rule);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM task"), 2);
    assert_int_equal(
        scene_number(s, "SELECT count(*) FROM task WHERE kind = 'key_rotation' AND state = 'pending_approval'"), 1);
}

/* ---- after closing */

static void closed_as_harmless_it_stays_shut_for_more_of_the_same_only(void **state)
{
    static const struct {
        const char *rule;
        uint8_t severity;
        int64_t days;
        enum stage want;
    } ROWS[] = {{"a", ALERT_MEDIUM, 1, STAGE_CLOSED},
                {"a", ALERT_HIGH, 1, STAGE_TRIAGE},
                {"b", ALERT_LOW, 1, STAGE_TRIAGE},
                {"a", ALERT_MEDIUM, 8, STAGE_TRIAGE}};

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct scene *s = *state;
        scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .severity = ALERT_MEDIUM});
        assert_int_equal(scene_decide(s, 1, DISPOSITION_OWNER_MODIFICATION), VS_OK);
        assert_int_equal(scene_move(s, 1, STAGE_CLOSED, FACT_BIT(FACT_REASON)), VS_OK);
        s->now_us += ROWS[i].days * 24 * SCENE_HOUR;
        scene_put(s, (struct scene_alert){.id = 2,
                                          .vid = 1,
                                          .rule = ROWS[i].rule,
                                          .signature = "x",
                                          .first_h = 2,
                                          .last_h = 2,
                                          .severity = ROWS[i].severity});
        CHECK_ROW(i, scene_home(s, 2) == 1 && scene_incident(s, 1).stage == ROWS[i].want);
        scene_close(state);
        scene_open(state);
    }
}

static void an_attack_that_comes_back_opens_its_incident(void **state)
{
    struct scene *s = *state;

    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x"});
    assert_int_equal(scene_decide(s, 1, DISPOSITION_MALICIOUS), VS_OK);
    assert_int_equal(scene_move(s, 1, STAGE_CLOSED, FACT_BIT(FACT_REASON) | FACT_BIT(FACT_RISK_ACCEPTANCE)), VS_OK);
    scene_put(s, (struct scene_alert){.id = 2, .vid = 1, .rule = "a", .signature = "x", .first_h = 2, .last_h = 2});
    assert_int_equal(scene_incident(s, 1).stage, STAGE_TRIAGE);
    assert_int_equal(scene_incident(s, 1).closed_us, 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM audit WHERE act = 'incident.move' AND who = 'system'"), 1);
}

/* ---- the order of coming */

#define ALERTS_MAX 14

struct twin {
    struct scene_alert alert[ALERTS_MAX];
    int count;
    int parent[ALERTS_MAX];
};

static int twin_root(struct twin *t, int i)
{
    while (t->parent[i] != i)
        i = t->parent[i];
    return i;
}

static bool near(const struct scene_alert *a, const struct scene_alert *b, int64_t hours)
{
    return a->first_h <= b->last_h + hours && b->first_h <= a->last_h + hours;
}

static bool twin_linked(const struct scene_alert *a, const struct scene_alert *b)
{
    if (a->vid != b->vid)
        return false;
    if (a->vid != 0)
        return near(a, b, 24);
    return strcmp(a->signature, b->signature) == 0 && near(a, b, 48); /* the group is the signature */
}

static bool twin_absorbs(const struct scene_alert *c, const struct scene_alert *a)
{
    return c->vid == 0 && a->vid != 0 && a->vid <= c->fleet && strcmp(c->signature, a->signature) == 0 && near(a, c, 0);
}

/* The place of an alert as a number that alerts of one incident share. */
static int twin_place(struct twin *t, int i)
{
    const struct scene_alert *best = NULL;
    int at = -1;

    for (int k = 0; k < t->count; k++) {
        const struct scene_alert *c = &t->alert[k];
        if (!twin_absorbs(c, &t->alert[i]))
            continue;
        if (best == NULL || c->first_h < best->first_h || (c->first_h == best->first_h && c->id < best->id)) {
            best = c;
            at = k;
        }
    }
    return at >= 0 ? twin_root(t, at) : twin_root(t, i);
}

static void twin_draw(struct twin *t, struct seed *rng)
{
    static const char *const SIGNATURE[] = {"S1", "S2"};

    t->count = 4 + (int)(seed_next(rng) % (ALERTS_MAX - 3));
    for (int i = 0; i < t->count; i++) {
        struct scene_alert a = {.id = (uint8_t)(i + 1), .rule = "r", .severity = (uint8_t)(seed_next(rng) % 5)};
        bool campaign = seed_next(rng) % 4 == 0;
        a.vid = campaign ? 0 : (uint8_t)(1 + seed_next(rng) % 3);
        a.fleet = (uint8_t)(1 + seed_next(rng) % 3);
        a.signature = SIGNATURE[seed_next(rng) % 2];
        a.rule = campaign ? (seed_next(rng) % 2 ? "c1" : "c2") : (seed_next(rng) % 2 ? "v1" : "v2");
        a.first_h = (int64_t)(seed_next(rng) % 150);
        a.last_h = a.first_h + (int64_t)(seed_next(rng) % 12);
        t->alert[i] = a;
        t->parent[i] = i;
    }
    for (int i = 0; i < t->count; i++)
        for (int k = 0; k < i; k++)
            if (twin_linked(&t->alert[i], &t->alert[k]))
                t->parent[twin_root(t, i)] = twin_root(t, k);
}

static void shuffle(struct twin *t, struct seed *rng, int order[ALERTS_MAX])
{
    for (int i = 0; i < t->count; i++)
        order[i] = i;
    for (int i = t->count - 1; i > 0; i--) {
        int k = (int)(seed_next(rng) % (uint64_t)(i + 1)), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}

static void compare(struct scene *s, struct twin *t, const int *order)
{
    for (int i = 0; i < t->count; i++)
        for (int k = 0; k < i; k++) {
            bool want = twin_place(t, i) == twin_place(t, k);
            bool got = scene_home(s, t->alert[i].id) == scene_home(s, t->alert[k].id);
            if (want == got)
                continue;
            printf("order:");
            for (int n = 0; n < t->count; n++)
                printf(" %d", t->alert[order[n]].id);
            printf("\n");
            for (int n = 0; n < t->count; n++)
                printf("%d: vid %d fleet %d %s %s %d-%d\n", t->alert[n].id, t->alert[n].vid, t->alert[n].fleet,
                       t->alert[n].rule, t->alert[n].signature, (int)t->alert[n].first_h, (int)t->alert[n].last_h);
            fail_msg("alerts %d and %d should %s", t->alert[i].id, t->alert[k].id, want ? "be together" : "be apart");
        }
}

/* No open incident is without an alert, and every incident still lists what it ever had. */
static void nothing_is_lost(struct scene *s, const struct twin *t)
{
    assert_int_equal(
        scene_number(s, "SELECT count(*) FROM incident i WHERE merged_into IS NULL AND stage <> 5 AND NOT EXISTS "
                        "(SELECT 1 FROM alert a WHERE a.incident = i.number)"),
        0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM alert a WHERE NOT EXISTS (SELECT 1 FROM incident_alert ia "
                                     "WHERE ia.alert = a.id AND ia.incident = a.incident)"),
                     0);
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM incident i WHERE NOT EXISTS (SELECT 1 FROM incident_alert ia "
                                  "WHERE ia.incident = i.number)"),
                     0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM alert"), t->count);
}

static void the_same_alerts_in_any_order_make_the_same_incidents(void **state)
{
    struct seed rng = seed_start("grouping", 20261120);

    for (int round = 0; round < 60; round++) {
        struct twin t;
        twin_draw(&t, &rng);
        for (int turn = 0; turn < 3; turn++) {
            struct scene *s = *state;
            int order[ALERTS_MAX];
            shuffle(&t, &rng, order);
            for (int i = 0; i < t.count; i++)
                scene_put(s, t.alert[order[i]]);
            compare(s, &t, order);
            nothing_is_lost(s, &t);
            scene_close(state);
            scene_open(state);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(alerts_of_one_vehicle_close_in_time_share_an_incident),
        SCENE_TEST(a_late_alert_between_two_incidents_joins_them),
        SCENE_TEST(a_campaign_absorbs_its_vehicles_but_not_a_theft),
        SCENE_TEST(a_closed_incident_keeps_its_record_when_a_campaign_takes_its_alert),
        SCENE_TEST(an_alert_that_takes_others_in_stays_with_them),
        SCENE_TEST(a_retracted_alert_leaves_a_note),
        SCENE_TEST(severity_is_that_of_the_gravest_alert_that_stands),
        SCENE_TEST(a_learning_rule_pages_nobody),
        SCENE_TEST(the_second_time_asks_for_more_than_the_first),
        SCENE_TEST(closed_as_harmless_it_stays_shut_for_more_of_the_same_only),
        SCENE_TEST(an_attack_that_comes_back_opens_its_incident),
        SCENE_TEST(the_same_alerts_in_any_order_make_the_same_incidents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
