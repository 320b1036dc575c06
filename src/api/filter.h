/* filter: the query parameters that lists share: lists of codes and names, times, cursors, limits.
 *
 * A list is comma-separated; an item with a leading "-" excludes; quotes protect a comma or a minus inside. With
 * nothing included, everything but the excluded is meant. Pure functions over texts. */
#ifndef API_FILTER_H
#define API_FILTER_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define FILTER_ITEMS_MAX    16
#define FILTER_WORDS_MAX    8
#define FILTER_LIMIT_MAX    200
#define FILTER_TEXT_SIZE    256                        /* of a free text, with its NUL */
#define FILTER_PATTERN_SIZE (2 * FILTER_TEXT_SIZE + 3) /* of a word as a LIKE pattern */

struct filter_list {
    struct slice include[FILTER_ITEMS_MAX];
    struct slice exclude[FILTER_ITEMS_MAX];
    unsigned include_count, exclude_count;
};

/* Items are borrowed from the text. VS_ERR_LIMIT: more than FILTER_ITEMS_MAX of one kind; VS_ERR_MALFORMED: an open
 * quote or an empty item. text may be NULL: an empty list. */
VS_MUST_USE enum vs_err filter_list_parse(const char *text, struct filter_list *ret);

/* The set of values a list of codes stands for, as bits of what `number` returns for each code (-1 = unknown code). */
VS_MUST_USE enum vs_err filter_mask(const char *text, int (*number)(struct slice code), int count, uint32_t *ret_mask);

/* RFC 3339, "now", "now-48h" (units s m h d w). */
VS_MUST_USE enum vs_err filter_time(const char *text, int64_t now_us, int64_t *ret_us);

/* Decimal digits only. */
VS_MUST_USE enum vs_err filter_number(const char *text, int64_t max, int64_t *ret);

/* Words of a free text, lower case (ASCII), split at spaces. `buf` keeps them. VS_ERR_LIMIT: too many or too long. */
VS_MUST_USE enum vs_err filter_words(const char *text, char *buf, size_t size, struct slice word[FILTER_WORDS_MAX],
                                     unsigned *ret_count);

/* A word shorter than FILTER_TEXT_SIZE as a pattern for LIKE .. ESCAPE '\': "50%" as "50\%%"; with `inside` it may
 * stand anywhere in the text, else at its beginning. */
void filter_like(struct slice word, bool inside, char ret[FILTER_PATTERN_SIZE]);

#endif
