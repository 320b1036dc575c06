#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/event_log.h"
#include "api/health.h"
#include "api/route.h"
#include "api/static_files.h"
#include "core/writer.h"

#define PREFIX     "/api/v1"
#define PREFIX_LEN (sizeof PREFIX - 1)

enum vs_err api_new(const struct api_config *cfg, struct api **ret, struct api_error *ret_error)
{
    struct api *a = calloc(1, sizeof *a);
    enum vs_err err = VS_OK;

    if (a == NULL)
        return VS_ERR_NO_MEMORY;
    a->cfg = *cfg;
    a->health = calloc(1, sizeof *a->health);
    err = a->health != NULL ? event_log_new(cfg->log_address, &a->log) : VS_ERR_NO_MEMORY;
    if (err == VS_OK && cfg->console_dir != NULL && cfg->console_dir[0] != '\0')
        err = static_files_load(cfg->console_dir, &a->files, ret_error->text, sizeof ret_error->text);
    if (err != VS_OK) {
        api_free(a);
        return err;
    }
    *ret = a;
    return VS_OK;
}

void api_free(struct api *a)
{
    if (a == NULL)
        return;
    static_files_free(a->files);
    event_log_free(a->log);
    free(a->health);
    free(a);
}

/* A call that knows its time and its id. */
static void start(struct call *c, struct http_request *rq, struct api *a)
{
    uint8_t id[(CALL_REQUEST_ID_SIZE - 1) / 2] = {0};
    struct writer w;

    memset(c, 0, sizeof *c);
    c->api = a;
    c->rq = rq;
    c->st = a->cfg.store;
    c->now_us = a->cfg.now_us(a->cfg.ctx);
    a->requests++;
    /* An id is for finding the call again; without randomness the count of calls has to do. */
    if (!a->cfg.random(id, sizeof id, a->cfg.ctx))
        memcpy(id, &a->requests, sizeof a->requests);
    writer_init(&w, c->request_id, sizeof c->request_id - 1);
    writer_hex(&w, slice_make(id, sizeof id), false);
    c->request_id[w.len] = '\0';
}

void api_refuse(struct http_request *rq, enum vs_err err, const char *reason, void *ctx)
{
    struct call c;

    start(&c, rq, ctx);
    reply_fault(&c, err, NULL, reason);
}

/* Answers and returns false when there is no session. */
static bool need_session(struct call *c)
{
    const char *cookie = http_cookie(c->rq, "vsoc_session");

    if (cookie != NULL) {
        enum vs_err err = users_session(c->st, slice_str(cookie), c->now_us, &c->session);
        if (err == VS_OK) {
            c->has_session = true;
            c->permissions = roles_permissions(c->session.user.roles);
            return true;
        }
        if (err != VS_ERR_AUTH) {
            reply_store_failure(c, err);
            return false;
        }
    }
    reply_fault(c, VS_ERR_AUTH, NULL,
                cookie == NULL ? "no session: log in first" : "the session is over: log in again");
    return false;
}

static bool need_csrf(struct call *c)
{
    const char *token = http_header(c->rq, "X-CSRF-Token");

    if (token != NULL && users_csrf_ok(&c->session, slice_str(token)))
        return true;
    reply_fault(c, VS_ERR_FORBIDDEN, NULL,
                token == NULL ? "the header X-CSRF-Token is missing; GET /me tells the token"
                              : "the header X-CSRF-Token is not of this session; GET /me tells the token");
    return false;
}

static bool need_permission(struct call *c, int permission)
{
    char text[160];

    if (permission < 0 || call_may(c, (enum permission)permission))
        return true;
    snprintf(text, sizeof text, "this needs the permission %s, which none of your roles has",
             permission_code((enum permission)permission));
    struct problem p = {.detail = text, .needs_permission = permission};
    reply_problem(c, VS_ERR_FORBIDDEN, &p);
    return false;
}

/* A changing call must say that it sends JSON: no form of another site can. */
static bool need_body(struct call *c, const struct body_field *field)
{
    struct body_fault fault;
    const char *type = http_header(c->rq, "Content-Type");

    if (type == NULL || strncmp(type, "application/json", 16) != 0 ||
        (type[16] != '\0' && type[16] != ';' && type[16] != ' ')) {
        reply_fault(c, VS_ERR_MALFORMED, NULL, "the header Content-Type must be application/json");
        return false;
    }
    enum vs_err err = body_parse(http_body(c->rq), field, &c->body, &fault);
    if (err == VS_OK)
        return true;
    reply_fault(c, err, fault.field[0] != '\0' ? fault.field : NULL, fault.text);
    return false;
}

static void serve_api(struct call *c, const char *path)
{
    bool other;
    const char *method = http_method(c->rq);
    const struct route *r = route_find(method, path, c->part, &other);

    if (r == NULL) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL,
                    other ? "the address exists, but not with this method" : "there is no such address");
        return;
    }
    bool changes = strcmp(method, "GET") != 0;
    if (r->permission != ROUTE_PUBLIC && !need_session(c))
        return;
    if (r->permission != ROUTE_PUBLIC && changes && !need_csrf(c))
        return;
    if (!need_permission(c, r->permission))
        return;
    if (r->body != NULL && !need_body(c, r->body))
        return;
    r->handler(c);
}

void api_handle(struct http_request *rq, void *ctx)
{
    struct api *a = ctx;
    struct call c;
    const char *path = http_path(rq);

    start(&c, rq, a);
    if (strncmp(path, PREFIX, PREFIX_LEN) == 0 && (path[PREFIX_LEN] == '/' || path[PREFIX_LEN] == '\0'))
        serve_api(&c, path + PREFIX_LEN);
    else if (strncmp(path, "/api/", 5) == 0)
        reply_fault(&c, VS_ERR_NOT_FOUND, NULL, "the only version of the API is /api/v1");
    else
        static_files_serve(&c);
}
