/* rng: the same seed gives the same numbers, purposes are apart, and draws have the means they are asked for. */
#include "rng.h"

#include "check.h"

static void same_seed_same_numbers(void **state)
{
    struct rng a = rng_split(7, "drive", 3), b = rng_split(7, "drive", 3);

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(rng_next(&a) == rng_next(&b));
}

static void purpose_and_index_part_the_ways(void **state)
{
    struct rng a = rng_split(7, "drive", 3), b = rng_split(7, "night", 3), c = rng_split(7, "drive", 4);
    uint64_t x = rng_next(&a);

    (void)state;
    assert_true(x != rng_next(&b));
    assert_true(x != rng_next(&c));
}

static void between_reaches_both_ends_and_no_further(void **state)
{
    struct rng r = rng_split(1, "ends", 0);
    bool low = false, high = false;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t v = rng_between(&r, -3, 3);

        assert_true(v >= -3 && v <= 3);
        low = low || v == -3;
        high = high || v == 3;
    }
    assert_true(low && high);
}

/* The mean of 20,000 draws is within 4 standard errors (sqrt(mean / 20000)) of what was asked for. */
static void poisson_has_its_mean(void **state)
{
    static const uint32_t MEAN_MILLI[] = {12, 400, 1000, 3000, 12000};

    (void)state;
    for (size_t k = 0; k < sizeof MEAN_MILLI / sizeof MEAN_MILLI[0]; k++) {
        struct rng r = rng_split(5, "poisson", k);
        uint64_t sum = 0, n = 20000;

        for (uint64_t i = 0; i < n; i++)
            sum += rng_poisson(&r, MEAN_MILLI[k]);
        double mean = (double)sum / (double)n, want = MEAN_MILLI[k] / 1000.0, error = mean - want;
        /* The square root is avoided by comparing squares. */
        assert_true(error * error <= 16.0 * want / (double)n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(purpose_and_index_part_the_ways),
        cmocka_unit_test(between_reaches_both_ends_and_no_further),
        cmocka_unit_test(poisson_has_its_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
