/* compress: round trips, and that broken or lying input gives a code and never more bytes than were asked for. */
#include "base/compress.h"

#include <stdlib.h>

#include "check.h"

#define LEN 5000

static struct compressor *compressor;
static uint8_t plain[LEN], packed[LEN * 2], back[LEN + 16];
static size_t packed_len;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN; i++)
        plain[i] = (uint8_t)(i % 61 * (i / 500));
    return compressor_new(3, &compressor) == VS_OK &&
                   compressor_pack(compressor, slice_make(plain, LEN), packed, sizeof packed, &packed_len) == VS_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    (void)state;
    compressor_free(compressor);
    return 0;
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    assert_true(packed_len < LEN);
    assert_int_equal(compressor_unpack(compressor, slice_make(packed, packed_len), back, LEN), VS_OK);
    assert_memory_equal(back, plain, LEN);
}

static void another_length_is_a_lie(void **state)
{
    (void)state;
    assert_int_equal(compressor_unpack(compressor, slice_make(packed, packed_len), back, LEN - 1), VS_ERR_MALFORMED);
    assert_int_equal(compressor_unpack(compressor, slice_make(packed, packed_len), back, LEN + 1), VS_ERR_MALFORMED);
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    for (size_t n = 0; n < packed_len; n++)
        assert_int_equal(compressor_unpack(compressor, slice_make(packed, n), back, LEN), VS_ERR_MALFORMED);
}

static void too_small_a_buffer_is_said(void **state)
{
    uint8_t small[8];
    size_t len = 77;

    (void)state;
    assert_int_equal(compressor_pack(compressor, slice_make(plain, LEN), small, sizeof small, &len), VS_ERR_FULL);
    assert_int_equal(len, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(another_length_is_a_lie),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(too_small_a_buffer_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
