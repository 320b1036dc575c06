/* address: IPv4 and IPv6 addresses and blocks of them (RFC 4632, RFC 4291) from text.
 *
 * An IPv4 address is kept as its IPv4-mapped IPv6 one (::ffff:a.b.c.d), so that both are 16 bytes with a prefix of 0 to
 * 128 bits; `v4` remembers how it was written. Bits behind the prefix are cleared. No allocation, no name service. */
#ifndef DETECT_INTEL_ADDRESS_H
#define DETECT_INTEL_ADDRESS_H

#include "core/must_use.h"
#include "core/slice.h"

struct address_block {
    uint8_t byte[16];
    uint8_t bits; /* of the prefix, 0 to 128; an IPv4 /8 has 104 */
    bool v4;
};

/* "10.0.0.1", "2001:db8::1". False on anything else. */
VS_MUST_USE bool address_read(struct slice text, struct address_block *ret);
/* The same, or with "/n". */
VS_MUST_USE bool address_block_read(struct slice text, struct address_block *ret);
/* Cuts to the first `bits`. */
void address_mask(uint8_t byte[16], unsigned bits);
/* All of `inner` lies in `outer`. */
bool address_within(const struct address_block *inner, const struct address_block *outer);

#endif
