/* libmicrohttpd calls `take` several times for one request: first with its headers, then with each part of the body,
 * then once more when the body is complete. The handler is called at that last time. When it answers later, the
 * connection is suspended meanwhile; resuming it makes the library call `take` again, which finds the answer ready.
 *
 * A request that is refused (too large, no certificate) is still read to its end, up to DRAIN_FACTOR times the limit,
 * because closing a socket with unread bytes would throw away the answer on its way to the client. */
#include "base/http/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/http/http_internal.h"

#define DRAIN_FACTOR    4
#define BODY_SIZE_FIRST 16384
#define CONNECTION_POOL 65536 /* bytes for headers and buffers of one connection */
#define STOP_STEP_MS    5
#define TLS_PRIORITIES  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define MHD_OPTIONS_MAX 16

/* ---- life of a request */

static void request_unref(struct http_request *rq)
{
    pthread_mutex_lock(&rq->lock);
    unsigned left = --rq->refs;
    pthread_mutex_unlock(&rq->lock);
    if (left > 0)
        return;
    for (unsigned i = 0; i < rq->header_count; i++) {
        free(rq->header[i][0]);
        free(rq->header[i][1]);
    }
    if (rq->response != NULL)
        MHD_destroy_response(rq->response);
    pthread_mutex_destroy(&rq->lock);
    free(rq->body);
    free(rq);
}

static struct http_request *request_new(struct http_server *s, struct MHD_Connection *mc, const char *path,
                                        const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_request *rq = calloc(1, sizeof *rq);

    if (rq == NULL || info == NULL || info->socket_context == NULL) {
        free(rq);
        return NULL;
    }
    rq->server = s;
    rq->mc = mc;
    rq->conn = info->socket_context;
    rq->path = path;
    rq->method = method;
    rq->refs = 1;
    pthread_mutex_init(&rq->lock, NULL);
    pthread_mutex_lock(&s->lock);
    rq->next = s->requests;
    if (s->requests != NULL)
        s->requests->prev = rq;
    s->requests = rq;
    pthread_mutex_unlock(&s->lock);
    return rq;
}

/* The library is done with the request, answered or not. */
static void completed(void *cls, struct MHD_Connection *mc, void **con_cls, enum MHD_RequestTerminationCode code)
{
    struct http_server *s = cls;
    struct http_request *rq = *con_cls;

    (void)mc, (void)code;
    if (rq == NULL)
        return;
    *con_cls = NULL;
    pthread_mutex_lock(&s->lock);
    if (rq->prev != NULL)
        rq->prev->next = rq->next;
    else
        s->requests = rq->next;
    if (rq->next != NULL)
        rq->next->prev = rq->prev;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub(&s->bodies_bytes, rq->body_size);
    pthread_mutex_lock(&rq->lock);
    rq->gone = true;
    pthread_mutex_unlock(&rq->lock);
    request_unref(rq);
}

/* ---- life of a connection */

static void connection_changed(void *cls, struct MHD_Connection *mc, void **socket_context,
                               enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;
    struct http_connection *conn = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (conn != NULL) {
            free(conn->der);
            free(conn);
            atomic_fetch_sub(&s->connections_open, 1);
        }
        *socket_context = NULL;
        return;
    }
    conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info != NULL && info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, conn->address,
                  sizeof conn->address);
    else if (info != NULL && info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, conn->address,
                  sizeof conn->address);
    atomic_fetch_add(&s->connections_open, 1);
    *socket_context = conn;
}

/* ---- reading */

static void refuse(struct http_request *rq, enum vs_err err, const char *why, atomic_ullong *counter)
{
    if (rq->refused != VS_OK)
        return;
    rq->refused = err;
    rq->refused_why = why;
    atomic_fetch_add(counter, 1);
}

