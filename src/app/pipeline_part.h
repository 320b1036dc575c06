/* pipeline_part: what works beside the rules in the detect process: the campaign scan, threat intelligence.
 *
 * A part sees every event once, may write at each commit, and keeps its state in a section of the pipeline's snapshot.
 * To add one: write app/<name>_link.[ch] with `const struct pipeline_part <name>_link`, add it to PARTS in
 * app/pipeline_parts.c and its file to vs_pipeline in CMakeLists.txt.
 *
 * The state of a part must be a function of the events that it was given (and of what it reads from the store in
 * `commit`), so that a restart by snapshot and replay, or by replay alone, gives the same alerts with the same ids.
 * While the pipeline replays, `event` is called and `commit` is not: a part counts and writes nothing. The first
 * commit after it hands out everything that stands; alert_writer_put writes what is not there already.
 *
 * Every function but `open` and `close` may be NULL. Threads: all are called on the pipeline's thread. Errors of
 * `commit` end the process like every error of the store; those of `load` make the pipeline replay from the start. */
#ifndef APP_PIPELINE_PART_H
#define APP_PIPELINE_PART_H

#include "app/alert_writer.h"
#include "app/pipeline.h"
#include "base/snapshot.h"
#include "ingest/normalise.h"

struct pipeline_part {
    const char *name; /* also of its section in the snapshot */
    /* Makes the part's state. The configuration is borrowed as long as it lives. On failure says why. */
    enum vs_err (*open)(const struct pipeline_config *cfg, void **ret_self, struct pipeline_error *ret_error);
    void (*close)(void *self); /* NULL is fine */
    /* One event, after duplicates are gone and the clock is right. Everything is borrowed for the call; `no->vehicle`
     * is a dense number of the vehicle that stays the same within one run. */
    void (*event)(void *self, const struct event *ev, const struct normalised *no);
    /* True when `commit` has work although no event came: something in the store changed, or work was put off. */
    bool (*due)(void *self, struct store *st);
    /* Inside the transaction of a commit, after the alerts of the rules. Writes alerts by alert_writer_put and adds
     * what it changed to *changes. `now_us` is the newest receive time read. `quiet`: the log was read to its end. */
    enum vs_err (*commit)(void *self, struct store *st, int64_t now_us, bool quiet, uint64_t *changes);
    /* The section is begun and ended by the caller. `save` may run in a forked process: it reads its state and puts,
     * nothing else. `load` is called after `open` and before the first event. */
    void (*save)(const void *self, struct snapshot_writer *w);
    enum vs_err (*load)(void *self, struct snapshot_in *in);
};

/* All parts, ended by NULL. */
extern const struct pipeline_part *const pipeline_parts[];
#define PIPELINE_PARTS_MAX 8

#endif
