#include "detect/lab/backtest.h"

#include "base/jsonl/json_lines.h"

#include <pthread.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)1 << 20)
#define BLOCKS_MAX 4 /* finished blocks that may wait, per worker */

/* What one worker made of one stretch of the file. */
struct block {
    struct block *next;
    struct slice text;
    uint64_t line;         /* number of its first line */
    struct engine *engine; /* put sightings here at once instead of keeping them; NULL with workers */
    struct arena arena;
    struct sighting *sighting;
    uint32_t count, room;
    struct bad_line *bad;
    uint64_t lines, bad_count, quarantined, beyond_horizon;
    int64_t first_us, last_us;
};

struct bad_line {
    struct bad_line *next;
    uint64_t line;
    const char *reason;
};

struct run {
    const struct plan *plan;
    const struct backtest_options *options;
    struct backtest_report *report;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slice text;
    size_t pos;    /* first byte not given to a worker yet */
    uint64_t line; /* its line number */
    bool pretty;   /* documents span lines: the file is one block */
    struct block *done, **done_tail;
    unsigned waiting; /* finished blocks not consumed yet */
    unsigned working; /* workers that have not ended */
    enum vs_err err;
};

struct worker {
    struct json_reader *reader;
    struct record record;
    struct sighter sighter;
};

static enum vs_err worker_init(struct worker *w, const struct run *run)
{
    enum vs_err err = json_reader_new(&w->reader);

    if (err != VS_OK)
        return err;
    record_init(&w->record, &run->plan->fields);
    sighter_init(&w->sighter, run->plan);
    w->sighter.horizon_us = run->options->horizon_us;
    return VS_OK;
}

static void worker_done(struct worker *w, struct backtest_report *report)
{
    report->geo_untrusted += w->sighter.geo_untrusted_count;
    report->geo_no_position += w->sighter.geo_no_position_count;
    report->places_dropped += w->sighter.places_dropped_count;
    report->regex_undecided += w->sighter.matcher.undecided_count;
    sighter_done(&w->sighter);
    record_done(&w->record);
    json_reader_free(w->reader);
}

/* Cuts the next stretch at a line's end. */
static bool cut(struct run *run, struct block *b)
{
    size_t left = run->text.len - run->pos;
    size_t len = left;

    if (left == 0)
        return false;
    if (!run->pretty && left > BLOCK_SIZE) {
        const uint8_t *from = run->text.ptr + run->pos + BLOCK_SIZE;
        const uint8_t *end = memchr(from, '\n', left - BLOCK_SIZE);
        if (end != NULL)
            len = (size_t)(end - (run->text.ptr + run->pos)) + 1;
    }
    b->text = slice_make(run->text.ptr + run->pos, len);
    b->line = run->line;
    for (const uint8_t *p = b->text.ptr; len < left && (p = memchr(p, '\n', (size_t)(b->text.ptr + len - p))) != NULL;
         p++)
        run->line++;
    run->pos += len;
    return true;
}

/* A copy that lives as long as the block. Of an event without a place only its identity is needed. */
static void keep(struct block *b, const struct sighting *s)
{
    if (b->count == b->room) {
        b->room = b->room > 0 ? b->room * 2 : 1024;
        b->sighting = mem_grow(b->sighting, b->room, sizeof *b->sighting);
    }
    struct sighting *to = &b->sighting[b->count++];
    *to = *s;
    to->vehicle = s->place_count > 0 ? arena_copy(&b->arena, s->vehicle) : slice_str("");
    to->place = s->place_count > 0 ? arena_alloc(&b->arena, s->place_count * sizeof *to->place) : NULL;
    for (uint32_t i = 0; i < s->place_count; i++) {
        to->place[i] = s->place[i];
        to->place[i].group = arena_copy(&b->arena, s->place[i].group);
        to->place[i].value = arena_copy(&b->arena, s->place[i].value);
    }
}

static void note_bad(struct block *b, uint64_t line, const char *reason)
{
    struct bad_line *bad = arena_alloc(&b->arena, sizeof *bad);

    bad->line = line;
    bad->reason = arena_str(&b->arena, reason);
    bad->next = b->bad;
    b->bad = bad;
    b->bad_count++;
}

static void read_block(struct worker *w, struct block *b)
{
    struct json_lines it;
    struct slice doc;

    json_lines_init(&it, b->text);
    while (json_lines_next(&it, &doc)) {
        struct json_object o;
        struct sighting s = {0};
        const char *reason = NULL;
        b->lines++;
        if (json_reader_object(w->reader, doc, &o, &reason) != VS_OK ||
            record_from_json(&w->record, &o, true, &reason) != VS_OK) {
            note_bad(b, b->line + it.line - 1, reason != NULL ? reason : "cannot be read");
            continue;
        }
        if (b->first_us == 0 || w->record.first_us < b->first_us)
            b->first_us = w->record.first_us;
        if (w->record.last_us > b->last_us)
            b->last_us = w->record.last_us;
        switch (sighter_step(&w->sighter, &w->record, &s)) {
        case SIGHT_OK:
            s.tag = b->line + it.line - 1;
            if (b->engine != NULL)
                engine_put(b->engine, &s);
            else
                keep(b, &s);
            break;
        case SIGHT_FUTURE:
            b->quarantined++;
            break;
        case SIGHT_BEYOND_HORIZON:
            b->beyond_horizon++;
            break;
        }
    }
}

