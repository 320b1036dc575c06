/* What is done at opening for writing, as docs/formats/segment.md argues it.
 *
 * Most logs need one pass over the open segment. Only when that pass meets bytes that are no record, a second look at
 * the whole file collects the proof of how much of it was durable: the largest "durable" field of any valid record, or
 * what the commit file says. A bad place below that is damage and is kept; the first bad place above it is the torn
 * tail. */
#include <stdio.h>
#include <stdlib.h>

#include "stream/segment/segment_stream.h"

static enum vs_err find_proof(struct segment_scan *sc, int fd, uint64_t size, uint64_t proof, uint64_t *ret)
{
    struct stream_record rec;
    uint32_t durable;
    enum vs_err err;

    segment_scan_start(sc, fd, SEGMENT_HEAD_SIZE, size);
    while ((err = segment_scan_next(sc, &rec, &durable)) != VS_ERR_END) {
        if (err == VS_OK && durable > proof && durable <= size)
            proof = durable;
        if (err == VS_ERR_TAMPERED)
            err = segment_scan_resync(sc);
        if (err != VS_OK)
            return err;
    }
    *ret = proof;
    return VS_OK;
}

struct walk {
    uint64_t good;   /* end of the last valid record, or of damage that was proved durable */
    uint64_t next;   /* offset behind the last valid record */
    uint64_t damage; /* places kept */
};

/* Goes over the file up to the first bad place that nothing proves to have been durable, filling the index. */
static enum vs_err walk_records(struct segment_scan *sc, int fd, uint64_t size, uint64_t proof,
                                struct segment_writer *w, struct walk *walk, bool *ret_bad)
{
    struct stream_record rec;
    uint32_t durable;

    w->entry_count = 0;
    *ret_bad = false;
    segment_scan_start(sc, fd, SEGMENT_HEAD_SIZE, size);
    for (;;) {
        uint64_t at = sc->pos;
        enum vs_err err = segment_scan_next(sc, &rec, &durable);

        if (err == VS_ERR_END)
            return VS_OK;
        if (err == VS_OK) {
            walk->good = sc->pos;
            walk->next = rec.offset + 1;
            err = segment_writer_index(w, &rec, at);
        } else if (err == VS_ERR_TAMPERED) {
            *ret_bad = true;
            if (at >= proof)
                return VS_OK;
            walk->damage++;
            err = segment_scan_resync(sc);
        }
        if (err != VS_OK)
            return err;
    }
}

/* Index of a sealed segment that has none. Damage in it stays for the reader to report. */
static enum vs_err index_sealed(struct segment_stream *s, uint32_t partition, uint64_t base, struct segment_scan *sc)
{
    const struct segment_io *io = &s->io;
    struct segment_writer scratch = {.fd = -1};
    struct segment_index ix = {0};
    struct walk walk = {0};
    char path[SEGMENT_PATH_SIZE];
    bool bad;

    enum vs_err err = segment_index_load(s, partition, base, &ix);
    segment_index_done(&ix);
    if (err != VS_ERR_NOT_FOUND && err != VS_ERR_TAMPERED)
        return err;
    segment_path(s, partition, base, "seg", path);
    int fd = io->open(io->ctx, path, SEGMENT_OPEN_READ);
    int64_t size = fd >= 0 ? io->size(io->ctx, fd) : -1;
    err = size >= 0 ? walk_records(sc, fd, (uint64_t)size, UINT64_MAX, &scratch, &walk, &bad) : VS_ERR_IO;
    if (err == VS_OK)
        err = segment_index_store(s, partition, base, (uint64_t)size, scratch.entry, scratch.entry_count);
    segment_writer_done(s, &scratch);
    if (fd >= 0)
        io->close(io->ctx, fd);
    return err;
}

/* Makes the open segment end with its last good record, and that durable. */
static enum vs_err repair_open(struct segment_stream *s, uint32_t partition, uint64_t base, struct segment_scan *sc)
{
    const struct segment_io *io = &s->io;
    struct segment_writer *w = &s->writer[partition];
    struct walk walk = {.good = SEGMENT_HEAD_SIZE, .next = base};
    uint64_t proof = w->commit.base == base ? w->commit.length : 0;
    uint8_t head[SEGMENT_HEAD_SIZE];
    bool bad;

