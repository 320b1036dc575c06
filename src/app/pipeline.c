#include "app/pipeline.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/pipeline_part.h"
#include "app/rule_alerts.h"
#include "app/rule_history.h"
#include "app/rule_list.h"
#include "core/timestamp.h"
#include "detect/engine/engine.h"
#include "ingest/dead_letter.h"
#include "ingest/ledger_store.h"
#include "ingest/normalise.h"
#include "ingest/registry_store.h"
#include "store/gauge.h"
#include "store/rollup.h"

#define DAY_US INT64_C(86400000000)

struct partition {
    struct stream_reader *reader;
    uint64_t next;      /* offset of the next record to read */
    uint64_t committed; /* as it stands in the database */
};

struct log_pipeline {
    struct pipeline_config cfg;
    struct registry *registry;
    struct normalise *normalise;
    struct plan plan;
    struct diag diag;
    struct sighter sighter;
    struct record record;
    struct engine *engine;
    struct member_facts facts;
    struct rollup *rollup;
    struct partition *partition;
    uint32_t partition_count, turn;
    struct pipeline_progress progress;
    int64_t registry_version;
    enum vs_err error;              /* of a callback, which cannot return one */
    bool touched;                   /* something was read since the last commit */
    bool quiet;                     /* the last read came to the end of all partitions */
    bool deferred;                  /* the engine may have put off large groups */
    bool writing;                   /* a transaction is open */
    bool rules_listed;              /* the rules of this plan stand in the database */
    void *part[PIPELINE_PARTS_MAX]; /* state of pipeline_parts */
};

/* Everything written between two commits is one transaction, opened by whoever writes first. */
static enum vs_err begin_once(struct log_pipeline *p)
{
    if (p->writing)
        return VS_OK;
    enum vs_err err = store_begin(p->cfg.store);
    p->writing = err == VS_OK;
    return err;
}

/* ---- from event to engine */

static void learn(struct log_pipeline *p, const struct event *ev, const struct normalised *en)
{
    struct software_period period;

    if (!registry_observe(p->registry, ev, en->received_us, &period) || pipeline_behind(p) || p->error != VS_OK)
        return;
    p->error = begin_once(p);
    if (p->error == VS_OK)
        p->error = registry_store_observe(p->cfg.store, ev->vid, &period);
}

static void look(struct log_pipeline *p, const struct event *ev, const struct normalised *en)
{
    struct sighting seen;
    const struct enrichment about = {.model = en->model,
                                     .hw = en->hardware,
                                     .sw_version = en->sw_version,
                                     .region = en->region,
                                     .received_us = en->received_us};

    const struct interest_kind *kind = interest_of(p->plan.interest, interest_kind(ev));

    if (kind->count == 0)
        return;
    record_from_event(&p->record, ev, &about, &kind->fields);
    if (sighter_step(&p->sighter, &p->record, &seen) != SIGHT_OK || seen.place_count == 0)
        return;
    seen.tag = member_facts_tag(&p->facts, ev, en);
    engine_put(p->engine, &seen);
}

static void on_event(const struct event *ev, const struct normalised *en, void *ctx)
{
    struct log_pipeline *p = ctx;
    const struct rollup_cohort cohort = {slice_str(ev_type_find(ev->type)->name), en->model, en->sw_version,
                                         en->region};

    p->progress.events++;
    if (p->error == VS_OK)
        p->error = rollup_add(p->rollup, ev->first_us, &cohort, ev->count);
    learn(p, ev, en);
    look(p, ev, en);
    for (size_t i = 0; pipeline_parts[i] != NULL; i++)
        if (pipeline_parts[i]->event != NULL)
            pipeline_parts[i]->event(p->part[i], ev, en);
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    struct log_pipeline *p = ctx;

    p->progress.dead_lettered++;
    if (pipeline_behind(p) || p->error != VS_OK)
        return;
    p->error = begin_once(p);
    if (p->error == VS_OK)
        p->error = dead_letter_put(p->cfg.store, dl);
}

/* ---- opening */

static enum vs_err fail(struct pipeline_error *e, enum vs_err err, const char *what, const char *text)
{
    snprintf(e->text, sizeof e->text, "%s: %s", what, text);
    return err;
}

static enum vs_err open_rules(struct log_pipeline *p, struct pipeline_error *e)
{
    struct engine_limits limits = {.events_per_vehicle_max = 1000000, .unique_input = true, .seed = 1};
    enum vs_err err;

    diag_init(&p->diag);
    plan_init(&p->plan);
    err = plan_load(&p->plan, &p->cfg.rules_path, 1, &p->diag);
    if (err != VS_OK && p->diag.count > 0) {
        const struct diag_entry *d = &p->diag.entry[0];

        snprintf(e->text, sizeof e->text, "%s:%u:%u: %s", d->path, d->line, d->column, d->text);
        return err;
    }
    if (err != VS_OK)
        return fail(e, err, p->cfg.rules_path, vs_err_text(err));
    sighter_init(&p->sighter, &p->plan);
    p->sighter.horizon_us = (int64_t)p->cfg.lateness_days * DAY_US;
    record_init(&p->record, &p->plan.fields);
    p->record.unique = true; /* normalise hands every number on once */
    p->engine = engine_new(&p->plan, &limits);
    return VS_OK;
}

