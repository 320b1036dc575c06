/* writer: fills caller memory. A value is written whole or not at all, and a full writer stays full. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/hex.h"
#include "core/timestamp.h"
#include "core/utf8.h"
#include "core/writer.h"
#include "seed.h"

/* Every way to write one value, so that the tests of room can run over all of them. */
static void write_one(struct writer *w, int kind)
{
    switch (kind) {
    case 0:
        writer_u8(w, 0xA1);
        break;
    case 1:
        writer_u16be(w, 0xA1B2);
        break;
    case 2:
        writer_u32be(w, 0xA1B2C3D4);
        break;
    case 3:
        writer_u64be(w, UINT64_C(0xA1B2C3D4E5F60718));
        break;
    case 4:
        writer_text(w, "hello");
        break;
    case 5:
        writer_u64_text(w, UINT64_MAX);
        break;
    case 6:
        writer_i64_text(w, INT64_MIN);
        break;
    case 7:
        writer_fixed_text(w, -123456789, 7);
        break;
    case 8:
        writer_hex(w, slice_make("\x00\xff\x10", 3), false);
        break;
    case 9:
        writer_json_text(w, slice_str("a\"\n\x01\xc3\xa9"));
        break;
    default:
        timestamp_write(w, 1);
    }
}

#define KINDS 11

static void values_come_out_as_documented(void **state)
{
    static const char *const want[KINDS] = {
        "a1", "a1b2", "a1b2c3d4", "a1b2c3d4e5f60718", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    };
    static const char *const text[KINDS] = {
        NULL,
        NULL,
        NULL,
        NULL,
        "hello",
        "18446744073709551615",
        "-9223372036854775808",
        "-12.3456789",
        "00ff10",
        "\"a\\\"\\n\\u0001\xc3\xa9\"",
        "1970-01-01T00:00:00.000001Z",
    };

    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        uint8_t buf[64], bytes[8];
        struct writer w;

        writer_init(&w, buf, sizeof buf);
        write_one(&w, kind);
        if (text[kind] != NULL) {
            check_slice(writer_slice(&w), text[kind]);
            continue;
        }
        size_t n = strlen(want[kind]) / 2;
        assert_true(hex_read(slice_str(want[kind]), bytes, n));
        CHECK_ROW(kind, slice_equal(writer_slice(&w), slice_make(bytes, n)));
    }
}

/* Every kind of value, every amount of room that is too small: nothing of it is written, no byte past the end is
 * touched, and a smaller value that would fit is refused afterwards. */
static void a_value_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        uint8_t buf[64];
        struct writer w;

        writer_init(&w, buf, sizeof buf);
        write_one(&w, kind);
        size_t need = w.len;
        for (size_t room = 0; room < need; room++) {
            memset(buf, 0x55, sizeof buf);
            writer_init(&w, buf, room + 1);
            writer_u8(&w, 'x');
            write_one(&w, kind);
            CHECK_ROW(kind, w.full);
            CHECK_ROW(kind, slice_equal_str(writer_slice(&w), "x"));
            writer_bytes(&w, "", 0);
            writer_u8(&w, 'y');
            CHECK_ROW(kind, w.full && w.len == 1);
            for (size_t i = room + 1; i < sizeof buf; i++)
                CHECK_ROW(kind, buf[i] == 0x55);
        }
        writer_init(&w, buf, need);
        write_one(&w, kind);
        CHECK_ROW(kind, !w.full && w.len == need);
    }
}

static void a_rewind_takes_back_what_the_mark_saw_none_of(void **state)
{
    uint8_t buf[4];
    struct writer w;

    (void)state;
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "ab");
    size_t mark = writer_mark(&w);
    writer_text(&w, "c");
    writer_text(&w, "de");
    assert_true(w.full);
    writer_rewind(&w, mark);
    assert_false(w.full);
    check_slice(writer_slice(&w), "ab");
    writer_text(&w, "cd");
    check_slice(writer_slice(&w), "abcd");
}

