/* http_internal: what the files of the HTTP server share. Not for others. */
#ifndef BASE_HTTP_HTTP_INTERNAL_H
#define BASE_HTTP_HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "base/http/http_server.h"

struct http_stream;

struct http_server {
    struct http_config cfg;
    struct MHD_Daemon *daemon;
    uint16_t port;
    char log[256];        /* last line the library logged; only used while starting */
    atomic_bool stopping; /* no request reaches the handler any more, streams end */

    pthread_mutex_t lock;          /* guards `requests` and `cutting` */
    struct http_request *requests; /* from their first byte to their completion */
    bool cutting;

    pthread_mutex_t stream_lock; /* guards `sleepers`; taken inside no other lock */
    struct http_stream *sleepers;
    atomic_uint wake_count;
    int wake_fd; /* eventfd: the ticker sleeps on it */
    pthread_t ticker;
    bool ticker_runs;

    atomic_size_t bodies_bytes;
    atomic_ullong requests_count, too_large_count, cert_count, bodies_full_count;
    atomic_ullong connections_open, streams_open;
};

/* What is remembered from one request to the next on the same connection. */
struct http_connection {
    bool peer_checked;
    bool peer_valid;
    struct http_peer peer;
    uint8_t *der;
    char address[48];
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *mc;
    struct http_connection *conn;
    struct http_request *next, *prev; /* in server->requests */
    const char *method;
    const char *path;
    uint8_t *body;
    size_t body_len, body_size;
    size_t drained;      /* bytes passed over after a refusal */
    enum vs_err refused; /* VS_OK: not */
    const char *refused_why;
    unsigned header_count;
    char *header[HTTP_REPLY_HEADERS_MAX][2];

    pthread_mutex_t lock; /* guards what follows */
    unsigned refs;        /* the library's, and the handler's after http_later */
    bool handled;         /* the handler was called */
    bool later;
    bool answered;
    bool gone; /* connection completed or cut: mc must not be touched */
    unsigned status;
    struct MHD_Response *response;
};

/* http_request.c: what the library calls for each part of a request, and when it is done with one. */
enum MHD_Result http_request_take(void *cls, struct MHD_Connection *mc, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_len, void **con_cls);
void http_request_completed(void *cls, struct MHD_Connection *mc, void **con_cls, enum MHD_RequestTerminationCode code);

/* http_tls.c: checks the client's certificate once per connection. */
void http_tls_check_peer(struct http_server *s, struct http_connection *conn, struct MHD_Connection *mc);

/* http_stream.c */
enum vs_err http_stream_start_ticker(struct http_server *s);
void http_stream_stop_ticker(struct http_server *s);
/* A response that runs the stream; NULL without memory, and then end(ctx) was called. */
struct MHD_Response *http_stream_response(struct http_request *rq, http_feed *feed, http_stream_end *end, void *ctx);

#endif
