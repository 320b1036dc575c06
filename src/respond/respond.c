#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/timestamp.h"
#include "respond/audit.h"
#include "respond/grouping.h"
#include "respond/respond.h"
#include "respond/respond_internal.h"
#include "respond/rule_info.h"
#include "respond/task.h"
#include "respond/timeline.h"

/* How long more of the same joins an incident that was closed as harmless without opening it again. */
#define QUIET_US (7 * 24 * 3600 * US_PER_S)

static const char WHO_SYSTEM[] = "system";

enum vs_err respond_load(struct store *st, struct slice id, struct grouping_alert *ret, bool *ret_superseded)
{
    struct store_stmt *q;
    struct alert_row row;
    enum vs_err err = alert_store_find(st, id, &q, &row);

    if (err != VS_OK)
        return err;
    if (!slice_to_str(row.id, ret->id, sizeof ret->id))
        ret->id[0] = '\0';
    if (!slice_to_str(slice_head(row.title, sizeof ret->title - 1), ret->title, sizeof ret->title))
        ret->title[0] = '\0';
    ret->late = row.late != 0;
    ret->vehicles = row.vehicles;
    if (!slice_to_str(row.vid, ret->vid, sizeof ret->vid))
        ret->vid[0] = '\0';
    if (!slice_to_str(slice_head(row.rule, sizeof ret->rule - 1), ret->rule, sizeof ret->rule))
        ret->rule[0] = '\0';
    ret->first_us = row.first_us;
    ret->last_us = row.last_us;
    ret->incident = row.incident;
    ret->cluster = row.cluster;
    ret->severity = (int)row.severity;
    ret->state = (int)row.state;
    ret->revision = row.revision;
    *ret_superseded = row.superseded_by.len > 0;
    store_done(q);
    return VS_OK;
}

/* Whether an alert that this one took in is already worked on. */
static bool inherits(struct store *st, const struct grouping_alert *al)
{
    struct store_stmt *q = store_prepare(st, "SELECT a.incident FROM alert_supersedes s JOIN alert a ON a.id = s.old "
                                             "WHERE s.id = ? AND a.incident IS NOT NULL "
                                             "AND a.incident NOT IN (SELECT incident FROM budget_incident) LIMIT 1");

    store_bind_text(q, 1, slice_str(al->id));
    bool found = store_step(q) == VS_OK;
    store_done(q);
    return found;
}

/* One alert that this one took in and that is still at home elsewhere; false when there is none. */
static bool superseded_elsewhere(struct store *st, const struct grouping_alert *al, int64_t home,
                                 char old[ALERT_ID_TEXT_SIZE], int64_t *ret_from)
{
    struct store_stmt *q = store_prepare(st, "SELECT a.id, a.incident FROM alert_supersedes s JOIN alert a "
                                             "ON a.id = s.old WHERE s.id = ? AND coalesce(a.incident, 0) <> ? LIMIT 1");

    store_bind_text(q, 1, slice_str(al->id));
    store_bind_i64(q, 2, home);
    bool found = store_step(q) == VS_OK && slice_to_str(store_text(q, 0), old, ALERT_ID_TEXT_SIZE);
    *ret_from = found ? store_i64(q, 1) : 0;
    store_done(q);
    return found;
}

/* The alerts that this one took in are listed where it is, and leave where they were. */
static enum vs_err bring_superseded(struct store *st, const struct grouping_alert *al, int64_t home, int64_t now_us)
{
    char old[ALERT_ID_TEXT_SIZE];
    int64_t from;
    bool fresh;
    enum vs_err err = VS_OK;

    while (err == VS_OK && superseded_elsewhere(st, al, home, old, &from)) {
        err = incident_take_alert(st, home, slice_str(old), now_us, &fresh);
        if (err == VS_OK && from != 0)
            err = grouping_left_behind(st, from, home, now_us);
    }
    return err;
}

