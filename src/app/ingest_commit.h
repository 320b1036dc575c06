/* ingest_commit: group commit. Uploads that were checked wait here; one thread appends all that have gathered, syncs
 * the log once, and only then answers them. While the disk works on one group, the next one gathers.
 *
 * Bounds: COMMIT_WAITING_MAX uploads; more are refused with VS_ERR_BUSY, which the vehicle hears as 503. After a
 * failure of the log nothing more is taken (VS_ERR_IO): the role ends and is started again, which recovers the log.
 * Threads: submit from any; the thread of the committer is the log's only writer. */
#ifndef APP_INGEST_COMMIT_H
#define APP_INGEST_COMMIT_H

#include "base/http/http_server.h"
#include "stream/stream.h"

#define COMMIT_WAITING_MAX 8192

struct ingest_commit;

/* An upload that waits. The requester fills it; the committer owns it from submit on and frees it. */
struct ingest_upload {
    struct ingest_upload *next;
    struct http_request *rq;
    char reply[160]; /* body of the 200 that it gets when it is durable */
    uint8_t key[64]; /* room for the records' keys to live in */
    struct stream_record *record;
    uint32_t record_count;
    struct stream_record one; /* `record` may point here */
    uint8_t *owned;           /* freed with it; may be NULL */
};

VS_MUST_USE enum vs_err ingest_commit_start(struct stream *s, struct ingest_commit **ret);
/* Answers what waits, then ends the thread. NULL is fine. */
void ingest_commit_stop(struct ingest_commit *c);
/* Takes the upload over; http_later was called for its request. On failure it stays the caller's. */
VS_MUST_USE enum vs_err ingest_commit_submit(struct ingest_commit *c, struct ingest_upload *up);
/* True after the log failed. */
bool ingest_commit_broken(const struct ingest_commit *c);
void ingest_upload_free(struct ingest_upload *up);

struct ingest_commit_stats {
    uint64_t groups, records, bytes, refused_busy;
};
void ingest_commit_stats(struct ingest_commit *c, struct ingest_commit_stats *ret);

#endif
