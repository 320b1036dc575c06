#include <stdlib.h>

#include "api/event_log.h"

struct event_log {
    const char *address; /* borrowed */
    struct stream *stream;
    struct stream_reader *reader;
    struct normalise *normalise;
    normalise_event_fn *each; /* of the read that runs */
    void *ctx;
};

static void hand_on(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct event_log *l = ctx;

    l->each(ev, no, l->ctx);
}

enum vs_err event_log_new(const char *address, struct event_log **ret)
{
    struct event_log *l = calloc(1, sizeof *l);

    if (l == NULL)
        return VS_ERR_NO_MEMORY;
    struct normalise_config cfg = {.keep_duplicates = true, .event = hand_on, .ctx = l};
    l->address = address;
    enum vs_err err = normalise_new(&cfg, &l->normalise);
    if (err != VS_OK) {
        event_log_free(l);
        return err;
    }
    *ret = l;
    return VS_OK;
}

static void close_stream(struct event_log *l)
{
    stream_reader_close(l->reader);
    stream_close(l->stream);
    l->reader = NULL;
    l->stream = NULL;
}

void event_log_free(struct event_log *l)
{
    if (l == NULL)
        return;
    close_stream(l);
    normalise_free(l->normalise);
    free(l);
}

/* Opens the log when it is not open yet. */
static bool have_partition(struct event_log *l, uint32_t partition)
{
    struct stream_error error;

    if (l->address == NULL)
        return false;
    if (l->stream == NULL && stream_open(l->address, false, &l->stream, &error) != VS_OK)
        return false;
    return partition < stream_partition_count(l->stream);
}

enum vs_err event_log_end(struct event_log *l, uint32_t partition, uint64_t *ret)
{
    if (!have_partition(l, partition))
        return VS_ERR_NOT_FOUND;
    *ret = stream_end(l->stream, partition);
    return VS_OK;
}

enum vs_err event_log_record(struct event_log *l, uint32_t partition, uint64_t offset, struct stream_record *ret)
{
    if (!have_partition(l, partition))
        return VS_ERR_NOT_FOUND;
    stream_reader_close(l->reader);
    l->reader = NULL;
    enum vs_err err = stream_reader_open(l->stream, partition, offset, &l->reader);
    if (err == VS_OK)
        err = stream_reader_next(l->reader, ret);
    if (err != VS_OK && err != VS_ERR_END)
        close_stream(l);
    return err == VS_ERR_END || (err == VS_OK && ret->offset != offset) ? VS_ERR_NOT_FOUND : err;
}

enum vs_err event_log_events(struct event_log *l, uint32_t partition, uint64_t offset, normalise_event_fn *each,
                             void *ctx)
{
    struct stream_record rec;
    enum vs_err err = event_log_record(l, partition, offset, &rec);

    if (err != VS_OK)
        return err;
    l->each = each;
    l->ctx = ctx;
    return normalise_step(l->normalise, &rec);
}

enum vs_err event_log_history(struct event_log *l, const struct history_query *query, normalise_event_fn *each,
                              void *ctx, struct history_result *ret)
{
    static const struct history_result nothing;

    if (!have_partition(l, 0)) {
        *ret = nothing;
        return VS_OK;
    }
    return history_page(l->stream, NULL, query, each, ctx, ret);
}
