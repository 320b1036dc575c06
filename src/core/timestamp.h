/* timestamp: microseconds since 1970-01-01T00:00:00Z, and their text form.
 *
 * Text is RFC 3339 in UTC with six digits of fraction, "2026-03-01T12:00:00.000000Z". Reading accepts any RFC 3339 time
 * (upper or lower case T and Z, a space instead of T, no fraction or 1 to 9 digits of it, an offset); digits beyond the
 * sixth are cut. A leap second, 23:59:60 UTC, reads as the following second. Years 1970 to 9999, as written and in UTC.
 * No clock is read here. */
#ifndef CORE_TIMESTAMP_H
#define CORE_TIMESTAMP_H

#include "core/must_use.h"
#include "core/slice.h"
#include "core/writer.h"

#define TIMESTAMP_TEXT_LEN 27
#define TIMESTAMP_US_MAX   INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define US_PER_S           INT64_C(1000000)

/* False, and nothing written, when the text is not an RFC 3339 time within the years above. */
VS_MUST_USE bool timestamp_parse(struct slice text, int64_t *ret_us);
/* Times outside the range are written as the nearest one inside. */
void timestamp_write(struct writer *w, int64_t us);

#endif
