/* pipeline_internal: the state behind app/pipeline.h, for its own files:
 *
 *     pipeline.c           life, reading, the way of an event
 *     pipeline_commit.c    writing
 *     pipeline_rules.c     loading rules, changing them while running, filling new ones from the log
 *     pipeline_snapshot.c  the state in a file, and back
 *     pipeline_watch.c     alerts about the pipeline itself */
#ifndef APP_PIPELINE_INTERNAL_H
#define APP_PIPELINE_INTERNAL_H

#include <sys/types.h>

#include "app/alert_writer.h"
#include "app/pipeline_part.h"
#include "app/rule_alerts.h"
#include "detect/engine/engine.h"
#include "ingest/registry_store.h"
#include "store/rollup.h"

#define DAY_US INT64_C(86400000000)

struct pipeline_partition {
    struct stream_reader *reader;
    uint64_t next;       /* offset of the next record to read */
    uint64_t committed;  /* as it stands in the database */
    uint64_t counted;    /* how far rollup_day counts */
    int64_t received_us; /* of the record read last */
    bool at_end;         /* nothing was there when it was asked last */
};

/* Rules as they are loaded, and what looks at events by them. */
struct pipeline_rules {
    struct plan plan;
    struct diag diag;
    struct sighter sighter;
    struct record record;
    bool listed; /* the database knows them */
};

struct log_pipeline {
    struct pipeline_config cfg;
    struct registry *registry;
    struct normalise *normalise;
    struct pipeline_rules *rules;
    struct engine *engine;
    struct member_facts facts;
    struct alert_book *book; /* what was written of the alerts of rules */
    struct rollup *rollup;
    struct slice type_name[EV_TYPE_COUNT];
    struct pipeline_partition *partition;
    uint32_t partition_count, turn;
    struct pipeline_progress progress;
    int64_t registry_version;
    enum vs_err error;                  /* of a callback, which cannot return one */
    bool behind;                        /* records are read that were read before a restart */
    bool counting;                      /* the present record is not in rollup_day yet */
    bool touched;                       /* something was read since the last commit */
    bool quiet;                         /* the last read came to the end of all partitions */
    bool deferred;                      /* the engine may have put off large groups */
    bool writing;                       /* a transaction is open */
    uint32_t commits;                   /* since the rollups were written */
    void *part[PIPELINE_PARTS_MAX];     /* state of pipeline_parts */
    struct pipeline_backfill *backfill; /* NULL: none under way */
    struct pipeline_watch *watch;
    uint64_t snapshot_number; /* of the newest one, 0 = none */
    pid_t snapshot_pid;       /* who writes one; 0 = nobody */
};

/* Says something to whoever runs the pipeline. */
void pipeline_say(const struct log_pipeline *p, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum vs_err pipeline_fail(struct pipeline_error *e, enum vs_err err, const char *what, const char *text);
/* Everything written between two commits is one transaction, opened by whoever writes first. */
VS_MUST_USE enum vs_err pipeline_begin(struct log_pipeline *p);
/* What is read by the rules is made and ended together: normaliser, engine, facts, rollups, parts. */
VS_MUST_USE enum vs_err pipeline_state_open(struct log_pipeline *p, struct pipeline_error *e);
void pipeline_state_close(struct log_pipeline *p);
/* An alert of the engine into the database; `ctx` is a struct pipeline_writing. */
struct pipeline_writing {
    struct log_pipeline *p;
    enum vs_err err;
};
void pipeline_on_alert(void *ctx, const struct rule *rule, const struct alert *al);
/* The rollups as they are, and how far they go. */
VS_MUST_USE enum vs_err pipeline_flush_rollups(struct log_pipeline *p);

/* ---- pipeline_rules.c */

VS_MUST_USE enum vs_err pipeline_rules_load(const struct pipeline_config *cfg, struct pipeline_rules **ret,
                                            struct pipeline_error *e);
void pipeline_rules_free(struct pipeline_rules *r);
/* What the rules see in an event. False: nothing. */
bool pipeline_rules_see(struct pipeline_rules *r, const struct event *ev, const struct normalised *no,
                        struct sighting *ret);
/* Begins a backfill when the engine has rules that need one. */
VS_MUST_USE enum vs_err pipeline_backfill_begin(struct log_pipeline *p);
/* Takes up to `max` records of it; ends it when it has come to its end. */
VS_MUST_USE enum vs_err pipeline_backfill_step(struct log_pipeline *p, uint32_t max);
void pipeline_backfill_free(struct pipeline_backfill *b);

/* ---- pipeline_snapshot.c */

/* Opens the state: from the newest snapshot that is good and fits the database, or empty. */
VS_MUST_USE enum vs_err pipeline_snapshot_restore(struct log_pipeline *p, struct pipeline_error *e);
/* Ends the process that writes one. */
void pipeline_snapshot_cancel(struct log_pipeline *p);

/* ---- pipeline_watch.c */

VS_MUST_USE enum vs_err pipeline_watch_new(struct pipeline_watch **ret);
void pipeline_watch_free(struct pipeline_watch *w);
/* A vehicle that is not enrolled sent something. */
void pipeline_watch_unknown(struct log_pipeline *p, const struct event *ev, const struct normalised *no);
/* Rules could not be loaded (`text` says why), or could again (NULL). */
void pipeline_watch_rules(struct log_pipeline *p, const char *text);
/* True when there is something to write. */
bool pipeline_watch_due(const struct pipeline_watch *w);
/* Writes the alerts that came together; inside a transaction. */
VS_MUST_USE enum vs_err pipeline_watch_commit(struct log_pipeline *p);

#endif
