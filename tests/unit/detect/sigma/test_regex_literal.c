/* regex_literal: what it names is in every text that PCRE2 matches, for listed expressions and for random ones. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "check.h"
#include "seed.h"

#include "detect/sigma/regex_literal.h"
#include "detect/sigma/value.h"

#include <pcre2.h>
#include <string.h>

static void literals_of_listed_expressions(void **state)
{
    static const struct {
        const char *regex, *want;
        bool caseless;
    } row[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"ab+cd", "ab", false},
        {"ab*cdef", "cdef", false},
        {"abc?de", "ab", false},
        {"abc{0,2}de", "ab", false},
        {"abc|def", "", false},
        {"(abc|def)ghi", "ghi", false},
        {"a(?:b)cd", "cd", false},
        {"\\.EXE[\"']?\\s+[^\"]{0,64}werfault", "werfault", false},
        {"Kiss", "kiss", false},
        {"Kiss the pan", " the pan", true},
        {"(?i)Kiss the pan", " the pan", false},
        {"(?x)a b", "", false},
        {"\\Qa.b\\E", "", false},
        {"(?#a(b)cd", "", false},
        {"(*ACCEPT)abc", "", false},
        {"\\x41bc", "", false},
        {"[]a]bc", "bc", false},
        {"[[:alpha:]]bc", "", false},
        {"a{bcd", "bcd", false},
        {"([)])ab", "ab", false},
        {"(\\))ab", "ab", false},
        {"C:\\\\Windows\\\\", "c:\\windows\\", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[REGEX_LITERAL_MAX];
        struct slice got = regex_literal(slice_str(row[i].regex), row[i].caseless, buf);
        CHECK_ROW(i, slice_equal_str(got, row[i].want));
    }
}

static size_t draw(struct seed *seed, const char *const *part, size_t parts, unsigned count, char *out)
{
    size_t len = 0;

    for (unsigned i = 0; i < count; i++) {
        const char *p = part[seed_below(seed, parts)];
        memcpy(out + len, p, strlen(p));
        len += strlen(p);
    }
    out[len] = '\0';
    return len;
}

/* Texts are made of the same few letters as expressions, so that many match. */
static void every_match_contains_it(void **state)
{
    static const char *const piece[] = {
        "a", "B", "c",      "k",     "s",  "ab",      "(a)",   "(?:b|c)", "(?i)",     "[ab]", "[^a]", ".",
        "*", "+", "?",      "{1,2}", "{",  "|",       "\\.",   "\\w",     "\\bc",     "^",    "$",    "(?=a)",
        "]", "}", "(?<=b)", "\\x61", "[]", "(?<n>a)", "(?-i)", "\\\\",    "\xC3\xA4", "(b",   ")",    "\\Qa\\E"};
    static const char *const letter[] = {
        "a", "b", "c", "A", "B", "k", "K", "s", ".", "\\", "{", "]", "}", "\xC5\xBF", "\xE2\x84\xAA", "\xC3\xA4"};
    struct seed seed = seed_start("every_match_contains_it", 7);
    unsigned matched = 0;
    unsigned useful = 0;

    (void)state;
    for (unsigned n = 0; n < 60000; n++) {
        char regex[256];
        char text[256];
        uint8_t folded[256];
        uint8_t buf[REGEX_LITERAL_MAX];
        int code;
        PCRE2_SIZE offset;
        uint32_t caseless = seed_below(&seed, 2) != 0 ? PCRE2_CASELESS : 0;
        size_t len = draw(&seed, piece, sizeof piece / sizeof piece[0], 1 + (unsigned)seed_below(&seed, 5), regex);
        pcre2_code *re =
            pcre2_compile((PCRE2_SPTR)regex, len, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | caseless, &code, &offset, NULL);
        if (re == NULL)
            continue;
        struct slice literal = regex_literal(slice_make(regex, len), caseless != 0, buf);
        pcre2_match_data *data = pcre2_match_data_create(1, NULL);
        for (unsigned k = 0; k < 12; k++) {
            size_t text_len =
                draw(&seed, letter, sizeof letter / sizeof letter[0], (unsigned)seed_below(&seed, 9), text);
            if (pcre2_match(re, (PCRE2_SPTR)text, text_len, 0, 0, data, NULL) < 0)
                continue;
            fold_text(slice_make(text, text_len), folded);
            matched++;
            useful += literal.len > 0;
            if (literal.len > 0 && memmem(folded, text_len, literal.ptr, literal.len) == NULL)
                fail_msg("/%s/ matches '%s' without '%.*s'", regex, text, (int)literal.len, (const char *)literal.ptr);
        }
        pcre2_match_data_free(data);
        pcre2_code_free(re);
    }
    assert_true(matched > 10000 && useful > 1000); /* the generator still makes what is to be tested */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_of_listed_expressions),
        cmocka_unit_test(every_match_contains_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
