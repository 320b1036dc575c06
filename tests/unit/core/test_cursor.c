/* cursor: reads front to back. A read fits whole, or takes nothing, returns zero and makes the cursor fail for good. */
#include "check.h"

#include "core/cursor.h"
#include "seed.h"

static const uint8_t BYTES[] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09};

static uint64_t read_as(struct cursor *c, int kind)
{
    switch (kind) {
    case 0:
        return cursor_u8(c);
    case 1:
        return cursor_u16be(c);
    case 2:
        return cursor_u32be(c);
    case 3:
        return cursor_u64be(c);
    case 4:
        return cursor_u16le(c);
    case 5:
        return cursor_u32le(c);
    default:
        return cursor_u64le(c);
    }
}

static const size_t WIDTH[] = {1, 2, 4, 8, 2, 4, 8};

static void numbers_have_the_byte_order_in_their_name(void **state)
{
    static const uint64_t want[] = {0x01,   0x0182,     0x01820384,        0x0182038405860788,
                                    0x8201, 0x84038201, 0x8807860584038201};

    (void)state;
    for (int kind = 0; kind < 7; kind++) {
        struct cursor c;
        cursor_init(&c, slice_make(BYTES, sizeof BYTES));
        CHECK_ROW(kind, read_as(&c, kind) == want[kind]);
        CHECK_ROW(kind, cursor_pos(&c) == WIDTH[kind] && cursor_left(&c) == sizeof BYTES - WIDTH[kind] && !c.failed);
    }
}

/* One byte too few, for every kind of read and every length: no part of the number is taken or returned. */
static void a_read_that_does_not_fit_takes_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < 7; kind++)
        for (size_t len = 0; len < WIDTH[kind]; len++) {
            struct cursor c;
            cursor_init(&c, slice_make(BYTES + 1, len));
            CHECK_ROW(kind, read_as(&c, kind) == 0);
            CHECK_ROW(kind, c.failed && cursor_pos(&c) == 0);
        }
}

static void a_failed_cursor_stays_failed_and_names_the_byte(void **state)
{
    struct cursor c;

    (void)state;
    cursor_init(&c, slice_make(BYTES, 5));
    assert_int_equal(cursor_u16be(&c), 0x0182);
    assert_int_equal(cursor_u32be(&c), 0);
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(cursor_bytes(&c, 1).len, 0);
    assert_true(c.failed);
    assert_int_equal(cursor_pos(&c), 2);
}

static void bytes_are_borrowed_in_place(void **state)
{
    struct cursor c;

    (void)state;
    cursor_init(&c, slice_make(BYTES, sizeof BYTES));
    assert_ptr_equal(cursor_bytes(&c, 4).ptr, BYTES);
    struct slice rest = cursor_bytes(&c, 5);
    assert_ptr_equal(rest.ptr, BYTES + 4);
    assert_int_equal(rest.len, 5);
    assert_int_equal(cursor_bytes(&c, 0).len, 0);
    assert_false(c.failed);
    assert_int_equal(cursor_bytes(&c, SIZE_MAX).len, 0);
    assert_true(c.failed);
}

static void an_empty_input_may_be_null(void **state)
{
    struct cursor c;

    (void)state;
    cursor_init(&c, slice_make(NULL, 0));
    assert_int_equal(cursor_bytes(&c, 0).len, 0);
    assert_false(c.failed);
    assert_int_equal(cursor_u64le(&c), 0);
    assert_true(c.failed);
}

/* Random reads against a twin that only counts. */
static void random_reads_agree_with_a_count(void **state)
{
    struct seed seed = seed_start("test_cursor", 1);

    (void)state;
    for (size_t run = 0; run < 2000; run++) {
        uint8_t bytes[40];
        struct cursor c;
        size_t len = seed_below(&seed, sizeof bytes + 1), at = 0;
        bool failed = false;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)seed_next(&seed);
        cursor_init(&c, slice_make(bytes, len));
        for (size_t op = 0; op < 12; op++) {
            int kind = (int)seed_below(&seed, 7);
            uint64_t want = 0;

            failed = failed || at + WIDTH[kind] > len;
            for (size_t i = 0; i < WIDTH[kind] && !failed; i++)
                want |= (uint64_t)bytes[at + i] << 8 * (kind < 4 ? WIDTH[kind] - 1 - i : i);
            CHECK_ROW(run, read_as(&c, kind) == want);
            at += failed ? 0 : WIDTH[kind];
            CHECK_ROW(run, cursor_pos(&c) == at && c.failed == failed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_byte_order_in_their_name),
        cmocka_unit_test(a_read_that_does_not_fit_takes_nothing),
        cmocka_unit_test(a_failed_cursor_stays_failed_and_names_the_byte),
        cmocka_unit_test(bytes_are_borrowed_in_place),
        cmocka_unit_test(an_empty_input_may_be_null),
        cmocka_unit_test(random_reads_agree_with_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
