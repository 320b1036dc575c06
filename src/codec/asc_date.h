/* asc_date: the date of ASC headers, e.g. "Sam Sep 30 15:06:13.191 2017" or "Thu Apr 28 10:44:52 am 2022".
 * Months may be English, German, French, Spanish or Italian, in UTF-8 or cp1252. */
#ifndef CODEC_ASC_DATE_H
#define CODEC_ASC_DATE_H

#include "core/slice.h"

/* Microseconds since 1970 as if the local time were UTC; -1 when the text is no date that is understood. */
int64_t asc_date_us(struct slice text);

#endif
