/* segment_io: the few file operations that the segment log needs, as a contract, so that a test can take away the power
 * between any two of them. segment_io_posix is the real one.
 *
 * Handles are numbers from 0. Every function that returns bool says whether the whole operation was done. Threads: as
 * the implementation; the real one is reentrant. */
#ifndef STREAM_SEGMENT_SEGMENT_IO_H
#define STREAM_SEGMENT_SEGMENT_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/slice.h"

enum segment_open { SEGMENT_OPEN_READ, SEGMENT_OPEN_WRITE, SEGMENT_OPEN_CREATE /* write, made when missing */ };

#define SEGMENT_IO_MISSING (-1)
#define SEGMENT_IO_FAILED  (-2)
#define SEGMENT_IO_LOCKED  (-3)

struct segment_io {
    void *ctx;
    bool (*make_dir)(void *ctx, const char *path); /* fine when it is there */
    bool (*sync_dir)(void *ctx, const char *path); /* makes creations and renames in it durable */
    bool (*list)(void *ctx, const char *path, void (*each)(const char *name, void *arg), void *arg);
    int (*open)(void *ctx, const char *path, enum segment_open how); /* handle, SEGMENT_IO_MISSING or _FAILED */
    int (*lock)(void *ctx,
                const char *path); /* handle that holds the lock until closed, SEGMENT_IO_LOCKED or _FAILED */
    void (*close)(void *ctx, int fd);
    int64_t (*size)(void *ctx, int fd); /* negative: failed */
    ssize_t (*read_at)(void *ctx, int fd, uint64_t at, uint8_t *buf,
                       size_t size); /* short at the end; negative: failed */
    bool (*write_at)(void *ctx, int fd, uint64_t at, struct slice bytes);
    bool (*sync)(void *ctx, int fd); /* contents and size are durable afterwards */
    bool (*truncate)(void *ctx, int fd, uint64_t size);
    bool (*rename)(void *ctx, const char *from, const char *to);
    bool (*random)(void *ctx, uint8_t *buf, size_t size);
};

extern const struct segment_io segment_io_posix;

#endif
