#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "core/timestamp.h"
#include "core/utf8.h"

#define JSON_TYPE    "application/json"
#define PROBLEM_TYPE "application/problem+json"

struct actor call_actor(struct call *c)
{
    struct actor who = {.name = slice_str(c->session.user.name),
                        .permissions = c->permissions,
                        .source = slice_str(http_client_address(c->rq))};
    return who;
}

static void send_json(struct call *c, int status, const char *type, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    json_decref(value);
    json_decref(c->body);
    c->body = NULL;
    http_add_header(c->rq, "X-Request-Id", c->request_id);
    http_add_header(c->rq, "X-Content-Type-Options", "nosniff");
    http_add_header(c->rq, "Cache-Control", "no-store");
    http_reply(c->rq, text != NULL ? status : 503, type, slice_str(text));
    free(text);
}

void reply_json(struct call *c, int status, json_t *value)
{
    send_json(c, status, JSON_TYPE, value);
}

void reply_empty(struct call *c, int status)
{
    json_decref(c->body);
    c->body = NULL;
    http_add_header(c->rq, "X-Request-Id", c->request_id);
    http_add_header(c->rq, "Cache-Control", "no-store");
    http_reply(c->rq, status, NULL, slice_make(NULL, 0));
}

static json_t *fact_list(uint32_t facts)
{
    json_t *list = json_array();

    for (int f = 0; f < FACT_COUNT; f++)
        if (facts & FACT_BIT(f))
            json_array_append_new(list, json_string(fact_code((enum fact)f)));
    return list;
}

static void add_needs(json_t *o, int permission)
{
    uint32_t roles = permission_roles((enum permission)permission);
    json_t *list = json_array();

    for (int r = 0; r < ROLE_COUNT; r++)
        if (roles & ROLE_BIT(r))
            json_array_append_new(list, json_string(role_code((enum role)r)));
    json_object_set_new(o, "needs_permission", json_string(permission_code((enum permission)permission)));
    json_object_set_new(o, "needs_role", list);
}

void reply_problem(struct call *c, enum vs_err err, const struct problem *p)
{
    const struct vs_err_info *info = vs_err_info(err);
    char type[64], seconds[24];
    json_t *o = json_object();

    snprintf(type, sizeof type, "/docs/errors#%s", info->name);
    json_object_set_new(o, "type", json_string(type));
    json_object_set_new(o, "title", json_string(info->text));
    json_object_set_new(o, "status", json_integer(info->http));
    json_object_set_new(o, "code", json_string(info->name));
    json_object_set_new(o, "detail", json_slice(slice_str(p->detail != NULL ? p->detail : info->text)));
    json_object_set_new(o, "next", json_string(info->next));
    json_object_set_new(o, "request_id", json_string(c->request_id));
    json_object_set_new(o, "retry", json_boolean(info->retry));
    if (p->field != NULL)
        json_object_set_new(o, "field", json_slice(slice_str(p->field)));
    if (p->missing != 0)
        json_object_set_new(o, "missing", fact_list(p->missing));
    if (p->needs_permission >= 0)
        add_needs(o, p->needs_permission);
    if (p->version != 0)
        json_object_set_new(o, "version", json_integer(p->version));
    if (info->retry) {
        snprintf(seconds, sizeof seconds, "%" PRId64, p->retry_after_s > 0 ? p->retry_after_s : 1);
        http_add_header(c->rq, "Retry-After", seconds);
    }
    send_json(c, info->http, PROBLEM_TYPE, o);
}

void reply_fault(struct call *c, enum vs_err err, const char *field, const char *detail)
{
    struct problem p = {.detail = detail, .field = field, .needs_permission = -1};

    reply_problem(c, err, &p);
}

void reply_refusal(struct call *c, enum vs_err err, const struct act_refusal *r)
{
    struct problem p = {.detail = r->why[0] != '\0' ? r->why : NULL,
                        .missing = r->missing,
                        .needs_permission = r->needs_permission,
                        .version = err == VS_ERR_CONFLICT ? r->version : 0};

    reply_problem(c, err, &p);
}

void reply_store_failure(struct call *c, enum vs_err err)
{
    reply_fault(c, err, NULL, err == VS_ERR_BUSY ? "another writer holds the database" : NULL);
}

json_t *json_slice(struct slice s)
{
    if (utf8_valid(s))
        return json_stringn(s.len > 0 ? (const char *)s.ptr : "", s.len);
    /* Bytes that are no text come from outside: shown as what they are not. */
    json_t *value;
    char *text = malloc(3 * s.len + 1);
    size_t len = 0, n;

    if (text == NULL)
        return json_string("");
    for (size_t i = 0; i<s.len; i += n> 0 ? n : 1) {
        n = utf8_length(slice_from(s, i));
        memcpy(text + len, n > 0 ? (const char *)s.ptr + i : "\xef\xbf\xbd", n > 0 ? n : 3);
        len += n > 0 ? n : 3;
    }
    value = json_stringn(text, len);
    free(text);
    return value;
}

json_t *json_slice_or_null(struct slice s)
{
    return s.len > 0 ? json_slice(s) : json_null();
}

json_t *json_time(int64_t us)
{
    char text[TIMESTAMP_TEXT_LEN + 1];
    struct writer w;

    writer_init(&w, text, sizeof text);
    timestamp_write(&w, us);
    return json_stringn(text, w.len);
}

json_t *json_time_or_null(int64_t us)
{
    return us != 0 ? json_time(us) : json_null();
}

json_t *json_column(struct store_stmt *q, int at)
{
    return store_is_null(q, at) ? json_null() : json_slice(store_text(q, at));
}

json_t *json_time_column(struct store_stmt *q, int at)
{
    return store_is_null(q, at) ? json_null() : json_time(store_i64(q, at));
}

json_t *json_total(int64_t value)
{
    return json_pack("{s:I, s:s}", "value", (json_int_t)value, "relation", "eq");
}
