/* slice: borrowed bytes. What matters is the edges: empty, NULL, one past the end. */
#include "check.h"

#include "core/slice.h"

static const struct slice NOTHING = {NULL, 0};

static void empty_slices_are_equal_whatever_they_point_at(void **state)
{
    (void)state;
    assert_true(slice_equal(NOTHING, slice_str("")));
    assert_true(slice_equal(slice_str(NULL), NOTHING));
    assert_int_equal(slice_compare(NOTHING, slice_str("")), 0);
    assert_true(slice_starts(NOTHING, NOTHING));
    assert_false(slice_starts(NOTHING, slice_str("a")));
    assert_true(slice_starts(slice_str("a"), NOTHING));
}

static void parts_never_leave_the_slice(void **state)
{
    static const struct {
        size_t from;
        size_t len;
        const char *want;
    } row[] = {
        {0, 3, "abc"}, {0, 9, "abcdef"},         {2, 2, "cd"}, {5, 5, "f"}, {6, 1, ""},
        {7, 1, ""},    {SIZE_MAX, SIZE_MAX, ""}, {1, 0, ""},
    };
    struct slice s = slice_str("abcdef");

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct slice part = slice_head(slice_from(s, row[i].from), row[i].len);
        CHECK_ROW(i, slice_equal_str(part, row[i].want));
        CHECK_ROW(i, part.ptr >= s.ptr && part.ptr + part.len <= s.ptr + s.len);
    }
    assert_int_equal(slice_from(NOTHING, 0).len, 0);
    assert_int_equal(slice_from(NOTHING, 5).len, 0);
}

static void order_is_by_bytes_then_by_length(void **state)
{
    /* In ascending order; bytes above 127 are large, not negative. */
    static const struct slice row[] = {SLICE_LIT(""),   SLICE_LIT("\0"), SLICE_LIT("a"),   SLICE_LIT("a\0"),
                                       SLICE_LIT("ab"), SLICE_LIT("b"),  SLICE_LIT("\x80")};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        for (size_t j = 0; j < sizeof row / sizeof row[0]; j++) {
            int c = slice_compare(row[i], row[j]);
            CHECK_ROW(i * 10 + j, i < j ? c < 0 : i > j ? c > 0 : c == 0);
            CHECK_ROW(i * 10 + j, slice_equal(row[i], row[j]) == (i == j));
        }
}

static void a_string_is_copied_whole_or_not_at_all(void **state)
{
    char text[4] = "???";

    (void)state;
    assert_true(slice_to_str(slice_str("abc"), text, sizeof text));
    assert_string_equal(text, "abc");
    assert_false(slice_to_str(slice_str("abcd"), text, sizeof text));
    assert_false(slice_to_str(slice_make("a\0b", 3), text, sizeof text));
    assert_false(slice_to_str(NOTHING, text, 0));
    assert_string_equal(text, "abc");
    assert_true(slice_to_str(NOTHING, text, sizeof text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_slices_are_equal_whatever_they_point_at),
        cmocka_unit_test(parts_never_leave_the_slice),
        cmocka_unit_test(order_is_by_bytes_then_by_length),
        cmocka_unit_test(a_string_is_copied_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