/* What the headers alone can tell. False: so large that it is not worth reading to its end. */
static bool look_at_headers(struct http_request *rq)
{
    struct http_server *s = rq->server;
    const char *length = http_header(rq, MHD_HTTP_HEADER_CONTENT_LENGTH);

    http_tls_check_peer(s, rq->conn, rq->mc);
    if (s->cfg.client_cert == HTTP_CLIENT_REQUIRED && !rq->conn->peer_valid)
        refuse(rq, VS_ERR_AUTH, "no valid client certificate of this fleet", &s->cert_count);
    if (length == NULL)
        return true;
    unsigned long long n = strtoull(length, NULL, 10);
    if (n > s->cfg.body_max)
        refuse(rq, VS_ERR_LIMIT, "the body is larger than the limit", &s->too_large_count);
    return n <= s->cfg.body_max * DRAIN_FACTOR;
}

static void grow_body(struct http_request *rq, size_t need)
{
    struct http_server *s = rq->server;
    size_t size = rq->body_size > 0 ? rq->body_size : BODY_SIZE_FIRST;

    while (size < need)
        size *= 2;
    size_t more = size - rq->body_size;
    if (atomic_fetch_add(&s->bodies_bytes, more) + more > s->cfg.bodies_bytes_max) {
        atomic_fetch_sub(&s->bodies_bytes, more);
        refuse(rq, VS_ERR_BUSY, "too many bytes in flight", &s->bodies_full_count);
        return;
    }
    uint8_t *body = realloc(rq->body, size);
    if (body == NULL) {
        atomic_fetch_sub(&s->bodies_bytes, more);
        refuse(rq, VS_ERR_NO_MEMORY, "out of memory", &s->bodies_full_count);
        return;
    }
    rq->body = body;
    rq->body_size = size;
}

/* False: cut the connection. */
static bool take_body(struct http_request *rq, const char *data, size_t len)
{
    struct http_server *s = rq->server;

    if (rq->refused == VS_OK && len > s->cfg.body_max - rq->body_len)
        refuse(rq, VS_ERR_LIMIT, "the body is larger than the limit", &s->too_large_count);
    if (rq->refused == VS_OK && rq->body_len + len > rq->body_size)
        grow_body(rq, rq->body_len + len);
    if (rq->refused != VS_OK) {
        rq->drained += len;
        return rq->drained <= s->cfg.body_max * DRAIN_FACTOR;
    }
    memcpy(rq->body + rq->body_len, data, len);
    rq->body_len += len;
    return true;
}

/* ---- answering */

static void refuse_plainly(struct http_request *rq, enum vs_err err, const char *why)
{
    char text[256];
    int n = snprintf(text, sizeof text, "{\"error\":\"%s\",\"reason\":\"%s\"}\n", vs_err_info(err)->name, why);

    http_reply(rq, vs_err_info(err)->http, "application/json", slice_make(text, (size_t)n));
}

static void call_handler(struct http_request *rq)
{
    struct http_server *s = rq->server;

    rq->handled = true;
    if (rq->refused == VS_OK && atomic_load(&s->stopping)) {
        rq->refused = VS_ERR_BUSY;
        rq->refused_why = "the server stops";
    }
    if (rq->refused == VS_OK) {
        atomic_fetch_add(&s->requests_count, 1);
        s->cfg.handler(rq, s->cfg.ctx);
    } else if (s->cfg.refuse != NULL) {
        s->cfg.refuse(rq, rq->refused, rq->refused_why, s->cfg.ctx);
    } else {
        refuse_plainly(rq, rq->refused, rq->refused_why);
    }
}

/* Hands the answer to the library when it is there. */
static enum MHD_Result answer(struct http_request *rq)
{
    if (!rq->handled)
        call_handler(rq);
    pthread_mutex_lock(&rq->lock);
    bool answered = rq->answered, waits = rq->later && !rq->gone;
    pthread_mutex_unlock(&rq->lock);
    if (answered)
        return rq->response == NULL ? MHD_NO : MHD_queue_response(rq->mc, rq->status, rq->response);
    assert(rq->later);
    return waits ? MHD_YES : MHD_NO;
}

