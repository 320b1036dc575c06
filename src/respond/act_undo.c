/* Taking acts back. A token stands for everything one person did at one stroke; per incident it remembers the columns
 * that acts change, as they were, and the facts that the act added. Undoing writes them back and says so in the
 * timeline and the audit log: nothing is wiped. The time that the incident spent in the stage it was moved to stays on
 * record. */
#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"
#include "core/writer.h"
#include "respond/act_internal.h"
#include "respond/audit.h"
#include "respond/timeline.h"

#define HASH_TEXT_SIZE (2 * SHA256_SIZE + 1)
#define UNDO_KEEP_US   INT64_C(86400000000)

static void token_hash(struct slice token, char ret[HASH_TEXT_SIZE])
{
    uint8_t hash[SHA256_SIZE];
    struct writer w;

    sha256(token, hash);
    writer_init(&w, ret, HASH_TEXT_SIZE - 1);
    writer_hex(&w, slice_make(hash, sizeof hash), false);
    ret[w.len] = '\0';
}

/* Tokens of yesterday go, so that the table does not grow. */
static enum vs_err forget_old(struct store *st, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "DELETE FROM undo_item WHERE token IN (SELECT token FROM undo WHERE until_us < ?)");

    store_bind_i64(q, 1, now_us - UNDO_KEEP_US);
    enum vs_err err = store_run(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "DELETE FROM undo WHERE until_us < ?");
    store_bind_i64(q, 1, now_us - UNDO_KEEP_US);
    return store_run(q);
}

enum vs_err act_undo_open(struct store *st, const struct actor *who, const uint8_t random[ACT_TOKEN_SIZE],
                          int64_t now_us, char ret_token[2 * ACT_TOKEN_SIZE + 1])
{
    char token[2 * ACT_TOKEN_SIZE + 1], hash[HASH_TEXT_SIZE];
    struct writer w;
    enum vs_err err = forget_old(st, now_us);

    if (err != VS_OK)
        return err;
    writer_init(&w, token, sizeof token - 1);
    writer_hex(&w, slice_make(random, ACT_TOKEN_SIZE), false);
    token[w.len] = '\0';
    token_hash(slice_str(token), hash);
    struct store_stmt *q = store_prepare(st, "INSERT INTO undo (token, who, until_us) VALUES (?, ?, ?)");
    store_bind_text(q, 1, slice_str(hash));
    store_bind_text(q, 2, who->name);
    store_bind_i64(q, 3, now_us + ACT_UNDO_US);
    err = store_run(q);
    if (err == VS_OK)
        memcpy(ret_token, token, sizeof token);
    return err;
}

static void bind_time(struct store_stmt *q, int at, int64_t us)
{
    if (us != 0)
        store_bind_i64(q, at, us);
    else
        store_bind_null(q, at);
}

static enum vs_err note_confidence(struct store *st, const char *hash, int64_t number)
{
    struct store_stmt *q =
        store_prepare(st, "UPDATE undo_item SET confidence = (SELECT confidence FROM incident WHERE number = ?) "
                          "WHERE token = ? AND incident = ?");

    store_bind_i64(q, 1, number);
    store_bind_text(q, 2, slice_str(hash));
    store_bind_i64(q, 3, number);
    return store_run(q);
}

enum vs_err act_undo_note(struct store *st, const char *token, const struct incident_state *before, const char *act,
                          uint32_t facts_added)
{
    char hash[HASH_TEXT_SIZE];

    if (token == NULL)
        return VS_OK;
    token_hash(slice_str(token), hash);
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO undo_item (token, incident, version, act, stage, disposition, assignee, triaged_us, contained_us, "
        "remediated_us, closed_us, facts_added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    store_bind_text(q, 1, slice_str(hash));
    store_bind_i64(q, 2, before->number);
    store_bind_i64(q, 3, before->version + 1); /* what act_finish will make of it */
    store_bind_text(q, 4, slice_str(act));
    store_bind_i64(q, 5, before->stage);
    store_bind_i64(q, 6, before->disposition);
    if (before->assignee[0] != '\0')
        store_bind_text(q, 7, slice_str(before->assignee));
    bind_time(q, 8, before->triaged_us);
    bind_time(q, 9, before->contained_us);
    bind_time(q, 10, before->remediated_us);
    bind_time(q, 11, before->closed_us);
    store_bind_i64(q, 12, facts_added);
    enum vs_err err = store_run(q);
    return err == VS_OK ? note_confidence(st, hash, before->number) : err;
}

struct item {
    int64_t number, version, stage, facts_added;
    char act[32];
};

static enum vs_err restore(struct store *st, const char *hash, const struct item *it, int64_t now_us)
{
    static const char SQL[] =
        "UPDATE incident SET disposition = u.disposition, confidence = u.confidence, assignee = u.assignee, "
        "triaged_us = u.triaged_us, contained_us = u.contained_us, remediated_us = u.remediated_us, "
        "closed_us = u.closed_us FROM undo_item u WHERE u.token = ? AND u.incident = ? AND incident.number = ?";
    struct incident_state in;
    enum vs_err err = incident_load(st, it->number, &in);

    if (err == VS_OK && (int64_t)in.stage != it->stage)
        err = incident_enter_stage(st, it->number, (enum stage)it->stage, now_us);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, SQL);
    store_bind_text(q, 1, slice_str(hash));
    store_bind_i64(q, 2, it->number);
    store_bind_i64(q, 3, it->number);
    err = store_run(q);
    for (int f = 0; f < FACT_COUNT && err == VS_OK; f++) {
        if (!(it->facts_added & FACT_BIT(f)))
            continue;
        q = store_prepare(st, "DELETE FROM incident_fact WHERE incident = ? AND fact = ?");
        store_bind_i64(q, 1, it->number);
        store_bind_i64(q, 2, f);
        err = store_run(q);
    }
    return err;
}

