/* Logging in and out, and who one is. */
#include <stdio.h>
#include <string.h>

#include "api/route.h"

/* The cookie: not readable by scripts, not sent by other sites, over TLS only when there is TLS. */
static void set_cookie(struct call *c, const char *token, int64_t max_age_s)
{
    char text[192];

    snprintf(text, sizeof text, "vsoc_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", token,
             (long long)max_age_s, c->api->cfg.tls ? "; Secure" : "");
    http_add_header(c->rq, "Set-Cookie", text);
}

static json_t *role_list(uint32_t roles)
{
    json_t *list = json_array();

    for (int r = 0; r < ROLE_COUNT; r++)
        if (roles & ROLE_BIT(r))
            json_array_append_new(list, json_string(role_code((enum role)r)));
    return list;
}

static json_t *me_json(const struct session *s)
{
    json_t *permissions = json_array(), *o = json_object();
    uint32_t bits = roles_permissions(s->user.roles);

    for (int p = 0; p < PERM_COUNT; p++)
        if (bits & PERM_BIT(p))
            json_array_append_new(permissions, json_string(permission_code((enum permission)p)));
    json_object_set_new(o, "user", json_string(s->user.name));
    json_object_set_new(o, "display", json_slice(slice_str(s->user.display)));
    json_object_set_new(o, "roles", role_list(s->user.roles));
    json_object_set_new(o, "permissions", permissions);
    json_object_set_new(o, "csrf_token", json_string(s->csrf));
    json_object_set_new(o, "expires", json_time(s->expires_us));
    return o;
}

void session_login(struct call *c)
{
    uint8_t random[2 * USERS_TOKEN_SIZE];
    char token[USERS_TOKEN_TEXT];
    int64_t retry_s = 0;

    if (!c->api->cfg.random(random, sizeof random, c->api->cfg.ctx)) {
        reply_fault(c, VS_ERR_IO, NULL, "no randomness for a session");
        return;
    }
    enum vs_err err =
        users_login(c->st, body_text(c->body, "user"), body_text(c->body, "password"),
                    slice_str(http_client_address(c->rq)), random, c->now_us, token, &c->session, &retry_s);
    if (err == VS_OK) {
        set_cookie(c, token, USERS_SESSION_US / 1000000);
        reply_json(c, 200, me_json(&c->session));
        return;
    }
    struct problem p = {.needs_permission = -1, .retry_after_s = retry_s};
    if (err == VS_ERR_AUTH)
        p.detail = "user or password is wrong";
    else if (err == VS_ERR_QUOTA)
        p.detail = "too many failed logins; wait before trying again";
    reply_problem(c, err, &p);
}

void session_logout(struct call *c)
{
    const char *cookie = http_cookie(c->rq, "vsoc_session");
    enum vs_err err = users_logout(c->st, slice_str(cookie), slice_str(http_client_address(c->rq)), c->now_us);

    if (err != VS_OK) {
        reply_store_failure(c, err);
        return;
    }
    set_cookie(c, "", 0);
    reply_empty(c, 204);
}

void session_me(struct call *c)
{
    reply_json(c, 200, me_json(&c->session));
}

void session_users(struct call *c)
{
    struct store_stmt *q = store_prepare(
        c->st, "SELECT name, display, roles FROM app_user WHERE disabled = 0 ORDER BY display, name LIMIT 500");
    json_t *list = json_array();

    while (store_step(q) == VS_OK) {
        uint32_t roles = 0;
        if (!roles_parse(store_text(q, 2), &roles) || !(roles_permissions(roles) & PERM_BIT(PERM_INCIDENT_READ)))
            continue;
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "user", json_slice(store_text(q, 0)), "display",
                                              json_slice(store_text(q, 1)), "roles", role_list(roles)));
    }
    store_done(q);
    reply_json(c, 200, json_pack("{s:o}", "users", list));
}
