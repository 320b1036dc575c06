/* crc32c: published vectors, a bit-by-bit twin, and that pieces give what the whole gives. */
#include "check.h"

#include "core/crc32c.h"
#include "seed.h"

/* The definition itself: one bit at a time, polynomial 0x1EDC6F41 with its bits reversed. */
static uint32_t naive(struct slice s)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= s.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
    }
    return ~crc;
}

/* RFC 3720 appendix B.4, and the check value of the CRC catalogue. */
static void published_vectors(void **state)
{
    uint8_t bytes[32];

    (void)state;
    assert_int_equal(crc32c(0, slice_str("123456789")), 0xE3069283);
    assert_int_equal(crc32c(0, slice_make(NULL, 0)), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, slice_make(bytes, sizeof bytes)), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(crc32c(0, slice_make(bytes, sizeof bytes)), 0x62A8AB43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, slice_make(bytes, sizeof bytes)), 0x46DD794E);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, slice_make(bytes, sizeof bytes)), 0x113FDB5C);
}

static void pieces_give_what_the_whole_gives(void **state)
{
    struct seed seed = seed_start("test_crc32c", 5);

    (void)state;
    for (size_t run = 0; run < 5000; run++) {
        uint8_t bytes[100];
        struct slice whole = slice_make(bytes, seed_below(&seed, sizeof bytes + 1));

        for (size_t i = 0; i < whole.len; i++)
            bytes[i] = (uint8_t)seed_next(&seed);
        size_t cut = seed_below(&seed, whole.len + 1);
        uint32_t crc = crc32c(crc32c(0, slice_head(whole, cut)), slice_from(whole, cut));
        CHECK_ROW(run, crc == naive(whole) && crc == crc32c(0, whole));
    }
}

/* What it is for: any single flipped bit in a record is seen. */
static void every_flipped_bit_is_seen(void **state)
{
    uint8_t bytes[64];
    struct slice s = slice_make(bytes, sizeof bytes);

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 17);
    uint32_t good = crc32c(0, s);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_ROW(bit, crc32c(0, s) != good);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
        cmocka_unit_test(every_flipped_bit_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
