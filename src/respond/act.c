#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "respond/act_internal.h"
#include "respond/audit.h"
#include "respond/roles.h"
#include "respond/timeline.h"
#include "respond/users.h"

void act_refuse(struct act_refusal *ret, const char *why)
{
    ret->missing = 0;
    ret->needs_permission = -1;
    snprintf(ret->why, sizeof ret->why, "%s", why);
}

/* Loads the incident and checks that nobody acted since `version`; version -1 = whatever it is. */
static enum vs_err begin(struct store *st, int64_t number, int64_t version, struct incident_state *in,
                         struct act_refusal *ret)
{
    char text[ACT_WHY_SIZE], id[INCIDENT_ID_SIZE];
    enum vs_err err = incident_load(st, number, in);

    act_refuse(ret, "");
    if (err == VS_ERR_NOT_FOUND)
        act_refuse(ret, "there is no such incident");
    if (err != VS_OK)
        return err;
    ret->version = in->version;
    if (in->merged_into != 0) {
        incident_id_text(in->merged_into, id);
        snprintf(text, sizeof text, "it was merged into %s: act on that one", id);
        act_refuse(ret, text);
        return VS_ERR_CONFLICT;
    }
    if (version != -1 && (version < in->edit_version || version > in->version)) {
        snprintf(text, sizeof text, "somebody acted on it: it has version %" PRId64 ", the act names %" PRId64,
                 in->version, version);
        act_refuse(ret, text);
        return VS_ERR_CONFLICT;
    }
    return VS_OK;
}

enum vs_err act_finish(struct store *st, int64_t number, bool edit, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st, edit ? "UPDATE incident SET edit_version = version + 1, ack_us = coalesce(ack_us, ?) WHERE number = ?"
                 : "UPDATE incident SET ack_us = coalesce(ack_us, ?) WHERE number = ?");

    store_bind_i64(q, 1, now_us);
    store_bind_i64(q, 2, number);
    enum vs_err err = store_run(q);
    return err == VS_OK ? incident_refresh(st, number, now_us) : err;
}

/* One act in the timeline and in the audit log. */
struct record {
    const char *act, *kind, *lane;
    struct slice text, before, after, reason;
};

static enum vs_err record(struct store *st, int64_t number, const struct record *r, const struct actor *who,
                          int64_t now_us)
{
    char id[INCIDENT_ID_SIZE];
    struct timeline_item item = {
        .lane = r->lane, .kind = r->kind, .who = who->name, .text = r->text, .detail = r->reason};

    incident_id_text(number, id);
    struct audit_record rec = {.who = who->name,
                               .act = slice_str(r->act),
                               .object = slice_str(id),
                               .before = r->before,
                               .after = r->after,
                               .reason = r->reason,
                               .source = who->source};
    enum vs_err err = timeline_add(st, number, &item, now_us);
    return err == VS_OK ? audit_add(st, &rec, now_us, NULL) : err;
}

/* ---- facts */

static uint32_t given(const struct act_facts *facts)
{
    uint32_t bits = 0;

    for (int f = 0; f < FACT_COUNT; f++)
        if (facts->text[f].len > 0)
            bits |= FACT_BIT(f);
    return bits;
}

static enum vs_err keep_facts(struct store *st, int64_t number, const struct act_facts *facts, const struct actor *who,
                              int64_t now_us)
{
    enum vs_err err = VS_OK;

    for (int f = FACT_REASON + 1; f < FACT_COUNT && err == VS_OK; f++) {
        if (facts->text[f].len == 0)
            continue;
        struct store_stmt *q =
            store_prepare(st, "INSERT INTO incident_fact (incident, fact, text, who, at_us) VALUES (?, ?, ?, ?, ?) "
                              "ON CONFLICT (incident, fact) DO UPDATE SET text = excluded.text, who = excluded.who, "
                              "at_us = excluded.at_us");
        store_bind_i64(q, 1, number);
        store_bind_i64(q, 2, f);
        store_bind_text(q, 3, facts->text[f]);
        store_bind_text(q, 4, who->name);
        store_bind_i64(q, 5, now_us);
        err = store_run(q);
        struct record r = {.act = "incident.fact",
                           .kind = "fact.recorded",
                           .lane = "analyst",
                           .text = slice_str(fact_code((enum fact)f)),
                           .after = slice_str(fact_code((enum fact)f)),
                           .reason = facts->text[f]};
        if (err == VS_OK)
            err = record(st, number, &r, who, now_us);
    }
    return err;
}

