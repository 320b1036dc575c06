/* rule_encode: what the encoding modifiers make of a value. Results are in the arena. */
#ifndef DETECT_SIGMA_RULE_ENCODE_H
#define DETECT_SIGMA_RULE_ENCODE_H

#include "detect/sigma/arena.h"

/* RFC 4648 section 4, with padding. */
struct slice rule_encode_base64(struct arena *a, struct slice in);
/* The characters of the encoding that are the same whatever stands around the value, when it begins `shift` (0, 1, 2)
 * bytes into a group of three; empty when the value is too short to leave any. */
struct slice rule_encode_base64_inner(struct arena *a, struct slice in, size_t shift);
/* UTF-16, big or little endian, with a byte order mark before it (FF FE, whatever the order) when asked for. */
struct slice rule_encode_utf16(struct arena *a, struct slice in, bool big, bool mark);

#endif
