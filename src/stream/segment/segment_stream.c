/* Opening and closing, and the table that stream.c calls through. */
#include "stream/segment/segment_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/hex.h"

#define META_SIZE 256

void segment_path_partition(const struct segment_stream *s, uint32_t partition, char *path)
{
    snprintf(path, SEGMENT_PATH_SIZE, "%s/%03u", s->dir, partition);
}

void segment_path(const struct segment_stream *s, uint32_t partition, uint64_t base, const char *suffix, char *path)
{
    snprintf(path, SEGMENT_PATH_SIZE, "%s/%03u/%020llu.%s", s->dir, partition, (unsigned long long)base, suffix);
}

static void path_in(const struct segment_stream *s, const char *name, char *path)
{
    snprintf(path, SEGMENT_PATH_SIZE, "%s/%s", s->dir, name);
}

/* ---- the segments of a partition */

struct listing {
    uint64_t *base;
    size_t count, size;
    bool no_memory;
};

static void take_name(const char *name, void *arg)
{
    struct listing *l = arg;
    char *end;

    if (strlen(name) != 24 || strcmp(name + 20, ".seg") != 0)
        return;
    unsigned long long base = strtoull(name, &end, 10);
    if (end != name + 20)
        return;
    if (l->count == l->size) {
        size_t size = l->size > 0 ? l->size * 2 : 16;
        uint64_t *grown = realloc(l->base, size * sizeof grown[0]);
        if (grown == NULL) {
            l->no_memory = true;
            return;
        }
        l->base = grown;
        l->size = size;
    }
    l->base[l->count++] = base;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

enum vs_err segment_list(const struct segment_stream *s, uint32_t partition, uint64_t **ret, size_t *ret_count)
{
    struct listing l = {0};
    char path[SEGMENT_PATH_SIZE];

    segment_path_partition(s, partition, path);
    bool ok = s->io.list(s->io.ctx, path, take_name, &l);
    if (!ok || l.no_memory) {
        free(l.base);
        return ok ? VS_ERR_NO_MEMORY : VS_ERR_IO;
    }
    if (l.count > 0)
        qsort(l.base, l.count, sizeof l.base[0], compare_u64);
    *ret = l.base;
    *ret_count = l.count;
    return VS_OK;
}

/* ---- meta */

/* Takes what must stand there; false when something else does. */
static bool take_literal(struct slice *s, const char *text)
{
    struct slice want = slice_str(text);
    bool is = slice_starts(*s, want);

    *s = slice_from(*s, is ? want.len : 0);
    return is;
}

static bool parse_meta(struct slice text, uint32_t *ret_partitions, uint64_t *ret_salt)
{
    uint8_t salt[8];
    uint32_t partitions = 0;

    if (!take_literal(&text, "vsoc-log 1\npartitions "))
        return false;
    for (; text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9' && partitions <= STREAM_PARTITION_MAX;
         text = slice_from(text, 1))
        partitions = partitions * 10 + (uint32_t)(text.ptr[0] - '0');
    if (!take_literal(&text, "\nsalt ") || !hex_read(slice_head(text, 2 * sizeof salt), salt, sizeof salt) ||
        partitions < 1 || partitions > STREAM_PARTITION_MAX)
        return false;
    *ret_partitions = partitions;
    *ret_salt = 0;
    for (unsigned i = 0; i < sizeof salt; i++)
        *ret_salt = *ret_salt << 8 | salt[i];
    return true;
}

static enum vs_err create_meta(struct segment_stream *s, uint32_t partitions, struct stream_error *ret_error)
{
    const struct segment_io *io = &s->io;
    char text[META_SIZE], temporary[SEGMENT_PATH_SIZE], path[SEGMENT_PATH_SIZE];
    uint8_t salt[8];

    path_in(s, "meta.tmp", temporary);
    path_in(s, "meta", path);
    snprintf(ret_error->text, sizeof ret_error->text, "the log in %.200s cannot be created", s->dir);
    if (!io->random(io->ctx, salt, sizeof salt))
        return VS_ERR_IO;
    int n = snprintf(text, sizeof text, "vsoc-log 1\npartitions %u\nsalt %02x%02x%02x%02x%02x%02x%02x%02x\n",
                     partitions, salt[0], salt[1], salt[2], salt[3], salt[4], salt[5], salt[6], salt[7]);
    int fd = io->open(io->ctx, temporary, SEGMENT_OPEN_CREATE);
    if (fd < 0)
        return VS_ERR_IO;
    bool ok = io->truncate(io->ctx, fd, 0) && io->write_at(io->ctx, fd, 0, slice_make(text, (size_t)n)) &&
              io->sync(io->ctx, fd);
    io->close(io->ctx, fd);
    if (!ok || !io->rename(io->ctx, temporary, path) || !io->sync_dir(io->ctx, s->dir))
        return VS_ERR_IO;
    ret_error->text[0] = '\0';
    return parse_meta(slice_make(text, (size_t)n), &s->base.partitions, &s->salt) ? VS_OK : VS_ERR_IO;
}

static enum vs_err read_meta(struct segment_stream *s, uint32_t partitions, struct stream_error *ret_error)
{
    const struct segment_io *io = &s->io;
    char text[META_SIZE], path[SEGMENT_PATH_SIZE];

    path_in(s, "meta", path);
    int fd = io->open(io->ctx, path, SEGMENT_OPEN_READ);
    if (fd == SEGMENT_IO_MISSING && s->base.writable)
        return create_meta(s, partitions > 0 ? partitions : 1, ret_error);
    snprintf(ret_error->text, sizeof ret_error->text, "there is no log in %.200s", s->dir);
    if (fd < 0)
        return fd == SEGMENT_IO_MISSING ? VS_ERR_NOT_FOUND : VS_ERR_IO;
    ssize_t n = io->read_at(io->ctx, fd, 0, (uint8_t *)text, sizeof text);
    io->close(io->ctx, fd);
    snprintf(ret_error->text, sizeof ret_error->text, "the file meta in %.200s is not readable", s->dir);
    if (!parse_meta(slice_make(text, n > 0 ? (size_t)n : 0), &s->base.partitions, &s->salt))
        return VS_ERR_MALFORMED;
    if (partitions > 0 && partitions != s->base.partitions) {
        snprintf(ret_error->text, sizeof ret_error->text,
                 "the log has %u partitions, not %u; a vehicle's order would break if that changed", s->base.partitions,
                 partitions);
        return VS_ERR_CONFIG;
    }
    ret_error->text[0] = '\0';
    return VS_OK;
}

/* ---- opening and closing */

static void segment_close(struct stream *stream)
{
    struct segment_stream *s = (struct segment_stream *)stream;

    if (s->writer != NULL) {
        for (uint32_t i = 0; i < s->base.partitions; i++)
            segment_writer_done(s, &s->writer[i]);
        free(s->writer);
    }
    if (s->commit_fd >= 0)
        s->io.close(s->io.ctx, s->commit_fd);
    if (s->lock_fd >= 0)
        s->io.close(s->io.ctx, s->lock_fd);
    free(s);
}

static enum vs_err lock_dir(struct segment_stream *s, struct stream_error *ret_error)
{
    char path[SEGMENT_PATH_SIZE];

    if (!s->io.make_dir(s->io.ctx, s->dir)) {
        snprintf(ret_error->text, sizeof ret_error->text, "cannot make the directory %.200s", s->dir);
        return VS_ERR_IO;
    }
    path_in(s, "lock", path);
    s->lock_fd = s->io.lock(s->io.ctx, path);
    if (s->lock_fd >= 0)
        return VS_OK;
    snprintf(ret_error->text, sizeof ret_error->text, "%s %.200s",
             s->lock_fd == SEGMENT_IO_LOCKED ? "another process writes to" : "cannot lock", s->dir);
    return s->lock_fd == SEGMENT_IO_LOCKED ? VS_ERR_BUSY : VS_ERR_IO;
}

static enum vs_err open_writers(struct segment_stream *s, struct stream_error *ret_error)
{
    enum vs_err err = VS_OK;

    s->writer = calloc(s->base.partitions, sizeof s->writer[0]);
    if (s->writer == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < s->base.partitions; i++)
        s->writer[i].fd = -1;
    for (uint32_t i = 0; err == VS_OK && i < s->base.partitions; i++)
        err = segment_recover(s, i, ret_error);
    return err;
}

static enum vs_err open_all(struct segment_stream *s, uint32_t partitions, struct stream_error *ret_error)
{
    char path[SEGMENT_PATH_SIZE];

    enum vs_err err = s->base.writable ? lock_dir(s, ret_error) : VS_OK;
    if (err == VS_OK)
        err = read_meta(s, partitions, ret_error);
    if (err != VS_OK)
        return err;
    path_in(s, "commit", path);
    s->commit_fd = s->io.open(s->io.ctx, path, s->base.writable ? SEGMENT_OPEN_CREATE : SEGMENT_OPEN_READ);
    if (s->commit_fd < 0) {
        snprintf(ret_error->text, sizeof ret_error->text, "the log in %.200s is just being created", s->dir);
        return s->commit_fd == SEGMENT_IO_MISSING ? VS_ERR_NOT_FOUND : VS_ERR_IO;
    }
    return s->base.writable ? open_writers(s, ret_error) : VS_OK;
}

enum vs_err segment_stream_open(const struct stream_address *at, bool writable, const struct segment_io *io,
                                struct stream **ret, struct stream_error *ret_error)
{
    struct segment_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return VS_ERR_NO_MEMORY;
    s->base.backend = &stream_segment_backend;
    s->base.writable = writable;
    s->io = *io;
    s->segment_bytes = at->segment_bytes > 0 ? at->segment_bytes : SEGMENT_BYTES_DEFAULT;
    s->bytes_max = at->bytes_max;
    s->lock_fd = s->commit_fd = -1;
    snprintf(s->dir, sizeof s->dir, "%s", at->path);
    enum vs_err err = open_all(s, at->partitions, ret_error);
    if (err != VS_OK) {
        segment_close(&s->base);
        return err;
    }
    *ret = &s->base;
    return VS_OK;
}

static enum vs_err open_posix(const struct stream_address *at, bool writable, struct stream **ret,
                              struct stream_error *ret_error)
{
    if (at->path[0] == '\0') {
        snprintf(ret_error->text, sizeof ret_error->text, "the log address needs a directory: segment:DIRECTORY");
        return VS_ERR_CONFIG;
    }
    return segment_stream_open(at, writable, &segment_io_posix, ret, ret_error);
}

static enum vs_err append(struct stream *s, uint32_t partition, const struct stream_record *rec, uint64_t *ret_offset)
{
    return segment_writer_append((struct segment_stream *)s, partition, rec, ret_offset);
}

static enum vs_err sync_all(struct stream *s)
{
    return segment_writer_sync((struct segment_stream *)s);
}

static uint64_t end_of(struct stream *stream, uint32_t partition)
{
    struct segment_stream *s = (struct segment_stream *)stream;
    struct segment_commit c;

    if (s->writer != NULL)
        return s->writer[partition].next;
    return segment_read_commit(s, partition, &c) == VS_OK ? c.end : 0;
}

const struct stream_backend stream_segment_backend = {
    .scheme = "segment",
    .open = open_posix,
    .close = segment_close,
    .append = append,
    .sync = sync_all,
    .end = end_of,
    .reader_open = segment_reader_open,
    .reader_next = segment_reader_next,
    .reader_close = segment_reader_close,
    .by_key_open = segment_by_key_open,
    .by_key_next = segment_by_key_next,
    .by_key_close = segment_by_key_close,
};
