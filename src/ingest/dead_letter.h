/* dead_letter: the store of what arrived and was refused: a kept sample with its reason, and counts that stay.
 *
 * A sample is named by its place in the log, so that reading the log again adds nothing. The newest DEAD_LETTERS_KEPT
 * are kept; the counts per hour and reason are not pruned here. Writing is done inside a transaction of the caller's.
 */
#ifndef INGEST_DEAD_LETTER_H
#define INGEST_DEAD_LETTER_H

#include "ingest/normalise.h"
#include "store/store.h"

#define DEAD_LETTERS_KEPT      10000
#define DEAD_LETTER_SAMPLE_MAX 512 /* bytes */

VS_MUST_USE enum vs_err dead_letter_put(struct store *st, const struct dead_letter *dl);
/* How many were received since that time (to the hour), all reasons together. */
VS_MUST_USE enum vs_err dead_letter_count(struct store *st, int64_t since_us, uint64_t *ret);

#endif
