/* The event log in memory, for the simulator and for tests: an array of copied records per partition. It lives as long
 * as its handle. Records beyond `durable` are queued and not shown to readers, as with the real ones. */
#include <stdio.h>
#include <stdlib.h>

#include "stream/stream_backend.h"

struct memory_record {
    struct stream_record rec;
    uint8_t bytes[]; /* key, then value */
};

struct memory_partition {
    struct memory_record **record;
    uint64_t count, size;
    uint64_t durable;
};

struct memory_stream {
    struct stream base;
    uint64_t bytes, bytes_max;
    struct memory_partition partition[];
};

struct memory_reader {
    struct stream_reader base;
    struct memory_partition *partition;
    uint64_t next;
};

struct memory_by_key {
    struct stream_by_key base;
    struct memory_partition *partition;
    uint64_t next;
    int64_t received_from_us;
    size_t key_len;
    uint8_t key[STREAM_KEY_MAX];
};

static enum vs_err memory_open(const struct stream_address *at, bool writable, struct stream **ret,
                               struct stream_error *ret_error)
{
    uint32_t partitions = at->partitions > 0 ? at->partitions : 1;
    struct memory_stream *m = calloc(1, sizeof *m + partitions * sizeof m->partition[0]);

    if (m == NULL) {
        snprintf(ret_error->text, sizeof ret_error->text, "out of memory");
        return VS_ERR_NO_MEMORY;
    }
    m->base.backend = &stream_memory_backend;
    m->base.partitions = partitions;
    m->base.writable = writable;
    m->bytes_max = at->bytes_max;
    *ret = &m->base;
    return VS_OK;
}

static void memory_close(struct stream *s)
{
    struct memory_stream *m = (struct memory_stream *)s;

    for (uint32_t i = 0; i < m->base.partitions; i++) {
        for (uint64_t j = 0; j < m->partition[i].count; j++)
            free(m->partition[i].record[j]);
        free(m->partition[i].record);
    }
    free(m);
}

static bool make_room(struct memory_partition *p)
{
    if (p->count < p->size)
        return true;
    uint64_t size = p->size > 0 ? p->size * 2 : 64;
    struct memory_record **record = realloc(p->record, size * sizeof record[0]);
    if (record == NULL)
        return false;
    p->record = record;
    p->size = size;
    return true;
}

static enum vs_err memory_append(struct stream *s, uint32_t partition, const struct stream_record *rec,
                                 uint64_t *ret_offset)
{
    struct memory_stream *m = (struct memory_stream *)s;
    struct memory_partition *p = &m->partition[partition];
    size_t bytes = rec->key.len + rec->value.len;

    if (m->bytes_max > 0 && m->bytes + bytes > m->bytes_max)
        return VS_ERR_FULL;
    struct memory_record *copy = make_room(p) ? malloc(sizeof *copy + bytes) : NULL;
    if (copy == NULL)
        return VS_ERR_NO_MEMORY;
    if (rec->key.len > 0)
        memcpy(copy->bytes, rec->key.ptr, rec->key.len);
    if (rec->value.len > 0)
        memcpy(copy->bytes + rec->key.len, rec->value.ptr, rec->value.len);
    copy->rec = *rec;
    copy->rec.key.ptr = copy->bytes;
    copy->rec.value.ptr = copy->bytes + rec->key.len;
    copy->rec.partition = partition;
    copy->rec.offset = p->count;
    m->bytes += bytes;
    p->record[p->count] = copy;
    *ret_offset = p->count++;
    return VS_OK;
}

static enum vs_err memory_sync(struct stream *s)
{
    struct memory_stream *m = (struct memory_stream *)s;

    for (uint32_t i = 0; i < m->base.partitions; i++)
        m->partition[i].durable = m->partition[i].count;
    return VS_OK;
}

static uint64_t memory_end(struct stream *s, uint32_t partition)
{
    return ((struct memory_stream *)s)->partition[partition].count;
}

static enum vs_err memory_reader_open(struct stream *s, uint32_t partition, uint64_t offset, struct stream_reader **ret)
{
    struct memory_stream *m = (struct memory_stream *)s;
    struct memory_reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    r->base.stream = s;
    r->partition = &m->partition[partition];
    r->next = offset;
    *ret = &r->base;
    return VS_OK;
}

static enum vs_err memory_reader_next(struct stream_reader *reader, struct stream_record *ret)
{
    struct memory_reader *r = (struct memory_reader *)reader;

    if (r->next >= r->partition->durable)
        return VS_ERR_END;
    *ret = r->partition->record[r->next++]->rec;
    return VS_OK;
}

static void memory_reader_close(struct stream_reader *reader)
{
    free(reader);
}

static enum vs_err memory_by_key_open(struct stream *s, uint32_t partition, struct slice key, int64_t received_from_us,
                                      struct stream_by_key **ret)
{
    struct memory_by_key *q = calloc(1, sizeof *q);

    if (q == NULL)
        return VS_ERR_NO_MEMORY;
    q->base.stream = s;
    q->partition = &((struct memory_stream *)s)->partition[partition];
    q->received_from_us = received_from_us;
    q->key_len = key.len;
    if (key.len > 0)
        memcpy(q->key, key.ptr, key.len);
    *ret = &q->base;
    return VS_OK;
}

static enum vs_err memory_by_key_next(struct stream_by_key *query, struct stream_record *ret)
{
    struct memory_by_key *q = (struct memory_by_key *)query;

    while (q->next < q->partition->durable) {
        const struct stream_record *rec = &q->partition->record[q->next++]->rec;

        if (rec->received_us >= q->received_from_us && slice_equal(rec->key, slice_make(q->key, q->key_len))) {
            *ret = *rec;
            return VS_OK;
        }
    }
    return VS_ERR_END;
}

static void memory_by_key_close(struct stream_by_key *q)
{
    free(q);
}

const struct stream_backend stream_memory_backend = {
    .scheme = "memory",
    .open = memory_open,
    .close = memory_close,
    .append = memory_append,
    .sync = memory_sync,
    .end = memory_end,
    .reader_open = memory_reader_open,
    .reader_next = memory_reader_next,
    .reader_close = memory_reader_close,
    .by_key_open = memory_by_key_open,
    .by_key_next = memory_by_key_next,
    .by_key_close = memory_by_key_close,
};
