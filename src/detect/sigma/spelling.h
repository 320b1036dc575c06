/* spelling: which of some known words a mistyped one may have meant. */
#ifndef DETECT_SIGMA_SPELLING_H
#define DETECT_SIGMA_SPELLING_H

#include "core/slice.h"

#define SPELLING_MAX 64 /* bytes of a word that is looked at */

/* Edits (insert, delete, replace, swap of neighbours) that make b of a, without regard to case; at most `max` + 1. */
unsigned spelling_distance(struct slice a, struct slice b, unsigned max);
/* The nearest of the words, when it is near enough to be a slip: one edit in words of up to five letters, two in longer
 * ones. NULL when there is none, or when the word is one of them. */
const char *spelling_near(struct slice word, const char *const *known, size_t count);

#endif