static enum MHD_Result take(void *cls, struct MHD_Connection *mc, const char *url, const char *method,
                            const char *version, const char *data, size_t *data_len, void **con_cls)
{
    struct http_server *s = cls;
    struct http_request *rq = *con_cls;

    (void)version;
    if (rq == NULL) {
        rq = request_new(s, mc, url, method);
        if (rq == NULL)
            return MHD_NO;
        *con_cls = rq;
        return look_at_headers(rq) ? MHD_YES : answer(rq);
    }
    if (*data_len > 0) {
        bool go_on = take_body(rq, data, *data_len);
        *data_len = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    return answer(rq);
}

void http_later(struct http_request *rq)
{
    struct http_server *s = rq->server;

    pthread_mutex_lock(&s->lock);
    pthread_mutex_lock(&rq->lock);
    assert(!rq->answered && !rq->later);
    rq->later = true;
    rq->refs++;
    if (s->cutting)
        rq->gone = true;
    else
        MHD_suspend_connection(rq->mc);
    pthread_mutex_unlock(&rq->lock);
    pthread_mutex_unlock(&s->lock);
}

static void set_answer(struct http_request *rq, unsigned status, struct MHD_Response *response)
{
    pthread_mutex_lock(&rq->lock);
    assert(!rq->answered);
    bool later = rq->later;
    rq->answered = true;
    rq->status = status;
    rq->response = response;
    if (later && !rq->gone)
        MHD_resume_connection(rq->mc);
    pthread_mutex_unlock(&rq->lock);
    if (later)
        request_unref(rq);
}

static void add_headers(struct http_request *rq, struct MHD_Response *response)
{
    for (unsigned i = 0; i < rq->header_count; i++)
        if (MHD_add_response_header(response, rq->header[i][0], rq->header[i][1]) == MHD_NO)
            break;
}

static void reply_with(struct http_request *rq, int status, const char *content_type, struct MHD_Response *response)
{
    if (response != NULL) {
        if (content_type != NULL)
            (void)!MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
        add_headers(rq, response);
    }
    set_answer(rq, (unsigned)status, response);
}

void http_add_header(struct http_request *rq, const char *name, const char *value)
{
    assert(rq->header_count < HTTP_REPLY_HEADERS_MAX);
    assert(strpbrk(name, "\r\n") == NULL && strpbrk(value, "\r\n") == NULL);
    char *n = strdup(name), *v = strdup(value);
    if (n == NULL || v == NULL) {
        free(n);
        free(v);
        return;
    }
    rq->header[rq->header_count][0] = n;
    rq->header[rq->header_count][1] = v;
    rq->header_count++;
}

void http_reply(struct http_request *rq, int status, const char *content_type, struct slice body)
{
    reply_with(rq, status, content_type,
               MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY));
}

void http_reply_static(struct http_request *rq, int status, const char *content_type, struct slice body)
{
    reply_with(rq, status, content_type,
               MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_PERSISTENT));
}

void http_reply_stream(struct http_request *rq, const char *content_type, http_feed *feed, http_stream_end *end,
                       void *ctx)
{
    reply_with(rq, MHD_HTTP_OK, content_type, http_stream_response(rq, feed, end, ctx));
}

/* ---- asking */

const char *http_method(const struct http_request *rq)
{
    return rq->method;
}

const char *http_path(const struct http_request *rq)
{
    return rq->path;
}

struct find_query {
    const char *name;
    const char *value;
};

static bool match_query(const char *name, const char *value, void *ctx)
{
    struct find_query *f = ctx;

    if (strcmp(name, f->name) != 0)
        return true;
    f->value = value;
    return false;
}

const char *http_query(struct http_request *rq, const char *name)
{
    struct find_query f = {name, NULL};

    http_query_each(rq, match_query, &f);
    return f.value;
}

struct each_query {
    bool (*each)(const char *name, const char *value, void *ctx);
    void *ctx;
};

static enum MHD_Result step_query(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct each_query *e = cls;

    (void)kind;
    return e->each(name, value != NULL ? value : "", e->ctx) ? MHD_YES : MHD_NO;
}

void http_query_each(struct http_request *rq, bool (*each)(const char *name, const char *value, void *ctx), void *ctx)
{
    struct each_query e = {each, ctx};

    MHD_get_connection_values(rq->mc, MHD_GET_ARGUMENT_KIND, step_query, &e);
}

const char *http_header(struct http_request *rq, const char *name)
{
    return MHD_lookup_connection_value(rq->mc, MHD_HEADER_KIND, name);
}