    int64_t size = io->size(io->ctx, w->fd);
    if (size < 0)
        return VS_ERR_IO;
    if (size < SEGMENT_HEAD_SIZE)
        return segment_writer_create(s, partition, base);
    enum vs_err err = walk_records(sc, w->fd, (uint64_t)size, proof, w, &walk, &bad);
    if (err == VS_OK && bad) {
        err = find_proof(sc, w->fd, (uint64_t)size, proof, &proof);
        walk = (struct walk){.good = SEGMENT_HEAD_SIZE, .next = base};
        if (err == VS_OK)
            err = walk_records(sc, w->fd, (uint64_t)size, proof, w, &walk, &bad);
    }
    if (err != VS_OK)
        return err;
    /* Nothing that was durable is cut; should the disk have lost some of it, a hole stands in its place, so that places
     * in the file keep their numbers for readers that are running. */
    if (walk.good < proof)
        walk.good = proof;
    /* The head holds nothing that the name does not hold, so it is simply written again. */
    segment_head_write(head, base, partition);
    if ((walk.good != (uint64_t)size && !io->truncate(io->ctx, w->fd, walk.good)) ||
        !io->write_at(io->ctx, w->fd, 0, slice_make(head, sizeof head)) || !io->sync(io->ctx, w->fd))
        return VS_ERR_IO;
    w->length = w->written = walk.good;
    w->next = walk.next;
    s->damage_count += walk.damage;
    return VS_OK;
}

static enum vs_err open_last(struct segment_stream *s, uint32_t partition, uint64_t base, struct segment_scan *sc)
{
    struct segment_writer *w = &s->writer[partition];
    char path[SEGMENT_PATH_SIZE];

    segment_path(s, partition, base, "seg", path);
    w->base = base;
    w->next = base;
    w->fd = s->io.open(s->io.ctx, path, SEGMENT_OPEN_WRITE);
    if (w->fd < 0)
        return VS_ERR_IO;
    return repair_open(s, partition, base, sc);
}

static enum vs_err add_sizes(struct segment_stream *s, uint32_t partition, const uint64_t *base, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[SEGMENT_PATH_SIZE];

        segment_path(s, partition, base[i], "seg", path);
        int fd = s->io.open(s->io.ctx, path, SEGMENT_OPEN_READ);
        int64_t size = fd >= 0 ? s->io.size(s->io.ctx, fd) : -1;
        if (fd >= 0)
            s->io.close(s->io.ctx, fd);
        if (size < 0)
            return VS_ERR_IO;
        s->bytes += (uint64_t)size;
    }
    return VS_OK;
}

static enum vs_err recover(struct segment_stream *s, uint32_t partition, const uint64_t *base, size_t count,
                           struct segment_scan *sc)
{
    struct segment_writer *w = &s->writer[partition];
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && i + 1 < count; i++)
        err = index_sealed(s, partition, base[i], sc);
    if (err == VS_OK)
        err = count > 0 ? open_last(s, partition, base[count - 1], sc)
                        : segment_writer_create(s, partition, w->commit.end);
    if (err == VS_OK && count == 0)
        w->next = w->commit.end;
    if (err == VS_OK)
        err = add_sizes(s, partition, base, count);
    /* What was published once is never given out again, even if the disk has lost it. */
    if (err == VS_OK && w->next < w->commit.end) {
        w->next = w->commit.end;
        s->damage_count++;
    }
    return err == VS_OK ? segment_writer_publish(s, partition) : err;
}

enum vs_err segment_recover(struct segment_stream *s, uint32_t partition, struct stream_error *ret_error)
{
    uint64_t *base = NULL;
    size_t count = 0;
    struct segment_scan sc;
    char path[SEGMENT_PATH_SIZE];

    segment_scan_init(&sc, &s->io, s->salt);
    s->writer[partition].fd = -1;
    segment_path_partition(s, partition, path);
    enum vs_err err = s->io.make_dir(s->io.ctx, path) && s->io.sync_dir(s->io.ctx, s->dir) ? VS_OK : VS_ERR_IO;
    if (err == VS_OK)
        err = segment_read_commit(s, partition, &s->writer[partition].commit);
    if (err == VS_OK)
        err = segment_list(s, partition, &base, &count);
    if (err == VS_OK)
        err = recover(s, partition, base, count, &sc);
    if (err != VS_OK)
        snprintf(ret_error->text, sizeof ret_error->text, "partition %u of the log cannot be opened: %s", partition,
                 vs_err_text(err));
    free(base);
    segment_scan_done(&sc);
    return err;
}
