/* rule_archive: the event log through the code that detects live - the same decoding, repair of clocks, handling of
 * duplicates, enrichment, windows - with another plan than the live one.
 *
 * Without a plan everything is done but looking, which is what a plan's cost is measured against. Memory: the state of
 * normalise and of the engine. Threads: that of the stream. Errors: of the stream and normalise; damaged records are
 * counted and passed over. */
#ifndef APP_RULE_ARCHIVE_H
#define APP_RULE_ARCHIVE_H

#include "detect/engine/engine.h"
#include "ingest/registry.h"
#include "stream/stream.h"

struct rule_archive_run {
    struct stream *log;                                          /* borrowed */
    const struct registry *registry;                             /* borrowed; NULL = nothing is known of any vehicle */
    const struct plan *plan;                                     /* borrowed; NULL = decode only */
    void (*progress)(void *ctx, uint64_t records, uint64_t all); /* now and then; may be NULL */
    engine_emit *emit;                                           /* final alerts; may be NULL */
    void (*settled)(void *ctx, const struct engine *e);          /* before alerts are handed out; may be NULL */
    void *ctx;                                                   /* given to all of these */
};

struct rule_archive_result {
    uint64_t records, damaged, events, refused;
    int64_t first_us, last_us; /* of the events; 0 when there were none */
};

VS_MUST_USE enum vs_err rule_archive_run(const struct rule_archive_run *run, struct rule_archive_result *ret);

#endif
