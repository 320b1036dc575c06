#include "detect/intel/address.h"

#include <arpa/inet.h>

/* Four decimal numbers without leading zeros, by hand: this runs for every event with an address. */
static bool read_v4(struct slice text, uint8_t ret[4])
{
    unsigned value = 0, digits = 0, part = 0;

    if (text.len < 7 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c >= '0' && c <= '9') {
            if (digits == 1 && value == 0)
                return false;
            value = value * 10 + (c - '0');
            if (++digits > 3 || value > 255)
                return false;
        } else if (c == '.' && digits > 0 && part < 3) {
            ret[part++] = (uint8_t)value;
            value = digits = 0;
        } else {
            return false;
        }
    }
    ret[3] = (uint8_t)value;
    return part == 3 && digits > 0;
}

bool address_read(struct slice text, struct address_block *ret)
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    char buf[INET6_ADDRSTRLEN];
    struct address_block a = {{0}, 128, false};

    if (read_v4(text, a.byte + 12)) {
        memcpy(a.byte, MAPPED, sizeof MAPPED);
        a.v4 = true;
    } else if (text.len < 2 || memchr(text.ptr, ':', text.len) == NULL || !slice_to_str(text, buf, sizeof buf) ||
               inet_pton(AF_INET6, buf, a.byte) != 1) {
        return false;
    }
    *ret = a;
    return true;
}

bool address_block_read(struct slice text, struct address_block *ret)
{
    const uint8_t *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    struct address_block a;
    unsigned bits = 0;

    if (slash == NULL)
        return address_read(text, ret);
    struct slice number = slice_from(text, (size_t)(slash - text.ptr) + 1);
    if (number.len == 0 || number.len > 3 || !address_read(slice_head(text, (size_t)(slash - text.ptr)), &a))
        return false;
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9')
            return false;
        bits = bits * 10 + (number.ptr[i] - '0');
    }
    if (bits > (a.v4 ? 32u : 128u))
        return false;
    a.bits = (uint8_t)(bits + (a.v4 ? 96 : 0));
    address_mask(a.byte, a.bits);
    *ret = a;
    return true;
}

void address_mask(uint8_t byte[16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > 8 * i ? bits - 8 * i : 0;
        if (keep < 8)
            byte[i] &= (uint8_t)(0xFF00u >> keep);
    }
}

bool address_within(const struct address_block *inner, const struct address_block *outer)
{
    struct address_block cut = *inner;

    if (inner->v4 != outer->v4 || inner->bits < outer->bits)
        return false;
    address_mask(cut.byte, outer->bits);
    return memcmp(cut.byte, outer->byte, sizeof cut.byte) == 0;
}