static enum vs_err load_position(struct log_pipeline *p, uint32_t partition)
{
    struct store_stmt *q = store_prepare(p->cfg.store, "SELECT log_offset FROM log_position WHERE log_partition = ?");
    enum vs_err err;

    store_bind_i64(q, 1, partition);
    err = store_step(q);
    if (err == VS_OK)
        p->partition[partition].committed = (uint64_t)store_i64(q, 0);
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err open_partitions(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = VS_OK;

    p->partition_count = stream_partition_count(p->cfg.stream);
    p->partition = calloc(p->partition_count, sizeof *p->partition);
    if (p->partition == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++) {
        err = load_position(p, i);
        if (err == VS_OK)
            err = stream_reader_open(p->cfg.stream, i, 0, &p->partition[i].reader);
    }
    return err == VS_OK ? VS_OK : fail(e, err, "event log", vs_err_text(err));
}

static enum vs_err open_parts(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && pipeline_parts[i] != NULL; i++)
        err = pipeline_parts[i]->open(&p->cfg, &p->part[i], e);
    return err;
}

static enum vs_err open_all(struct log_pipeline *p, struct pipeline_error *e)
{
    struct normalise_config normal = {.event = on_event, .dead = on_dead, .ctx = p};
    enum vs_err err = registry_new(&p->registry);

    if (err == VS_OK)
        err = registry_store_refresh(p->cfg.store, p->registry, &p->registry_version);
    normal.registry = p->registry;
    if (err == VS_OK)
        err = normalise_new(&normal, &p->normalise);
    if (err == VS_OK)
        err = rollup_new(&p->rollup);
    if (err != VS_OK)
        return fail(e, err, "state database", store_error_text(p->cfg.store));
    member_facts_init(&p->facts);
    err = open_rules(p, e);
    if (err == VS_OK)
        err = open_parts(p, e);
    return err == VS_OK ? open_partitions(p, e) : err;
}

enum vs_err pipeline_open(const struct pipeline_config *cfg, struct log_pipeline **ret,
                          struct pipeline_error *ret_error)
{
    struct log_pipeline *p = calloc(1, sizeof *p);

    if (p == NULL)
        return VS_ERR_NO_MEMORY;
    p->cfg = *cfg;
    enum vs_err err = open_all(p, ret_error);
    if (err != VS_OK) {
        pipeline_close(p);
        return err;
    }
    *ret = p;
    return VS_OK;
}

void pipeline_close(struct log_pipeline *p)
{
    if (p == NULL)
        return;
    if (p->writing)
        store_rollback(p->cfg.store);
    for (uint32_t i = 0; p->partition != NULL && i < p->partition_count; i++)
        stream_reader_close(p->partition[i].reader);
    free(p->partition);
    for (size_t i = 0; pipeline_parts[i] != NULL; i++)
        pipeline_parts[i]->close(p->part[i]);
    if (p->engine != NULL) {
        engine_free(p->engine);
        record_done(&p->record);
        sighter_done(&p->sighter);
        plan_done(&p->plan);
        diag_done(&p->diag);
        member_facts_done(&p->facts);
    }
    rollup_free(p->rollup);
    normalise_free(p->normalise);
    registry_free(p->registry);
    free(p);
}

/* ---- reading */

static enum vs_err read_one(struct log_pipeline *p, struct partition *part, bool *ret_any)
{
    struct stream_record rec;
    enum vs_err err = stream_reader_next(part->reader, &rec);

    if (err == VS_ERR_END)
        return VS_OK;
    *ret_any = true;
    if (err == VS_ERR_TAMPERED) {
        /* The reader has passed over it; its numbers show as missing in the ledger. */
        p->progress.damaged++;
        p->touched = true;
        return VS_OK;
    }
    if (err != VS_OK)
        return err;
    part->next = rec.offset + 1;
    p->progress.records++;
    p->touched = true;
    if (rec.received_us > p->progress.now_us)
        p->progress.now_us = rec.received_us;
    err = normalise_step(p->normalise, &rec);
    return err == VS_OK ? p->error : err;
}

enum vs_err pipeline_read(struct log_pipeline *p, uint32_t max, uint32_t *ret_count)
{
    uint32_t count = 0, idle = 0;
    /* Vehicles that were enrolled meanwhile are known from the next record on. */
    enum vs_err err = registry_store_refresh(p->cfg.store, p->registry, &p->registry_version);

