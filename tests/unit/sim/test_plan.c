/* plan: look-alikes stay under the thresholds of the seed rules and attacks go over them (R-109, R-111, R-113, R-116,
 * ), every vehicle has at most one part in the plan, and the truth it writes is of the plan alone. */
#include "plan.h"

#include <stdlib.h>

#include "check.h"
#include "drive.h"

#define VEHICLES 2000
#define DAYS     30
#define START_US INT64_C(1767571200000000) /* 2026-01-05 */

static struct fleet_vehicle *fleet;
static struct plan *plan;

static int setup(void **state)
{
    static const uint8_t key[32] = {1};

    (void)state;
    fleet = calloc(VEHICLES, sizeof *fleet);
    for (uint32_t i = 0; i < VEHICLES; i++)
        fleet_vehicle_init(&fleet[i], 11, i, DAYS, slice_make(key, sizeof key));
    return plan_new(11, fleet, VEHICLES, DAYS, START_US, &plan) == VS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    plan_free(plan);
    free(fleet);
    return 0;
}

/* Events that the plan gives one vehicle on the days from the attack's first on. */
static uint32_t events_of(const struct plan_hit *hit, struct scene *s)
{
    scene_reset(s);
    for (unsigned day = 0; day < DAYS; day++)
        plan_day(plan, &fleet[hit->vehicle], START_US + day * DAY_US, 500000000, 100000000, s);
    return s->count;
}

static void every_scenario_is_planted_and_has_its_size(void **state)
{
    static const uint32_t LEAST[PLAN_SCENARIO_COUNT] = {1, 1, 1, 1, 11, 50, 100, 1, 1, 1, 1, 1, 1};
    static const uint32_t MOST_ALIKE[PLAN_SCENARIO_COUNT] = {1, 1, 1, 1, 10, 0, 49, 1, 1, 1, 1, 1, 1};
    bool seen[PLAN_SCENARIO_COUNT] = {false};

    (void)state;
    for (uint32_t i = 0; i < plan_count(plan); i++) {
        const struct plan_attack *a = plan_at(plan, i);

        if (a->lookalike)
            assert_true(a->hit_count <= MOST_ALIKE[a->scenario]);
        else
            assert_true(a->hit_count >= LEAST[a->scenario]);
        seen[a->scenario] = seen[a->scenario] || !a->lookalike;
    }
    for (int k = 0; k < PLAN_SCENARIO_COUNT; k++)
        assert_true(seen[k]);
}

static void a_vehicle_has_one_part_at_most(void **state)
{
    bool *taken = calloc(VEHICLES, sizeof *taken);

    (void)state;
    for (uint32_t i = 0; i < plan_count(plan); i++) {
        const struct plan_attack *a = plan_at(plan, i);

        for (uint32_t k = 0; k < a->hit_count; k++) {
            uint32_t v = plan_hits(plan, a)[k].vehicle;

            assert_true(v < VEHICLES && !taken[v]);
            taken[v] = true;
        }
    }
    free(taken);
}

/* More than five failures of one PDU within 60 s is the attack, five are the look-alike. */
static void secoc_storms_straddle_the_threshold(void **state)
{
    struct scene s;

    (void)state;
    assert_int_equal(scene_init(&s), VS_OK);
    for (uint32_t i = 0; i < plan_count(plan); i++) {
        const struct plan_attack *a = plan_at(plan, i);
        if (a->scenario != PLAN_SECOC_STORM)
            continue;
        uint32_t n = events_of(plan_hits(plan, a), &s);

        assert_true(a->lookalike ? n == 5 : n > 5);
        assert_true(s.ev[n - 1].first_us - s.ev[0].first_us <= 60 * US_PER_S);
        for (uint32_t k = 0; k < n; k++) {
            assert_int_equal(s.ev[k].type, EV_SECOC_VERIFICATION_FAILED);
            assert_int_equal(event_validate(&s.ev[k], NULL), VS_OK);
            assert_true(slice_equal(event_get(&s.ev[k], EV_F_PDU)->value.s, event_get(&s.ev[0], EV_F_PDU)->value.s));
        }
    }
    scene_done(&s);
}

/* One degree of latitude is 111.2 km; 200 km are 1.7986 degrees. */
static void jumps_straddle_two_hundred_kilometres(void **state)
{
    struct scene s;

    (void)state;
    assert_int_equal(scene_init(&s), VS_OK);
    for (uint32_t i = 0; i < plan_count(plan); i++) {
        const struct plan_attack *a = plan_at(plan, i);
        if (a->scenario != PLAN_POSITION_JUMP)
            continue;
        assert_int_equal(events_of(plan_hits(plan, a), &s), 2);
        int64_t north = event_get(&s.ev[1], EV_F_LAT)->value.i - event_get(&s.ev[0], EV_F_LAT)->value.i;

        assert_true(a->lookalike ? north < 17986000 : north > 17987000);
        assert_true(s.ev[1].first_us - s.ev[0].first_us <= 30 * 60 * US_PER_S);
    }
    scene_done(&s);
}

static void truth_names_every_vehicle(void **state)
{
    char text[16384];

    (void)state;
    for (uint32_t i = 0; i < plan_count(plan); i++) {
        const struct plan_attack *a = plan_at(plan, i);
        struct writer w;
        uint32_t quotes = 0;

        writer_init(&w, text, sizeof text - 1);
        plan_write_truth(plan, a, fleet, &w);
        assert_false(w.full);
        text[w.len] = '\0';
        assert_non_null(strstr(text, a->id));
        for (const char *p = strstr(text, "\"vehicles\":["); *p != '\0'; p++)
            quotes += *p == '"';
        assert_int_equal(quotes, 2 + 2 * a->hit_count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scenario_is_planted_and_has_its_size),
        cmocka_unit_test(a_vehicle_has_one_part_at_most),
        cmocka_unit_test(secoc_storms_straddle_the_threshold),
        cmocka_unit_test(jumps_straddle_two_hundred_kilometres),
        cmocka_unit_test(truth_names_every_vehicle),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
