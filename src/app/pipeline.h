/* pipeline: what the detect process does with the event log: normalise, look, window, and write what came of it.
 *
 *     record ─> normalise ─> events ─> sighter ─> engine ─> alerts ─> alert store ─> incidents
 *                   └─> ledger, registry, dead letters, rollups
 *
 * pipeline_read takes records from all partitions; pipeline_commit writes everything that changed, and how far was
 * read, in one transaction. "Now" is the newest receive time read, so that a replay sees the times that the live run
 * saw.
 *
 * Restart. The state is a function of the records read. At opening it is taken from the newest snapshot that is good,
 * or begins empty; then the log is read from there to where the last transaction had come, without writing
 * (pipeline_behind tells). At exactly that place a commit writes what stands and is not stored as it is. A snapshot
 * that is damaged, of another version, or ahead of the database is passed over with a log line, for an older one or for
 * the whole log. docs/decisions/0008-snapshots.md has the argument.
 *
 * Rules. pipeline_reload loads them anew beside those that run. Broken ones are refused: the old ones go on, and the
 * alert `vsoc_rules_refused` stands until good ones are loaded. Good ones take over with their state; rules that are
 * new or mean something else are filled from the log within the lateness horizon, a slice at every read.
 *
 * Watching itself: a limit that turned something away and a vehicle that is not enrolled become alerts
 * (vsoc_limit_reached, vsoc_vehicle_not_enrolled), one per day and name.
 *
 * Memory: heap; bounds and counters are those of its parts. Threads: one owner; a snapshot in the background is written
 * by a forked copy of the process. Errors: of the store and the stream; after one nothing that was read since the last
 * commit is written; close, and open again. */
#ifndef APP_PIPELINE_H
#define APP_PIPELINE_H

#include "store/store.h"
#include "stream/stream.h"

#define PIPELINE_SNAPSHOTS_KEPT 2

struct log_pipeline;

struct pipeline_config {
    struct stream *stream;  /* borrowed */
    struct store *store;    /* borrowed */
    const char *rules_path; /* folder or file */
    uint32_t lateness_days;
    const char *budgets_path; /* alert budgets (respond/budget_file.h); NULL or "" = the defaults */
    bool simulated_clock; /* receive times jump between months (a simulation beside real vehicles): forget nothing */
    const char *snapshot_dir; /* folder of snapshots, made when missing; NULL = none */
    /* Told what a log should say: an event's name and a text. May be NULL. */
    void (*say)(void *ctx, const char *event, const char *text);
    void *say_ctx;
};

struct pipeline_error {
    char text[512];
};

struct pipeline_progress {
    uint64_t records, events, duplicates, dead_lettered, alert_changes;
    uint64_t damaged;  /* records of the log that do not match their checksum */
    int64_t now_us;    /* newest receive time read */
    uint64_t replayed; /* records read since opening that had been read before */
    bool from_snapshot;
};

VS_MUST_USE enum vs_err pipeline_open(const struct pipeline_config *cfg, struct log_pipeline **ret,
                                      struct pipeline_error *ret_error);
/* Ends a snapshot in the background without it. */
void pipeline_close(struct log_pipeline *p);
/* Takes up to `max` records; how many there were is in *ret_count, 0 when all partitions are read to their end. */
VS_MUST_USE enum vs_err pipeline_read(struct log_pipeline *p, uint32_t max, uint32_t *ret_count);
/* True while records are read that were read before a restart. */
bool pipeline_behind(const struct log_pipeline *p);
/* Writes what changed. A no-op when nothing did. */
VS_MUST_USE enum vs_err pipeline_commit(struct log_pipeline *p);
void pipeline_progress(const struct log_pipeline *p, struct pipeline_progress *ret);

/* Loads the rules again. VS_ERR_CONFIG, VS_ERR_IO: they are refused, ret_error says where and why, the old ones go on.
 */
VS_MUST_USE enum vs_err pipeline_reload(struct log_pipeline *p, struct pipeline_error *ret_error);
/* True while rules that are new are being filled from the log. */
bool pipeline_backfilling(const struct log_pipeline *p);

/* Commits, then writes a snapshot and waits for it to be durable. VS_ERR_BUSY: not now (behind, or filling rules).
 * VS_ERR_UNSUPPORTED: no folder was given. VS_ERR_IO: it could not be written, which hurts nobody but the next restart.
 */
VS_MUST_USE enum vs_err pipeline_snapshot(struct log_pipeline *p);
/* The same in a forked copy of this process, which stops reading for milliseconds only. VS_ERR_BUSY also while one is
 * being written. pipeline_snapshot_ended asks after it: true once when it came to its end, and then *ret_err is how. */
VS_MUST_USE enum vs_err pipeline_snapshot_start(struct log_pipeline *p);
bool pipeline_snapshot_ended(struct log_pipeline *p, enum vs_err *ret_err);

#endif