    /* One record of each partition in turn, so that none waits for another's backlog. */
    while (err == VS_OK && count < max && idle < p->partition_count) {
        bool any = false;

        err = read_one(p, &p->partition[p->turn], &any);
        p->turn = (p->turn + 1) % p->partition_count;
        count += any;
        idle = any ? 0 : idle + 1;
    }
    p->quiet = count < max;
    *ret_count = count;
    return err;
}

bool pipeline_behind(const struct log_pipeline *p)
{
    for (uint32_t i = 0; i < p->partition_count; i++)
        if (p->partition[i].next < p->partition[i].committed)
            return true;
    return false;
}

/* ---- writing */

struct commit {
    struct log_pipeline *p;
    enum vs_err err;
};

static void on_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct commit *c = ctx;
    struct rule_alert ra = {c->p->engine, &c->p->facts, rule};
    struct alert_source source = rule_alert_source(&ra);
    struct alert_context context;
    bool changed = false;

    if (c->err != VS_OK)
        return;
    rule_alert_context(rule, &context);
    c->err = alert_writer_put(c->p->cfg.store, &source, &context, al, c->p->progress.now_us, &changed);
    if (c->err == VS_OK && changed)
        c->err = rule_history_note(c->p->cfg.store, &c->p->plan, rule, al->id, c->p->progress.now_us);
    c->p->progress.alert_changes += changed;
}

static enum vs_err commit_parts(struct log_pipeline *p)
{
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && pipeline_parts[i] != NULL; i++)
        if (pipeline_parts[i]->commit != NULL)
            err = pipeline_parts[i]->commit(p->part[i], p->cfg.store, p->progress.now_us, p->quiet,
                                            &p->progress.alert_changes);
    return err;
}

static void on_vehicle(const struct normalise_vehicle *v, void *ctx)
{
    struct commit *c = ctx;

    if (c->err == VS_OK)
        c->err = ledger_store_put(c->p->cfg.store, c->p->normalise, v);
}

static enum vs_err write_positions(struct log_pipeline *p)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++) {
        if (p->partition[i].next == p->partition[i].committed)
            continue;
        struct store_stmt *q =
            store_prepare(p->cfg.store, "INSERT INTO log_position (log_partition, log_offset, at_us) VALUES (?, ?, ?) "
                                        "ON CONFLICT (log_partition) DO UPDATE SET log_offset = excluded.log_offset, "
                                        "at_us = excluded.at_us");
        store_bind_i64(q, 1, i);
        store_bind_i64(q, 2, (int64_t)p->partition[i].next);
        store_bind_i64(q, 3, p->progress.now_us);
        err = store_run(q);
    }
    return err;
}

/* The engine and the ledger forget what was handed out, so a failure after this point cannot be repeated in memory: the
 * caller ends the process, and the restart by replay puts it right. */
static enum vs_err write_all(struct log_pipeline *p)
{
    struct commit c = {p, VS_OK};

    if (p->quiet)
        engine_settle(p->engine, p->progress.now_us, on_alert, &c);
    else
        engine_settle_due(p->engine, p->progress.now_us, on_alert, &c);
    p->deferred = !p->quiet;
    if (c.err == VS_OK)
        c.err = commit_parts(p);
    normalise_changed(p->normalise, on_vehicle, &c);
    if (c.err == VS_OK)
        c.err = rollup_flush(p->rollup, p->cfg.store);
    if (c.err == VS_OK)
        c.err = gauge_put(p->cfg.store, "rules_loaded", p->plan.rule_count, p->progress.now_us);
    if (c.err == VS_OK && !p->rules_listed)
        c.err = rule_list_write(p->cfg.store, &p->plan, p->progress.now_us);
    p->rules_listed = p->rules_listed || c.err == VS_OK;
    if (c.err == VS_OK)
        c.err = write_positions(p);
    return c.err;
}

/* Some part has work of its own. */
static bool part_due(const struct log_pipeline *p)
{
    bool due = false;

    for (size_t i = 0; pipeline_parts[i] != NULL && !due; i++)
        due = pipeline_parts[i]->due != NULL && pipeline_parts[i]->due(p->part[i], p->cfg.store);
    return due;
}

enum vs_err pipeline_commit(struct log_pipeline *p)
{
    bool late_work = p->quiet && p->deferred;

    if (pipeline_behind(p) || (!p->touched && !late_work && !part_due(p)))
        return VS_OK;
    enum vs_err err = begin_once(p);
    if (err == VS_OK)
        err = write_all(p);
    if (err == VS_OK)
        err = store_commit(p->cfg.store);
    p->writing = p->writing && err != VS_OK;
    if (err != VS_OK)
        return err;
    for (uint32_t i = 0; i < p->partition_count; i++)
        p->partition[i].committed = p->partition[i].next;
    p->touched = false;
    return VS_OK;
}

void pipeline_progress(const struct log_pipeline *p, struct pipeline_progress *ret)
{
    struct normalise_stats stats;

    normalise_stats(p->normalise, &stats);
    *ret = p->progress;
    ret->duplicates = stats.refused[NORMALISE_DUPLICATE];
}
