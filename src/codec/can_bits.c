#include "codec/can_bits.h"

#include <assert.h>

/* Motorola positions count 7..0, 15..8, ...; the n-th bit on the wire is the network number, 0..7, 8..15, ... */
static uint32_t network_bit(uint32_t start)
{
    return (start & ~UINT32_C(7)) + (7 - (start & 7));
}

bool can_bits_fit(const struct can_bits *b, size_t len)
{
    uint64_t first = b->big_endian ? network_bit(b->start) : b->start;

    return b->length > 0 && first + b->length <= (uint64_t)len * 8;
}

static uint64_t low_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* Intel: the number's least significant bits are in its first byte. Each byte is shifted into place; a field of 64 bits
 * that does not start on a byte touches a ninth byte, whose upper bits fall off at the left and are not wanted. */
static uint64_t get_intel(const struct can_bits *b, const uint8_t *data)
{
    unsigned skip = b->start & 7;
    size_t first = b->start >> 3;
    size_t last = (b->start + b->length - 1) >> 3;
    uint64_t v = (uint64_t)data[first] >> skip;

    for (size_t i = first + 1; i <= last; i++)
        v |= (uint64_t)data[i] << ((i - first) * 8 - skip);
    return v & low_mask(b->length);
}

/* Motorola: the first byte holds the most significant bits. Whole bytes are taken from the left; of the last byte only
 * its upper bits belong to the number. */
static uint64_t get_motorola(const struct can_bits *b, const uint8_t *data)
{
    uint32_t first = network_bit(b->start);
    uint32_t end = first + b->length;
    uint64_t v = data[first >> 3] & (0xFFu >> (first & 7));
    uint32_t have = 8 - (first & 7);

    if (have >= b->length)
        return v >> (have - b->length);
    for (size_t i = (first >> 3) + 1; i < end >> 3; i++)
        v = v << 8 | data[i];
    if ((end & 7) != 0)
        v = v << (end & 7) | data[end >> 3] >> (8 - (end & 7));
    return v & low_mask(b->length);
}

uint64_t can_bits_get(const struct can_bits *b, struct slice data)
{
    assert(b->length >= 1 && b->length <= 64);
    assert(can_bits_fit(b, data.len));
    uint64_t v = b->big_endian ? get_motorola(b, data.ptr) : get_intel(b, data.ptr);

    if (b->is_signed && v >> (b->length - 1) != 0)
        v |= ~low_mask(b->length);
    return v;
}

/* Byte and weight of the bit that has place `index` in the number. */
static size_t place(const struct can_bits *b, unsigned index, unsigned *ret_weight)
{
    if (!b->big_endian) {
        uint32_t n = b->start + index;
        *ret_weight = n & 7;
        return n >> 3;
    }
    uint32_t n = network_bit(b->start) + b->length - 1 - index;
    *ret_weight = 7 - (n & 7);
    return n >> 3;
}

bool can_bits_test(const struct can_bits *b, struct slice data, unsigned index)
{
    unsigned weight;

    assert(index < b->length);
    assert(can_bits_fit(b, data.len));
    size_t byte = place(b, index, &weight);
    return (data.ptr[byte] >> weight & 1) != 0;
}

void can_bits_set(const struct can_bits *b, uint8_t *data, size_t len, uint64_t value)
{
    assert(b->length >= 1 && b->length <= 64);
    assert(can_bits_fit(b, len));
    for (unsigned i = 0; i < b->length; i++) {
        unsigned weight;
        size_t byte = place(b, i, &weight);
        uint8_t bit = (uint8_t)(1u << weight);
        data[byte] = (uint8_t)((value >> i & 1) != 0 ? data[byte] | bit : data[byte] & ~bit);
    }
}
