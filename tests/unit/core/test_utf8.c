/* utf8: every code point and every sequence of up to four bytes that matter, against the definition read backwards. */
#include "check.h"

#include "core/utf8.h"

/* Length of the character at the start by decoding it and encoding the code point again: only the one shortest form of
 * a code point that exists survives that. */
static size_t naive(const uint8_t *p, size_t len)
{
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : (p[0] & 0xF8) == 0xF0 ? 4 : 0;
    static const uint32_t first[] = {0, 0, 0x80, 0x800, 0x10000};

    if (n == 0 || n > len)
        return 0;
    uint32_t v = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3F);
    }
    return v < first[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF) ? 0 : n;
}

/* All 2^24 starts of three bytes, with the interesting fourth bytes, at every length up to four. */
static void every_start_of_four_bytes(void **state)
{
    static const uint8_t fourth[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};

    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        uint8_t p[4] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v, 0x80};

        /* One or two bytes decide most starts; their tails are tried only once. */
        if (p[0] < 0xE0 && p[2] != 0x80)
            continue;
        for (size_t i = 0; i < (p[0] >= 0xF0 ? sizeof fourth : 1); i++) {
            p[3] = fourth[(i + 2) % sizeof fourth];
            for (size_t len = 1; len <= 4; len++)
                if (utf8_length(slice_make(p, len)) != naive(p, len))
                    fail_msg("%02x %02x %02x %02x, %zu bytes", p[0], p[1], p[2], p[3], len);
        }
    }
    assert_int_equal(utf8_length(slice_make(NULL, 0)), 0);
}

static void texts(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } row[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x97", true},
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", true},
        {"cut \xe2\x82", false},
        {"lone \x80", false},
        {"overlong \xc0\xaf", false},
        {"surrogate \xed\xa0\x80", false},
        {"too big \xf4\x90\x80\x80", false},
        {"\xff", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        CHECK_ROW(i, utf8_valid(slice_str(row[i].text)) == row[i].valid);
    assert_true(utf8_valid(slice_make("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start_of_four_bytes),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