static void consume(struct run *run, struct engine *e, struct block *b)
{
    engine_put_all(e, b->sighting, b->count);
    for (const struct bad_line *bad = b->bad; bad != NULL; bad = bad->next)
        if (run->options->bad_line != NULL)
            run->options->bad_line(run->options->ctx, bad->line, bad->reason);
    run->report->lines += b->lines;
    run->report->bad_lines += b->bad_count;
    run->report->quarantined += b->quarantined;
    run->report->beyond_horizon += b->beyond_horizon;
    if (b->first_us != 0 && (run->report->first_us == 0 || b->first_us < run->report->first_us))
        run->report->first_us = b->first_us;
    if (b->last_us > run->report->last_us)
        run->report->last_us = b->last_us;
}

static void block_free(struct block *b)
{
    arena_done(&b->arena);
    free(b->sighting);
    free(b);
}

static struct block *block_new(void)
{
    struct block *b = mem_zalloc(1, sizeof *b);

    arena_init(&b->arena);
    return b;
}

static void *work(void *arg)
{
    struct run *run = arg;
    struct worker w;
    enum vs_err err = worker_init(&w, run);

    pthread_mutex_lock(&run->lock);
    while (err == VS_OK) {
        struct block *b = block_new();
        while (run->waiting >= BLOCKS_MAX * run->options->workers)
            pthread_cond_wait(&run->changed, &run->lock);
        if (!cut(run, b)) {
            block_free(b);
            break;
        }
        pthread_mutex_unlock(&run->lock);
        read_block(&w, b);
        pthread_mutex_lock(&run->lock);
        *run->done_tail = b;
        run->done_tail = &b->next;
        run->waiting++;
        pthread_cond_broadcast(&run->changed);
    }
    if (err == VS_OK)
        worker_done(&w, run->report);
    else
        run->err = err;
    run->working--;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Takes finished blocks until the last worker has ended. */
static void collect(struct run *run, struct engine *e)
{
    pthread_mutex_lock(&run->lock);
    while (run->done != NULL || run->working > 0) {
        struct block *b = run->done;
        if (b == NULL) {
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        run->done = b->next;
        if (run->done == NULL)
            run->done_tail = &run->done;
        run->waiting--;
        pthread_cond_broadcast(&run->changed);
        pthread_mutex_unlock(&run->lock);
        consume(run, e, b);
        block_free(b);
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
}

static void run_threads(struct run *run, struct engine *e)
{
    pthread_t thread[BACKTEST_WORKERS_MAX];
    unsigned started = 0;

    pthread_mutex_lock(&run->lock);
    for (; started < run->options->workers; started++) {
        if (pthread_create(&thread[started], NULL, work, run) != 0)
            break;
        run->working++;
    }
    if (started == 0)
        run->err = VS_ERR_NO_MEMORY;
    pthread_mutex_unlock(&run->lock);
    collect(run, e);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

static void run_alone(struct run *run, struct engine *e)
{
    struct worker w;

    run->err = worker_init(&w, run);
    while (run->err == VS_OK) {
        struct block *b = block_new();
        bool more = cut(run, b);
        b->engine = e;
        if (more) {
            read_block(&w, b);
            consume(run, e, b);
        }
        block_free(b);
        if (!more)
            break;
    }
    if (run->err == VS_OK)
        worker_done(&w, run->report);
}

enum vs_err backtest_run(const struct plan *plan, struct slice text, const struct backtest_options *o,
                         engine_emit *emit, void *emit_ctx, struct backtest_report *ret)
{
    struct engine_limits limits = {0};
    struct run run = {.plan = plan, .options = o, .report = ret, .text = text, .line = 1};
    struct json_lines it;
    struct slice doc;

    memset(ret, 0, sizeof *ret);
    json_lines_init(&it, text);
    run.pretty = json_lines_next(&it, &doc) && it.line_next > it.line + 1;
    run.done_tail = &run.done;
    pthread_mutex_init(&run.lock, NULL);
    pthread_cond_init(&run.changed, NULL);
    struct engine *e = engine_new(plan, &limits);
    if (o->workers > 1)
        run_threads(&run, e);
    else
        run_alone(&run, e);
    if (run.err == VS_OK && o->settled != NULL)
        o->settled(o->ctx, e);
    if (run.err == VS_OK)
        engine_alerts(e, emit, emit_ctx);
    ret->engine = *engine_counters(e);
    engine_free(e);
    pthread_cond_destroy(&run.changed);
    pthread_mutex_destroy(&run.lock);
    return run.err;
}
