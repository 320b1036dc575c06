#include "app/rule_archive.h"

#include "ingest/normalise.h"

#define PROGRESS_RECORDS 4096

struct reading {
    const struct rule_archive_run *run;
    struct rule_archive_result *ret;
    struct sighter sighter;
    struct record record;
    struct engine *engine;
};

static void look(struct reading *r, const struct event *ev, const struct normalised *no)
{
    const struct enrichment about = {.model = no->model,
                                     .hw = no->hardware,
                                     .sw_version = no->sw_version,
                                     .region = no->region,
                                     .received_us = no->received_us};
    const struct interest_kind *kind = interest_of(r->run->plan->interest, interest_kind(ev));
    struct sighting seen = {0};

    if (kind->count == 0)
        return;
    record_from_event(&r->record, ev, &about, &kind->fields);
    if (sighter_step(&r->sighter, &r->record, &seen) == SIGHT_OK && seen.place_count > 0)
        engine_put(r->engine, &seen);
}

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct reading *r = ctx;

    r->ret->events++;
    if (r->ret->first_us == 0 || ev->first_us < r->ret->first_us)
        r->ret->first_us = ev->first_us;
    if (ev->first_us > r->ret->last_us)
        r->ret->last_us = ev->first_us;
    if (r->run->plan != NULL)
        look(r, ev, no);
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    struct reading *r = ctx;

    (void)dl;
    r->ret->refused++;
}

static uint64_t records_of(struct stream *log)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < stream_partition_count(log); i++)
        all += stream_end(log, i);
    return all;
}

static enum vs_err read_partition(struct reading *r, struct normalise *n, uint32_t partition, uint64_t all)
{
    struct stream_reader *reader = NULL;
    struct stream_record rec;
    enum vs_err err = stream_reader_open(r->run->log, partition, 0, &reader);

    while (err == VS_OK) {
        err = stream_reader_next(reader, &rec);
        if (err == VS_OK || err == VS_ERR_TAMPERED) {
            r->ret->records++;
            if (r->run->progress != NULL && r->ret->records % PROGRESS_RECORDS == 0)
                r->run->progress(r->run->ctx, r->ret->records, all);
        }
        if (err == VS_OK)
            err = normalise_step(n, &rec);
        else if (err == VS_ERR_TAMPERED) {
            r->ret->damaged++;
            err = VS_OK;
        }
    }
    stream_reader_close(reader);
    return err == VS_ERR_END ? VS_OK : err;
}

static void start(struct reading *r)
{
    struct engine_limits limits = {.unique_input = true};

    record_init(&r->record, &r->run->plan->fields);
    r->record.unique = true; /* normalise hands every number on once */
    sighter_init(&r->sighter, r->run->plan);
    r->sighter.horizon_us = HORIZON_US_DEFAULT;
    r->engine = engine_new(r->run->plan, &limits);
}

static void stop(struct reading *r)
{
    engine_free(r->engine);
    sighter_done(&r->sighter);
    record_done(&r->record);
}

enum vs_err rule_archive_run(const struct rule_archive_run *run, struct rule_archive_result *ret)
{
    struct reading r = {.run = run, .ret = ret};
    struct normalise_config cfg = {.registry = run->registry, .event = on_event, .dead = on_dead, .ctx = &r};
    struct normalise *n = NULL;
    uint64_t all = records_of(run->log);

    memset(ret, 0, sizeof *ret);
    enum vs_err err = normalise_new(&cfg, &n);
    if (err != VS_OK)
        return err;
    if (run->plan != NULL)
        start(&r);
    for (uint32_t i = 0; i < stream_partition_count(run->log) && err == VS_OK; i++)
        err = read_partition(&r, n, i, all);
    if (err == VS_OK && run->plan != NULL && run->emit != NULL) {
        engine_settle(r.engine, 0, NULL, NULL);
        if (run->settled != NULL)
            run->settled(run->ctx, r.engine);
        engine_alerts(r.engine, run->emit, run->ctx);
    }
    if (run->plan != NULL)
        stop(&r);
    normalise_free(n);
    return err;
}