const char *http_cookie(struct http_request *rq, const char *name)
{
    return MHD_lookup_connection_value(rq->mc, MHD_COOKIE_KIND, name);
}

struct slice http_body(const struct http_request *rq)
{
    return slice_make(rq->body, rq->body_len);
}

const char *http_client_address(const struct http_request *rq)
{
    return rq->conn->address;
}

const struct http_peer *http_peer(const struct http_request *rq)
{
    return rq->conn->peer_valid ? &rq->conn->peer : NULL;
}

/* ---- starting and stopping */

static void __attribute__((format(printf, 2, 0))) log_line(void *cls, const char *format, va_list args)
{
    struct http_server *s = cls;

    /* Only the reason of a failed start is of use to a person; the rest has counters. */
    if (s->daemon == NULL)
        vsnprintf(s->log, sizeof s->log, format, args);
}

static char *copy_text(const char *text, bool *ok)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    *ok = *ok && (text == NULL || copy != NULL);
    return copy;
}

static bool copy_config(struct http_server *s, const struct http_config *cfg)
{
    bool ok = true;

    s->cfg = *cfg;
    s->cfg.address = copy_text(cfg->address, &ok);
    s->cfg.tls_cert_pem = copy_text(cfg->tls_cert_pem, &ok);
    s->cfg.tls_key_pem = copy_text(cfg->tls_key_pem, &ok);
    s->cfg.client_ca_pem = copy_text(cfg->client_ca_pem, &ok);
    s->cfg.body_max = cfg->body_max > 0 ? cfg->body_max : 1u << 20;
    s->cfg.bodies_bytes_max = cfg->bodies_bytes_max > 0 ? cfg->bodies_bytes_max : 64u << 20;
    s->cfg.connections_max = cfg->connections_max > 0 ? cfg->connections_max : 1000;
    s->cfg.idle_timeout_s = cfg->idle_timeout_s > 0 ? cfg->idle_timeout_s : 60;
    s->cfg.worker_threads = cfg->worker_threads > 0 ? cfg->worker_threads : 1;
    s->cfg.stream_poll_ms = cfg->stream_poll_ms > 0 ? cfg->stream_poll_ms : 250;
    return ok;
}

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const struct http_config *cfg, union any_address *ret)
{
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, cfg->address, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(cfg->port);
        return true;
    }
    if (inet_pton(AF_INET6, cfg->address, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(cfg->port);
        return true;
    }
    return false;
}

static void add_option(struct MHD_OptionItem *list, unsigned *count, enum MHD_OPTION option, intptr_t value,
                       const void *ptr)
{
    assert(*count + 1 < MHD_OPTIONS_MAX);
    list[(*count)++] = (struct MHD_OptionItem){option, value, (void *)(uintptr_t)ptr};
    list[*count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static struct MHD_Daemon *start_daemon(struct http_server *s, const union any_address *at)
{
    const struct http_config *cfg = &s->cfg;
    struct MHD_OptionItem list[MHD_OPTIONS_MAX];
    unsigned count = 0;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;

    if (at->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    add_option(list, &count, MHD_OPTION_SOCK_ADDR, 0, at);
    add_option(list, &count, MHD_OPTION_CONNECTION_LIMIT, (intptr_t)cfg->connections_max, NULL);
    add_option(list, &count, MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)cfg->idle_timeout_s, NULL);
    add_option(list, &count, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_POOL, NULL);
    if (cfg->connections_per_ip_max > 0)
        add_option(list, &count, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)cfg->connections_per_ip_max, NULL);
    if (cfg->worker_threads > 1)
        add_option(list, &count, MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)cfg->worker_threads, NULL);
    if (cfg->tls_cert_pem != NULL) {
        flags |= MHD_USE_TLS;
        add_option(list, &count, MHD_OPTION_HTTPS_MEM_CERT, 0, cfg->tls_cert_pem);
        add_option(list, &count, MHD_OPTION_HTTPS_MEM_KEY, 0, cfg->tls_key_pem);
        add_option(list, &count, MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES);
        if (cfg->client_cert != HTTP_CLIENT_NONE)
            add_option(list, &count, MHD_OPTION_HTTPS_MEM_TRUST, 0, cfg->client_ca_pem);
    }
    return MHD_start_daemon(flags, cfg->port, NULL, NULL, take, s, MHD_OPTION_EXTERNAL_LOGGER, log_line, s,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_NOTIFY_CONNECTION, connection_changed,
                            s, MHD_OPTION_ARRAY, list, MHD_OPTION_END);
}

