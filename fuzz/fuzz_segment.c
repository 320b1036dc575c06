/* segment: a log whose open segment holds whatever the input says: valid records, raw bytes between them, flipped bits.
 * It must open, be read to its end, take a record more, and then read the same again. */
#include <stdint.h>
#include <stdlib.h>

#include "core/cursor.h"
#include "stream/by_key.h"
#include "stream/segment/segment_stream.h"
#include "stream/sim_disk.h"

#define FILE_SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct stream_address AT = {.path = "/log", .segment_bytes = 4096};

static struct stream *open_log(struct sim_disk *d, bool writable)
{
    struct segment_io io = sim_disk_io(d);
    struct stream_error error;
    struct stream *s;

    if (segment_stream_open(&AT, writable, &io, &s, &error) != VS_OK)
        abort();
    return s;
}

/* Pieces of a length byte, a kind byte and that many bytes: a record with a valid CRC and these bytes as its value, or
 * the bytes as they are. */
static size_t build(struct cursor *c, uint64_t salt, uint8_t *buf)
{
    struct writer w;
    uint64_t offset = 0;

    writer_init(&w, buf, FILE_SIZE);
    segment_head_write(buf, 0, 0);
    w.len = SEGMENT_HEAD_SIZE;
    while (cursor_left(c) > 2 && !w.full) {
        size_t len = cursor_u8(c);
        uint8_t kind = cursor_u8(c);
        struct slice bytes = cursor_bytes(c, len < cursor_left(c) ? len : cursor_left(c));

        if (kind & 1) {
            writer_put(&w, bytes);
            continue;
        }
        offset += kind >> 5;
        struct stream_record rec = {.offset = offset++,
                                    .received_us = kind,
                                    .door = 1,
                                    .format = 1,
                                    .key = slice_head(bytes, kind >> 4 & 7),
                                    .value = bytes};
        segment_record_write(&w, salt, &rec, kind & 2 ? (uint32_t)w.len : SEGMENT_HEAD_SIZE);
    }
    return w.len;
}

static uint64_t read_all(struct stream *s)
{
    struct stream_reader *r;
    struct stream_record rec;
    uint64_t good = 0, next = 0;
    enum vs_err err;

    if (stream_reader_open(s, 0, 0, &r) != VS_OK)
        abort();
    while ((err = stream_reader_next(r, &rec)) != VS_ERR_END) {
        if (err != VS_OK && err != VS_ERR_TAMPERED)
            abort();
        if (err == VS_OK && rec.offset < next)
            abort();
        if (err == VS_OK) {
            next = rec.offset + 1;
            good++;
        }
    }
    stream_reader_close(r);
    return good;
}

static void find_all(struct stream *s)
{
    struct stream_by_key *q;
    struct stream_record rec;
    enum vs_err err;

    if (stream_by_key_open(s, slice_make("", 0), 0, &q) != VS_OK)
        abort();
    while ((err = stream_by_key_next(q, &rec)) != VS_ERR_END)
        if (err != VS_OK && err != VS_ERR_TAMPERED)
            abort();
    stream_by_key_close(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_disk *d = sim_disk_new(1);
    struct stream *s = open_log(d, true);
    struct segment_io io = sim_disk_io(d);
    uint8_t *file = malloc(FILE_SIZE);
    struct stream_record more = {.received_us = 1, .door = 1, .format = 1, .value = slice_str("more")};
    uint64_t offset;
    struct cursor c;

    cursor_init(&c, slice_make(data, size));
    size_t len = build(&c, ((struct segment_stream *)s)->salt, file);
    stream_close(s);
    int fd = io.open(io.ctx, "/log/000/00000000000000000000.seg", SEGMENT_OPEN_WRITE);
    if (!io.truncate(io.ctx, fd, 0) || !io.write_at(io.ctx, fd, 0, slice_make(file, len)) || !io.sync(io.ctx, fd))
        abort();
    io.close(io.ctx, fd);
    s = open_log(d, true);
    uint64_t first = read_all(s);
    find_all(s);
    if (stream_append(s, &more, &offset) != VS_OK || stream_sync(s) != VS_OK)
        abort();
    if (read_all(s) != first + 1)
        abort();
    stream_close(s);
    s = open_log(d, true);
    if (read_all(s) != first + 1)
        abort();
    stream_close(s);
    sim_disk_free(d);
    free(file);
    return 0;
}
