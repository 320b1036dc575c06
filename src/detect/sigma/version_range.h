/* version_range: whether a version lies within bounds such as ">=3.2 <4".
 *
 * Versions are compared part by part. A part is a run of digits, compared as a number, or a run of letters, compared
 * without regard to case; everything else only separates. A number comes after letters, and what is longer comes later:
 * 3.2 < 3.2.1 < 3.10, 3.2 < 3.2-rc1, 2026.04a < 2026.04b. A text without digits or letters lies in no range.
 * Bounds: VERSION_BOUNDS_MAX in one range; digits beyond 2^64 count as 2^64 - 1. */
#ifndef DETECT_SIGMA_VERSION_RANGE_H
#define DETECT_SIGMA_VERSION_RANGE_H

#include "core/slice.h"

#define VERSION_BOUNDS_MAX 4

enum version_op { VERSION_LT, VERSION_LTE, VERSION_GT, VERSION_GTE };

struct version_bound {
    uint8_t op; /* enum version_op */
    struct slice version;
};

struct version_range {
    struct version_bound bound[VERSION_BOUNDS_MAX];
    uint8_t count;
};

/* -1, 0, 1 */
int version_compare(struct slice a, struct slice b);
/* Reads bounds with spaces between them; texts are borrowed. False when it is no range. */
bool version_range_read(struct slice text, struct version_range *ret);
bool version_range_holds(const struct version_range *r, struct slice version);
/* Whether a text begins like a range. */
bool version_range_is(struct slice text);

#endif
