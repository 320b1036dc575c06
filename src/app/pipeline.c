#include "app/pipeline_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/dead_letter.h"

#define BACKFILL_SHARE 4 /* records of a backfill that are read for each one of the present */

void pipeline_say(const struct log_pipeline *p, const char *event, const char *format, ...)
{
    char text[512];
    va_list args;

    if (p->cfg.say == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p->cfg.say(p->cfg.say_ctx, event, text);
}

enum vs_err pipeline_fail(struct pipeline_error *e, enum vs_err err, const char *what, const char *text)
{
    snprintf(e->text, sizeof e->text, "%s: %s", what, text);
    return err;
}

enum vs_err pipeline_begin(struct log_pipeline *p)
{
    if (p->writing)
        return VS_OK;
    enum vs_err err = store_begin(p->cfg.store);
    p->writing = err == VS_OK;
    return err;
}

/* ---- from event to engine */

static void learn(struct log_pipeline *p, const struct event *ev, const struct normalised *no)
{
    struct software_period period;

    if (!registry_observe(p->registry, ev, no->received_us, &period) || p->behind || p->error != VS_OK)
        return;
    p->error = pipeline_begin(p);
    if (p->error == VS_OK)
        p->error = registry_store_observe(p->cfg.store, ev->vid, &period);
}

static void count(struct log_pipeline *p, const struct event *ev, const struct normalised *no)
{
    const struct rollup_cohort cohort = {p->type_name[ev_type_find(ev->type) - ev_type_at(0)], no->model,
                                         no->sw_version, no->region};

    if (p->counting && p->error == VS_OK)
        p->error = rollup_add(p->rollup, ev->first_us, &cohort, ev->count);
}

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct log_pipeline *p = ctx;
    struct sighting seen;

    p->progress.events++;
    count(p, ev, no);
    learn(p, ev, no);
    if (!no->known)
        pipeline_watch_unknown(p, ev, no);
    if (pipeline_rules_see(p->rules, ev, no, &seen)) {
        seen.tag = member_facts_tag(&p->facts, ev, no);
        engine_put(p->engine, &seen);
    }
    for (size_t i = 0; pipeline_parts[i] != NULL; i++)
        if (pipeline_parts[i]->event != NULL)
            pipeline_parts[i]->event(p->part[i], ev, no);
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    struct log_pipeline *p = ctx;

    p->progress.dead_lettered++;
    if (p->behind || p->error != VS_OK)
        return;
    p->error = pipeline_begin(p);
    if (p->error == VS_OK)
        p->error = dead_letter_put(p->cfg.store, dl);
}

/* ---- opening */

static enum vs_err open_parts(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && pipeline_parts[i] != NULL; i++)
        err = pipeline_parts[i]->open(&p->cfg, &p->part[i], e);
    return err;
}

enum vs_err pipeline_state_open(struct log_pipeline *p, struct pipeline_error *e)
{
    const struct engine_limits limits = {.events_per_vehicle_max = 1000000, .unique_input = true, .seed = 1};
    const struct normalise_config normal = {.registry = p->registry, .event = on_event, .dead = on_dead, .ctx = p};
    enum vs_err err = normalise_new(&normal, &p->normalise);

    member_facts_init(&p->facts);
    p->engine = engine_new(&p->rules->plan, &limits);
    if (err == VS_OK)
        err = rollup_new(&p->rollup);
    if (err == VS_OK)
        err = alert_book_new(&p->book);
    if (err == VS_OK)
        err = pipeline_watch_new(&p->watch);
    if (err != VS_OK)
        return pipeline_fail(e, err, "state", vs_err_text(err));
    return open_parts(p, e);
}

void pipeline_state_close(struct log_pipeline *p)
{
    for (size_t i = 0; pipeline_parts[i] != NULL; i++) {
        pipeline_parts[i]->close(p->part[i]);
        p->part[i] = NULL;
    }
    if (p->engine != NULL) {
        engine_free(p->engine);
        member_facts_done(&p->facts);
    }
    p->engine = NULL;
    rollup_free(p->rollup);
    p->rollup = NULL;
    alert_book_free(p->book);
    p->book = NULL;
    normalise_free(p->normalise);
    p->normalise = NULL;
    pipeline_watch_free(p->watch);
    p->watch = NULL;
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
    if (err == VS_OK || err == VS_ERR_END)
        err = rollup_position(p->cfg.store, partition, &p->partition[partition].counted);
    return err;
}

static enum vs_err load_positions(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = VS_OK;

    p->partition_count = stream_partition_count(p->cfg.stream);
    p->partition = calloc(p->partition_count, sizeof *p->partition);
    if (p->partition == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++)
        err = load_position(p, i);
    return err == VS_OK ? VS_OK : pipeline_fail(e, err, "state database", store_error_text(p->cfg.store));
}

