/* mapping: from the lines of another system's log to events, as a YAML file says it.
 *
 * A backend is in somebody else's hands, and so is the form of its log. A mapping is content, not code: one file per
 * product (content/mappings, described in docs/formats/mapping.md) says how a line is taken apart, which lines are
 * which event, and where its fields come from. The output is the JSON form of an event, one line each, for a feed's
 * upload; the door turns VIN and accounts into pseudonyms (ingest/receive.h), so that neither gets further than that.
 *
 * A line ends in one of four ways: it is an event; the mapping says to ignore it; no case fits (unmapped); or it is
 * broken (not in the form told, no time, a number that is none). The last two become a line of type `log.unmapped` that
 * holds the reason and the names of the line's fields, never their values: normalising puts it into the dead-letter
 * store, where people see what a new version of the product has begun to say.
 *
 * Memory: a mapping owns its text; a mapping_run owns scratch for one line (about 400 kB) and is reused. Bounds: below,
 * each an error with its line when a file exceeds it. Threads: a mapping is read by any, a run belongs to one. */
#ifndef INGEST_MAPPING_H
#define INGEST_MAPPING_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "core/writer.h"

#define MAPPING_FILE_MAX    (256u << 10) /* bytes */
#define MAPPING_CASES_MAX   64
#define MAPPING_STEPS_MAX   8
#define MAPPING_WHEN_MAX    8           /* conditions of one case */
#define MAPPING_CHOICES_MAX 16          /* values of a condition, patterns of a step, fields of a value */
#define MAPPING_EVENT_MAX   (16u << 10) /* bytes of an event's line */

struct mapping;
struct mapping_run;

struct mapping_error {
    unsigned line; /* from 1; 0 when the whole file is meant */
    char text[256];
};

/* VS_ERR_CONFIG with the error filled in, VS_ERR_NO_MEMORY. The text is copied. */
VS_MUST_USE enum vs_err mapping_new(struct slice text, struct mapping **ret, struct mapping_error *ret_error);
void mapping_free(struct mapping *m);
struct slice mapping_name(const struct mapping *m);

enum mapping_outcome { MAPPING_EVENT, MAPPING_IGNORED, MAPPING_UNMAPPED, MAPPING_BROKEN, MAPPING_OUTCOME_COUNT };

VS_MUST_USE enum vs_err mapping_run_new(const struct mapping *m, struct mapping_run **ret);
void mapping_run_free(struct mapping_run *run);
/* Reads one line (without its end) and writes at most one line with its end to `w`, which has MAPPING_EVENT_MAX bytes
 * of room: the event, or the `log.unmapped` line, or nothing for a line to ignore. `number` is told in the latter.
 * *ret_reason is a constant text for lines that are unmapped or broken. */
enum mapping_outcome mapping_run_line(struct mapping_run *run, struct slice line, uint64_t number, struct writer *w,
                                      const char **ret_reason);

#endif
