/* value: numbers compare by value across kinds, texts fold, the canonical text is one per value. */
#include "check.h"

#include "detect/sigma/value.h"

static void numbers_parse_and_compare(void **state)
{
    /* In ascending order; a row marked equal has the value of the row before. */
    static const struct {
        const char *text;
        bool equal;
    } row[] = {{"-9223372036854775808", false},
               {"-1.5", false},
               {"-1", false},
               {"-1.0", true},
               {"0", false},
               {"-0", true},
               {"0x0", true},
               {"0.5", false},
               {"1", false},
               {"0x35", false},
               {"53", true},
               {"53.0", true},
               {"5.3e1", true},
               {"1e3", false},
               {"9007199254740992", false},
               {"9007199254740992.0", true},
               {"9007199254740993", false},
               {"9223372036854775807", false},
               {"9223372036854775808", false},
               {"18446744073709551615", false},
               {"1e20", false}};

    (void)state;
    for (size_t i = 1; i < sizeof row / sizeof row[0]; i++) {
        struct val a, b;
        CHECK_ROW(i, val_parse_number(slice_str(row[i - 1].text), &a));
        CHECK_ROW(i, val_parse_number(slice_str(row[i].text), &b));
        CHECK_ROW(i, val_compare(&a, &b) == (row[i].equal ? 0 : -1));
        CHECK_ROW(i, val_compare(&b, &a) == (row[i].equal ? 0 : 1));
        if (row[i].equal)
            CHECK_ROW(i, hash128_equal(val_hash(&a, 3), val_hash(&b, 3)));
    }
}

static void what_is_no_number(void **state)
{
    static const char *const row[] = {"",     "-",  "0x", "x", "1x",  "0x1g", "1 ",      " 1",
                                      "--1",  "e5", "1e", ".", "nan", "inf",  "0x1.8p3", "18446744073709551616x",
                                      "1e999"};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct val v;
        CHECK_ROW(i, !val_parse_number(slice_str(row[i]), &v));
    }
}

static void canonical_texts(void **state)
{
    static const struct {
        const char *text, *want;
    } row[] = {{"0x1F", "31"},
               {"1.50", "1.5"},
               {"-7", "-7"},
               {"18446744073709551615", "18446744073709551615"},
               {"0.1", "0.1"}};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct val v;
        assert_true(val_parse_number(slice_str(row[i].text), &v));
        check_slice(val_canonical(&v, &a), row[i].want);
    }
    arena_done(&a);
}

static void folding_keeps_the_length(void **state)
{
    static const struct {
        const char *text, *want;
    } row[] = {
        {"AbZ[{", "abz[{"},
        {"\xC3\x80\xC3\x9E\xC3\x97\xC3\x9F", "\xC3\xA0\xC3\xBE\xC3\x97\xC3\x9F"}, /* a-grave, thorn; times, sharp s */
        {"\xCE\xA9\xD0\x90\xD0\x81", "\xCF\x89\xD0\xB0\xD1\x91"},                 /* omega, cyrillic a, io */
        {"\xC5\x81\xC5\xBD", "\xC5\x82\xC5\xBE"},                                 /* l-stroke, z-caron */
        {"\xE2\x84\xAA", "\xE2\x84\xAA"},                                         /* kelvin sign: three bytes stay */
        {"a\xC3", "a\xC3"}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t out[64];
        fold_text(slice_str(row[i].text), out);
        check_slice(slice_make(out, strlen(row[i].text)), row[i].want);
    }
}

/* Words of plain ASCII are folded eight bytes at a time: every byte at every place must come out as it does alone. */
static void folding_does_not_depend_on_the_place(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        for (unsigned at = 0; at < 20; at++) {
            uint8_t text[24], out[24], alone[1];
            memset(text, 'q', sizeof text);
            text[at] = (uint8_t)c;
            fold_text(slice_make(text, sizeof text), out);
            fold_text(slice_make(&text[at], 1), alone);
            bool pair = c >= 0xC2 && c <= 0xDF; /* takes the byte behind it along */
            for (unsigned i = 0; i < sizeof text; i++)
                if (i != at && !(pair && i == at + 1))
                    CHECK_ROW(c, out[i] == 'q');
            if (!pair)
                CHECK_ROW(c, out[at] == alone[0] && alone[0] == (c >= 'A' && c <= 'Z' ? c + 32 : c));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_parse_and_compare),
        cmocka_unit_test(what_is_no_number),
        cmocka_unit_test(canonical_texts),
        cmocka_unit_test(folding_keeps_the_length),
        cmocka_unit_test(folding_does_not_depend_on_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
