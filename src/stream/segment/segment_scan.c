#include "stream/segment/segment_scan.h"

#include <stdlib.h>

#define SCAN_READ_SIZE (256u << 10)

void segment_scan_init(struct segment_scan *sc, const struct segment_io *io, uint64_t salt)
{
    memset(sc, 0, sizeof *sc);
    sc->io = io;
    sc->fd = -1;
    sc->salt = salt;
}

void segment_scan_done(struct segment_scan *sc)
{
    free(sc->buf);
    sc->buf = NULL;
}

void segment_scan_start(struct segment_scan *sc, int fd, uint64_t pos, uint64_t limit)
{
    sc->fd = fd;
    sc->pos = pos;
    sc->limit = limit;
    sc->len = 0;
    sc->buf_pos = pos;
}

static bool make_room(struct segment_scan *sc, size_t need)
{
    size_t size = sc->size > 0 ? sc->size : SCAN_READ_SIZE;

    while (size < need)
        size *= 2;
    if (size == sc->size)
        return true;
    uint8_t *buf = realloc(sc->buf, size);
    if (buf == NULL)
        return false;
    sc->buf = buf;
    sc->size = size;
    return true;
}

/* Gets `need` bytes from `pos` into the buffer. The caller knows that the file has them below limit. */
static enum vs_err fill(struct segment_scan *sc, uint64_t pos, size_t need, struct slice *ret)
{
    if (pos >= sc->buf_pos && pos - sc->buf_pos <= sc->len && sc->len - (size_t)(pos - sc->buf_pos) >= need) {
        *ret = slice_make(sc->buf + (pos - sc->buf_pos), need);
        return VS_OK;
    }
    if (!make_room(sc, need))
        return VS_ERR_NO_MEMORY;
    /* What is left of the old window moves to the front, the rest is read in one go. */
    size_t keep = 0;
    if (pos >= sc->buf_pos && pos - sc->buf_pos < sc->len) {
        keep = sc->len - (size_t)(pos - sc->buf_pos);
        memmove(sc->buf, sc->buf + (pos - sc->buf_pos), keep);
    }
    uint64_t left = sc->limit - pos;
    size_t want = left < sc->size ? (size_t)left : sc->size;
    ssize_t n = sc->io->read_at(sc->io->ctx, sc->fd, pos + keep, sc->buf + keep, want - keep);
    sc->buf_pos = pos;
    sc->len = n < 0 ? 0 : keep + (size_t)n;
    if (sc->len < need)
        return n < 0 ? VS_ERR_IO : VS_ERR_TAMPERED; /* the file is shorter than it was said to be */
    *ret = slice_make(sc->buf, need);
    return VS_OK;
}

static enum vs_err read_at(struct segment_scan *sc, uint64_t pos, struct stream_record *ret, uint32_t *ret_durable,
                           size_t *ret_size)
{
    struct slice bytes;

    if (sc->limit - pos < SEGMENT_RECORD_HEAD)
        return VS_ERR_TAMPERED;
    enum vs_err err = fill(sc, pos, SEGMENT_RECORD_HEAD, &bytes);
    if (err != VS_OK)
        return err;
    size_t size = segment_record_size(bytes);
    if (size == 0 || size > sc->limit - pos)
        return VS_ERR_TAMPERED;
    err = fill(sc, pos, size, &bytes);
    if (err != VS_OK)
        return err;
    *ret_size = size;
    return segment_record_read(bytes, sc->salt, ret, ret_durable) ? VS_OK : VS_ERR_TAMPERED;
}

enum vs_err segment_scan_next(struct segment_scan *sc, struct stream_record *ret, uint32_t *ret_durable)
{
    size_t size = 0;

    if (sc->pos >= sc->limit)
        return VS_ERR_END;
    enum vs_err err = read_at(sc, sc->pos, ret, ret_durable, &size);
    if (err == VS_OK)
        sc->pos += size;
    return err;
}

enum vs_err segment_scan_resync(struct segment_scan *sc)
{
    struct stream_record rec;
    uint32_t durable;
    size_t size;

    while (sc->limit > sc->pos + SEGMENT_RECORD_HEAD) {
        struct slice bytes;

        sc->pos++;
        uint64_t left = sc->limit - sc->pos;
        size_t window = left < SCAN_READ_SIZE / 2 ? (size_t)left : SCAN_READ_SIZE / 2;
        enum vs_err err = fill(sc, sc->pos, window, &bytes);
        if (err == VS_ERR_IO || err == VS_ERR_NO_MEMORY)
            return err;
        if (err != VS_OK)
            break;
        const uint8_t *hit = memchr(bytes.ptr, 0xF5, bytes.len);
        if (hit == NULL) {
            sc->pos += bytes.len - 1;
            continue;
        }
        sc->pos += (uint64_t)(hit - bytes.ptr);
        err = read_at(sc, sc->pos, &rec, &durable, &size);
        if (err == VS_OK)
            return VS_OK;
        if (err != VS_ERR_TAMPERED)
            return err;
    }
    sc->pos = sc->limit;
    return VS_OK;
}
