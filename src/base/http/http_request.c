/* libmicrohttpd calls http_request_take several times for one request: first with its headers, then with each part of
 * the body, then once more when the body is complete. The handler is called at that last time. When it answers later,
 * the connection is suspended meanwhile; resuming it makes the library call it again, which finds the answer ready.
 *
 * A request that is refused (too large, no certificate) is still read to its end, up to DRAIN_FACTOR times the limit,
 * because closing a socket with unread bytes would throw away the answer on its way to the client. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/http/http_internal.h"

#define DRAIN_FACTOR    4
#define BODY_SIZE_FIRST 16384

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
void http_request_completed(void *cls, struct MHD_Connection *mc, void **con_cls, enum MHD_RequestTerminationCode code)
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

enum MHD_Result http_request_take(void *cls, struct MHD_Connection *mc, const char *url, const char *method,
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
