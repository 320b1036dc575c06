/* Starting and stopping, and the life of a connection; requests are in http_request.c. */
#include "base/http/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/http/http_internal.h"

#define CONNECTION_POOL 65536 /* bytes for headers and buffers of one connection */
#define STOP_STEP_MS    5
#define TLS_PRIORITIES  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define MHD_OPTIONS_MAX 16

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
    return MHD_start_daemon(flags, cfg->port, NULL, NULL, http_request_take, s, MHD_OPTION_EXTERNAL_LOGGER, log_line, s,
                            MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
                            connection_changed, s, MHD_OPTION_ARRAY, list, MHD_OPTION_END);
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
        return strstr(s->log, "bind") != NULL ? VS_ERR_NET : VS_ERR_CONFIG;
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
