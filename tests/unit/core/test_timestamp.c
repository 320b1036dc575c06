/* timestamp: RFC 3339 text to microseconds and back, against a naive calendar that counts day by day. */
#include "check.h"

#include <stdio.h>

#include "core/timestamp.h"
#include "seed.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

struct date {
    int year, month, day;
};

static int days_of(int year, int month)
{
    if (month == 2)
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void next_day(struct date *d)
{
    if (d->day++ < days_of(d->year, d->month))
        return;
    d->day = 1;
    if (d->month++ < 12)
        return;
    d->month = 1;
    d->year++;
}

static void check_text(int64_t us, const char *want)
{
    uint8_t buf[TIMESTAMP_TEXT_LEN];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    timestamp_write(&w, us);
    check_slice(writer_slice(&w), want);
}

/* All 2,932,897 days from 1970 to 9999, in both directions, at a time of day that moves along. */
static void every_day_of_eight_thousand_years_agrees_with_counting(void **state)
{
    struct date d = {1970, 1, 1};
    int64_t midnight_us = 0;

    (void)state;
    for (int64_t day = 0; d.year < 10000; day++, next_day(&d), midnight_us += DAY_US) {
        char text[64];
        int64_t second = day * 37 % 86400, us = day * 7919 % US_PER_S, got;
        int n = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", d.year, d.month, d.day,
                         (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), (int)us);

        if (!timestamp_parse(slice_make(text, (size_t)n), &got) || got != midnight_us + second * US_PER_S + us)
            fail_msg("%s read wrongly", text);
        check_text(got, text);
    }
    assert_int_equal(midnight_us, TIMESTAMP_US_MAX + 1);
}

static void random_times_survive_the_round_trip(void **state)
{
    struct seed seed = seed_start("test_timestamp", 4);

    (void)state;
    for (size_t run = 0; run < 200000; run++) {
        int64_t us = (int64_t)seed_below(&seed, (uint64_t)TIMESTAMP_US_MAX + 1), got;
        uint8_t buf[TIMESTAMP_TEXT_LEN];
        struct writer w;

        writer_init(&w, buf, sizeof buf);
        timestamp_write(&w, us);
        CHECK_ROW(run, w.len == TIMESTAMP_TEXT_LEN && timestamp_parse(writer_slice(&w), &got) && got == us);
    }
}

static void forms_that_rfc_3339_allows_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *same; /* as we write it */
    } row[] = {
        {"2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"},
        {"2026-03-01t12:00:00z", "2026-03-01T12:00:00.000000Z"},
        {"2026-03-01 12:00:00.5Z", "2026-03-01T12:00:00.500000Z"},
        {"2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z"},
        {"2026-03-01T12:00:00.9999999Z", "2026-03-01T12:00:00.999999Z"},
        {"2026-03-01T12:00:00+01:00", "2026-03-01T11:00:00.000000Z"},
        {"2026-03-01T00:30:00+05:45", "2026-02-28T18:45:00.000000Z"},
        {"2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000000Z"},
        {"2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00.000000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        /* the leap second of 2016, in three zones */
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"},
        {"2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"},
        {"2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00.000000Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t us;
        if (!timestamp_parse(slice_str(row[i].text), &us))
            fail_msg("%s not read", row[i].text);
        check_text(us, row[i].same);
    }
}

static void anything_else_is_refused_and_writes_nothing(void **state)
{
    static const char *const row[] = {
        "",
        "2026",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "2026-3-01T12:00:00Z",
        "26-03-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-00T12:00:00Z",
        "2026-03-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:60Z",
        "2026-03-01T23:59:60+01:00",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00.1234567890Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01T12:00:00Zx",
        "2026-03-01T12:00:00ZZ",
        " 2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00+0100",
        "2026-03-01T12:00:00+1:00",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+01:60",
        "2026-03-01T12:00:00+",
        "2026-03-01T12:00:00+01",
        "2026/03/01T12:00:00Z",
        "2026-03-01_12:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:30:00+01:00",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "-026-03-01T12:00:00Z",
        "2026-+3-01T12:00:00Z",
        "1772366400000000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t us = 42;
        if (timestamp_parse(slice_str(row[i]), &us) || us != 42)
            fail_msg("\"%s\" was read", row[i]);
    }
}

/* A NUL is a character like any other wrong one, also where a set of characters is allowed. */
static void a_nul_is_not_a_separator(void **state)
{
    static const char text[] = "2026-03-01T12:00:00Z";
    char broken[sizeof text];
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        memcpy(broken, text, sizeof text);
        broken[i] = '\0';
        CHECK_ROW(i, !timestamp_parse(slice_make(broken, sizeof text - 1), &us));
        CHECK_ROW(i, !timestamp_parse(slice_make(text, i), &us));
    }
}

static void times_outside_are_written_as_the_nearest_inside(void **state)
{
    (void)state;
    check_text(-1, "1970-01-01T00:00:00.000000Z");
    check_text(INT64_MIN, "1970-01-01T00:00:00.000000Z");
    check_text(TIMESTAMP_US_MAX + 1, "9999-12-31T23:59:59.999999Z");
    check_text(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_eight_thousand_years_agrees_with_counting),
        cmocka_unit_test(random_times_survive_the_round_trip),
        cmocka_unit_test(forms_that_rfc_3339_allows_are_read),
        cmocka_unit_test(anything_else_is_refused_and_writes_nothing),
        cmocka_unit_test(a_nul_is_not_a_separator),
        cmocka_unit_test(times_outside_are_written_as_the_nearest_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
