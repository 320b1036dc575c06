/* Appending and group commit. Between two syncs records collect in a buffer; a sync writes it, waits for the disk, and
 * only then publishes the new end in the commit file. A segment is rolled at a sync, so that it ends with durable
 * records.
 *
 * After a failed write or sync nobody knows what is on the disk (the kernel may have dropped the pages and forgotten
 * the error), so the log refuses to go on until it is opened, and thereby recovered, again. */
#include <stdlib.h>

#include "stream/segment/segment_stream.h"

static enum vs_err break_stream(struct segment_stream *s)
{
    s->broken = true;
    return VS_ERR_IO;
}

enum vs_err segment_writer_create(struct segment_stream *s, uint32_t partition, uint64_t base)
{
    struct segment_writer *w = &s->writer[partition];
    const struct segment_io *io = &s->io;
    uint8_t head[SEGMENT_HEAD_SIZE];
    char path[SEGMENT_PATH_SIZE];

    segment_path(s, partition, base, "seg", path);
    int fd = io->open(io->ctx, path, SEGMENT_OPEN_CREATE);
    if (fd < 0)
        return VS_ERR_IO;
    segment_head_write(head, base, partition);
    segment_path_partition(s, partition, path);
    if (!io->truncate(io->ctx, fd, 0) || !io->write_at(io->ctx, fd, 0, slice_make(head, sizeof head)) ||
        !io->sync(io->ctx, fd) || !io->sync_dir(io->ctx, path)) {
        io->close(io->ctx, fd);
        return VS_ERR_IO;
    }
    if (w->fd >= 0)
        io->close(io->ctx, w->fd);
    w->fd = fd;
    w->base = base;
    w->length = w->written = SEGMENT_HEAD_SIZE;
    w->entry_count = 0;
    s->bytes += SEGMENT_HEAD_SIZE;
    return VS_OK;
}

enum vs_err segment_writer_publish(struct segment_stream *s, uint32_t partition)
{
    struct segment_writer *w = &s->writer[partition];
    uint8_t slot[SEGMENT_COMMIT_SLOT];
    struct segment_commit c = {w->commit.generation + 1, w->next, w->base, w->length};

    segment_commit_write(slot, &c);
    uint64_t at = (uint64_t)partition * 2 * SEGMENT_COMMIT_SLOT + (c.generation & 1) * SEGMENT_COMMIT_SLOT;
    if (!s->io.write_at(s->io.ctx, s->commit_fd, at, slice_make(slot, sizeof slot)))
        return VS_ERR_IO;
    w->commit = c;
    return VS_OK;
}

enum vs_err segment_writer_index(struct segment_writer *w, const struct stream_record *rec, uint64_t at)
{
    if (w->entry_count == w->entry_size) {
        size_t size = w->entry_size > 0 ? w->entry_size * 2 : 256;
        struct segment_index_entry *entry = realloc(w->entry, size * sizeof entry[0]);
        if (entry == NULL)
            return VS_ERR_NO_MEMORY;
        w->entry = entry;
        w->entry_size = size;
    }
    struct segment_index_entry *e = &w->entry[w->entry_count++];
    segment_index_key(rec->key, e->key);
    e->offset = rec->offset;
    e->received_us = rec->received_us;
    e->at = at;
    return VS_OK;
}

static enum vs_err flush(struct segment_stream *s, struct segment_writer *w)
{
    if (w->buf_len == 0)
        return VS_OK;
    if (!s->io.write_at(s->io.ctx, w->fd, w->written, slice_make(w->buf, w->buf_len)))
        return break_stream(s);
    w->written += w->buf_len;
    w->buf_len = 0;
    return VS_OK;
}

static bool make_room(struct segment_writer *w, size_t need)
{
    size_t size = w->buf_size > 0 ? w->buf_size : 64u << 10;

    while (size < w->buf_len + need)
        size *= 2;
    if (size == w->buf_size)
        return true;
    uint8_t *buf = realloc(w->buf, size);
    if (buf == NULL)
        return false;
    w->buf = buf;
    w->buf_size = size;
    return true;
}

enum vs_err segment_writer_append(struct segment_stream *s, uint32_t partition, const struct stream_record *rec,
                                  uint64_t *ret_offset)
{
    struct segment_writer *w = &s->writer[partition];
    size_t size = SEGMENT_RECORD_HEAD + rec->key.len + rec->value.len;
    struct stream_record copy = *rec;
    struct writer out;

    if (s->broken)
        return VS_ERR_IO;
    if (s->bytes_max > 0 && s->bytes + size > s->bytes_max)
        return VS_ERR_FULL;
    if (w->buf_len + size > SEGMENT_BUFFER_FLUSH) {
        enum vs_err err = flush(s, w);
        if (err != VS_OK)
            return err;
    }
    copy.offset = w->next;
    copy.partition = partition;
    if (!make_room(w, size) || segment_writer_index(w, &copy, w->length) != VS_OK)
        return VS_ERR_NO_MEMORY;
    writer_init(&out, w->buf + w->buf_len, w->buf_size - w->buf_len);
    segment_record_write(&out, s->salt, &copy,
                         w->commit.base == w->base ? (uint32_t)w->commit.length : SEGMENT_HEAD_SIZE);
    w->buf_len += size;
    w->length += size;
    s->bytes += size;
    *ret_offset = w->next++;
    return VS_OK;
}

/* The index is a help and can be made again, so its own failure does not stop the log. */
static enum vs_err roll(struct segment_stream *s, uint32_t partition)
{
    struct segment_writer *w = &s->writer[partition];

    enum vs_err err = segment_index_store(s, partition, w->base, w->length, w->entry, w->entry_count);
    if (err != VS_OK && err != VS_ERR_IO)
        return err;
    err = segment_writer_create(s, partition, w->next);
    return err == VS_OK ? segment_writer_publish(s, partition) : err;
}

static enum vs_err sync_partition(struct segment_stream *s, uint32_t partition)
{
    struct segment_writer *w = &s->writer[partition];

    enum vs_err err = flush(s, w);
    if (err != VS_OK)
        return err;
    if (!s->io.sync(s->io.ctx, w->fd))
        return VS_ERR_IO;
    err = segment_writer_publish(s, partition);
    if (err == VS_OK && w->length >= s->segment_bytes)
        err = roll(s, partition);
    return err;
}

enum vs_err segment_writer_sync(struct segment_stream *s)
{
    if (s->broken)
        return VS_ERR_IO;
    for (uint32_t i = 0; i < s->base.partitions; i++) {
        if (s->writer[i].next == s->writer[i].commit.end)
            continue;
        enum vs_err err = sync_partition(s, i);
        if (err != VS_OK) {
            s->broken = true;
            return err;
        }
    }
    return VS_OK;
}

void segment_writer_done(struct segment_stream *s, struct segment_writer *w)
{
    if (w->fd >= 0)
        s->io.close(s->io.ctx, w->fd);
    free(w->buf);
    free(w->entry);
}
