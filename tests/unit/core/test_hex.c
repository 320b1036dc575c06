/* hex: exactly the digits asked for, or nothing. */
#include "check.h"

#include "core/hex.h"
#include "core/writer.h"

static void every_byte_reads_back_in_both_cases(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        uint8_t byte = (uint8_t)v, buf[4], got;
        struct writer w;

        writer_init(&w, buf, sizeof buf);
        writer_hex(&w, slice_make(&byte, 1), v % 2 == 0);
        CHECK_ROW(v, hex_read(writer_slice(&w), &got, 1) && got == byte);
    }
}

static void only_the_digits_are_digits(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        const char *all = "0123456789abcdefABCDEF";
        const char *at = v != 0 ? strchr(all, (int)v) : NULL;
        int want = at == NULL ? -1 : at - all < 16 ? (int)(at - all) : (int)(at - all) - 6;

        CHECK_ROW(v, hex_digit((uint8_t)v) == want);
    }
}

static void anything_else_is_refused_and_writes_nothing(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } row[] = {{"", 1},     {"1", 1},  {"123", 1}, {"12", 2},   {"12 4", 2},
               {"0x12", 2}, {"1g", 1}, {"12", 0},  {"123x", 2}, {"", SIZE_MAX / 2 + 1}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[2] = {0x55, 0x55};
        CHECK_ROW(i, !hex_read(slice_str(row[i].text), buf, row[i].size));
        CHECK_ROW(i, buf[0] == 0x55 && buf[1] == 0x55);
    }
    assert_true(hex_read(slice_str(""), NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_reads_back_in_both_cases),
        cmocka_unit_test(only_the_digits_are_digits),
        cmocka_unit_test(anything_else_is_refused_and_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
