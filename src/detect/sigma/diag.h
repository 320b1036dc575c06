/* diag: what is wrong in a rule file, said for the person who wrote it: file, line, column, and what was expected.
 *
 * Loading goes on after a problem so that one run shows them all; a rule with an error is left out of the plan.
 * Bounds: DIAG_MAX kept, the rest counted. Memory: owns its texts; paths are borrowed from the plan's arena. */
#ifndef DETECT_SIGMA_DIAG_H
#define DETECT_SIGMA_DIAG_H

#include "detect/sigma/arena.h"

#define DIAG_MAX 1000

enum diag_level { DIAG_WARNING, DIAG_ERROR };

struct diag_entry {
    uint8_t level; /* enum diag_level */
    const char *path;
    unsigned line, column; /* from 1 */
    const char *text;
};

struct diag {
    struct arena texts;
    struct diag_entry *entry;
    uint32_t count;
    uint32_t error_count, warning_count; /* all, also those not kept */
};

void diag_init(struct diag *d);
void diag_done(struct diag *d);
__attribute__((format(printf, 6, 7))) void diag_add(struct diag *d, enum diag_level level, const char *path,
                                                    unsigned line, unsigned column, const char *format, ...);

#endif
