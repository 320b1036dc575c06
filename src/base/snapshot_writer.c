#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c_fast.h"
#include "base/snapshot_format.h"

#define PATH_ROOM 1024

struct snapshot_writer {
    char path[PATH_ROOM], part[PATH_ROOM + 8];
    int fd;
    enum vs_err err;  /* the first one */
    uint64_t written; /* bytes before those in the buffer */
    size_t used;
    bool in_section;
    uint64_t section_at; /* of its head */
    uint32_t crc;        /* of its content so far */
    uint8_t head[SNAPSHOT_SECTION_SIZE];
    uint8_t buffer[SNAPSHOT_BUFFER];
};

static void write_out(struct snapshot_writer *w, const uint8_t *p, size_t len)
{
    while (w->err == VS_OK && len > 0) {
        ssize_t n = write(w->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            w->err = VS_ERR_IO;
            return;
        }
        p += n;
        len -= (size_t)n;
        w->written += (uint64_t)n;
    }
}

static void flush(struct snapshot_writer *w)
{
    struct slice s = slice_make(w->buffer, w->used);

    if (w->in_section)
        w->crc = crc32c_fast(w->crc, s);
    write_out(w, w->buffer, w->used);
    w->used = 0;
}

enum vs_err snapshot_create(const char *path, uint32_t version, struct snapshot_writer **ret)
{
    struct snapshot_writer *w = malloc(sizeof *w);
    uint8_t head[SNAPSHOT_HEAD_SIZE];

    if (w == NULL)
        return VS_ERR_NO_MEMORY;
    /* The buffer is not cleared: only what was put into it is read. */
    memset(w, 0, offsetof(struct snapshot_writer, buffer));
    int n = snprintf(w->path, sizeof w->path, "%s", path);
    snprintf(w->part, sizeof w->part, "%s.part", w->path);
    if (n < 0 || (size_t)n >= sizeof w->path) {
        free(w);
        return VS_ERR_LIMIT;
    }
    w->fd = open(w->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        free(w);
        return VS_ERR_IO;
    }
    memcpy(head, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_SIZE);
    snapshot_store_u32(head + SNAPSHOT_MAGIC_SIZE, version);
    snapshot_store_u32(head + 12, crc32c_fast(0, slice_make(head, 12)));
    write_out(w, head, sizeof head);
    *ret = w;
    return VS_OK;
}

void snapshot_begin(struct snapshot_writer *w, const char *name)
{
    size_t len = strlen(name);

    assert(!w->in_section);
    assert(len > 0 && len <= SNAPSHOT_NAME_MAX);
    memset(w->head, 0, sizeof w->head);
    memcpy(w->head, name, len);
    w->section_at = w->written;
    /* The head is written for good when the section ends; until then its CRC does not match. */
    write_out(w, w->head, sizeof w->head);
    w->in_section = true;
    w->crc = 0;
}

void snapshot_end(struct snapshot_writer *w)
{
    assert(w->in_section);
    flush(w);
    w->in_section = false;
    snapshot_store_u64(w->head + SNAPSHOT_NAME_FIELD, w->written - w->section_at - SNAPSHOT_SECTION_SIZE);
    snapshot_store_u32(w->head + 40, w->crc);
    snapshot_store_u32(w->head + 44, crc32c_fast(0, slice_make(w->head, 44)));
    if (w->err == VS_OK && pwrite(w->fd, w->head, sizeof w->head, (off_t)w->section_at) != (ssize_t)sizeof w->head)
        w->err = VS_ERR_IO;
}

void snapshot_put_raw(struct snapshot_writer *w, const void *ptr, size_t len)
{
    assert(w->in_section);
    if (len > SNAPSHOT_BUFFER - w->used)
        flush(w);
    if (len > SNAPSHOT_BUFFER) {
        w->crc = crc32c_fast(w->crc, slice_make(ptr, len));
        write_out(w, ptr, len);
        return;
    }
    if (len > 0)
        memcpy(w->buffer + w->used, ptr, len);
    w->used += len;
}

void snapshot_put_u8(struct snapshot_writer *w, uint8_t v)
{
    snapshot_put_raw(w, &v, 1);
}

void snapshot_put_u32(struct snapshot_writer *w, uint32_t v)
{
    uint8_t b[4];

    snapshot_store_u32(b, v);
    snapshot_put_raw(w, b, sizeof b);
}

void snapshot_put_u64(struct snapshot_writer *w, uint64_t v)
{
    uint8_t b[8];

    snapshot_store_u64(b, v);
    snapshot_put_raw(w, b, sizeof b);
}

void snapshot_put_i64(struct snapshot_writer *w, int64_t v)
{
    snapshot_put_u64(w, (uint64_t)v);
}

void snapshot_put_bytes(struct snapshot_writer *w, struct slice s)
{
    assert(s.len <= UINT32_MAX);
    snapshot_put_u32(w, (uint32_t)s.len);
    snapshot_put_raw(w, s.ptr, s.len);
}

/* A name is durable when its folder is. */
static enum vs_err sync_folder(const char *path)
{
    char dir[PATH_ROOM];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 0 : (int)(slash - path);

    snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : len, path);
    int fd = open(slash == NULL ? "." : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return VS_ERR_IO;
    enum vs_err err = fsync(fd) == 0 ? VS_OK : VS_ERR_IO;
    close(fd);
    return err;
}

enum vs_err snapshot_finish(struct snapshot_writer *w, uint64_t *ret_bytes)
{
    uint8_t last[SNAPSHOT_SECTION_SIZE] = {0};

    assert(!w->in_section);
    /* The section without a name says that the file was written to its end. */
    snapshot_store_u32(last + 44, crc32c_fast(0, slice_make(last, 44)));
    write_out(w, last, sizeof last);
    if (w->err == VS_OK && fsync(w->fd) != 0)
        w->err = VS_ERR_IO;
    if (w->err == VS_OK && rename(w->part, w->path) != 0)
        w->err = VS_ERR_IO;
    if (w->err == VS_OK)
        w->err = sync_folder(w->path);
    enum vs_err err = w->err;
    if (err == VS_OK && ret_bytes != NULL)
        *ret_bytes = w->written;
    snapshot_abort(w);
    return err;
}

void snapshot_abort(struct snapshot_writer *w)
{
    if (w == NULL)
        return;
    close(w->fd);
    /* After a rename there is no such file, which is as well. */
    unlink(w->part);
    free(w);
}
