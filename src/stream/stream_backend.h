/* stream_backend: what an implementation of the event log gives to stream.c. Not for users of the log.
 *
 * Each implementation embeds `struct stream` and `struct stream_reader` at the start of its own structs. */
#ifndef STREAM_STREAM_BACKEND_H
#define STREAM_STREAM_BACKEND_H

#include "stream/by_key.h"
#include "stream/stream.h"

#define STREAM_PATH_MAX 3000

/* An address taken apart: scheme:path?partitions=N&segment_bytes=N&bytes_max=N */
struct stream_address {
    char path[STREAM_PATH_MAX];
    uint32_t partitions;    /* 0 = not told */
    uint64_t segment_bytes; /* 0 = not told */
    uint64_t bytes_max;     /* of all records; 0 = no limit */
};

struct stream_backend {
    const char *scheme;
    enum vs_err (*open)(const struct stream_address *at, bool writable, struct stream **ret,
                        struct stream_error *ret_error);
    void (*close)(struct stream *s);
    enum vs_err (*append)(struct stream *s, uint32_t partition, const struct stream_record *rec, uint64_t *ret_offset);
    enum vs_err (*sync)(struct stream *s);
    uint64_t (*end)(struct stream *s, uint32_t partition);
    enum vs_err (*reader_open)(struct stream *s, uint32_t partition, uint64_t offset, struct stream_reader **ret);
    enum vs_err (*reader_next)(struct stream_reader *r, struct stream_record *ret);
    void (*reader_close)(struct stream_reader *r);
    enum vs_err (*by_key_open)(struct stream *s, uint32_t partition, struct slice key, int64_t received_from_us,
                               struct stream_by_key **ret);
    enum vs_err (*by_key_next)(struct stream_by_key *q, struct stream_record *ret);
    void (*by_key_close)(struct stream_by_key *q);
};

struct stream {
    const struct stream_backend *backend;
    uint32_t partitions;
    bool writable;
};

struct stream_reader {
    struct stream *stream;
};

struct stream_by_key {
    struct stream *stream;
};

extern const struct stream_backend stream_memory_backend;
extern const struct stream_backend stream_segment_backend;

/* Partition of a key among n, the same for every implementation (stream_partition.c). */
uint32_t stream_partition_hash(struct slice key, uint32_t n);

#endif
