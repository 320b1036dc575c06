/* A stream without news suspends its connection, so that it costs nothing; the ticker resumes all sleepers every
 * stream_poll_ms and at http_server_wake. A suspended connection is not watched by the library, so a client that left
 * is found by asking the socket at each resume.
 *
 * No wake is lost: the reader notes wake_count before it asks for news, and under stream_lock, where a waker changes
 * it, looks whether it is still the same before it goes to sleep. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/http/http_internal.h"

#define STREAM_BLOCK_SIZE 16384

struct http_stream {
    struct http_server *server;
    struct MHD_Connection *mc;
    int fd;
    http_feed *feed;
    http_stream_end *end;
    void *ctx;
    struct http_stream *next, *prev; /* in server->sleepers */
    bool sleeping;
};

static bool client_left(const struct http_stream *st)
{
    struct pollfd p = {.fd = st->fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* Returns false when news may have come meanwhile. */
static bool fall_asleep(struct http_stream *st, unsigned seen)
{
    struct http_server *s = st->server;
    bool slept = false;

    pthread_mutex_lock(&s->stream_lock);
    if (atomic_load(&s->wake_count) == seen && !atomic_load(&s->stopping)) {
        st->next = s->sleepers;
        st->prev = NULL;
        if (s->sleepers != NULL)
            s->sleepers->prev = st;
        s->sleepers = st;
        st->sleeping = slept = true;
        MHD_suspend_connection(st->mc);
    }
    pthread_mutex_unlock(&s->stream_lock);
    return slept;
}

static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t size)
{
    struct http_stream *st = cls;
    struct http_server *s = st->server;

    (void)pos;
    for (;;) {
        unsigned seen = atomic_load(&s->wake_count);
        if (atomic_load(&s->stopping))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (client_left(st))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        ssize_t n = st->feed((uint8_t *)buf, size, st->ctx);
        if (n > 0)
            return n;
        if (n < 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (fall_asleep(st, seen))
            return 0;
    }
}

static void free_stream(void *cls)
{
    struct http_stream *st = cls;
    struct http_server *s = st->server;

    pthread_mutex_lock(&s->stream_lock);
    if (st->sleeping) {
        if (st->prev != NULL)
            st->prev->next = st->next;
        else
            s->sleepers = st->next;
        if (st->next != NULL)
            st->next->prev = st->prev;
    }
    pthread_mutex_unlock(&s->stream_lock);
    st->end(st->ctx);
    atomic_fetch_sub(&s->streams_open, 1);
    free(st);
}

struct MHD_Response *http_stream_response(struct http_request *rq, http_feed *feed, http_stream_end *end, void *ctx)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->mc, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_stream *st = calloc(1, sizeof *st);

    if (st == NULL || info == NULL) {
        free(st);
        end(ctx);
        return NULL;
    }
    st->server = rq->server;
    st->mc = rq->mc;
    st->fd = info->connect_fd;
    st->feed = feed;
    st->end = end;
    st->ctx = ctx;
    atomic_fetch_add(&rq->server->streams_open, 1);
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_SIZE, read_stream, st, free_stream);
    if (r == NULL)
        free_stream(st);
    return r;
}

static void resume_all(struct http_server *s)
{
    pthread_mutex_lock(&s->stream_lock);
    atomic_fetch_add(&s->wake_count, 1);
    while (s->sleepers != NULL) {
        struct http_stream *st = s->sleepers;

        s->sleepers = st->next;
        if (st->next != NULL)
            st->next->prev = NULL;
        st->next = NULL;
        st->sleeping = false;
        MHD_resume_connection(st->mc);
    }
    pthread_mutex_unlock(&s->stream_lock);
}

static void *run_ticker(void *arg)
{
    struct http_server *s = arg;

    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = s->wake_fd, .events = POLLIN};
        uint64_t wakes;

        if (poll(&p, 1, (int)s->cfg.stream_poll_ms) > 0 && read(s->wake_fd, &wakes, sizeof wakes) < 0 &&
            errno != EAGAIN)
            break;
        resume_all(s);
    }
    resume_all(s);
    return NULL;
}

void http_server_wake(struct http_server *s)
{
    uint64_t one = 1;

    /* It fails only when the counter is near 2^64, and then the ticker is awake already. */
    if (write(s->wake_fd, &one, sizeof one) < 0)
        return;
}

enum vs_err http_stream_start_ticker(struct http_server *s)
{
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        return VS_ERR_IO;
    if (pthread_create(&s->ticker, NULL, run_ticker, s) != 0) {
        close(s->wake_fd);
        return VS_ERR_NO_MEMORY;
    }
    s->ticker_runs = true;
    return VS_OK;
}

void http_stream_stop_ticker(struct http_server *s)
{
    if (!s->ticker_runs)
        return;
    http_server_wake(s);
    pthread_join(s->ticker, NULL);
    s->ticker_runs = false;
    close(s->wake_fd);
}
