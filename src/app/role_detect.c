/* The detect role: follows the event log and keeps alerts, incidents, ledger and rollups in the state database. */
#include <poll.h>
#include <stdio.h>

#include "app/log_line.h"
#include "app/pipeline.h"
#include "app/vsocd_config.h"
#include "app/wall_clock.h"

#define READ_MAX        20000u /* records between two commits */
#define COMMIT_EVERY_US INT64_C(200000)
#define IDLE_MS         50
#define SAY_EVERY_US    INT64_C(5000000)

static const char NAME[] = "detect";

static void say_progress(const struct log_pipeline *p, int64_t *said_us)
{
    struct pipeline_progress progress;

    if (monotonic_clock_us() - *said_us < SAY_EVERY_US)
        return;
    *said_us = monotonic_clock_us();
    pipeline_progress(p, &progress);
    log_line(NAME, pipeline_behind(p) ? "detect.replaying" : "detect.progress",
             "%llu records, %llu events, %llu duplicates, %llu dead-lettered, %llu alert changes",
             (unsigned long long)progress.records, (unsigned long long)progress.events,
             (unsigned long long)progress.duplicates, (unsigned long long)progress.dead_lettered,
             (unsigned long long)progress.alert_changes);
}

/* Reads until there is nothing more or it is time to commit. */
static enum vs_err read_some(struct log_pipeline *p, uint32_t *ret_count)
{
    int64_t until_us = monotonic_clock_us() + COMMIT_EVERY_US;
    uint32_t total = 0, count = 1;
    enum vs_err err = VS_OK;

    while (err == VS_OK && count > 0 && total < READ_MAX && monotonic_clock_us() < until_us) {
        err = pipeline_read(p, 256, &count);
        total += count;
    }
    *ret_count = total;
    return err;
}

/* ---- snapshots and rules */

struct upkeep {
    int64_t snapshot_every_us; /* 0 = never */
    int64_t snapshot_due_us;
    int64_t snapshot_began_us;
    bool reload;
};

static void start_snapshot(struct log_pipeline *p, struct upkeep *u)
{
    int64_t now_us = monotonic_clock_us();

    if (u->snapshot_every_us == 0 || now_us < u->snapshot_due_us)
        return;
    u->snapshot_due_us = now_us + u->snapshot_every_us;
    u->snapshot_began_us = now_us;
    enum vs_err err = pipeline_snapshot_start(p);
    if (err != VS_OK && err != VS_ERR_BUSY)
        log_line(NAME, "snapshot.failed", "%s", vs_err_text(err));
}

static void end_snapshot(struct log_pipeline *p, const struct upkeep *u)
{
    enum vs_err err;

    if (!pipeline_snapshot_ended(p, &err))
        return;
    if (err == VS_OK)
        log_line(NAME, "snapshot.written", "in %lld ms",
                 (long long)(monotonic_clock_us() - u->snapshot_began_us) / 1000);
    else
        log_line(NAME, "snapshot.failed", "%s; a restart takes longer, nothing is lost", vs_err_text(err));
}

/* A reload that comes at a bad moment is tried again at the next turn. */
static enum vs_err reload(struct log_pipeline *p, struct role_link *link, struct upkeep *u)
{
    struct pipeline_error error = {""};

    u->reload = role_reload_asked(link) || u->reload;
    if (!u->reload)
        return VS_OK;
    enum vs_err err = pipeline_reload(p, &error);
    u->reload = err == VS_ERR_BUSY;
    return err == VS_ERR_BUSY || err == VS_ERR_CONFIG ? VS_OK : err;
}

static void say(void *ctx, const char *event, const char *text)
{
    (void)ctx;
    log_line(NAME, event, "%s", text);
}

static enum vs_err follow_one_turn(struct log_pipeline *p, struct role_link *link, struct upkeep *u,
                                   uint32_t *ret_count)
{
    enum vs_err err = read_some(p, ret_count);

    if (err == VS_OK)
        err = pipeline_commit(p);
    if (err == VS_OK)
        err = reload(p, link, u);
    if (err != VS_OK)
        return err;
    end_snapshot(p, u);
    start_snapshot(p, u);
    return VS_OK;
}

