/* utf8: the length of one well-formed UTF-8 character (RFC 3629, section 4: no overlong forms, no surrogates, at most
 * U+10FFFF). */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include "core/slice.h"

/* Bytes of the character that starts the slice, 1 to 4; 0 when the slice is empty or does not start with one. */
size_t utf8_length(struct slice s);
bool utf8_valid(struct slice s);

#endif
