/* regex_literal: a text that every match of a regular expression contains.
 *
 * The expression is walked once at its top level. Plain characters and escaped punctuation make runs; whatever may
 * stand for something else (classes, groups, dots, anchors) ends a run, and what may be absent is taken off it again.
 * The longest run is the answer. Anything this walk does not know for certain (alternatives at the top, quoting,
 * comments, extended syntax, unknown escapes) gives no text at all: no answer is always right, only slower.
 *
 * Without regard to case some characters beyond ASCII match k and s (the Kelvin sign, the long s), which folding here
 * does not know; these two letters then end a run.
 * Cost: O(bytes). Memory: the caller's. */
#ifndef DETECT_SIGMA_REGEX_LITERAL_H
#define DETECT_SIGMA_REGEX_LITERAL_H

#include "core/slice.h"

#define REGEX_LITERAL_MAX 64 /* bytes; of a longer run the start is taken */

/* Folded (ASCII). Empty when there is none. `caseless`: the whole expression ignores case. */
struct slice regex_literal(struct slice regex, bool caseless, uint8_t buf[REGEX_LITERAL_MAX]);

#endif
