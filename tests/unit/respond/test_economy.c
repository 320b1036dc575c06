/* Nothing is lost, whatever silences and budgets say: a property over random alerts, silences, budgets and times in
 * random orders (R-019; docs/alerts.md). VSOC_SEED=n repeats a run. */
#include <stdlib.h>

#include "respond/economy_scene.h"
#include "seed.h"

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
    /* What an incident of a budget says it has is what is at home there, to a sixteenth. */
    assert_int_equal(scene_number(s,
                                  "SELECT count(*) FROM incident i WHERE i.kind = 2 AND 16 * abs(i.alerts - (SELECT "
                                  "count(*) FROM alert a WHERE a.incident = i.number AND a.superseded_by IS NULL)) > "
                                  "i.alerts AND (SELECT count(*) FROM alert a WHERE a.incident = i.number "
                                  "AND a.superseded_by IS NULL) > 0"),
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

    return n != NULL ? (int)strtol(n, NULL, 10) : 12;
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
        SCENE_TEST(nothing_is_ever_lost),
        SCENE_TEST(the_order_within_a_transaction_makes_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
