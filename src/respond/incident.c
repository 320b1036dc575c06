#include <inttypes.h>
#include <stdio.h>

#include "respond/audit.h"
#include "respond/incident.h"
#include "respond/timeline.h"
#include "store/change.h"

#define NUMBER_DIGITS_MAX 18

void incident_id_text(int64_t number, char ret[INCIDENT_ID_SIZE])
{
    snprintf(ret, INCIDENT_ID_SIZE, "INC-%" PRId64, number);
}

int64_t incident_number(struct slice id)
{
    static const char PREFIX[] = "INC-";
    int64_t number = 0;

    if (id.len < 5 || id.len > 4 + NUMBER_DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < 4; i++)
        if (id.ptr[i] != PREFIX[i] && id.ptr[i] != (PREFIX[i] | 0x20))
            return 0;
    for (size_t i = 4; i < id.len; i++) {
        if (id.ptr[i] < '0' || id.ptr[i] > '9')
            return 0;
        number = number * 10 + (id.ptr[i] - '0');
    }
    return number;
}

static void bind_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.len > 0)
        store_bind_text(q, at, s);
    else
        store_bind_null(q, at);
}

static enum vs_err insert_row(struct store *st, int64_t number, int64_t seq, enum incident_kind kind,
                              struct slice description, struct slice playbook, int safety, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO incident (number, version, edit_version, created_seq, kind, title, description, severity, stage, "
        "disposition, rule, rule_title, vehicles, vehicles_48h, motion, safety, priority, alerts, opened_us, "
        "updated_us, first_us, last_us, playbook, analysis_isolated, search) "
        "VALUES (?, 1, 1, ?, ?, '', ?, 0, ?, 0, '', '', 0, 0, 0, ?, 0, 0, ?, ?, 0, 0, ?, 0, '')");

    store_bind_i64(q, 1, number);
    store_bind_i64(q, 2, seq);
    store_bind_i64(q, 3, kind);
    store_bind_text(q, 4, description);
    store_bind_i64(q, 5, STAGE_TRIAGE);
    if (safety >= 0 && safety <= 3)
        store_bind_i64(q, 6, safety);
    store_bind_i64(q, 7, now_us);
    store_bind_i64(q, 8, now_us);
    bind_or_null(q, 9, playbook);
    return store_run(q);
}

static enum vs_err open_stage(struct store *st, int64_t number, enum stage to, int64_t now_us)
{
    int64_t id;
    enum vs_err err = counter_next(st, "incident_stage", &id);

    if (err != VS_OK)
        return err;
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO incident_stage (id, incident, stage, entered_us) VALUES (?, ?, ?, ?)");
    store_bind_i64(q, 1, id);
    store_bind_i64(q, 2, number);
    store_bind_i64(q, 3, to);
    store_bind_i64(q, 4, now_us);
    return store_run(q);
}

enum vs_err incident_open(struct store *st, enum incident_kind kind, struct slice description, struct slice playbook,
                          int safety, int64_t now_us, int64_t *ret_number)
{
    int64_t number, seq;
    char id[INCIDENT_ID_SIZE];
    enum vs_err err = counter_next(st, "incident", &number);

    if (err != VS_OK)
        return err;
    incident_id_text(number, id);
    err = change_add(st, "incident", slice_str(id), 1, now_us, &seq);
    if (err == VS_OK)
        err = insert_row(st, number, seq, kind, description, playbook, safety, now_us);
    if (err == VS_OK)
        err = open_stage(st, number, STAGE_TRIAGE, now_us);
    if (err == VS_OK) {
        struct audit_record rec = {
            .who = SLICE_LIT("system"), .act = SLICE_LIT("incident.open"), .object = slice_str(id)};
        err = audit_add(st, &rec, now_us, NULL);
    }
    if (err == VS_OK)
        *ret_number = number;
    return err;
}