static bool any_behind(const struct log_pipeline *p)
{
    for (uint32_t i = 0; i < p->partition_count; i++)
        if (p->partition[i].next < p->partition[i].committed)
            return true;
    return false;
}

static enum vs_err open_readers(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++)
        err = stream_reader_open(p->cfg.stream, i, p->partition[i].next, &p->partition[i].reader);
    p->behind = any_behind(p);
    return err == VS_OK ? VS_OK : pipeline_fail(e, err, "event log", vs_err_text(err));
}

static enum vs_err open_all(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = registry_new(&p->registry);

    for (size_t i = 0; i < EV_TYPE_COUNT; i++)
        p->type_name[i] = slice_str(ev_type_at(i)->name);
    if (err == VS_OK)
        err = registry_store_refresh(p->cfg.store, p->registry, &p->registry_version);
    if (err != VS_OK)
        return pipeline_fail(e, err, "state database", store_error_text(p->cfg.store));
    err = pipeline_rules_load(&p->cfg, &p->rules, e);
    if (err == VS_OK)
        err = load_positions(p, e);
    if (err == VS_OK)
        err = pipeline_snapshot_restore(p, e);
    if (err == VS_OK)
        err = open_readers(p, e);
    return err == VS_OK ? pipeline_backfill_begin(p) : err;
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
    pipeline_snapshot_cancel(p);
    if (p->writing)
        store_rollback(p->cfg.store);
    for (uint32_t i = 0; p->partition != NULL && i < p->partition_count; i++)
        stream_reader_close(p->partition[i].reader);
    free(p->partition);
    pipeline_backfill_free(p->backfill);
    pipeline_state_close(p);
    pipeline_rules_free(p->rules);
    registry_free(p->registry);
    free(p);
}

/* ---- reading */

static enum vs_err read_one(struct log_pipeline *p, struct pipeline_partition *part, bool *ret_any)
{
    struct stream_record rec;
    enum vs_err err = stream_reader_next(part->reader, &rec);

    part->at_end = err == VS_ERR_END;
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
    p->counting = rec.offset >= part->counted;
    part->next = rec.offset + 1;
    part->received_us = rec.received_us;
    p->progress.records++;
    p->progress.replayed += p->behind;
    p->touched = true;
    if (rec.received_us > p->progress.now_us)
        p->progress.now_us = rec.received_us;
    err = normalise_step(p->normalise, &rec);
    return err == VS_OK ? p->error : err;
}

/* Reads what was read before, and nothing else, and ends at the very place where the last transaction ended: what
 * stands there is what was told then, so that every later change names the alerts that people know. */
static enum vs_err catch_up(struct log_pipeline *p, uint32_t max, uint32_t *ret_count)
{
    enum vs_err err = VS_OK;

    while (err == VS_OK && p->behind && *ret_count < max) {
        struct pipeline_partition *part = &p->partition[p->turn];
        bool any = false;

        p->turn = (p->turn + 1) % p->partition_count;
        if (part->next >= part->committed)
            continue;
        err = read_one(p, part, &any);
        if (err == VS_OK && !any)
            part->committed = part->next; /* the log has lost its end; there is nothing to wait for */
        *ret_count += any;
        p->behind = any_behind(p);
    }
    if (err != VS_OK || p->behind)
        return err;
    p->quiet = true; /* nothing is put off: this moment does not come again */
    return pipeline_commit(p);
}

enum vs_err pipeline_read(struct log_pipeline *p, uint32_t max, uint32_t *ret_count)
{
    uint32_t records = 0, idle = 0;
    /* Vehicles that were enrolled meanwhile are known from the next record on. */
    enum vs_err err = registry_store_refresh(p->cfg.store, p->registry, &p->registry_version);

    if (err == VS_OK && p->behind)
        err = catch_up(p, max, &records);
    /* One record of each partition in turn, so that none waits for another's backlog. */
    while (err == VS_OK && !p->behind && records < max && idle < p->partition_count) {
        bool any = false;

        err = read_one(p, &p->partition[p->turn], &any);
        p->turn = (p->turn + 1) % p->partition_count;
        records += any;
        idle = any ? 0 : idle + 1;
    }
    p->quiet = !p->behind && records < max;
    if (err == VS_OK && p->backfill != NULL && !p->behind)
        err = pipeline_backfill_step(p, max < UINT32_MAX / BACKFILL_SHARE ? max * BACKFILL_SHARE : max);
    *ret_count = records;
    return err;
}

bool pipeline_behind(const struct log_pipeline *p)
{
    return p->behind;
}

void pipeline_progress(const struct log_pipeline *p, struct pipeline_progress *ret)
{
    struct normalise_stats stats;

    normalise_stats(p->normalise, &stats);
    *ret = p->progress;
    ret->duplicates = stats.refused[NORMALISE_DUPLICATE];
}
