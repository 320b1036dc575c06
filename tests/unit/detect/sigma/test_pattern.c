/* pattern: Sigma values with wildcards and escapes (Sigma rules specification, "String Wildcard", "Escape Character").
 */
#include "check.h"

#include "detect/sigma/pattern.h"
#include "detect/sigma/value.h"

static bool matches(const char *pattern, const char *text, bool cased, bool windash)
{
    struct arena a;
    struct pattern p;
    uint8_t folded[256];
    size_t len = strlen(text);

    arena_init(&a);
    pattern_parse(&p, &a, slice_str(pattern));
    if (windash)
        pattern_windash(&p, &a);
    pattern_finish(&p, &a, cased);
    fold_text(slice_make(text, len), folded);
    bool hit = pattern_match(&p, cased ? slice_make(text, len) : slice_make(folded, len));
    arena_done(&a);
    return hit;
}

static void wildcards_and_escapes(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } row[] = {
        {"abc", "abc", true},
        {"abc", "ABC", true},
        {"abc", "abcd", false},
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"*b*", "abc", true},
        {"a*c", "abbbc", true},
        {"a*c", "abbbd", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"a?c", "abbc", false},
        {"?", "\xC3\xA9", true},
        {"??", "\xC3\xA9", false},
        {"a\\*c", "a*c", true},
        {"a\\*c", "abc", false},
        {"a\\?", "a?", true},
        {"a\\?", "ab", false},
        {"C:\\Win", "c:\\win", true},
        {"a\\\\b", "a\\b", true},
        {"a\\\\*", "a\\xyz", true},
        {"a\\\\\\*", "a\\*", true},
        {"a\\\\\\*", "a\\b", false},
        {"\\\\\\\\", "\\\\", true},
        {"a**c", "ac", true},
        {"*a*b*c*", "xaybzc", true},
        {"*a*b*c*", "xaycxb", false},
        {"*ab", "aab", true},
        {"*aab", "aaab", true},
        {"a*?", "a", false},
        {"a*?", "ab", true},
        {"\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9", true},
        {"\xD0\x9C*", "\xD0\xBC\xD0\xB8\xD1\x80", true},
        {"x\\", "x\\", true},
        {"*\\*", "a\\", false},
        {"*\\*", "a*", true},
        {"prog?.exe", "progA.exe", true},
        {"v*.exe", "v21.2.1.exe", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (matches(row[i].pattern, row[i].text, false, false) != row[i].want)
            fail_msg("row %zu: '%s' on '%s'", i, row[i].pattern, row[i].text);
}

static void cased_and_windash(void **state)
{
    (void)state;
    assert_false(matches("abc", "ABC", true, false));
    assert_true(matches("a*C", "abC", true, false));
    assert_true(matches("* -enc *", "x /enc y", false, true));
    assert_true(matches("* -enc *",
                        "x \xE2\x80\x93"
                        "enc y",
                        false, true));
    assert_true(matches("* -enc *",
                        "x \xE2\x80\x95"
                        "enc y",
                        false, true));
    assert_true(matches("/f -g", "-f /g", false, true));
    assert_false(matches("well-known", "well/known", false, true)); /* a dash inside a word is no option */
    assert_true(matches("--headless", "-/headless", false, true));
}

/* Every pattern and text over a small alphabet against a direct recursive reading. */
static bool naive(const char *p, const char *t)
{
    if (*p == '\0')
        return *t == '\0';
    if (*p == '*')
        return naive(p + 1, t) || (*t != '\0' && naive(p, t + 1));
    return *t != '\0' && (*p == '?' || *p == *t) && naive(p + 1, t + 1);
}

static void nth(unsigned n, const char *alphabet, char out[8])
{
    size_t base = strlen(alphabet);
    size_t len = 0;

    for (; n > 0; n = (unsigned)((n - 1) / base))
        out[len++] = alphabet[(n - 1) % base];
    out[len] = '\0';
}

static void all_small_cases_match_a_naive_reading(void **state)
{
    char p[8], t[8];

    (void)state;
    for (unsigned i = 0; i < 1365; i++) { /* all patterns of up to five characters */
        nth(i, "ab*?", p);
        for (unsigned k = 0; k < 63; k++) { /* all texts of up to five */
            nth(k, "ab", t);
            if (matches(p, t, true, false) != naive(p, t))
                fail_msg("'%s' on '%s'", p, t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards_and_escapes),
        cmocka_unit_test(cased_and_windash),
        cmocka_unit_test(all_small_cases_match_a_naive_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