/* The last words of a clean stop. */
static enum vs_err leave(struct log_pipeline *p, const struct upkeep *u)
{
    enum vs_err err = pipeline_commit(p);

    if (err != VS_OK || u->snapshot_every_us == 0)
        return err;
    err = pipeline_snapshot(p);
    if (err != VS_OK && err != VS_ERR_BUSY)
        log_line(NAME, "snapshot.failed", "%s", vs_err_text(err));
    return VS_OK;
}

static int follow(struct log_pipeline *p, struct store *st, struct role_link *link, const struct vsocd_config *cfg)
{
    struct upkeep u = {.snapshot_every_us = (int64_t)cfg->detect.snapshot_seconds * 1000000};
    int64_t said_us = monotonic_clock_us();
    enum vs_err err = VS_OK;
    bool ready = false;
    uint32_t count = 0;

    u.snapshot_due_us = said_us + u.snapshot_every_us;
    while (err == VS_OK && !role_stopping(link)) {
        err = follow_one_turn(p, link, &u, &count);
        if (!ready && !pipeline_behind(p)) {
            role_ready(link, 0);
            ready = true;
        }
        if (count == 0 && !pipeline_backfilling(p))
            poll(NULL, 0, IDLE_MS);
        else
            say_progress(p, &said_us);
    }
    if (err == VS_OK)
        err = leave(p, &u);
    if (err != VS_OK)
        log_line(NAME, "detect.failed", "%s: %s", vs_err_info(err)->name, store_error_text(st));
    return err == VS_OK ? 0 : 1;
}

/* The log is made by the door, which may be starting at the same time. */
static enum vs_err open_log(const char *address, struct role_link *link, struct stream **ret,
                            struct stream_error *ret_error)
{
    enum vs_err err;

    while ((err = stream_open(address, false, ret, ret_error)) == VS_ERR_NOT_FOUND && !role_stopping(link))
        poll(NULL, 0, IDLE_MS);
    return err;
}

int role_detect(const struct vsocd_config *cfg, struct role_link *link)
{
    char log_address[VSOCD_PATH_MAX], store_address[VSOCD_PATH_MAX], snapshot_dir[VSOCD_PATH_MAX];
    struct stream *stream = NULL;
    struct store *store = NULL;
    struct log_pipeline *pipeline = NULL;
    struct stream_error stream_error = {""};
    struct store_error store_error = {""};
    struct pipeline_error error = {""};
    int code = 1;

    vsocd_log_address(cfg, log_address);
    vsocd_store_address(cfg, store_address);
    vsocd_snapshot_dir(cfg, snapshot_dir);
    if (open_log(log_address, link, &stream, &stream_error) != VS_OK) {
        log_line(NAME, "detect.no_log", "%s: %s", log_address, stream_error.text);
    } else if (store_open(store_address, &store, &store_error) != VS_OK) {
        log_line(NAME, "detect.no_store", "%s: %s", store_address, store_error.text);
    } else {
        struct pipeline_config pc = {.stream = stream,
                                     .store = store,
                                     .rules_path = cfg->detect.rules,
                                     .lateness_days = cfg->detect.lateness_days,
                                     .budgets_path = cfg->respond.budgets,
                                     .simulated_clock = cfg->ingest.simulated_clock,
                                     .snapshot_dir = cfg->detect.snapshot_seconds > 0 ? snapshot_dir : NULL,
                                     .say = say};

        if (pipeline_open(&pc, &pipeline, &error) != VS_OK)
            log_line(NAME, "detect.not_opened", "%s", error.text);
        else
            code = follow(pipeline, store, link, cfg);
    }
    pipeline_close(pipeline);
    store_close(store);
    stream_close(stream);
    return code;
}
