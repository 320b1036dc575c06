/* hex: text to bytes. The other way round is writer_hex. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

#include "core/must_use.h"
#include "core/slice.h"

/* Reads exactly size bytes from 2 * size hex digits, either case. False, buf unchanged, on anything else. */
VS_MUST_USE bool hex_read(struct slice text, uint8_t *buf, size_t size);
/* Value of one digit, -1 when it is none. */
int hex_digit(uint8_t c);

#endif
