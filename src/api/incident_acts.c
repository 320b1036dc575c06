/* What people do to incidents. Each handler runs one act in one transaction and answers with the row as it is then. */
#include <stdio.h>
#include <string.h>

#include "api/filter.h"
#include "api/incident_json.h"
#include "api/incident_parts.h"
#include "api/route.h"

struct act_run {
    struct call *c;
    struct actor who;
    int64_t number;
    char token[2 * ACT_TOKEN_SIZE + 1]; /* "" = cannot be taken back */
    struct act_refusal refusal;
};

/* Begins the transaction and, when the act can be taken back, its token. False: answered. */
static bool run_begin(struct act_run *r, struct call *c, bool undoable)
{
    uint8_t random[ACT_TOKEN_SIZE];

    memset(r, 0, sizeof *r);
    r->c = c;
    r->who = call_actor(c);
    r->refusal.needs_permission = -1;
    r->number = c->part[0].len > 0 ? incident_number(c->part[0]) : 0;
    if (undoable && !c->api->cfg.random(random, sizeof random, c->api->cfg.ctx)) {
        reply_fault(c, VS_ERR_IO, NULL, "no randomness for an undo token");
        return false;
    }
    enum vs_err err = store_begin(c->st);
    if (err == VS_OK && undoable)
        err = act_undo_open(c->st, &r->who, random, c->now_us, r->token);
    if (err == VS_OK)
        return true;
    store_rollback(c->st);
    reply_store_failure(c, err);
    return false;
}

/* Commits or rolls back; answers and returns false when it did not work. */
static bool run_end(struct act_run *r, enum vs_err err)
{
    if (err == VS_OK)
        err = store_commit(r->c->st);
    if (err == VS_OK)
        return true;
    store_rollback(r->c->st);
    reply_refusal(r->c, err, &r->refusal);
    return false;
}

static json_t *undo_json(const struct act_run *r)
{
    if (r->token[0] == '\0')
        return json_null();
    return json_pack("{s:s, s:o}", "token", r->token, "until", json_time(r->c->now_us + ACT_UNDO_US));
}

static void run_reply(struct act_run *r, enum vs_err err)
{
    if (!run_end(r, err))
        return;
    reply_json(
        r->c, 200,
        json_pack("{s:o, s:o}", "row", incident_row_of(r->c->st, r->number, r->c->now_us), "undo", undo_json(r)));
}

/* Only white space is no text: a form that was not filled in. */
static struct slice filled(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] > ' ')
            return s;
    return slice_make(NULL, 0);
}

static void read_facts(const json_t *body, struct act_facts *ret)
{
    for (int f = 0; f < FACT_COUNT; f++)
        ret->text[f] = filled(body_text(body, fact_code((enum fact)f)));
}

static bool deny(struct call *c, enum permission p, const char *text)
{
    struct problem problem = {.detail = text, .needs_permission = p};

    reply_problem(c, VS_ERR_FORBIDDEN, &problem);
    return false;
}

/* Who signs a risk acceptance may close with it; for anything else moving and closing are permissions of their own. */
static bool may_move(struct call *c, enum stage to, const struct act_facts *facts)
{
    if (to != STAGE_CLOSED)
        return call_may(c, PERM_INCIDENT_MOVE) || deny(c, PERM_INCIDENT_MOVE, "your roles may not move incidents");
    if (facts->text[FACT_RISK_ACCEPTANCE].len > 0)
        return call_may(c, PERM_INCIDENT_ACCEPT_RISK) ||
               deny(c, PERM_INCIDENT_ACCEPT_RISK, "a risk acceptance is signed by someone who may accept risks");
    return call_may(c, PERM_INCIDENT_CLOSE) || deny(c, PERM_INCIDENT_CLOSE, "your roles may not close incidents");
}

void incident_move(struct call *c)
{
    struct act_run r;
    struct act_facts facts;
    int to = stage_from_code(body_text(c->body, "to"));

    if (to < 0) {
        reply_fault(c, VS_ERR_RANGE, "to", "not a stage: triage, contain, investigate, patch, recover, closed");
        return;
    }
    read_facts(c->body, &facts);
    if (!may_move(c, (enum stage)to, &facts) || !run_begin(&r, c, true))
        return;
    run_reply(&r, act_move(c->st, r.number, body_integer(c->body, "version"), (enum stage)to, &facts, &r.who, r.token,
                           c->now_us, &r.refusal));
}

