/* hex_bytes: bytes of a test written as hex digits, with spaces wherever they help. */
#ifndef HEX_BYTES_H
#define HEX_BYTES_H

#include "core/hex.h"
#include "core/slice.h"

static inline struct slice hex_bytes(const char *hex, uint8_t *buf)
{
    size_t n = 0;

    for (; *hex != '\0'; hex++)
        if (*hex != ' ') {
            buf[n / 2] = (uint8_t)(buf[n / 2] << 4 | hex_digit((uint8_t)*hex));
            n++;
        }
    return slice_make(buf, n / 2);
}

#endif