static enum vs_err note(struct store *st, int64_t incident, const struct grouping_alert *al, const char *kind,
                        const char *what, int64_t now_us)
{
    char text[INCIDENT_TEXT_SIZE];

    snprintf(text, sizeof text, "%s: %.300s (%s)", what, al->title, alert_severity_code(al->severity));
    struct timeline_item item = {.lane = "detection",
                                 .kind = kind,
                                 .text = slice_str(text),
                                 .vid = slice_str(al->vid),
                                 .ref = slice_str(al->id)};
    return timeline_add(st, incident, &item, now_us);
}

/* State and severity of the revision before the present one; false when there is none. */
static bool revision_before(struct store *st, const struct grouping_alert *al, int *ret_state, int *ret_severity)
{
    struct store_stmt *q = store_prepare(st, "SELECT state, severity FROM alert_revision WHERE id = ? AND revision < ? "
                                             "ORDER BY revision DESC LIMIT 1");

    store_bind_text(q, 1, slice_str(al->id));
    store_bind_i64(q, 2, al->revision);
    bool found = store_step(q) == VS_OK;
    if (found) {
        *ret_state = (int)store_i64(q, 0);
        *ret_severity = (int)store_i64(q, 1);
    }
    store_done(q);
    return found;
}

/* One line for what a person would want to know; a count that grew is in the alert's revisions. */
static enum vs_err note_change(struct store *st, int64_t incident, const struct grouping_alert *al, bool fresh,
                               int64_t now_us)
{
    int state, severity;

    if (fresh)
        return note(st, incident, al, "alert.opened", al->late ? "alert, from late events" : "alert", now_us);
    if (!revision_before(st, al, &state, &severity))
        return VS_OK;
    if (state != al->state && al->state == ALERT_RETRACTED)
        return note(st, incident, al, "alert.retracted", "alert retracted, late events took its ground", now_us);
    if (state != al->state && al->state == ALERT_CLOSED)
        return note(st, incident, al, "alert.closed", "alert ended", now_us);
    if (state != al->state)
        return note(st, incident, al, "alert.revised", "alert stands again", now_us);
    if (severity != al->severity)
        return note(st, incident, al, "alert.revised", "severity changed", now_us);
    return VS_OK;
}

static bool rule_known_here(struct store *st, int64_t incident, const struct grouping_alert *al)
{
    struct store_stmt *q = store_prepare(st, "SELECT 1 FROM incident_alert i JOIN alert a ON a.id = i.alert "
                                             "WHERE i.incident = ? AND a.rule = ? AND a.id <> ? LIMIT 1");

    store_bind_i64(q, 1, incident);
    store_bind_text(q, 2, slice_str(al->rule));
    store_bind_text(q, 3, slice_str(al->id));
    bool found = store_step(q) == VS_OK;
    store_done(q);
    return found;
}

/* A closed incident opens again for what the closing could not have meant: another rule, something graver, an attack
 * that came back, or more of the same after QUIET_US. `in` is the incident before this alert was counted in. */
static const char *why_reopen(struct store *st, const struct incident_state *in, const struct grouping_alert *al,
                              bool fresh, int64_t now_us)
{
    if (in->stage != STAGE_CLOSED || al->state == ALERT_RETRACTED)
        return NULL;
    if (al->severity > in->severity)
        return "an alert graver than any before came after closing";
    if (!fresh)
        return NULL;
    if (in->disposition == DISPOSITION_MALICIOUS)
        return "the attack was seen again after closing";
    if (!rule_known_here(st, in->number, al))
        return "another rule raised an alert after closing";
    if (now_us - in->closed_us > QUIET_US)
        return "it goes on a week after closing";
    return NULL;
}

static enum vs_err reopen(struct store *st, const struct incident_state *in, const char *why, int64_t now_us)
{
    const char *table_why;
    uint32_t missing;
    char id[INCIDENT_ID_SIZE];
    enum vs_err err =
        lifecycle_check(in->stage, STAGE_TRIAGE, in->disposition, FACT_BIT(FACT_REASON), &table_why, &missing);

