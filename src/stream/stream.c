/* Picks the implementation by the address's scheme and checks what all of them ask of a caller. */
#include "stream/stream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream/stream_backend.h"

static const struct stream_backend *const BACKEND[] = {&stream_memory_backend, &stream_segment_backend};

static bool take_number(struct slice text, uint64_t *ret)
{
    uint64_t v = 0;

    if (text.len == 0 || text.len > 18)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

static bool take_option(struct slice name, uint64_t v, struct stream_address *at)
{
    if (slice_equal_str(name, "partitions")) {
        at->partitions = (uint32_t)v;
        return v >= 1 && v <= STREAM_PARTITION_MAX;
    }
    if (slice_equal_str(name, "segment_bytes")) {
        at->segment_bytes = v;
        return v >= 4096 && v <= UINT64_C(1) << 31;
    }
    if (slice_equal_str(name, "bytes_max")) {
        at->bytes_max = v;
        return v > 0;
    }
    return false;
}

/* name=number pairs with "&" between them. */
static bool take_options(struct slice text, struct stream_address *at)
{
    while (text.len > 0) {
        const uint8_t *amp = memchr(text.ptr, '&', text.len);
        struct slice pair = slice_head(text, amp != NULL ? (size_t)(amp - text.ptr) : text.len);
        const uint8_t *eq = memchr(pair.ptr, '=', pair.len);
        uint64_t v;

        if (eq == NULL)
            return false;
        size_t name_len = (size_t)(eq - pair.ptr);
        if (!take_number(slice_from(pair, name_len + 1), &v) || !take_option(slice_head(pair, name_len), v, at))
            return false;
        text = slice_from(text, pair.len + 1);
    }
    return true;
}

static bool take_address(const char *address, const char *scheme, struct stream_address *at)
{
    struct slice rest = slice_from(slice_str(address), strlen(scheme) + 1);
    const uint8_t *mark = rest.len > 0 ? memchr(rest.ptr, '?', rest.len) : NULL;
    struct slice path = slice_head(rest, mark != NULL ? (size_t)(mark - rest.ptr) : rest.len);

    memset(at, 0, sizeof *at);
    return slice_to_str(path, at->path, sizeof at->path) && take_options(slice_from(rest, path.len + 1), at);
}

enum vs_err stream_open(const char *address, bool writable, struct stream **ret, struct stream_error *ret_error)
{
    struct stream_address at;

    ret_error->text[0] = '\0';
    for (size_t i = 0; i < sizeof BACKEND / sizeof BACKEND[0]; i++) {
        size_t len = strlen(BACKEND[i]->scheme);

        if (strncmp(address, BACKEND[i]->scheme, len) != 0 || address[len] != ':')
            continue;
        if (!take_address(address, BACKEND[i]->scheme, &at)) {
            snprintf(
                ret_error->text, sizeof ret_error->text,
                "the log address needs partitions 1 to %u, segment_bytes 4096 to 2^31, bytes_max, and nothing else",
                STREAM_PARTITION_MAX);
            return VS_ERR_CONFIG;
        }
        return BACKEND[i]->open(&at, writable, ret, ret_error);
    }
    snprintf(ret_error->text, sizeof ret_error->text, "the log address must begin with \"memory:\" or \"segment:\"");
    return VS_ERR_CONFIG;
}

void stream_close(struct stream *s)
{
    if (s != NULL)
        s->backend->close(s);
}

uint32_t stream_partition_count(const struct stream *s)
{
    return s->partitions;
}

uint32_t stream_partition_of(const struct stream *s, struct slice key)
{
    return stream_partition_hash(key, s->partitions);
}

enum vs_err stream_append(struct stream *s, const struct stream_record *rec, uint64_t *ret_offset)
{
    assert(s->writable);
    if (rec->key.len > STREAM_KEY_MAX || rec->value.len > STREAM_RECORD_MAX)
        return VS_ERR_LIMIT;
    return s->backend->append(s, stream_partition_of(s, rec->key), rec, ret_offset);
}

enum vs_err stream_sync(struct stream *s)
{
    assert(s->writable);
    return s->backend->sync(s);
}

uint64_t stream_end(struct stream *s, uint32_t partition)
{
    assert(partition < s->partitions);
    return s->backend->end(s, partition);
}

enum vs_err stream_reader_open(struct stream *s, uint32_t partition, uint64_t offset, struct stream_reader **ret)
{
    assert(partition < s->partitions);
    return s->backend->reader_open(s, partition, offset, ret);
}

enum vs_err stream_reader_next(struct stream_reader *r, struct stream_record *ret)
{
    return r->stream->backend->reader_next(r, ret);
}

void stream_reader_close(struct stream_reader *r)
{
    if (r != NULL)
        r->stream->backend->reader_close(r);
}

enum vs_err stream_by_key_open(struct stream *s, struct slice key, int64_t received_from_us, struct stream_by_key **ret)
{
    if (key.len > STREAM_KEY_MAX)
        return VS_ERR_LIMIT;
    return s->backend->by_key_open(s, stream_partition_of(s, key), key, received_from_us, ret);
}

enum vs_err stream_by_key_next(struct stream_by_key *q, struct stream_record *ret)
{
    return q->stream->backend->by_key_next(q, ret);
}

void stream_by_key_close(struct stream_by_key *q)
{
    if (q != NULL)
        q->stream->backend->by_key_close(q);
}
