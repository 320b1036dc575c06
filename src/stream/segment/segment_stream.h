/* segment_stream: the event log in files (docs/formats/segment.md): what its parts share, and the way to open it on
 * other file operations than the real ones. For stream.c and for tests. */
#ifndef STREAM_SEGMENT_SEGMENT_STREAM_H
#define STREAM_SEGMENT_SEGMENT_STREAM_H

#include "stream/segment/segment_format.h"
#include "stream/segment/segment_io.h"
#include "stream/segment/segment_scan.h"
#include "stream/stream_backend.h"

#define SEGMENT_BYTES_DEFAULT (64u << 20)
#define SEGMENT_PATH_SIZE     (STREAM_PATH_MAX + 64)
#define SEGMENT_BUFFER_FLUSH  (1u << 20) /* queued bytes that are written before the next sync */

/* The open segment of one partition, in the writer. */
struct segment_writer {
    int fd;
    uint64_t base;
    uint64_t next;                /* offset of the next record */
    uint64_t length;              /* bytes, queued ones included */
    uint64_t written;             /* bytes handed to the file */
    struct segment_commit commit; /* as published last */
    uint8_t *buf;                 /* queued, not yet written */
    size_t buf_len, buf_size;
    struct segment_index_entry *entry; /* of the open segment */
    size_t entry_count, entry_size;
};

struct segment_stream {
    struct stream base;
    struct segment_io io;
    char dir[STREAM_PATH_MAX];
    uint64_t salt;
    uint64_t segment_bytes;
    uint64_t bytes_max;
    uint64_t bytes;        /* of all segments */
    uint64_t damage_count; /* places that recovery kept although they do not read */
    bool broken;           /* a write failed: only opening again tells what is there */
    int lock_fd, commit_fd;
    struct segment_writer *writer; /* one per partition; NULL when not writable */
};

enum vs_err segment_stream_open(const struct stream_address *at, bool writable, const struct segment_io *io,
                                struct stream **ret, struct stream_error *ret_error);

/* Paths; the buffer has SEGMENT_PATH_SIZE bytes. */
void segment_path_partition(const struct segment_stream *s, uint32_t partition, char *path);
void segment_path(const struct segment_stream *s, uint32_t partition, uint64_t base, const char *suffix, char *path);

/* Bases of a partition's segments, ascending. The array is the caller's to free; it may be NULL when count is 0. */
enum vs_err segment_list(const struct segment_stream *s, uint32_t partition, uint64_t **ret, size_t *ret_count);

/* segment_recover.c: finds the end of a partition, makes it good, opens it for writing. */
enum vs_err segment_recover(struct segment_stream *s, uint32_t partition, struct stream_error *ret_error);

/* segment_writer.c */
enum vs_err segment_writer_create(struct segment_stream *s, uint32_t partition, uint64_t base);
enum vs_err segment_writer_publish(struct segment_stream *s, uint32_t partition);
enum vs_err segment_writer_index(struct segment_writer *w, const struct stream_record *rec, uint64_t at);
enum vs_err segment_writer_append(struct segment_stream *s, uint32_t partition, const struct stream_record *rec,
                                  uint64_t *ret_offset);
enum vs_err segment_writer_sync(struct segment_stream *s);
void segment_writer_done(struct segment_stream *s, struct segment_writer *w);

/* segment_index.c */
struct segment_index {
    uint8_t *bytes; /* the file */
    uint32_t count;
};

enum vs_err segment_index_store(const struct segment_stream *s, uint32_t partition, uint64_t base, uint64_t length,
                                struct segment_index_entry *entry, size_t count);
/* VS_ERR_NOT_FOUND, VS_ERR_TAMPERED: search without it. */
enum vs_err segment_index_load(const struct segment_stream *s, uint32_t partition, uint64_t base,
                               struct segment_index *ret);
void segment_index_done(struct segment_index *ix);
void segment_index_at(const struct segment_index *ix, uint32_t i, struct segment_index_entry *ret);
/* First entry whose key is not below this one. */
uint32_t segment_index_find(const struct segment_index *ix, const uint8_t key[SEGMENT_INDEX_KEY_SIZE]);

/* segment_reader.c */
enum vs_err segment_read_commit(const struct segment_stream *s, uint32_t partition, struct segment_commit *ret);
enum vs_err segment_reader_open(struct stream *s, uint32_t partition, uint64_t offset, struct stream_reader **ret);
enum vs_err segment_reader_next(struct stream_reader *r, struct stream_record *ret);
void segment_reader_close(struct stream_reader *r);

/* segment_by_key.c */
enum vs_err segment_by_key_open(struct stream *s, uint32_t partition, struct slice key, int64_t received_from_us,
                                struct stream_by_key **ret);
enum vs_err segment_by_key_next(struct stream_by_key *q, struct stream_record *ret);
void segment_by_key_close(struct stream_by_key *q);

#endif