static uint32_t load_facts(struct store *st, int64_t number)
{
    struct store_stmt *q = store_prepare(st, "SELECT fact FROM incident_fact WHERE incident = ?");
    uint32_t facts = 0;

    store_bind_i64(q, 1, number);
    while (store_step(q) == VS_OK)
        facts |= FACT_BIT(store_i64(q, 0));
    store_done(q);
    return facts;
}

enum vs_err incident_load(struct store *st, int64_t number, struct incident_state *ret)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT version, edit_version, merged_into, kind, stage, disposition, severity, first_us, opened_us, ack_us, "
        "triaged_us, contained_us, remediated_us, closed_us, assignee FROM incident WHERE number = ?");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        struct incident_state in = {.number = number};
        in.version = store_i64(q, 0);
        in.edit_version = store_i64(q, 1);
        in.merged_into = store_i64(q, 2);
        int64_t kind = store_i64(q, 3), stage = store_i64(q, 4), disposition = store_i64(q, 5);
        in.kind = (enum incident_kind)kind;
        in.stage = (enum stage)stage;
        in.disposition = (enum disposition)disposition;
        in.severity = (int)store_i64(q, 6);
        in.first_us = store_i64(q, 7);
        in.opened_us = store_i64(q, 8);
        in.ack_us = store_i64(q, 9);
        in.triaged_us = store_i64(q, 10);
        in.contained_us = store_i64(q, 11);
        in.remediated_us = store_i64(q, 12);
        in.closed_us = store_i64(q, 13);
        if (!slice_to_str(store_text(q, 14), in.assignee, sizeof in.assignee))
            in.assignee[0] = '\0';
        *ret = in;
    }
    store_done(q);
    if (err == VS_OK)
        ret->facts = load_facts(st, number);
    return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
}

/* Times that a stage entry sets once: contained when Investigate is entered, remediated at Recover, closed at Closed.
 * Reopening takes the closing time away again. */
static enum vs_err stamp_stage(struct store *st, int64_t number, enum stage to, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "UPDATE incident SET stage = ?1, "
                          "contained_us = CASE WHEN ?1 = 2 THEN coalesce(contained_us, ?2) ELSE contained_us END, "
                          "remediated_us = CASE WHEN ?1 = 4 THEN coalesce(remediated_us, ?2) ELSE remediated_us END, "
                          "closed_us = CASE WHEN ?1 = 5 THEN ?2 ELSE NULL END WHERE number = ?3");

    _Static_assert(STAGE_INVESTIGATE == 2 && STAGE_RECOVER == 4 && STAGE_CLOSED == 5, "the numbers in the SQL");
    store_bind_i64(q, 1, to);
    store_bind_i64(q, 2, now_us);
    store_bind_i64(q, 3, number);
    return store_run(q);
}

enum vs_err incident_enter_stage(struct store *st, int64_t number, enum stage to, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "UPDATE incident_stage SET left_us = ? WHERE incident = ? AND left_us IS NULL");

    store_bind_i64(q, 1, now_us);
    store_bind_i64(q, 2, number);
    enum vs_err err = store_run(q);
    if (err == VS_OK)
        err = open_stage(st, number, to, now_us);
    if (err == VS_OK)
        err = stamp_stage(st, number, to, now_us);
    return err;
}

enum vs_err incident_take_alert(struct store *st, int64_t number, struct slice alert, int64_t now_us, bool *ret_new)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO incident_alert (incident, alert, joined_us) VALUES (?, ?, ?) "
                                             "ON CONFLICT (incident, alert) DO NOTHING");

    store_bind_i64(q, 1, number);
    store_bind_text(q, 2, alert);
    store_bind_i64(q, 3, now_us);
    enum vs_err err = store_run(q);
    *ret_new = err == VS_OK && store_changes(st) > 0;
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "UPDATE alert SET incident = ? WHERE id = ?");
    store_bind_i64(q, 1, number);
    store_bind_text(q, 2, alert);
    return store_run(q);
}

