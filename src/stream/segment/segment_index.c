#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c_fast.h"
#include "core/cursor.h"
#include "stream/segment/segment_stream.h"

static const char INDEX_MAGIC[] = "VSOCIDX1";

#define INDEX_COUNT_AT 40

static void write_all(struct writer *w, uint64_t base, uint64_t length, const struct segment_index_entry *entry,
                      size_t count)
{
    int64_t first = count > 0 ? entry[0].received_us : 0, last = first;

    for (size_t i = 1; i < count; i++) {
        first = entry[i].received_us < first ? entry[i].received_us : first;
        last = entry[i].received_us > last ? entry[i].received_us : last;
    }
    writer_text(w, INDEX_MAGIC);
    writer_u64be(w, base);
    writer_u64be(w, length);
    writer_u64be(w, (uint64_t)first);
    writer_u64be(w, (uint64_t)last);
    writer_u32be(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        segment_index_entry_write(w, &entry[i]);
    writer_u32be(w, crc32c_fast(0, writer_slice(w)));
}

/* Under a temporary name first, so that an index that is there is a whole one. */
static bool write_file(const struct segment_stream *s, uint32_t partition, uint64_t base, struct slice bytes)
{
    const struct segment_io *io = &s->io;
    char temporary[SEGMENT_PATH_SIZE], path[SEGMENT_PATH_SIZE];

    segment_path(s, partition, base, "tmp", temporary);
    segment_path(s, partition, base, "idx", path);
    int fd = io->open(io->ctx, temporary, SEGMENT_OPEN_CREATE);
    if (fd < 0)
        return false;
    bool ok = io->truncate(io->ctx, fd, 0) && io->write_at(io->ctx, fd, 0, bytes) && io->sync(io->ctx, fd);
    io->close(io->ctx, fd);
    return ok && io->rename(io->ctx, temporary, path);
}

enum vs_err segment_index_store(const struct segment_stream *s, uint32_t partition, uint64_t base, uint64_t length,
                                struct segment_index_entry *entry, size_t count)
{
    size_t size = SEGMENT_INDEX_HEAD + count * SEGMENT_INDEX_ENTRY + 4;
    uint8_t *buf = malloc(size);
    struct writer w;

    if (buf == NULL)
        return VS_ERR_NO_MEMORY;
    if (count > 0)
        qsort(entry, count, sizeof entry[0], segment_index_compare);
    writer_init(&w, buf, size);
    write_all(&w, base, length, entry, count);
    bool ok = write_file(s, partition, base, writer_slice(&w));
    free(buf);
    return ok ? VS_OK : VS_ERR_IO;
}

static bool index_valid(const uint8_t *bytes, size_t len, uint64_t base, uint32_t *ret_count)
{
    struct cursor c;

    if (len < SEGMENT_INDEX_HEAD + 4 || memcmp(bytes, INDEX_MAGIC, 8) != 0)
        return false;
    cursor_init(&c, slice_make(bytes + len - 4, 4));
    if (cursor_u32be(&c) != crc32c_fast(0, slice_make(bytes, len - 4)))
        return false;
    cursor_init(&c, slice_make(bytes + 8, len - 8));
    uint64_t told_base = cursor_u64be(&c);
    cursor_init(&c, slice_make(bytes + INDEX_COUNT_AT, 4));
    *ret_count = cursor_u32be(&c);
    return told_base == base && (len - SEGMENT_INDEX_HEAD - 4) / SEGMENT_INDEX_ENTRY == *ret_count;
}

enum vs_err segment_index_load(const struct segment_stream *s, uint32_t partition, uint64_t base,
                               struct segment_index *ret)
{
    const struct segment_io *io = &s->io;
    char path[SEGMENT_PATH_SIZE];
    enum vs_err err = VS_ERR_IO;

    segment_path(s, partition, base, "idx", path);
    int fd = io->open(io->ctx, path, SEGMENT_OPEN_READ);
    if (fd < 0)
        return fd == SEGMENT_IO_MISSING ? VS_ERR_NOT_FOUND : VS_ERR_IO;
    int64_t size = io->size(io->ctx, fd);
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (bytes != NULL && io->read_at(io->ctx, fd, 0, bytes, (size_t)size) == size)
        err = index_valid(bytes, (size_t)size, base, &ret->count) ? VS_OK : VS_ERR_TAMPERED;
    else if (size == 0)
        err = VS_ERR_TAMPERED;
    io->close(io->ctx, fd);
    if (err == VS_OK)
        ret->bytes = bytes;
    else
        free(bytes);
    return err;
}

void segment_index_done(struct segment_index *ix)
{
    free(ix->bytes);
    ix->bytes = NULL;
    ix->count = 0;
}

void segment_index_at(const struct segment_index *ix, uint32_t i, struct segment_index_entry *ret)
{
    segment_index_entry_read(ix->bytes + SEGMENT_INDEX_HEAD + (size_t)i * SEGMENT_INDEX_ENTRY, ret);
}

uint32_t segment_index_find(const struct segment_index *ix, const uint8_t key[SEGMENT_INDEX_KEY_SIZE])
{
    uint32_t low = 0, high = ix->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const uint8_t *at = ix->bytes + SEGMENT_INDEX_HEAD + (size_t)mid * SEGMENT_INDEX_ENTRY;

        if (memcmp(at, key, SEGMENT_INDEX_KEY_SIZE) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
