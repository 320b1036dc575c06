#include "app/intel_scan.h"

#include <stdlib.h>

#define LATE_US INT64_C(3600000000)

struct intel_scan {
    struct stream *log;
    struct intel_index *index;
    intel_match_fn *match;
    void *ctx;
    struct normalise *normalise;
    struct stream_reader **reader;
    uint64_t *next; /* offset of the next record, by partition */
    uint32_t partition_count, turn;
    struct intel_scan_progress progress;
};

static void describe(const struct event *ev, const struct normalised *no, char *signature, struct alert_member *ret)
{
    const struct ev_field *speed = event_get(ev, EV_F_SPEED);
    struct writer w;

    writer_init(&w, signature, EV_SIGNATURE_MAX);
    event_signature(ev, &w);
    *ret = (struct alert_member){.epoch = ev->epoch,
                                 .seq = ev->seq,
                                 .log_partition = no->partition,
                                 .log_offset = no->offset,
                                 .motion = speed == NULL        ? ALERT_MOTION_UNKNOWN
                                           : speed->value.i > 0 ? ALERT_MOTION_MOVING
                                                                : ALERT_MOTION_PARKED,
                                 .type = slice_str(ev_type_find(ev->type)->name),
                                 .signature = writer_slice(&w),
                                 .ecu = ev->ecu,
                                 .bus = ev->bus,
                                 .model = no->model,
                                 .hardware = no->hardware,
                                 .sw_version = no->sw_version,
                                 .region = no->region};
    memcpy(ret->vid, ev->vid, EV_VID_SIZE);
}

/* An aggregated record stands as one event at its first time and count - 1 at its last. */
static void hand_out(const struct event *ev, const struct normalised *no, const struct intel_hit *hit,
                     struct alert_member *m, intel_match_fn *match, void *ctx)
{
    bool late = no->received_us - ev->first_us > LATE_US;

    m->time_us = ev->first_us;
    m->count = ev->last_us == ev->first_us ? ev->count : 1;
    if (hit->first)
        match(ctx, hit->number, m, late);
    if (!hit->last || ev->last_us == ev->first_us || ev->count < 2)
        return;
    m->time_us = ev->last_us;
    m->count = ev->count - 1;
    match(ctx, hit->number, m, no->received_us - ev->last_us > LATE_US);
}

unsigned intel_scan_event(struct intel_index *index, const struct event *ev, const struct normalised *no,
                          intel_match_fn *match, void *ctx)
{
    struct intel_hit hit[INTEL_HITS_MAX];
    unsigned count = intel_index_match(index, ev, hit);
    char signature[EV_SIGNATURE_MAX];
    struct alert_member m;

    if (count == 0)
        return 0;
    describe(ev, no, signature, &m);
    for (unsigned i = 0; i < count; i++)
        hand_out(ev, no, &hit[i], &m, match, ctx);
    return count;
}

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct intel_scan *s = ctx;

    s->progress.events++;
    s->progress.matches += intel_scan_event(s->index, ev, no, s->match, s->ctx);
}

enum vs_err intel_scan_open(struct stream *log, const struct registry *registry, struct intel_index *index,
                            intel_match_fn *match, void *ctx, struct intel_scan **ret)
{
    struct intel_scan *s = calloc(1, sizeof *s);
    const struct normalise_config cfg = {.registry = registry, .event = on_event, .ctx = s};
    uint32_t count = stream_partition_count(log);

    if (s == NULL)
        return VS_ERR_NO_MEMORY;
    s->log = log;
    s->index = index;
    s->match = match;
    s->ctx = ctx;
    s->partition_count = count;
    s->reader = calloc(count, sizeof(struct stream_reader *));
    s->next = calloc(count, sizeof *s->next);
    enum vs_err err = s->reader == NULL || s->next == NULL ? VS_ERR_NO_MEMORY : normalise_new(&cfg, &s->normalise);
    for (uint32_t i = 0; err == VS_OK && i < count; i++)
        err = stream_reader_open(log, i, 0, &s->reader[i]);
    if (err != VS_OK) {
        intel_scan_close(s);
        return err;
    }
    *ret = s;
    return VS_OK;
}

void intel_scan_close(struct intel_scan *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; s->reader != NULL && i < s->partition_count; i++)
        stream_reader_close(s->reader[i]);
    normalise_free(s->normalise);
    free(s->reader);
    free(s->next);
    free(s);
}

static enum vs_err read_one(struct intel_scan *s, uint32_t partition, bool *ret_any)
{
    struct stream_record rec;
    enum vs_err err = stream_reader_next(s->reader[partition], &rec);

    if (err == VS_ERR_END)
        return VS_OK;
    *ret_any = true;
    if (err == VS_ERR_TAMPERED) {
        s->progress.damaged++;
        s->next[partition]++;
        return VS_OK;
    }
    if (err != VS_OK)
        return err;
    s->next[partition] = rec.offset + 1;
    s->progress.records++;
    return normalise_step(s->normalise, &rec);
}

enum vs_err intel_scan_step(struct intel_scan *s, const uint64_t *until, uint32_t max, bool *ret_done)
{
    uint32_t count = 0, idle = 0;
    enum vs_err err = VS_OK;

    while (err == VS_OK && count < max && idle < s->partition_count) {
        uint32_t at = s->turn;
        bool any = false;

        if (until == NULL || s->next[at] < until[at])
            err = read_one(s, at, &any);
        s->turn = (at + 1) % s->partition_count;
        count += any;
        idle = any ? 0 : idle + 1;
    }
    *ret_done = err == VS_OK && idle >= s->partition_count;
    return err;
}

void intel_scan_progress(const struct intel_scan *s, struct intel_scan_progress *ret)
{
    *ret = s->progress;
}
