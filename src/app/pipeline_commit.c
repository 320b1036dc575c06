/* Writing: everything that a stretch of the log changed, and how far it was read, in one transaction. */
#include "app/pipeline_internal.h"

#include "app/rule_history.h"
#include "app/rule_list.h"
#include "core/timestamp.h"
#include "ingest/ledger_store.h"
#include "store/gauge.h"

#define ROLLUP_COMMITS     25     /* commits after which rollups are written although there is no rest */
#define ROLLUP_PENDING_MAX 100000 /* rows after which they are, too */
#define CLOCK_MARGIN_US    (INT64_C(3600) * US_PER_S) /* by which receive times may go back */

void pipeline_on_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct pipeline_writing *w = ctx;
    struct log_pipeline *p = w->p;
    struct rule_alert ra = {p->engine, &p->facts, rule};
    struct alert_source source = rule_alert_source(&ra);
    struct alert_context context;
    bool changed = false;

    if (w->err != VS_OK)
        return;
    rule_alert_context(rule, &context);
    w->err = alert_writer_grow(p->cfg.store, &source, &context, al, p->progress.now_us, p->book, &changed);
    if (w->err == VS_OK && changed)
        w->err = rule_history_note(p->cfg.store, &p->rules->plan, rule, al->id, p->progress.now_us);
    p->progress.alert_changes += changed;
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
    struct pipeline_writing *w = ctx;

    if (w->err == VS_OK)
        w->err = ledger_store_put(w->p->cfg.store, w->p->normalise, v);
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

enum vs_err pipeline_flush_rollups(struct log_pipeline *p)
{
    enum vs_err err = rollup_flush(p->rollup, p->cfg.store);

    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++) {
        if (p->partition[i].next <= p->partition[i].counted)
            continue;
        p->partition[i].counted = p->partition[i].next;
        err = rollup_position_put(p->cfg.store, i, p->partition[i].next);
    }
    p->commits = 0;
    return err;
}

static enum vs_err write_rules(struct log_pipeline *p)
{
    const struct plan *plan = &p->rules->plan;

    if (p->rules->listed)
        return VS_OK;
    enum vs_err err = gauge_put(p->cfg.store, "rules_loaded", plan->rule_count, p->progress.now_us);
    if (err == VS_OK)
        err = rule_list_write(p->cfg.store, plan, p->progress.now_us);
    p->rules->listed = err == VS_OK;
    return err;
}

/* Events that happened before this can be forgotten: whatever is received from here on is received after the records
 * that were read last, and what is older then than the horizon is not correlated. */
static int64_t cutoff_us(const struct log_pipeline *p)
{
    int64_t floor_us = p->progress.now_us;

    for (uint32_t i = 0; i < p->partition_count; i++)
        if (!p->partition[i].at_end && p->partition[i].received_us < floor_us)
            floor_us = p->partition[i].received_us;
    return floor_us - CLOCK_MARGIN_US - p->rules->sighter.horizon_us;
}

/* The engine and the ledger forget what was handed out, so a failure after this point cannot be repeated in memory: the
 * caller ends the process, and the restart puts it right. */
static enum vs_err write_all(struct log_pipeline *p, bool at_rest)
{
    struct pipeline_writing w = {p, VS_OK};

    if (!p->cfg.simulated_clock)
        engine_expire(p->engine, cutoff_us(p), engine_expire_step(p->engine), NULL, NULL);
    if (p->quiet)
        engine_settle(p->engine, p->progress.now_us, pipeline_on_alert, &w);
    else
        engine_settle_due(p->engine, p->progress.now_us, pipeline_on_alert, &w);
    p->deferred = !p->quiet;
    if (w.err == VS_OK)
        w.err = pipeline_watch_commit(p);
    if (w.err == VS_OK)
        w.err = commit_parts(p);
    normalise_changed(p->normalise, on_vehicle, &w);
    if (w.err == VS_OK && (at_rest || ++p->commits >= ROLLUP_COMMITS || rollup_pending(p->rollup) > ROLLUP_PENDING_MAX))
        w.err = pipeline_flush_rollups(p);
    if (w.err == VS_OK)
        w.err = write_rules(p);
    return w.err == VS_OK ? write_positions(p) : w.err;
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
    bool at_rest = !p->touched && rollup_pending(p->rollup) > 0;
    bool late_work = (p->quiet && p->deferred) || at_rest || !p->rules->listed || pipeline_watch_due(p->watch);

    if (p->behind || (!p->touched && !late_work && !part_due(p)))
        return VS_OK;
    enum vs_err err = pipeline_begin(p);
    if (err == VS_OK)
        err = write_all(p, at_rest);
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