static enum vs_err take_back(struct store *st, const char *hash, const struct item *it, const struct actor *who,
                             int64_t now_us, struct act_refusal *ret)
{
    struct incident_state in;
    char id[INCIDENT_ID_SIZE], text[96];
    enum vs_err err = incident_load(st, it->number, &in);

    if (err != VS_OK)
        return err;
    incident_id_text(it->number, id);
    ret->version = in.version;
    if (in.edit_version != it->version || in.merged_into != 0) {
        snprintf(text, sizeof text, "%s was changed since: it cannot be taken back any more", id);
        act_refuse(ret, text);
        return VS_ERR_REFUSED;
    }
    err = restore(st, hash, it, now_us);
    snprintf(text, sizeof text, "took back: %s", it->act);
    struct timeline_item item = {.lane = "analyst", .kind = "undo", .who = who->name, .text = slice_str(text)};
    if (err == VS_OK)
        err = timeline_add(st, it->number, &item, now_us);
    struct audit_record rec = {.who = who->name,
                               .act = SLICE_LIT("incident.undo"),
                               .object = slice_str(id),
                               .before = slice_str(it->act),
                               .source = who->source};
    if (err == VS_OK)
        err = audit_add(st, &rec, now_us, NULL);
    return err == VS_OK ? act_finish(st, it->number, true, now_us) : err;
}

/* The next item of the token after incident `after`; false when there is none. */
static bool next_item(struct store *st, const char *hash, int64_t after, struct item *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT incident, version, stage, facts_added, act FROM undo_item "
                                             "WHERE token = ? AND incident > ? ORDER BY incident LIMIT 1");

    store_bind_text(q, 1, slice_str(hash));
    store_bind_i64(q, 2, after);
    bool found = store_step(q) == VS_OK;
    if (found) {
        ret->number = store_i64(q, 0);
        ret->version = store_i64(q, 1);
        ret->stage = store_i64(q, 2);
        ret->facts_added = store_i64(q, 3);
        if (!slice_to_str(store_text(q, 4), ret->act, sizeof ret->act))
            ret->act[0] = '\0';
    }
    store_done(q);
    return found;
}

static enum vs_err check_token(struct store *st, const char *hash, const struct actor *who, int64_t now_us,
                               struct act_refusal *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT until_us FROM undo WHERE token = ? AND who = ?");

    act_refuse(ret, "there is nothing of yours to take back under this token");
    store_bind_text(q, 1, slice_str(hash));
    store_bind_text(q, 2, who->name);
    enum vs_err err = store_step(q);
    int64_t until_us = err == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    if (err != VS_OK)
        return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
    if (now_us <= until_us)
        return VS_OK;
    act_refuse(ret, "the time for taking it back is over");
    return VS_ERR_REFUSED;
}

enum vs_err act_undo(struct store *st, struct slice token, const struct actor *who, int64_t now_us,
                     struct act_refusal *ret, act_undone *each, void *ctx)
{
    char hash[HASH_TEXT_SIZE];
    struct item it = {.number = 0};

    token_hash(token, hash);
    enum vs_err err = check_token(st, hash, who, now_us, ret);
    while (err == VS_OK && next_item(st, hash, it.number, &it)) {
        err = take_back(st, hash, &it, who, now_us, ret);
        if (err == VS_OK && each != NULL)
            each(it.number, ctx);
    }
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "DELETE FROM undo_item WHERE token = ?");
    store_bind_text(q, 1, slice_str(hash));
    err = store_run(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "DELETE FROM undo WHERE token = ?");
    store_bind_text(q, 1, slice_str(hash));
    return store_run(q);
}