void incident_facts(struct call *c)
{
    struct act_run r;
    struct act_facts facts;

    if (!call_may(c, PERM_INCIDENT_ASSESS) && !call_may(c, PERM_INCIDENT_MOVE) &&
        !call_may(c, PERM_INCIDENT_ACCEPT_RISK)) {
        (void)deny(c, PERM_INCIDENT_ASSESS, "your roles may not assess incidents");
        return;
    }
    read_facts(c->body, &facts);
    if (!run_begin(&r, c, false))
        return;
    run_reply(&r, act_facts(c->st, r.number, body_integer(c->body, "version"), &facts, &r.who, c->now_us, &r.refusal));
}

/* The disposition a body names; -1 when it is none. null takes it away. */
static int read_disposition(const json_t *body)
{
    return body_has(body, "disposition") ? disposition_from_code(body_text(body, "disposition")) : DISPOSITION_NONE;
}

static bool confidence_ok(struct slice s)
{
    return s.len == 0 || slice_equal_str(s, "low") || slice_equal_str(s, "medium") || slice_equal_str(s, "high");
}

void incident_disposition(struct call *c)
{
    struct act_run r;
    int to = read_disposition(c->body);
    struct slice confidence = body_text(c->body, "confidence");

    if (to < 0) {
        reply_fault(
            c, VS_ERR_RANGE, "disposition",
            "not a disposition: malicious, research_or_test, owner_modification, hardware_fault, software_defect, "
            "benign_anomaly, or null");
        return;
    }
    if (!confidence_ok(confidence)) {
        reply_fault(c, VS_ERR_RANGE, "confidence", "low, medium or high");
        return;
    }
    if (!run_begin(&r, c, true))
        return;
    run_reply(&r, act_disposition(c->st, r.number, body_integer(c->body, "version"), (enum disposition)to,
                                  filled(body_text(c->body, "reason")), confidence, &r.who, r.token, c->now_us,
                                  &r.refusal));
}

/* "me" is who asks. */
static struct slice read_assignee(struct call *c)
{
    struct slice name = body_text(c->body, "assignee");

    return slice_equal_str(name, "me") ? slice_str(c->session.user.name) : name;
}

void incident_assign(struct call *c)
{
    struct act_run r;

    if (!run_begin(&r, c, true))
        return;
    run_reply(&r, act_assign(c->st, r.number, body_integer(c->body, "version"), read_assignee(c), &r.who, r.token,
                             c->now_us, &r.refusal));
}

void incident_comment(struct call *c)
{
    struct act_run r;
    struct slice text = filled(body_text(c->body, "text"));

    if (text.len == 0) {
        reply_fault(c, VS_ERR_RANGE, "text", "a comment needs a text");
        return;
    }
    if (!run_begin(&r, c, false))
        return;
    run_reply(&r, act_comment(c->st, r.number, text, &r.who, c->now_us, &r.refusal));
}

void incident_task(struct call *c)
{
    struct act_run r;
    struct slice state = body_text(c->body, "state");
    char digits[24];
    int64_t task = 0;
    const char *to = slice_equal_str(state, "done") ? "done" : slice_equal_str(state, "declined") ? "declined" : NULL;

    if (to == NULL) {
        reply_fault(c, VS_ERR_RANGE, "state", "done or declined");
        return;
    }
    if (!slice_to_str(c->part[1], digits, sizeof digits) || filter_number(digits, INT64_MAX, &task) != VS_OK) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "the incident has no such task");
        return;
    }
    if (!run_begin(&r, c, false))
        return;
    run_reply(&r,
              act_task(c->st, r.number, task, to, filled(body_text(c->body, "note")), &r.who, c->now_us, &r.refusal));
}

/* ---- undo */

struct undone {
    struct call *c;
    json_t *rows;
};

static void add_undone(int64_t number, void *ctx)
{
    struct undone *u = ctx;

    json_array_append_new(u->rows, incident_row_of(u->c->st, number, u->c->now_us));
}

void incident_undo(struct call *c)
{
    struct act_run r;
    struct undone u = {c, json_array()};

    if (run_begin(&r, c, false)) {
        enum vs_err err = act_undo(c->st, body_text(c->body, "token"), &r.who, c->now_us, &r.refusal, add_undone, &u);
        if (run_end(&r, err)) {
            reply_json(c, 200, json_pack("{s:o}", "rows", u.rows));
            return;
        }
    }
    json_decref(u.rows);
}
