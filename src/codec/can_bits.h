/* can_bits: takes an integer out of a frame, where a network description says its bits are.
 *
 * Positions follow the DBC convention. Intel (little endian): `start` is the least significant bit, bit n is byte n /
 * 8, weight n % 8, and bits ascend. Motorola (big endian): `start` is the most significant bit in the same numbering,
 * and the walk goes down within a byte and on to bit 7 of the next byte. No floating point: this is the path a small
 * controller uses. Cost: at most 9 bytes touched. Memory: none. */
#ifndef CODEC_CAN_BITS_H
#define CODEC_CAN_BITS_H

#include "core/slice.h"

struct can_bits {
    uint32_t start;  /* DBC bit number */
    uint16_t length; /* bits, 1 or more; can_bits_get takes at most 64 */
    bool big_endian;
    bool is_signed; /* two's complement */
};

/* True when every bit lies within len bytes. */
bool can_bits_fit(const struct can_bits *b, size_t len);
/* The raw bits, right-aligned; a signed one is sign-extended, so that (int64_t) of it is its value.
 * The bits must fit in data and length must be 1 to 64. */
uint64_t can_bits_get(const struct can_bits *b, struct slice data);
/* One bit by its place in the number, 0 = least significant; for numbers wider than 64 bits. */
bool can_bits_test(const struct can_bits *b, struct slice data, unsigned index);
/* Writes the low bits of value into data; the inverse of can_bits_get. The bits must fit. */
void can_bits_set(const struct can_bits *b, uint8_t *data, size_t len, uint64_t value);

#endif
