/* decimal: against strtod on every kind of number that rounding finds hard. */
#include "check.h"
#include "seed.h"

#include <math.h>
#include <stdio.h>

#include "codec/decimal.h"

static void check_like_strtod(const char *text)
{
    double got = 7, want = strtod(text, NULL);
    bool read = decimal_read(slice_str(text), &got);

    if (read != (isfinite(want) != 0) || (read && memcmp(&got, &want, sizeof got) != 0))
        fail_msg("%s: got %a, want %a", text, got, want);
}

static void known_numbers_read(void **state)
{
    static const char *const row[] = {
        "0",
        "-0",
        "+0",
        "0.0",
        "000",
        "0e999999999",
        "1",
        "-1",
        "+3",
        "5.",
        "1E+3",
        "1e-3",
        "0.1",
        "0.069444444",
        "273.15",
        "9007199254740993",
        "9007199254740992.5",
        "9223372036854775807",
        "18446744073709551615",
        "1e22",
        "1e23",
        "123456789012345e22",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "1e999999999",
        "-1e400",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.5e-324",
        "1e-324",
        "1e-345",
        "1e-346",
        "1e-999999999",
        "0.000000000000000000000000000001e30",
        "17976931348623157000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000"
        "000000000000000000000000000000000000000000000000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        check_like_strtod(row[i]);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const row[] = {"",      "+",    "-",   ".5",  "e5", "1e", "1e+", "1x",
                                      "1.2.3", "0x10", "inf", "nan", " 1", "1 ", "--1", "1e5.0"};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        double v = 7;
        CHECK_ROW(i, !decimal_read(slice_str(row[i]), &v) && v > 6.9 && v < 7.1);
    }
}

static void random_numbers_read_like_strtod(void **state)
{
    struct seed seed = seed_start("decimal", 10);
    char text[64];

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        uint64_t bits = seed_next(&seed);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v)) {
            snprintf(text, sizeof text, "%.*g", (int)(1 + seed_below(&seed, 25)), v);
            check_like_strtod(text);
        }
        snprintf(text, sizeof text, "%llu.%lluE%d",
                 (unsigned long long)seed_below(&seed, UINT64_C(1) << seed_below(&seed, 64)),
                 (unsigned long long)seed_next(&seed), (int)seed_below(&seed, 700) - 350);
        check_like_strtod(text);
    }
}

/* The exact decimal text of a point halfway between two doubles, and the same with a digit more or less: nothing is
 * harder to round. */
static void halfway_points_round_to_even_and_neighbours_away(void **state)
{
    static char text[1400];
    struct seed seed = seed_start("decimal halfway", 11);

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        uint64_t bits = seed_next(&seed) & 0x7FFFFFFFFFFFFFFF;
        if (round % 4 == 0)
            bits &= 0x001FFFFFFFFFFFFF; /* the smallest ones */
        double low, high;
        memcpy(&low, &bits, sizeof low);
        bits++;
        memcpy(&high, &bits, sizeof high);
        if (!isfinite(low) || !isfinite(high) || high > 1e300)
            continue;
        long double half = ((long double)low + (long double)high) / 2; /* 64 bits of precision hold it exactly */
        snprintf(text, sizeof text, "%.1100Lf", half);
        check_like_strtod(text);
        size_t len = strlen(text);
        text[len - 1] = '1';
        check_like_strtod(text);
        snprintf(text, sizeof text, "%.1100Lf", half);
        while (len > 0 && (text[len - 1] == '0' || text[len - 1] == '.'))
            len--;
        if (len > 0) {
            text[len - 1]--;
            check_like_strtod(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_read),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(random_numbers_read_like_strtod),
        cmocka_unit_test(halfway_points_round_to_even_and_neighbours_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