static enum vs_err may_sign(const struct act_facts *facts, const struct actor *who, struct act_refusal *ret)
{
    if (facts->text[FACT_RISK_ACCEPTANCE].len == 0 || (who->permissions & PERM_BIT(PERM_INCIDENT_ACCEPT_RISK)) != 0)
        return VS_OK;
    act_refuse(ret, "a risk acceptance is signed by someone who may accept risks");
    ret->needs_permission = PERM_INCIDENT_ACCEPT_RISK;
    return VS_ERR_FORBIDDEN;
}

enum vs_err act_facts(struct store *st, int64_t number, int64_t version, const struct act_facts *facts,
                      const struct actor *who, int64_t now_us, struct act_refusal *ret)
{
    struct incident_state in;
    enum vs_err err = begin(st, number, version, &in, ret);

    if (err == VS_OK)
        err = may_sign(facts, who, ret);
    if (err == VS_OK && in.stage == STAGE_CLOSED) {
        act_refuse(ret, "It is closed: reopen it first.");
        err = VS_ERR_REFUSED;
    }
    if (err == VS_OK)
        err = keep_facts(st, number, facts, who, now_us);
    return err == VS_OK ? act_finish(st, number, true, now_us) : err;
}

/* ---- moves */

enum vs_err act_move(struct store *st, int64_t number, int64_t version, enum stage to, const struct act_facts *facts,
                     const struct actor *who, const char *token, int64_t now_us, struct act_refusal *ret)
{
    struct incident_state in;
    const char *why;
    uint32_t missing = 0, now_given = given(facts);
    char text[96];
    enum vs_err err = begin(st, number, version, &in, ret);

    if (err == VS_OK)
        err = may_sign(facts, who, ret);
    if (err != VS_OK)
        return err;
    err = lifecycle_check(in.stage, to, in.disposition, in.facts | now_given, &why, &missing);
    if (err != VS_OK) {
        act_refuse(ret, why);
        ret->missing = missing;
        return err;
    }
    snprintf(text, sizeof text, "moved from %s to %s", stage_code(in.stage), stage_code(to));
    struct record r = {.act = "incident.move",
                       .kind = "stage.moved",
                       .lane = "analyst",
                       .text = slice_str(text),
                       .before = slice_str(stage_code(in.stage)),
                       .after = slice_str(stage_code(to)),
                       .reason = facts->text[FACT_REASON]};
    err = act_undo_note(st, token, &in, "move", now_given & ~in.facts & ~FACT_BIT(FACT_REASON));
    if (err == VS_OK)
        err = keep_facts(st, number, facts, who, now_us);
    if (err == VS_OK)
        err = incident_enter_stage(st, number, to, now_us);
    if (err == VS_OK)
        err = record(st, number, &r, who, now_us);
    return err == VS_OK ? act_finish(st, number, true, now_us) : err;
}

/* ---- disposition */

static enum vs_err write_disposition(struct store *st, int64_t number, enum disposition to, struct slice confidence,
                                     int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "UPDATE incident SET disposition = ?, confidence = ?, "
                                             "triaged_us = CASE WHEN ? = 0 THEN NULL ELSE coalesce(triaged_us, ?) END "
                                             "WHERE number = ?");

    store_bind_i64(q, 1, to);
    if (confidence.len > 0)
        store_bind_text(q, 2, confidence);
    store_bind_i64(q, 3, to);
    store_bind_i64(q, 4, now_us);
    store_bind_i64(q, 5, number);
    return store_run(q);
}

static struct slice disposition_text(enum disposition d)
{
    return d == DISPOSITION_NONE ? slice_make(NULL, 0) : slice_str(disposition_code(d));
}

enum vs_err act_disposition(struct store *st, int64_t number, int64_t version, enum disposition to, struct slice reason,
                            struct slice confidence, const struct actor *who, const char *token, int64_t now_us,
                            struct act_refusal *ret)
{
    struct incident_state in;
    const char *why;
    char text[96];
    enum vs_err err = begin(st, number, version, &in, ret);

    if (err != VS_OK)
        return err;
    err = lifecycle_disposition(in.stage, in.disposition, to, reason.len > 0, &why);
    if (err != VS_OK) {
        act_refuse(ret, why);
        return err;
    }
    snprintf(text, sizeof text, "disposition %s", to == DISPOSITION_NONE ? "taken away" : disposition_code(to));
    struct record r = {.act = "incident.disposition",
                       .kind = "disposition.set",
                       .lane = "analyst",
                       .text = slice_str(text),
                       .before = disposition_text(in.disposition),
                       .after = disposition_text(to),
                       .reason = reason};
    err = act_undo_note(st, token, &in, "disposition", 0);
    if (err == VS_OK)
        err = write_disposition(st, number, to, confidence, now_us);
    if (err == VS_OK)
        err = record(st, number, &r, who, now_us);
    return err == VS_OK ? act_finish(st, number, true, now_us) : err;
}