    if (err == VS_OK)
        err = incident_enter_stage(st, in->number, STAGE_TRIAGE, now_us);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE incident SET edit_version = version + 1 WHERE number = ?");
    store_bind_i64(q, 1, in->number);
    err = store_run(q);
    struct timeline_item item = {
        .lane = "system", .kind = "stage.moved", .text = SLICE_LIT("reopened to triage"), .detail = slice_str(why)};
    if (err == VS_OK)
        err = timeline_add(st, in->number, &item, now_us);
    incident_id_text(in->number, id);
    struct audit_record rec = {.who = slice_str(WHO_SYSTEM),
                               .act = SLICE_LIT("incident.move"),
                               .object = slice_str(id),
                               .before = SLICE_LIT("closed"),
                               .after = SLICE_LIT("triage"),
                               .reason = slice_str(why)};
    return err == VS_OK ? audit_add(st, &rec, now_us, NULL) : err;
}

/* Sets the vehicle's data apart for analysis. This is a mark on the incident; nothing is sent to anybody. */
static enum vs_err isolate(struct store *st, int64_t incident, int64_t now_us)
{
    struct store_stmt *q =
        store_prepare(st, "UPDATE incident SET analysis_isolated = 1 WHERE number = ? AND analysis_isolated = 0");

    store_bind_i64(q, 1, incident);
    enum vs_err err = store_run(q);
    if (err != VS_OK || store_changes(st) == 0)
        return err;
    struct timeline_item item = {
        .lane = "system",
        .kind = "analysis.isolated",
        .text = SLICE_LIT("the vehicle's data is set apart for analysis; the vehicle itself is not touched")};
    return timeline_add(st, incident, &item, now_us);
}

static enum vs_err run_actions(struct store *st, int64_t incident, const struct grouping_alert *al,
                               const struct alert_context *rule, int64_t now_us)
{
    bool repeat = rule_known_here(st, incident, al);
    enum vs_err err = VS_OK;

    for (unsigned i = 0; i < rule->action_count && i < ALERT_ACTIONS_MAX && err == VS_OK; i++) {
        const struct alert_action *a = &rule->action[i];
        if (a->on_repeat && !repeat)
            continue;
        err = slice_equal_str(a->name, "isolate_analysis") ? isolate(st, incident, now_us)
                                                           : task_open(st, incident, a->name, now_us, NULL);
    }
    return err;
}

/* The gravest safety impact of the rules that spoke. */
static enum vs_err raise_safety(struct store *st, int64_t incident, int safety)
{
    if (safety < 0 || safety > 3)
        return VS_OK;
    struct store_stmt *q =
        store_prepare(st, "UPDATE incident SET safety = ?1 WHERE number = ?2 AND coalesce(safety, -1) < ?1");
    store_bind_i64(q, 1, safety);
    store_bind_i64(q, 2, incident);
    return store_run(q);
}

/* What follows once the alert has its home. */
static enum vs_err follow(struct store *st, const struct grouping_alert *al, int64_t home,
                          const struct alert_context *rule, int64_t now_us)
{
    struct incident_state in;
    bool fresh;
    struct store_stmt *q = store_prepare(st, "SELECT 1 FROM incident_alert WHERE incident = ? AND alert = ?");

    store_bind_i64(q, 1, home);
    store_bind_text(q, 2, slice_str(al->id));
    bool listed = store_step(q) == VS_OK && al->incident != 0;
    store_done(q);
    enum vs_err err = incident_load(st, home, &in);
    const char *why = err == VS_OK ? why_reopen(st, &in, al, !listed, now_us) : NULL;
    if (err == VS_OK)
        err = incident_take_alert(st, home, slice_str(al->id), now_us, &fresh);
    if (err == VS_OK && why != NULL)
        err = reopen(st, &in, why, now_us);
    if (err == VS_OK)
        err = bring_superseded(st, al, home, now_us);
    if (err == VS_OK && al->incident != 0 && al->incident != home)
        err = grouping_left_behind(st, al->incident, home, now_us);
    if (err == VS_OK)
        err = note_change(st, home, al, !listed, now_us);
    if (err == VS_OK)
        err = raise_safety(st, home, rule->safety);
    if (err == VS_OK && al->state != ALERT_RETRACTED)
        err = run_actions(st, home, al, rule, now_us);
    return err == VS_OK ? incident_refresh(st, home, now_us) : err;
}

