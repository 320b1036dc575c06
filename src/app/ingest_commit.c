#include "app/ingest_commit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "app/ingest_reply.h"

struct ingest_commit {
    struct stream *stream;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct ingest_upload *first, **last; /* waiting, in the order of submission */
    uint32_t waiting;
    bool stopping;
    atomic_bool broken;
    atomic_ullong groups, records, bytes, refused_busy;
};

void ingest_upload_free(struct ingest_upload *up)
{
    if (up == NULL)
        return;
    if (up->record != &up->one)
        free(up->record);
    free(up->owned);
    free(up);
}

/* Appends one upload's records. */
static enum vs_err append(struct ingest_commit *c, const struct ingest_upload *up)
{
    uint64_t offset;

    for (uint32_t i = 0; i < up->record_count; i++) {
        enum vs_err err = stream_append(c->stream, &up->record[i], &offset);
        if (err != VS_OK)
            return err;
        atomic_fetch_add(&c->records, 1);
        atomic_fetch_add(&c->bytes, up->record[i].value.len);
    }
    return VS_OK;
}

static void answer(struct ingest_upload *up, enum vs_err err)
{
    if (err == VS_OK)
        http_reply(up->rq, 200, "application/json", slice_str(up->reply));
    else
        ingest_reply_error(up->rq, err, err == VS_ERR_FULL ? "the event log is full" : "the event log failed", 0);
    ingest_upload_free(up);
}

/* An upload whose append failed half way is not acknowledged; what of it is in the log will come again and be known as
 * a repetition. */
static void commit_group(struct ingest_commit *c, struct ingest_upload *first)
{
    enum vs_err sync = VS_OK;
    struct ingest_upload *good = NULL, **end = &good;

    while (first != NULL) {
        struct ingest_upload *up = first;

        first = up->next;
        up->next = NULL;
        enum vs_err err = append(c, up);
        if (err == VS_ERR_IO)
            atomic_store(&c->broken, true);
        if (err != VS_OK) {
            answer(up, err);
            continue;
        }
        *end = up;
        end = &up->next;
    }
    if (good != NULL)
        sync = stream_sync(c->stream);
    if (sync != VS_OK)
        atomic_store(&c->broken, true);
    atomic_fetch_add(&c->groups, 1);
    while (good != NULL) {
        struct ingest_upload *up = good;

        good = up->next;
        answer(up, sync);
    }
}

static void *run(void *arg)
{
    struct ingest_commit *c = arg;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (c->first == NULL && !c->stopping)
            pthread_cond_wait(&c->more, &c->lock);
        struct ingest_upload *group = c->first;
        if (group == NULL)
            break;
        c->first = NULL;
        c->last = &c->first;
        c->waiting = 0;
        pthread_mutex_unlock(&c->lock);
        commit_group(c, group);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

enum vs_err ingest_commit_start(struct stream *s, struct ingest_commit **ret)
{
    struct ingest_commit *c = calloc(1, sizeof *c);

    if (c == NULL)
        return VS_ERR_NO_MEMORY;
    c->stream = s;
    c->last = &c->first;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->more, NULL);
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        free(c);
        return VS_ERR_NO_MEMORY;
    }
    *ret = c;
    return VS_OK;
}

void ingest_commit_stop(struct ingest_commit *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

enum vs_err ingest_commit_submit(struct ingest_commit *c, struct ingest_upload *up)
{
    if (atomic_load(&c->broken))
        return VS_ERR_IO;
    pthread_mutex_lock(&c->lock);
    bool room = c->waiting < COMMIT_WAITING_MAX && !c->stopping;
    if (room) {
        up->next = NULL;
        *c->last = up;
        c->last = &up->next;
        c->waiting++;
        pthread_cond_signal(&c->more);
    }
    pthread_mutex_unlock(&c->lock);
    if (!room)
        atomic_fetch_add(&c->refused_busy, 1);
    return room ? VS_OK : VS_ERR_BUSY;
}

bool ingest_commit_broken(const struct ingest_commit *c)
{
    return atomic_load(&c->broken);
}

void ingest_commit_stats(struct ingest_commit *c, struct ingest_commit_stats *ret)
{
    ret->groups = atomic_load(&c->groups);
    ret->records = atomic_load(&c->records);
    ret->bytes = atomic_load(&c->bytes);
    ret->refused_busy = atomic_load(&c->refused_busy);
}
