/* stream: the event log. Records go in at the end of a partition and stay as they are; readers follow from an offset.
 *
 * A record is one batch as it came from the vehicle, with the key that chose its partition (the vehicle pseudonym), the
 * time it was received and the door it came through. Offsets count records of a partition from 0, without gaps. There
 * are three implementations behind this contract: `memory` (simulator, tests), `segment` (files on local disk) and
 * later Kafka; tests/unit/stream runs one conformance suite on all.
 *
 * Durability: stream_append only queues; a record is durable, and may be acknowledged to a vehicle, when stream_sync
 * has returned VS_OK after it (group commit: many appends, one sync). A reader sees durable records only. Memory:
 * appended slices are copied; a record read is borrowed until the next call on the same reader. Threads: one writer at
 * a time per stream (the caller serialises); readers may live in other processes. Errors: VS_ERR_IO after a failed
 * write; the stream then refuses further appends until it is opened again, because what a failed write left behind is
 * known only after recovery. VS_ERR_FULL when the configured size limit is reached. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define STREAM_RECORD_MAX    (8u << 20) /* bytes of one record's value */
#define STREAM_KEY_MAX       64         /* bytes of a key */
#define STREAM_PARTITION_MAX 256

enum stream_door { STREAM_DOOR_HTTPS = 1, STREAM_DOOR_MQTT = 2, STREAM_DOOR_IMPORT = 3 };

/* What the value is; unknown ones go to the dead-letter store with a reason. */
enum stream_format { STREAM_FORMAT_BATCH = 1, STREAM_FORMAT_JSON_LINES = 2, STREAM_FORMAT_AUTOSAR_IDS = 3 };

struct stream_record {
    uint64_t offset; /* set by the stream */
    uint32_t partition;
    int64_t received_us; /* backend clock at the door */
    uint8_t door;        /* enum stream_door */
    uint8_t format;      /* enum stream_format */
    struct slice key;    /* vehicle pseudonym, EV_VID_SIZE bytes */
    struct slice value;  /* verbatim */
};

struct stream;
struct stream_reader;

/* Where a failure happened, for a person. */
struct stream_error {
    char text[256];
};

/* Opens a stream by its address: "memory:" or "segment:DIRECTORY[?partitions=N&segment_bytes=N]". A directory is
 * created when it is missing; at opening a torn tail is cut to the last good record. `writable` streams are locked
 * against a second writer (VS_ERR_BUSY). */
VS_MUST_USE enum vs_err stream_open(const char *address, bool writable, struct stream **ret,
                                    struct stream_error *ret_error);
void stream_close(struct stream *s);

uint32_t stream_partition_count(const struct stream *s);
/* The partition of a key: the same in every implementation. */
uint32_t stream_partition_of(const struct stream *s, struct slice key);

/* Queues a record at the end of its key's partition; offset and partition of `rec` are ignored. */
VS_MUST_USE enum vs_err stream_append(struct stream *s, const struct stream_record *rec, uint64_t *ret_offset);
/* Makes everything queued durable. */
VS_MUST_USE enum vs_err stream_sync(struct stream *s);

/* A reader of one partition from an offset on (which may be the end). */
VS_MUST_USE enum vs_err stream_reader_open(struct stream *s, uint32_t partition, uint64_t offset,
                                           struct stream_reader **ret);
void stream_reader_close(struct stream_reader *r);
/* The next durable record, borrowed until the next call on this reader; VS_ERR_END when there is none yet (ask again
 * later), VS_ERR_TAMPERED when a record in the middle does not match its checksum. */
VS_MUST_USE enum vs_err stream_reader_next(struct stream_reader *r, struct stream_record *ret);
/* Offset that the next record will have: how far the partition has come. */
uint64_t stream_end(struct stream *s, uint32_t partition);

#endif