/* ---- assign and comment */

enum vs_err act_assign(struct store *st, int64_t number, int64_t version, struct slice assignee,
                       const struct actor *who, const char *token, int64_t now_us, struct act_refusal *ret)
{
    struct incident_state in;
    struct user user;
    char text[USERS_NAME_MAX + 32];
    enum vs_err err = begin(st, number, version, &in, ret);

    if (err == VS_OK && assignee.len > 0) {
        err = users_find(st, assignee, &user);
        if (err == VS_ERR_NOT_FOUND)
            act_refuse(ret, "there is no such user to assign it to");
        else if (err == VS_OK && !(roles_permissions(user.roles) & PERM_BIT(PERM_INCIDENT_READ))) {
            act_refuse(ret, "that user may not read incidents, so cannot work on one");
            err = VS_ERR_REFUSED;
        }
    }
    if (err != VS_OK)
        return err;
    snprintf(text, sizeof text, "%s%s", assignee.len > 0 ? "assigned to " : "assigned to nobody",
             assignee.len > 0 ? user.name : "");
    struct record r = {.act = "incident.assign",
                       .kind = "assigned",
                       .lane = "analyst",
                       .text = slice_str(text),
                       .before = in.assignee[0] != '\0' ? slice_str(in.assignee) : slice_make(NULL, 0),
                       .after = assignee.len > 0 ? assignee : slice_make(NULL, 0)};
    err = act_undo_note(st, token, &in, "assign", 0);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE incident SET assignee = ? WHERE number = ?");
    if (assignee.len > 0)
        store_bind_text(q, 1, assignee);
    store_bind_i64(q, 2, number);
    err = store_run(q);
    if (err == VS_OK)
        err = record(st, number, &r, who, now_us);
    return err == VS_OK ? act_finish(st, number, true, now_us) : err;
}

enum vs_err act_comment(struct store *st, int64_t number, struct slice text, const struct actor *who, int64_t now_us,
                        struct act_refusal *ret)
{
    struct incident_state in;
    enum vs_err err = begin(st, number, -1, &in, ret);

    if (err != VS_OK)
        return err;
    struct record r = {
        .act = "incident.comment", .kind = "comment", .lane = "comment", .text = SLICE_LIT("comment"), .reason = text};
    err = record(st, number, &r, who, now_us);
    return err == VS_OK ? act_finish(st, number, false, now_us) : err;
}

/* ---- tasks */

enum vs_err act_task(struct store *st, int64_t number, int64_t task, const char *state, struct slice note,
                     const struct actor *who, int64_t now_us, struct act_refusal *ret)
{
    struct incident_state in;
    char text[INCIDENT_TEXT_SIZE] = "";
    bool open = false;
    enum vs_err err = begin(st, number, -1, &in, ret);

    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "SELECT title, ended_us FROM task WHERE id = ? AND incident = ?");
    store_bind_i64(q, 1, task);
    store_bind_i64(q, 2, number);
    err = store_step(q);
    if (err == VS_OK) {
        open = store_is_null(q, 1);
        snprintf(text, sizeof text, "task %s: %.*s", state, (int)store_text(q, 0).len,
                 (const char *)store_text(q, 0).ptr);
    }
    store_done(q);
    if (err != VS_OK || !open) {
        act_refuse(ret, err == VS_OK ? "the task has ended already" : "the incident has no such task");
        return err == VS_OK ? VS_ERR_REFUSED : err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
    }
    q = store_prepare(st, "UPDATE task SET state = ?, ended_us = ?, ended_by = ?, note = ? WHERE id = ?");
    store_bind_text(q, 1, slice_str(state));
    store_bind_i64(q, 2, now_us);
    store_bind_text(q, 3, who->name);
    store_bind_text(q, 4, note);
    store_bind_i64(q, 5, task);
    err = store_run(q);
    struct record r = {.act = "incident.task",
                       .kind = "task.ended",
                       .lane = "analyst",
                       .text = slice_str(text),
                       .after = slice_str(state),
                       .reason = note};
    if (err == VS_OK)
        err = record(st, number, &r, who, now_us);
    return err == VS_OK ? act_finish(st, number, false, now_us) : err;
}
