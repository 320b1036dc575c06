/* Slow rises, and the arithmetic of the score. R-136. */
#include <math.h>

#include "check.h"
#include "detect/campaign/campaign_internal.h"
#include "seed.h"

#define DAY0 20454

static struct campaigns *fresh(void)
{
    const struct campaign_config cfg = {.seed = 7};
    struct campaigns *c = NULL;

    assert_int_equal(campaigns_new(&cfg, &c), VS_OK);
    return c;
}

/* ---- slow rises */

static void on_trend(void *ctx, const struct campaign_trend *tr)
{
    uint32_t *n = ctx;

    if (tr->cell.mask == 0)
        assert_true(tr->per_week > 0.005 && tr->per_week < 0.06);
    (*n)++;
}

static void a_rise_of_two_per_cent_a_week_is_told_and_flat_noise_is_not(void **state)
{
    struct seed r = seed_start(__func__, 13);
    (void)state;

    for (int rising = 0; rising < 2; rising++) {
        struct campaigns *c = fresh();
        uint32_t cohort = campaign_cohort(c, slice_str("M"), slice_str("V"), slice_str("R"));
        uint32_t sig = campaign_signature(c, slice_str("can_error"), 0), n = 0, next = 0;

        for (int32_t d = 0; d < 7 * 26; d++) {
            int64_t day_us = (int64_t)(DAY0 + 4 + d) * CAMPAIGN_DAY_US;
            double mean = 100 * (1 + 0.02 * rising * d / 7);
            uint32_t cases = (uint32_t)(mean + 0.5) + (uint32_t)seed_below(&r, 41) - 20;

            for (uint32_t v = 0; v < 500; v++)
                assert_int_equal(campaign_seen(c, v, cohort, day_us), VS_OK);
            for (uint32_t i = 0; i < cases; i++, next++)
                assert_int_equal(campaign_report(c, next % 40000 + 500, cohort, sig, day_us + CAMPAIGN_HOUR_US,
                                                 &(struct campaign_origin){.seq = next + 1}),
                                 VS_OK);
        }
        campaign_trends(c, (int64_t)(DAY0 + 4 + 7 * 26) * CAMPAIGN_DAY_US, on_trend, &n);
        assert_true(rising ? n >= 1 : n == 0);
        campaigns_free(c);
    }
}

/* ---- the score */

static void the_score_bounds_the_tail_of_the_negative_binomial(void **state)
{
    static const double MEAN[] = {0.01, 0.3, 2, 40}, VARIANCE[] = {0.02, 0.2, 1};
    (void)state;

    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 3; k++) {
            double m = MEAN[i], r = 1 / VARIANCE[k], p = m / (m + r), term = pow(1 - p, r), below = 0;

            for (uint32_t x = 0; x < 200; x++) {
                double tail = 1 - below;

                if (x > m && tail > 1e-9)
                    CHECK_ROW(x, tail <= exp(-scan_score(x, m, VARIANCE[k])) * (1 + 1e-6));
                below += term;
                term *= (x + r) / (x + 1) * p;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rise_of_two_per_cent_a_week_is_told_and_flat_noise_is_not),
        cmocka_unit_test(the_score_bounds_the_tail_of_the_negative_binomial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
