/* One act on many incidents: each is done or refused by itself, one token takes all of them back. A refused act has
 * written nothing, so the others stay; a failure of the store takes everything back. */
#include <stdio.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/route.h"

enum bulk_op { BULK_ASSIGN, BULK_DISPOSITION, BULK_COMMENT };

struct bulk {
    struct call *c;
    struct actor who;
    enum bulk_op op;
    enum disposition disposition;
    struct slice assignee, reason, text;
    char token[2 * ACT_TOKEN_SIZE + 1];
};

/* Reads what is common to all items. False: answered. */
static bool read_op(struct call *c, struct bulk *b)
{
    static const struct {
        const char *name;
        enum bulk_op op;
        enum permission permission;
    } OPS[] = {{"assign", BULK_ASSIGN, PERM_INCIDENT_ACT},
               {"disposition", BULK_DISPOSITION, PERM_INCIDENT_ACT},
               {"comment", BULK_COMMENT, PERM_INCIDENT_COMMENT}};
    struct slice name = body_text(c->body, "op");

    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++) {
        if (!slice_equal_str(name, OPS[i].name))
            continue;
        b->op = OPS[i].op;
        if (call_may(c, OPS[i].permission))
            return true;
        struct problem p = {.detail = "none of your roles may do this", .needs_permission = OPS[i].permission};
        reply_problem(c, VS_ERR_FORBIDDEN, &p);
        return false;
    }
    reply_fault(c, VS_ERR_RANGE, "op", "assign, disposition or comment");
    return false;
}

static bool read_values(struct call *c, struct bulk *b)
{
    int d =
        body_has(c->body, "disposition") ? disposition_from_code(body_text(c->body, "disposition")) : DISPOSITION_NONE;

    b->assignee = body_text(c->body, "assignee");
    if (slice_equal_str(b->assignee, "me"))
        b->assignee = slice_str(c->session.user.name);
    b->reason = body_text(c->body, "reason");
    b->text = body_text(c->body, "text");
    if (b->op == BULK_DISPOSITION && d < 0) {
        reply_fault(c, VS_ERR_RANGE, "disposition", "not a disposition");
        return false;
    }
    if (b->op == BULK_COMMENT && b->text.len == 0) {
        reply_fault(c, VS_ERR_RANGE, "text", "a comment needs a text");
        return false;
    }
    b->disposition = (enum disposition)d;
    return true;
}

static enum vs_err do_item(struct bulk *b, int64_t number, int64_t version, struct act_refusal *ret)
{
    struct call *c = b->c;
    const char *token = b->token;

    switch (b->op) {
    case BULK_ASSIGN:
        return act_assign(c->st, number, version, b->assignee, &b->who, token, c->now_us, ret);
    case BULK_DISPOSITION:
        return act_disposition(c->st, number, version, b->disposition, b->reason, slice_make(NULL, 0), &b->who, token,
                               c->now_us, ret);
    case BULK_COMMENT:
        return act_comment(c->st, number, b->text, &b->who, c->now_us, ret);
    }
    return VS_ERR_UNSUPPORTED;
}

/* Codes that a single item may have without the whole failing. */
static bool of_item(enum vs_err err)
{
    return err == VS_ERR_NOT_FOUND || err == VS_ERR_CONFLICT || err == VS_ERR_REFUSED || err == VS_ERR_FORBIDDEN;
}

static bool named_before(const json_t *items, size_t at, int64_t number)
{
    for (size_t i = 0; i < at; i++)
        if (incident_number(body_text(json_array_get(items, i), "id")) == number)
            return true;
    return false;
}

static enum vs_err do_all(struct bulk *b, json_t *results)
{
    json_t *items = json_object_get(b->c->body, "items"), *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        struct slice id = body_text(item, "id");
        int64_t number = incident_number(id);
        struct act_refusal refusal = {.why = ""};
        enum vs_err err = VS_ERR_REFUSED;
        if (number != 0 && named_before(items, i, number))
            snprintf(refusal.why, sizeof refusal.why, "named twice");
        else
            err = do_item(b, number, body_integer(item, "version"), &refusal);
        if (err != VS_OK && !of_item(err))
            return err;
        json_t *row = incident_row_of(b->c->st, number, b->c->now_us);
        json_array_append_new(results, json_pack("{s:o, s:s, s:o, s:o}", "id", json_slice(id), "code",
                                                 vs_err_info(err)->name, "detail", json_slice(slice_str(refusal.why)),
                                                 "row", row != NULL ? row : json_null()));
    }
    return VS_OK;
}

static bool any_done(const json_t *results)
{
    size_t i;
    json_t *r;

    json_array_foreach(results, i, r) if (strcmp(json_string_value(json_object_get(r, "code")), "ok") == 0) return true;
    return false;
}

static void answer(struct bulk *b, json_t *results, bool undoable)
{
    json_t *undo = json_null();

    if (undoable && any_done(results))
        undo = json_pack("{s:s, s:o}", "token", b->token, "until", json_time(b->c->now_us + ACT_UNDO_US));
    reply_json(b->c, 200, json_pack("{s:o, s:o}", "results", results, "undo", undo));
}

void incident_bulk(struct call *c)
{
    struct bulk b = {.c = c, .who = call_actor(c)};
    uint8_t random[ACT_TOKEN_SIZE];
    bool dry = body_boolean(c->body, "dry_run");

    if (!read_op(c, &b) || !read_values(c, &b))
        return;
    if (!c->api->cfg.random(random, sizeof random, c->api->cfg.ctx)) {
        reply_fault(c, VS_ERR_IO, NULL, "no randomness for an undo token");
        return;
    }
    json_t *results = json_array();
    enum vs_err err = store_begin(c->st);
    if (err == VS_OK)
        err = act_undo_open(c->st, &b.who, random, c->now_us, b.token);
    if (err == VS_OK)
        err = do_all(&b, results);
    if (err == VS_OK && dry)
        store_rollback(c->st); /* what would have been, and nothing is */
    else if (err == VS_OK)
        err = store_commit(c->st);
    if (err != VS_OK) {
        store_rollback(c->st);
        json_decref(results);
        reply_store_failure(c, err);
        return;
    }
    answer(&b, results, !dry && b.op != BULK_COMMENT);
}