static void free_server(struct http_server *s)
{
    free((void *)(uintptr_t)s->cfg.address);
    free((void *)(uintptr_t)s->cfg.tls_cert_pem);
    free((void *)(uintptr_t)s->cfg.tls_key_pem);
    free((void *)(uintptr_t)s->cfg.client_ca_pem);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->stream_lock);
    free(s);
}

static enum vs_err start(struct http_server *s, struct http_error *ret_error)
{
    union any_address at;

    if (!parse_address(&s->cfg, &at)) {
        snprintf(ret_error->text, sizeof ret_error->text, "\"%s\" is not a numeric address", s->cfg.address);
        return VS_ERR_CONFIG;
    }
    s->daemon = start_daemon(s, &at);
    if (s->daemon == NULL) {
        snprintf(ret_error->text, sizeof ret_error->text, "%.200s", s->log[0] != '\0' ? s->log : "cannot start");
        return strstr(s->log, "bind") != NULL || strstr(s->log, "port") != NULL ? VS_ERR_NET : VS_ERR_CONFIG;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = info != NULL ? info->port : 0;
    enum vs_err err = http_stream_start_ticker(s);
    if (err != VS_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "cannot start a thread");
        MHD_stop_daemon(s->daemon);
    }
    return err;
}

enum vs_err http_server_start(const struct http_config *cfg, struct http_server **ret, struct http_error *ret_error)
{
    struct http_server *s = calloc(1, sizeof *s);

    assert(cfg->handler != NULL && cfg->address != NULL);
    if (s == NULL)
        return VS_ERR_NO_MEMORY;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->stream_lock, NULL);
    enum vs_err err = copy_config(s, cfg) ? VS_OK : VS_ERR_NO_MEMORY;
    if (err == VS_OK && cfg->client_cert != HTTP_CLIENT_NONE &&
        (cfg->client_ca_pem == NULL || cfg->tls_cert_pem == NULL)) {
        snprintf(ret_error->text, sizeof ret_error->text, "client certificates need TLS and the CA that signs them");
        err = VS_ERR_CONFIG;
    }
    if (err == VS_OK)
        err = start(s, ret_error);
    if (err != VS_OK) {
        free_server(s);
        return err;
    }
    *ret = s;
    return VS_OK;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

static bool any_request(struct http_server *s)
{
    pthread_mutex_lock(&s->lock);
    bool any = s->requests != NULL;
    pthread_mutex_unlock(&s->lock);
    return any;
}

/* Requests whose answer did not come in time: their connections go on without one, which closes them. */
static void cut_requests(struct http_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->cutting = true;
    for (struct http_request *rq = s->requests; rq != NULL; rq = rq->next) {
        pthread_mutex_lock(&rq->lock);
        if (rq->later && !rq->answered && !rq->gone) {
            rq->gone = true;
            MHD_resume_connection(rq->mc);
        }
        pthread_mutex_unlock(&rq->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s, unsigned wait_ms)
{
    if (s == NULL)
        return;
    atomic_store(&s->stopping, true);
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    http_stream_stop_ticker(s);
    for (unsigned waited = 0; waited < wait_ms && any_request(s); waited += STOP_STEP_MS)
        poll(NULL, 0, STOP_STEP_MS);
    cut_requests(s);
    MHD_stop_daemon(s->daemon);
    free_server(s);
}

void http_server_stats(struct http_server *s, struct http_stats *ret)
{
    ret->requests = atomic_load(&s->requests_count);
    ret->refused_too_large = atomic_load(&s->too_large_count);
    ret->refused_cert = atomic_load(&s->cert_count);
    ret->refused_bodies_full = atomic_load(&s->bodies_full_count);
    ret->connections = atomic_load(&s->connections_open);
    ret->streams = atomic_load(&s->streams_open);
}
