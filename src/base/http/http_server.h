/* http_server: an HTTP/1.1 server, with TLS and client certificates, for the doors of the backend (ingest and api).
 *
 * One server = one address, some worker threads, one handler. The handler is called once per request, on a worker
 * thread, when the whole body is there; it reads the request through the functions below and answers it exactly once:
 * at once, or later from any thread (http_later, for a group commit), or with a stream of bytes that goes on
 * (http_reply_stream, for server-sent events). It must not block for long: while it runs, the other connections of its
 * worker wait.
 *
 * Memory: the request and everything read from it (path, headers, body, peer) are borrowed and valid until it is
 * answered. What is given to a reply is copied, except the body of http_reply_static. All memory is bounded:
 * connections_max requests, body_max bytes each, bodies_bytes_max bytes of bodies at once. Threads: with worker_threads
 * 1 the handler is never called twice at the same time; otherwise it is, up to that number. Refusals that the server
 * itself makes (body too large: 413; no valid client certificate: 401; too many bytes in flight: 503) are answered
 * through `refuse`, or as {"error":code,"reason":text} when that is NULL. Source: RFC 9110, RFC 9112; TLS 1.2 and 1.3
 * only. */
#ifndef BASE_HTTP_HTTP_SERVER_H
#define BASE_HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define HTTP_REPLY_HEADERS_MAX 16  /* headers that a handler may add to one reply */
#define HTTP_CN_SIZE           256 /* bytes of a certificate's common name with its NUL */

struct http_server;
struct http_request;

/* Answers one request; called on a worker thread. */
typedef void http_handler(struct http_request *rq, void *ctx);
/* Answers a request that the server refuses before the handler sees it. */
typedef void http_refuse(struct http_request *rq, enum vs_err err, const char *reason, void *ctx);

enum http_client_cert {
    HTTP_CLIENT_NONE,     /* not asked for */
    HTTP_CLIENT_OPTIONAL, /* checked when sent; http_peer tells whether there is a valid one */
    HTTP_CLIENT_REQUIRED  /* requests without a valid one are refused with 401 */
};

struct http_config {
    const char *address;      /* numeric IPv4 or IPv6 */
    uint16_t port;            /* 0 = any free one; http_server_port tells which */
    const char *tls_cert_pem; /* chain, text; NULL = plain HTTP */
    const char *tls_key_pem;
    const char *client_ca_pem; /* signers of client certificates; needed unless HTTP_CLIENT_NONE */
    enum http_client_cert client_cert;
    size_t body_max;                 /* bytes of one body; 0 = 1 MiB */
    size_t bodies_bytes_max;         /* bytes of all bodies being received or handled; 0 = 64 MiB */
    unsigned connections_max;        /* 0 = 1,000 */
    unsigned connections_per_ip_max; /* 0 = no limit of its own */
    unsigned idle_timeout_s;         /* a connection without traffic is closed; 0 = 60 */
    unsigned worker_threads;         /* 0 = 1 */
    unsigned stream_poll_ms;         /* how often an idle stream is asked for news; 0 = 250 */
    http_handler *handler;
    http_refuse *refuse; /* may be NULL */
    void *ctx;           /* given to both */
};

/* For a person: which part failed and why. */
struct http_error {
    char text[256];
};

/* Starts serving; the config and its texts are copied. VS_ERR_NET when the address cannot be had, VS_ERR_CONFIG when a
 * certificate or key is not usable. */
VS_MUST_USE enum vs_err http_server_start(const struct http_config *cfg, struct http_server **ret,
                                          struct http_error *ret_error);
uint16_t http_server_port(const struct http_server *s);
/* Graceful: takes no more connections, ends streams, waits until every request is answered (at most `wait_ms`, then
 * requests not answered are cut off; later http_reply calls on them are ignored), then frees everything. NULL is fine.
 */
void http_server_stop(struct http_server *s, unsigned wait_ms);
/* Asks all idle streams for news now rather than at the next stream_poll_ms. Any thread, cheap. */
void http_server_wake(struct http_server *s);

struct http_stats {
    uint64_t requests; /* that reached the handler */
    uint64_t refused_too_large;
    uint64_t refused_cert;
    uint64_t refused_bodies_full;
    uint64_t connections; /* open now */
    uint64_t streams;     /* open now */
};
void http_server_stats(struct http_server *s, struct http_stats *ret);

/* ---- the request */

const char *http_method(const struct http_request *rq); /* "GET", ... as sent */
const char *http_path(const struct http_request *rq);   /* percent-decoded, without the query */
/* Percent-decoded value of the first parameter of that name; NULL when absent, "" when it has no value. */
const char *http_query(struct http_request *rq, const char *name);
/* Calls `each` for all parameters in order until it returns false. */
void http_query_each(struct http_request *rq, bool (*each)(const char *name, const char *value, void *ctx), void *ctx);
const char *http_header(struct http_request *rq, const char *name); /* any case; NULL when absent */
const char *http_cookie(struct http_request *rq, const char *name); /* NULL when absent */
struct slice http_body(const struct http_request *rq);
/* Numeric text of the client's address. */
const char *http_client_address(const struct http_request *rq);

struct http_peer {
    struct slice der;      /* certificate of the client */
    char cn[HTTP_CN_SIZE]; /* common name of its subject; "" when it has none */
};
/* The client's certificate, verified against client_ca_pem; NULL when there is no valid one. */
const struct http_peer *http_peer(const struct http_request *rq);

/* ---- the reply */

/* Adds a header to the reply; before the http_reply call. Name and value must not hold CR, LF or NUL (a bug). At most
 * HTTP_REPLY_HEADERS_MAX. */
void http_add_header(struct http_request *rq, const char *name, const char *value);
/* Answers. content_type may be NULL for an empty body. After it the request is gone. */
void http_reply(struct http_request *rq, int status, const char *content_type, struct slice body);
/* The same with a body that lives as long as the server and is not copied. */
void http_reply_static(struct http_request *rq, int status, const char *content_type, struct slice body);
/* In the handler: the answer comes later. From then on the request belongs to the caller until http_reply. */
void http_later(struct http_request *rq);

/* Fills buf with up to `size` bytes and returns how many; 0 = no news now (it is asked again after stream_poll_ms or
 * http_server_wake); negative = the stream is over. Called on a worker thread. */
typedef ssize_t http_feed(uint8_t *buf, size_t size, void *ctx);
/* Called once when the stream ended, whoever ended it (feed, client, stop), so that ctx can be freed. */
typedef void http_stream_end(void *ctx);
/* Answers with 200 and a stream. A client that went away is noticed within stream_poll_ms. */
void http_reply_stream(struct http_request *rq, const char *content_type, http_feed *feed, http_stream_end *end,
                       void *ctx);

#endif
