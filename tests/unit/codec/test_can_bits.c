/* can_bits: every start, length and byte order against a naive twin that walks bit by bit as the DBC notation says. */
#include "check.h"
#include "seed.h"

#include "codec/can_bits.h"

/* Walks from the start bit: Intel goes up and collects from the least significant bit, Motorola goes down within a byte
 * and jumps to bit 7 of the next, and collects from the most significant one. False when it walks out of the data. */
static bool twin(const struct can_bits *b, const uint8_t *data, size_t len, uint64_t *ret)
{
    uint64_t v = 0;
    uint32_t n = b->start;

    for (unsigned i = 0; i < b->length; i++) {
        if (n / 8 >= len)
            return false;
        uint64_t bit = data[n / 8] >> n % 8 & 1;
        v = b->big_endian ? v << 1 | bit : v | bit << i;
        if (!b->big_endian)
            n++;
        else
            n = n % 8 == 0 ? n + 15 : n - 1;
    }
    if (b->is_signed && (v >> (b->length - 1) & 1) != 0)
        for (unsigned i = b->length; i < 64; i++)
            v |= UINT64_C(1) << i;
    *ret = v;
    return true;
}

static void check_one(const struct can_bits *b, const uint8_t *data, size_t len)
{
    uint64_t want = 0;
    bool fits = twin(b, data, len, &want);

    if (can_bits_fit(b, len) != fits)
        fail_msg("start %u length %u big %d in %zu bytes: fit", b->start, b->length, b->big_endian, len);
    if (!fits)
        return;
    struct slice s = slice_make(data, len);
    uint64_t got = can_bits_get(b, s);
    if (got != want)
        fail_msg("start %u length %u big %d: got %llx, want %llx", b->start, b->length, b->big_endian,
                 (unsigned long long)got, (unsigned long long)want);
    for (unsigned i = 0; i < b->length; i++)
        if (can_bits_test(b, s, i) != (want >> i & 1))
            fail_msg("start %u length %u: bit %u", b->start, b->length, i);
}

static void every_place_in_8_bytes_reads_like_the_naive_walk(void **state)
{
    struct seed seed = seed_start("can_bits", 1);

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        uint8_t data[8];
        for (unsigned i = 0; i < 8; i++)
            data[i] = (uint8_t)seed_next(&seed);
        for (uint32_t start = 0; start < 70; start++)
            for (uint16_t length = 1; length <= 64; length++)
                for (unsigned kind = 0; kind < 4; kind++) {
                    struct can_bits b = {start, length, (kind & 1) != 0, (kind & 2) != 0};
                    for (size_t len = 7; len <= 8; len++)
                        check_one(&b, data, len);
                }
    }
}

static void random_places_in_64_bytes_read_like_the_naive_walk(void **state)
{
    struct seed seed = seed_start("can_bits long", 2);
    uint8_t data[64];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < 64; i++)
            data[i] = (uint8_t)seed_next(&seed);
        struct can_bits b = {(uint32_t)seed_below(&seed, 520), (uint16_t)(1 + seed_below(&seed, 64)),
                             seed_below(&seed, 2) != 0, seed_below(&seed, 2) != 0};
        check_one(&b, data, seed_below(&seed, 65));
    }
}

static void what_is_set_reads_back_and_touches_nothing_else(void **state)
{
    struct seed seed = seed_start("can_bits set", 3);

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t before[16], after[16];
        struct can_bits b = {(uint32_t)seed_below(&seed, 128), (uint16_t)(1 + seed_below(&seed, 64)),
                             seed_below(&seed, 2) != 0, false};
        uint64_t value = seed_next(&seed);
        if (!can_bits_fit(&b, sizeof after))
            continue;
        for (unsigned i = 0; i < sizeof before; i++)
            before[i] = (uint8_t)seed_next(&seed);
        memcpy(after, before, sizeof after);
        can_bits_set(&b, after, sizeof after, value);
        uint64_t mask = b.length == 64 ? UINT64_MAX : (UINT64_C(1) << b.length) - 1;
        assert_true(can_bits_get(&b, slice_make(after, sizeof after)) == (value & mask));
        can_bits_set(&b, after, sizeof after, can_bits_get(&b, slice_make(before, sizeof before)));
        assert_memory_equal(after, before, sizeof after);
    }
}

static void a_start_at_the_end_of_the_number_range_fits_nowhere(void **state)
{
    struct can_bits b = {UINT32_MAX, 64, false, false};

    (void)state;
    assert_false(can_bits_fit(&b, 64));
    b.big_endian = true;
    assert_false(can_bits_fit(&b, 64));
    b.start = 0;
    b.length = 0;
    assert_false(can_bits_fit(&b, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_in_8_bytes_reads_like_the_naive_walk),
        cmocka_unit_test(random_places_in_64_bytes_read_like_the_naive_walk),
        cmocka_unit_test(what_is_set_reads_back_and_touches_nothing_else),
        cmocka_unit_test(a_start_at_the_end_of_the_number_range_fits_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
