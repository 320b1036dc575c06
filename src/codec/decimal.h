/* decimal: text to the nearest double, without a C library.
 *
 *     number = [+-] digits [. digits] [e [+-] digits]      at least one digit before the point
 *
 * The result is correctly rounded (nearest, ties to even) for every input, whatever its length; what is too small
 * becomes zero. Does not depend on a locale. Cost: a few operations for usual numbers, about 10 us for the hardest.
 * Memory: about 1 KB of stack. */
#ifndef CODEC_DECIMAL_H
#define CODEC_DECIMAL_H

#include "core/must_use.h"
#include "core/slice.h"

/* False when the text is not wholly a number or too big for a double. */
VS_MUST_USE bool decimal_read(struct slice text, double *ret);

#endif
