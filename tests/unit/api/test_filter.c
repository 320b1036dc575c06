/* Query parameters: lists, masks, times, words, patterns. */
#include <string.h>

#include "api/filter.h"
#include "check.h"
#include "core/timestamp.h"

static const struct {
    const char *text;
    enum vs_err err;
    const char *include, *exclude; /* joined by | */
} LISTS[] = {
    {"", VS_OK, "", ""},
    {"a", VS_OK, "a", ""},
    {"a,b,-c", VS_OK, "a|b", "c"},
    {"-a,-b", VS_OK, "", "a|b"},
    {"\"a,b\",-\"-c\"", VS_OK, "a,b", "-c"},
    {"\"-a\"", VS_OK, "-a", ""},
    {"a b", VS_OK, "a b", ""},
    {",", VS_ERR_MALFORMED, "", ""},
    {"a,", VS_ERR_MALFORMED, "", ""},
    {"a,,b", VS_ERR_MALFORMED, "", ""},
    {"-", VS_ERR_MALFORMED, "", ""},
    {"\"a", VS_ERR_MALFORMED, "", ""},
    {"\"a\"b", VS_ERR_MALFORMED, "", ""},
    {"\"\"", VS_ERR_MALFORMED, "", ""},
    {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", VS_OK, "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16", ""},
    {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", VS_ERR_LIMIT, "", ""},
};

static bool joined(const struct slice *list, unsigned count, const char *want)
{
    char text[256] = "";
    struct writer w;

    writer_init(&w, text, sizeof text - 1);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            writer_text(&w, "|");
        writer_put(&w, list[i]);
    }
    text[w.len] = '\0';
    return strcmp(text, want) == 0;
}

static void lists_are_cut_at_commas_outside_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++) {
        struct filter_list list = {.include_count = 0};
        CHECK_ROW(i, filter_list_parse(LISTS[i].text, &list) == LISTS[i].err);
        CHECK_ROW(i, joined(list.include, list.include_count, LISTS[i].include));
        CHECK_ROW(i, joined(list.exclude, list.exclude_count, LISTS[i].exclude));
    }
}

static int letter(struct slice code)
{
    return code.len == 1 && code.ptr[0] >= 'a' && code.ptr[0] <= 'd' ? code.ptr[0] - 'a' : -1;
}

static void codes_become_masks(void **state)
{
    static const struct {
        const char *text;
        enum vs_err err;
        uint32_t mask;
    } ROWS[] = {{NULL, VS_OK, 15},       {"", VS_OK, 15},          {"a,c", VS_OK, 5},
                {"-b", VS_OK, 13},       {"a,b,-b", VS_OK, 1},     {"a,-a", VS_OK, 0},
                {"e", VS_ERR_RANGE, 99}, {"-x", VS_ERR_RANGE, 99}, {"a,", VS_ERR_MALFORMED, 99}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        uint32_t mask = 99;
        CHECK_ROW(i, filter_mask(ROWS[i].text, letter, 4, &mask) == ROWS[i].err);
        CHECK_ROW(i, mask == ROWS[i].mask); /* written on success only */
    }
}

static void times_are_absolute_or_before_now(void **state)
{
    const int64_t now = INT64_C(1700000000000000);
    static const struct {
        const char *text;
        int64_t back_s; /* before now; -1 = refused */
    } ROWS[] = {{"now", 0},
                {"now-90s", 90},
                {"now-15m", 900},
                {"now-48h", 172800},
                {"now-7d", 604800},
                {"now-2w", 1209600},
                {"now-0s", 0},
                {"now-", -1},
                {"now-5", -1},
                {"now-h", -1},
                {"now+1h", -1},
                {"now-1y", -1},
                {"now-1.5h", -1},
                {"now -1h", -1},
                {"now-1hh", -1},
                {"now-99999999w", -1},
                {"now--1h", -1},
                {"nowhere", -1},
                {"", -1},
                {"2023-11-14", -1},
                {"2023-11-14T22:13:20Z", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        int64_t us = -7;
        bool ok = filter_time(ROWS[i].text, now, &us) == VS_OK;
        CHECK_ROW(i, ok == (ROWS[i].back_s >= 0));
        CHECK_ROW(i, us == (ok ? now - ROWS[i].back_s * US_PER_S : -7));
    }
}

static void numbers_are_digits_within_their_bound(void **state)
{
    int64_t n = 0;

    (void)state;
    assert_int_equal(filter_number("9223372036854775807", INT64_MAX, &n), VS_OK);
    assert_true(n == INT64_MAX);
    assert_int_equal(filter_number("9223372036854775808", INT64_MAX, &n), VS_ERR_RANGE);
    assert_int_equal(filter_number("200", 200, &n), VS_OK);
    assert_int_equal(filter_number("201", 200, &n), VS_ERR_RANGE);
    assert_int_equal(filter_number("", 9, &n), VS_ERR_MALFORMED);
    assert_int_equal(filter_number("-1", 9, &n), VS_ERR_MALFORMED);
    assert_int_equal(filter_number("1 ", 9, &n), VS_ERR_MALFORMED);
}

static void words_and_patterns(void **state)
{
    char buf[FILTER_TEXT_SIZE], pattern[FILTER_PATTERN_SIZE], longest[FILTER_TEXT_SIZE];
    struct slice word[FILTER_WORDS_MAX];
    unsigned count = 9;

    (void)state;
    assert_int_equal(filter_words("  Foo  bar ", buf, sizeof buf, word, &count), VS_OK);
    assert_int_equal(count, 2);
    check_slice(word[0], "foo");
    check_slice(word[1], "bar");
    assert_int_equal(filter_words(NULL, buf, sizeof buf, word, &count), VS_OK);
    assert_int_equal(count, 0);
    assert_int_equal(filter_words("1 2 3 4 5 6 7 8 9", buf, sizeof buf, word, &count), VS_ERR_LIMIT);
    filter_like(slice_str("50%_\\x"), true, pattern);
    assert_string_equal(pattern, "%50\\%\\_\\\\x%");
    filter_like(slice_str("ab"), false, pattern);
    assert_string_equal(pattern, "ab%");
    memset(longest, '%', sizeof longest); /* every character doubled still fits */
    filter_like(slice_make(longest, sizeof longest), true, pattern);
    assert_int_equal(strlen(pattern), 2 * sizeof longest + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_cut_at_commas_outside_quotes),
        cmocka_unit_test(codes_become_masks),
        cmocka_unit_test(times_are_absolute_or_before_now),
        cmocka_unit_test(numbers_are_digits_within_their_bound),
        cmocka_unit_test(words_and_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
