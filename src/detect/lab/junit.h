/* junit: results of checks as JUnit XML, the form that build servers show.
 *
 * One suite; a case has a class name (the file or rule) and a name, and a message when it failed. Bytes that XML cannot
 * carry become U+FFFD. Memory: the document grows on the heap up to JUNIT_SIZE_MAX; beyond it cases are counted but not
 * listed. */
#ifndef DETECT_LAB_JUNIT_H
#define DETECT_LAB_JUNIT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/slice.h"

#define JUNIT_SIZE_MAX ((size_t)64 << 20)

struct junit {
    char *text;
    size_t len, room;
    uint32_t tests, failures, unlisted;
};

void junit_init(struct junit *j);
void junit_done(struct junit *j);
/* `failure` empty: passed. */
void junit_case(struct junit *j, struct slice classname, struct slice name, struct slice failure);
/* Writes the document; false when it could not be written. */
bool junit_write(const struct junit *j, const char *suite, FILE *out);

#endif
