/* One key's records, segment after segment: through the index where there is one, over all records where there is none
 * (the open segment). What counts as durable is asked once, at opening. */
#include <stdlib.h>

#include "stream/segment/segment_stream.h"

struct segment_by_key {
    struct stream_by_key base;
    uint32_t partition;
    int64_t received_from_us;
    size_t key_len;
    uint8_t key[STREAM_KEY_MAX];
    struct segment_commit commit;
    uint64_t *file; /* bases */
    size_t file_count, file_next;
    int fd; /* of the segment open, -1 when none */
    struct segment_index index;
    bool indexed;
    uint32_t entry_next;
    struct segment_scan scan;
};

enum vs_err segment_by_key_open(struct stream *stream, uint32_t partition, struct slice key, int64_t received_from_us,
                                struct stream_by_key **ret)
{
    struct segment_stream *s = (struct segment_stream *)stream;
    struct segment_by_key *q = calloc(1, sizeof *q);

    if (q == NULL)
        return VS_ERR_NO_MEMORY;
    q->base.stream = stream;
    q->partition = partition;
    q->received_from_us = received_from_us;
    q->key_len = key.len;
    if (key.len > 0)
        memcpy(q->key, key.ptr, key.len);
    q->fd = -1;
    segment_scan_init(&q->scan, &s->io, s->salt);
    enum vs_err err = segment_read_commit(s, partition, &q->commit);
    if (err == VS_OK && q->commit.generation > 0)
        err = segment_list(s, partition, &q->file, &q->file_count);
    if (err != VS_OK) {
        segment_by_key_close(&q->base);
        return err;
    }
    *ret = &q->base;
    return VS_OK;
}

static void close_segment(struct segment_by_key *q)
{
    const struct segment_stream *s = (const struct segment_stream *)q->base.stream;

    if (q->fd >= 0)
        s->io.close(s->io.ctx, q->fd);
    q->fd = -1;
    segment_index_done(&q->index);
}

static enum vs_err open_segment(struct segment_by_key *q)
{
    const struct segment_stream *s = (const struct segment_stream *)q->base.stream;
    char path[SEGMENT_PATH_SIZE];
    uint8_t key[SEGMENT_INDEX_KEY_SIZE];

    if (q->file_next == q->file_count || q->file[q->file_next] > q->commit.base)
        return VS_ERR_END;
    uint64_t base = q->file[q->file_next++];
    segment_path(s, q->partition, base, "seg", path);
    q->fd = s->io.open(s->io.ctx, path, SEGMENT_OPEN_READ);
    int64_t size = q->fd >= 0 ? s->io.size(s->io.ctx, q->fd) : -1;
    if (size < 0)
        return VS_ERR_IO;
    uint64_t limit = base == q->commit.base ? q->commit.length : (uint64_t)size;
    segment_scan_start(&q->scan, q->fd, SEGMENT_HEAD_SIZE, limit);
    q->indexed = base < q->commit.base && segment_index_load(s, q->partition, base, &q->index) == VS_OK;
    if (q->indexed) {
        segment_index_key(slice_make(q->key, q->key_len), key);
        q->entry_next = segment_index_find(&q->index, key);
    }
    return VS_OK;
}

static bool wanted(const struct segment_by_key *q, const struct stream_record *rec)
{
    return rec->received_us >= q->received_from_us && slice_equal(rec->key, slice_make(q->key, q->key_len));
}

/* Moves the scanner to the key's next entry. VS_ERR_END: no more in this segment. */
static enum vs_err seek_entry(struct segment_by_key *q)
{
    uint8_t key[SEGMENT_INDEX_KEY_SIZE];
    struct segment_index_entry e;

    segment_index_key(slice_make(q->key, q->key_len), key);
    while (q->entry_next < q->index.count) {
        segment_index_at(&q->index, q->entry_next, &e);
        if (memcmp(e.key, key, sizeof key) != 0)
            return VS_ERR_END;
        q->entry_next++;
        if (e.received_us < q->received_from_us)
            continue;
        q->scan.pos = e.at;
        return VS_OK;
    }
    return VS_ERR_END;
}

/* The next record of the key in the segment that is open. */
static enum vs_err next_here(struct segment_by_key *q, struct stream_record *ret)
{
    uint32_t durable;

    for (;;) {
        enum vs_err err = q->indexed ? seek_entry(q) : VS_OK;
        if (err == VS_OK)
            err = segment_scan_next(&q->scan, ret, &durable);
        if (err == VS_ERR_TAMPERED && !q->indexed && segment_scan_resync(&q->scan) != VS_OK)
            return VS_ERR_IO;
        if (err != VS_OK || wanted(q, ret))
            return err;
    }
}

enum vs_err segment_by_key_next(struct stream_by_key *query, struct stream_record *ret)
{
    struct segment_by_key *q = (struct segment_by_key *)query;

    for (;;) {
        if (q->fd < 0) {
            enum vs_err err = open_segment(q);
            if (err != VS_OK)
                return err;
        }
        enum vs_err err = next_here(q, ret);
        if (err == VS_OK)
            ret->partition = q->partition;
        if (err != VS_ERR_END)
            return err;
        close_segment(q);
    }
}

void segment_by_key_close(struct stream_by_key *query)
{
    struct segment_by_key *q = (struct segment_by_key *)query;

    close_segment(q);
    segment_scan_done(&q->scan);
    free(q->file);
    free(q);
}