enum vs_err respond_work_on(struct store *st, const struct grouping_alert *al, const struct alert_context *rule,
                            int64_t now_us)
{
    int64_t home = 0;
    enum vs_err err = grouping_place(st, al, rule, now_us, &home);

    return err == VS_OK ? follow(st, al, home, rule, now_us) : err;
}

/* Whether silences or budgets have a say in where the alert goes: then respond_settle places it. */
static bool watched(struct store *st, const struct grouping_alert *al)
{
    struct store_stmt *q = store_prepare(
        st, al->incident != 0 ? "SELECT 1 FROM budget_incident WHERE incident = ?"
                              : "SELECT 1 FROM counter WHERE EXISTS (SELECT 1 FROM budget_limit) OR EXISTS (SELECT 1 "
                                "FROM silence WHERE ended_us IS NULL) OR EXISTS (SELECT 1 FROM silence_alert "
                                "WHERE alert = ? AND ended_us IS NULL) LIMIT 1");

    if (al->incident != 0)
        store_bind_i64(q, 1, al->incident);
    else
        store_bind_text(q, 1, slice_str(al->id));
    bool found = store_step(q) == VS_OK;
    store_done(q);
    return found;
}

/* An alert that this one took in, or that was retracted, is held by no silence any longer, and the incident of a budget
 * where it was has one less. */
static enum vs_err let_go(struct store *st, const struct grouping_alert *al, int64_t now_us)
{
    static const char *const SQL[] = {
        "UPDATE silence_alert SET ended_us = ?2, ended_why = 'superseded' WHERE ended_us IS NULL "
        "AND alert IN (SELECT old FROM alert_supersedes WHERE id = ?1)",
        "UPDATE budget_incident SET stale = 1 WHERE incident IN (SELECT a.incident FROM alert_supersedes s "
        "JOIN alert a ON a.id = s.old WHERE s.id = ?1) AND ?2 = ?2",
        "UPDATE silence_alert SET ended_us = ?2, ended_why = 'retracted' WHERE ended_us IS NULL AND alert = ?1"};
    size_t count = al->state == ALERT_RETRACTED ? 3 : 2;
    enum vs_err err = VS_OK;

    for (size_t i = 0; i < count && err == VS_OK; i++) {
        struct store_stmt *q = store_prepare(st, SQL[i]);
        store_bind_text(q, 1, slice_str(al->id));
        store_bind_i64(q, 2, now_us);
        err = store_run(q);
    }
    return err;
}

static enum vs_err wait_for_settle(struct store *st, const struct grouping_alert *al)
{
    struct store_stmt *q =
        store_prepare(st, "INSERT INTO alert_waiting (alert) VALUES (?) ON CONFLICT (alert) DO NOTHING");

    store_bind_text(q, 1, slice_str(al->id));
    return store_run(q);
}

enum vs_err respond_on_alert(struct store *st, const struct alert *shown, const struct alert_context *rule,
                             int64_t now_us)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct grouping_alert al;
    bool superseded;

    alert_id_text(shown->id, id);
    enum vs_err err = respond_load(st, slice_str(id), &al, &superseded);
    if (err != VS_OK)
        return err;
    if (superseded)
        return al.incident != 0 ? incident_refresh(st, al.incident, now_us) : VS_OK;
    err = rule_info_fired(st, slice_str(al.rule), shown->title, rule, now_us);
    if (err == VS_OK)
        err = let_go(st, &al, now_us);
    bool worked_on = al.incident != 0 || inherits(st, &al);
    if (err != VS_OK || (!worked_on && (rule->hunt_only || al.state == ALERT_RETRACTED)))
        return err;
    if ((al.incident != 0 || !worked_on) && watched(st, &al))
        return wait_for_settle(st, &al);
    return respond_work_on(st, &al, rule, now_us);
}