/* Something was lost before the mark: coming back to it must not pretend that all is well. */
static void a_rewind_does_not_hide_an_earlier_loss(void **state)
{
    uint8_t buf[4];
    struct writer w;

    (void)state;
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "abc");
    writer_text(&w, "too long");
    size_t mark = writer_mark(&w);
    writer_text(&w, "d");
    writer_rewind(&w, mark);
    assert_true(w.full);
    check_slice(writer_slice(&w), "abc");
}

static void fixed_numbers_lose_their_trailing_zeros_only(void **state)
{
    static const struct {
        int64_t v;
        unsigned decimals;
        const char *want;
    } row[] = {
        {0, 0, "0"},
        {0, 7, "0"},
        {5, 0, "5"},
        {-5, 1, "-0.5"},
        {5, 3, "0.005"},
        {1000, 3, "1"},
        {-123400000, 7, "-12.34"},
        {100, 1, "10"},
        {1001, 3, "1.001"},
        {INT64_MIN, 9, "-9223372036.854775808"},
        {INT64_MAX, 19, "0.9223372036854775807"},
        {INT64_MIN, 19, "-0.9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[32];
        struct writer w;

        writer_init(&w, buf, sizeof buf);
        writer_fixed_text(&w, row[i].v, row[i].decimals);
        CHECK_ROW(i, slice_equal_str(writer_slice(&w), row[i].want));
    }
}

static void random_numbers_print_as_printf_prints_them(void **state)
{
    struct seed seed = seed_start("test_writer", 2);

    (void)state;
    for (size_t run = 0; run < 20000; run++) {
        uint8_t buf[64];
        char want[64];
        struct writer w;
        uint64_t v = seed_next(&seed) >> seed_below(&seed, 64);

        writer_init(&w, buf, sizeof buf);
        writer_u64_text(&w, v);
        writer_u8(&w, ' ');
        writer_i64_text(&w, (int64_t)v);
        writer_u8(&w, ' ');
        writer_hex(&w, slice_make(&v, sizeof v), true);
        int n = snprintf(want, sizeof want, "%" PRIu64 " %" PRId64 " ", v, (int64_t)v);
        for (size_t i = 0; i < sizeof v; i++)
            n += snprintf(want + n, sizeof want - (size_t)n, "%02X", ((const uint8_t *)&v)[i]);
        CHECK_ROW(run, slice_equal_str(writer_slice(&w), want));
    }
}

/* What a console or a log shows is always one well-formed JSON string, whatever the bytes were. */
static void any_bytes_become_a_json_string(void **state)
{
    struct seed seed = seed_start("test_writer json", 3);

    (void)state;
    for (size_t run = 0; run < 20000; run++) {
        uint8_t in[12], out[128];
        struct writer w;
        size_t len = seed_below(&seed, sizeof in + 1);

        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)(seed_below(&seed, 3) == 0 ? 0xC0 + seed_below(&seed, 64) : seed_below(&seed, 256));
        writer_init(&w, out, sizeof out);
        writer_json_text(&w, slice_make(in, len));
        struct slice text = writer_slice(&w);
        CHECK_ROW(run, !w.full && utf8_valid(text));
        CHECK_ROW(run, text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"');
        for (size_t i = 1; i + 1 < text.len; i++) {
            CHECK_ROW(run, text.ptr[i] >= 0x20 && text.ptr[i] != '"');
            if (text.ptr[i] == '\\') /* an escape is two characters, \u six */
                i += text.ptr[i + 1] == 'u' ? 5 : 1;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_out_as_documented),
        cmocka_unit_test(a_value_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(a_rewind_takes_back_what_the_mark_saw_none_of),
        cmocka_unit_test(a_rewind_does_not_hide_an_earlier_loss),
        cmocka_unit_test(fixed_numbers_lose_their_trailing_zeros_only),
        cmocka_unit_test(random_numbers_print_as_printf_prints_them),
        cmocka_unit_test(any_bytes_become_a_json_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