/* The statements that carry the work of one incident over to another. ?1 = from, ?2 = into, ?3 = now. */
static const char *const MERGE_SQL[] = {
    "INSERT INTO incident_alert (incident, alert, joined_us) SELECT ?2, alert, ?3 FROM incident_alert "
    "WHERE incident = ?1 ON CONFLICT (incident, alert) DO NOTHING",
    "UPDATE alert SET incident = ?2 WHERE incident = ?1 AND ?3 = ?3",
    "INSERT INTO incident_fact (incident, fact, text, who, at_us) SELECT ?2, fact, text, who, at_us FROM incident_fact "
    "WHERE incident = ?1 AND ?3 = ?3 ON CONFLICT (incident, fact) DO NOTHING",
    "UPDATE task SET incident = ?2 WHERE incident = ?1 AND ?3 = ?3 "
    "AND kind NOT IN (SELECT kind FROM task WHERE incident = ?2)",
    "UPDATE incident SET assignee = coalesce(assignee, (SELECT assignee FROM incident WHERE number = ?1)), "
    "ack_us = coalesce(ack_us, (SELECT ack_us FROM incident WHERE number = ?1)), "
    "analysis_isolated = CASE WHEN (SELECT analysis_isolated FROM incident WHERE number = ?1) = 1 THEN 1 "
    "ELSE analysis_isolated END, edit_version = version + 1, version = version + 1 WHERE number = ?2 AND ?3 = ?3",
    "UPDATE incident SET merged_into = ?2, updated_us = ?3, edit_version = version + 1, version = version + 1 "
    "WHERE number = ?1",
};

static enum vs_err merge_notes(struct store *st, int64_t from, int64_t into, int64_t now_us)
{
    char a[INCIDENT_ID_SIZE], b[INCIDENT_ID_SIZE], text[128];

    incident_id_text(from, a);
    incident_id_text(into, b);
    snprintf(text, sizeof text, "%s was merged into this incident", a);
    struct timeline_item taken = {.lane = "system", .kind = "merged", .text = slice_str(text), .ref = slice_str(a)};
    enum vs_err err = timeline_add(st, into, &taken, now_us);
    snprintf(text, sizeof text, "merged into %s", b);
    struct timeline_item gone = {.lane = "system", .kind = "merged", .text = slice_str(text), .ref = slice_str(b)};
    if (err == VS_OK)
        err = timeline_add(st, from, &gone, now_us);
    struct audit_record rec = {
        .who = SLICE_LIT("system"), .act = SLICE_LIT("incident.merge"), .object = slice_str(a), .after = slice_str(b)};
    if (err == VS_OK)
        err = audit_add(st, &rec, now_us, NULL);
    if (err == VS_OK)
        err = change_add(st, "incident", slice_str(a), 0, now_us, NULL);
    return err;
}

enum vs_err incident_merge(struct store *st, int64_t from, int64_t into, int64_t now_us)
{
    enum vs_err err = VS_OK;

    for (size_t i = 0; i < sizeof MERGE_SQL / sizeof MERGE_SQL[0] && err == VS_OK; i++) {
        struct store_stmt *q = store_prepare(st, MERGE_SQL[i]);
        store_bind_i64(q, 1, from);
        store_bind_i64(q, 2, into);
        store_bind_i64(q, 3, now_us);
        err = store_run(q);
    }
    return err == VS_OK ? merge_notes(st, from, into, now_us) : err;
}

void incident_sla_input(const struct incident_state *in, struct sla_input *ret)
{
    struct sla_input s = {.severity = in->severity,
                          .malicious = in->disposition == DISPOSITION_MALICIOUS,
                          .first_us = in->first_us,
                          .opened_us = in->opened_us,
                          .ack_us = in->ack_us,
                          .triaged_us = in->triaged_us,
                          .contained_us = in->contained_us,
                          .remediated_us = in->remediated_us,
                          .closed_us = in->closed_us};
    *ret = s;
}
