/* pipeline: what the detect process does with the event log: normalise, look, window, and write what came of it.
 *
 *     record ─> normalise ─> events ─> sighter ─> engine ─> alerts ─> alert store ─> incidents
 *                   └─> ledger, registry, dead letters, rollups
 *
 * pipeline_read takes records from all partitions; pipeline_commit writes everything that changed, and how far was
 * read, in one transaction. "Now" is the newest receive time read, so that a replay sees the times that the live run
 * saw.
 *
 * Restart. The state is a function of the records read. At opening, positions are taken from the database; until
 * reading has come as far again, nothing is written (pipeline_behind tells). The first commit after that writes every
 * alert that stands; those that are stored as they are stay untouched.
 *
 * Memory: heap; bounds and counters are those of its parts. Threads: one owner. Errors: of the store and the stream;
 * after one nothing that was read since the last commit is written; close, and open again. */
#ifndef APP_PIPELINE_H
#define APP_PIPELINE_H

#include "store/store.h"
#include "stream/stream.h"

struct log_pipeline;

struct pipeline_config {
    struct stream *stream;  /* borrowed */
    struct store *store;    /* borrowed */
    const char *rules_path; /* folder or file */
    uint32_t lateness_days;
    const char *budgets_path; /* alert budgets (respond/budget_file.h); NULL or "" = the defaults */
};

struct pipeline_error {
    char text[512];
};

struct pipeline_progress {
    uint64_t records, events, duplicates, dead_lettered, alert_changes;
    uint64_t damaged; /* records of the log that do not match their checksum */
    int64_t now_us;   /* newest receive time read */
};

VS_MUST_USE enum vs_err pipeline_open(const struct pipeline_config *cfg, struct log_pipeline **ret,
                                      struct pipeline_error *ret_error);
void pipeline_close(struct log_pipeline *p);
/* Takes up to `max` records; how many there were is in *ret_count, 0 when all partitions are read to their end. */
VS_MUST_USE enum vs_err pipeline_read(struct log_pipeline *p, uint32_t max, uint32_t *ret_count);
/* True while records are read that were read before a restart. */
bool pipeline_behind(const struct log_pipeline *p);
/* Writes what changed. A no-op when nothing did. */
VS_MUST_USE enum vs_err pipeline_commit(struct log_pipeline *p);
void pipeline_progress(const struct log_pipeline *p, struct pipeline_progress *ret);

#endif
