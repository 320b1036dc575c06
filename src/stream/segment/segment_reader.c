/* Following a partition. A reader shares nothing with the writer but the files: the commit file says how far it may
 * read in the open segment, and that every other segment may be read to its end. */
#include <stdlib.h>

#include "stream/segment/segment_stream.h"

struct segment_reader {
    struct stream_reader base;
    uint32_t partition;
    uint64_t next;      /* offset wanted */
    bool open;          /* a segment is open */
    bool jumped;        /* damage was reported: whatever offset comes next is taken */
    bool sealed;        /* limit is final */
    uint64_t file_base; /* of the segment open */
    int fd;
    struct segment_scan scan;
};

enum vs_err segment_read_commit(const struct segment_stream *s, uint32_t partition, struct segment_commit *ret)
{
    uint8_t slots[2 * SEGMENT_COMMIT_SLOT];
    struct segment_commit c = {0};

    ssize_t n = s->io.read_at(s->io.ctx, s->commit_fd, (uint64_t)partition * sizeof slots, slots, sizeof slots);
    if (n < 0)
        return VS_ERR_IO;
    if (!segment_commit_read(slice_make(slots, (size_t)n), &c))
        memset(&c, 0, sizeof c);
    *ret = c;
    return VS_OK;
}

/* The segment that holds `offset`: the last one that begins at or before it, else the first one there is. With `after`,
 * the first one that begins behind that base. */
static enum vs_err choose(const struct segment_reader *r, const uint64_t *after, uint64_t *ret)
{
    const struct segment_stream *s = (const struct segment_stream *)r->base.stream;
    uint64_t *base = NULL;
    size_t count = 0, i = 0;

    enum vs_err err = segment_list(s, r->partition, &base, &count);
    if (err != VS_OK)
        return err;
    if (after != NULL) {
        while (i < count && base[i] <= *after)
            i++;
    } else {
        while (i + 1 < count && base[i + 1] <= r->next)
            i++;
    }
    err = i < count ? VS_OK : VS_ERR_END;
    if (err == VS_OK)
        *ret = base[i];
    free(base);
    return err;
}

static void close_file(struct segment_reader *r)
{
    const struct segment_stream *s = (const struct segment_stream *)r->base.stream;

    if (r->open)
        s->io.close(s->io.ctx, r->fd);
    r->open = false;
}

static enum vs_err open_file(struct segment_reader *r, uint64_t base)
{
    const struct segment_stream *s = (const struct segment_stream *)r->base.stream;
    char path[SEGMENT_PATH_SIZE];

    segment_path(s, r->partition, base, "seg", path);
    int fd = s->io.open(s->io.ctx, path, SEGMENT_OPEN_READ);
    if (fd < 0)
        return VS_ERR_IO;
    close_file(r);
    r->fd = fd;
    r->open = true;
    r->sealed = false;
    r->file_base = base;
    segment_scan_start(&r->scan, fd, SEGMENT_HEAD_SIZE, SEGMENT_HEAD_SIZE);
    return VS_OK;
}

/* Asks how far may be read now. VS_ERR_END: no further. */
static enum vs_err extend(struct segment_reader *r)
{
    const struct segment_stream *s = (const struct segment_stream *)r->base.stream;
    struct segment_commit c;

    if (r->sealed)
        return VS_ERR_END;
    enum vs_err err = segment_read_commit(s, r->partition, &c);
    if (err != VS_OK)
        return err;
    if (c.generation == 0 || c.base < r->file_base)
        return VS_ERR_END;
    uint64_t limit = c.length;
    if (c.base > r->file_base) {
        int64_t size = s->io.size(s->io.ctx, r->fd);
        if (size < 0)
            return VS_ERR_IO;
        limit = (uint64_t)size;
        r->sealed = true;
    }
    if (limit <= r->scan.limit)
        return VS_ERR_END;
    r->scan.limit = limit;
    return VS_OK;
}

/* Makes sure that there is something to read at scan.pos. */
static enum vs_err advance(struct segment_reader *r)
{
    uint64_t base;

    if (!r->open) {
        enum vs_err err = choose(r, NULL, &base);
        if (err == VS_OK)
            err = open_file(r, base);
        if (err != VS_OK)
            return err;
        /* Older segments were removed by retention: the log begins here now. */
        if (r->next < base)
            r->next = base;
    }
    while (r->scan.pos >= r->scan.limit) {
        enum vs_err err = extend(r);

        if (err == VS_OK)
            continue;
        if (err != VS_ERR_END || !r->sealed)
            return err;
        err = choose(r, &r->file_base, &base);
        if (err == VS_OK)
            err = open_file(r, base);
        if (err != VS_OK)
            return err;
    }
    return VS_OK;
}

/* Damage is told once, however many records it swallowed; the next call goes on behind it. */
static enum vs_err report_damage(struct segment_reader *r)
{
    enum vs_err err = segment_scan_resync(&r->scan);

    r->jumped = true;
    return err == VS_OK ? VS_ERR_TAMPERED : err;
}

enum vs_err segment_reader_next(struct stream_reader *reader, struct stream_record *ret)
{
    struct segment_reader *r = (struct segment_reader *)reader;
    struct stream_record rec;
    uint32_t durable;

    for (;;) {
        enum vs_err err = advance(r);
        if (err != VS_OK)
            return err;
        uint64_t at = r->scan.pos;
        err = segment_scan_next(&r->scan, &rec, &durable);
        if (err == VS_ERR_TAMPERED)
            return report_damage(r);
        if (err != VS_OK)
            return err;
        if (rec.offset < r->next)
            continue;
        if (rec.offset > r->next && !r->jumped) {
            r->scan.pos = at;
            r->jumped = true;
            return VS_ERR_TAMPERED;
        }
        r->jumped = false;
        r->next = rec.offset + 1;
        rec.partition = r->partition;
        *ret = rec;
        return VS_OK;
    }
}

enum vs_err segment_reader_open(struct stream *stream, uint32_t partition, uint64_t offset, struct stream_reader **ret)
{
    struct segment_stream *s = (struct segment_stream *)stream;
    struct segment_reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    r->base.stream = stream;
    r->partition = partition;
    r->next = offset;
    segment_scan_init(&r->scan, &s->io, s->salt);
    *ret = &r->base;
    return VS_OK;
}

void segment_reader_close(struct stream_reader *reader)
{
    struct segment_reader *r = (struct segment_reader *)reader;

    close_file(r);
    segment_scan_done(&r->scan);
    free(r);
}
