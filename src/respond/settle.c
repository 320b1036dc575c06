#include "respond/settle.h"

#include <string.h>

#include "respond/budget.h"
#include "respond/respond_internal.h"
#include "respond/rule_info.h"
#include "respond/silence.h"

#define SETTLE_STEP 256
#define SAFETY_HARD 2 /* S2 and S3: people may be hurt */

struct settling {
    struct store *st;
    int64_t now_us;
    struct silence_set silences;
};

/* How an alert was when it was first held; silence 0 = it is not held now. */
struct held {
    int64_t silence;
    bool ever;
    int64_t severity_at, vehicles_at;
};

static enum vs_err read_held(const struct settling *g, const struct grouping_alert *al, struct held *ret)
{
    struct held h = {0};
    struct store_stmt *q =
        store_prepare(g->st, "SELECT silence FROM silence_alert WHERE alert = ? AND ended_us IS NULL");

    store_bind_text(q, 1, slice_str(al->id));
    enum vs_err err = store_step(q);
    h.silence = err == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    if (err != VS_OK && err != VS_ERR_END)
        return err;
    /* A hold that ended in this very moment goes on when another silence means the alert as well. */
    q = store_prepare(g->st, "SELECT count(*), min(severity_at), min(vehicles_at) FROM silence_alert WHERE (alert = ?1 "
                             "AND (ended_us IS NULL OR ended_us = ?2)) OR (alert IN (SELECT old FROM alert_supersedes "
                             "WHERE id = ?1) AND (ended_us IS NULL OR ended_why = 'superseded'))");
    store_bind_text(q, 1, slice_str(al->id));
    store_bind_i64(q, 2, g->now_us);
    err = store_step(q);
    if (err == VS_OK) {
        h.ever = store_i64(q, 0) > 0;
        h.severity_at = store_i64(q, 1);
        h.vehicles_at = store_i64(q, 2);
        *ret = h;
    }
    store_done(q);
    return err;
}

/* ---- which silence holds it */

/* Whether the vehicles that the silence holds alerts of, and those of this alert, are not too many together. */
static enum vs_err has_room(struct store *st, const struct silence *s, struct slice alert, bool *ret)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT (SELECT count(*) FROM silence_vehicle WHERE silence = ?1) + (SELECT count(DISTINCT v.vid) FROM "
        "alert_vehicle v WHERE v.alert = ?2 AND v.vid NOT IN (SELECT vid FROM silence_vehicle WHERE silence = ?1))");

    store_bind_i64(q, 1, s->number);
    store_bind_text(q, 2, alert);
    enum vs_err err = store_step(q);
    *ret = err == VS_OK && store_i64(q, 0) <= s->vehicles_max;
    store_done(q);
    return err;
}

static enum vs_err first_fit(const struct settling *g, const struct silence_subject *al, bool hurts,
                             const struct silence **ret)
{
    enum vs_err err = VS_OK;

    for (unsigned i = 0; i < g->silences.count && *ret == NULL && err == VS_OK; i++) {
        const struct silence *s = &g->silences.at[i];
        bool fits = false;
        if (hurts && !s->second)
            continue;
        err = silence_matches(g->st, s, al, g->now_us, &fits);
        if (err == VS_OK && fits && s->vehicles_max > 0)
            err = has_room(g->st, s, al->id, &fits);
        if (fits)
            *ret = s;
    }
    return err;
}

static enum vs_err find_silence(const struct settling *g, const struct grouping_alert *al, bool hurts,
                                const struct silence **ret)
{
    if (g->silences.count == 0)
        return VS_OK;
    struct store_stmt *q = store_prepare(g->st, "SELECT rule, group_json FROM alert WHERE id = ?");
    store_bind_text(q, 1, slice_str(al->id));
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        const struct silence_subject subject = {slice_str(al->id), store_text(q, 0), store_text(q, 1), al->severity};
        err = first_fit(g, &subject, hurts, ret);
    }
    store_done(q);
    return err;
}

/* What brings a held alert to the queue in spite of its silence; NULL when nothing does. `s` is the silence that means
 * it now; none when it has become graver than its silence allows. */
static const char *why_through(const struct grouping_alert *al, const struct silence *s, const struct held *h)
{
    if (!h->ever)
        return NULL;
    if (al->severity > h->severity_at)
        return "severity";
    return s != NULL && al->vehicles > s->spread_factor * h->vehicles_at ? "spread" : NULL;
}

static enum vs_err end_hold(const struct settling *g, const struct grouping_alert *al, const char *why)
{
    struct store_stmt *q = store_prepare(g->st, "UPDATE silence_alert SET ended_us = ?, ended_why = ? WHERE alert = ? "
                                                "AND ended_us IS NULL");

    store_bind_i64(q, 1, g->now_us);
    store_bind_text(q, 2, slice_str(why));
    store_bind_text(q, 3, slice_str(al->id));
    return store_run(q);
}

static enum vs_err hold(const struct settling *g, const struct grouping_alert *al, const struct silence *s,
                        const struct held *h)
{
    struct store_stmt *q;
    enum vs_err err = VS_OK;

    if (h->silence != s->number) {
        if (h->silence != 0)
            err = end_hold(g, al, "no_match");
        if (err != VS_OK)
            return err;
        q = store_prepare(g->st, "INSERT INTO silence_alert (silence, alert, since_us, severity_at, vehicles_at) "
                                 "VALUES (?, ?, ?, ?, ?) ON CONFLICT (silence, alert) DO UPDATE SET ended_us = NULL, "
                                 "ended_why = NULL");
        store_bind_i64(q, 1, s->number);
        store_bind_text(q, 2, slice_str(al->id));
        store_bind_i64(q, 3, g->now_us);
        store_bind_i64(q, 4, h->ever ? h->severity_at : al->severity);
        store_bind_i64(q, 5, h->ever ? h->vehicles_at : al->vehicles);
        err = store_run(q);
    }
    if (err != VS_OK)
        return err;
    q = store_prepare(g->st, "INSERT INTO silence_vehicle (silence, vid) SELECT DISTINCT ?, vid FROM alert_vehicle "
                             "WHERE alert = ? ON CONFLICT (silence, vid) DO NOTHING");
    store_bind_i64(q, 1, s->number);
    store_bind_text(q, 2, slice_str(al->id));
    return store_run(q);
}

/* ---- where it goes when nothing holds it */

static enum vs_err to_queue(const struct settling *g, const struct grouping_alert *al, const struct alert_context *rule,
                            enum budget_outcome outcome)
{
    enum vs_err err = budget_note(g->st, al, rule->owner, outcome, g->now_us);

    return err == VS_OK ? respond_work_on(g->st, al, rule, g->now_us) : err;
}

static enum vs_err by_budget(const struct settling *g, const struct grouping_alert *al,
                             const struct alert_context *rule)
{
    struct budget_verdict v;
    int64_t joins = 0;
    enum vs_err err = budget_judge(g->st, slice_str(al->rule), rule->owner, g->now_us, &v);

    if (err == VS_OK && !v.over)
        return to_queue(g, al, rule, BUDGET_QUEUED);
    if (err == VS_OK)
        err = grouping_would_join(g->st, al, &joins);
    if (err != VS_OK)
        return err;
    if (joins != 0)
        return to_queue(g, al, rule, BUDGET_JOINED);
    err = budget_note(g->st, al, rule->owner, BUDGET_OVER, g->now_us);
    return err == VS_OK ? budget_gather(g->st, al, &v, g->now_us) : err;
}

/* The budget incident where the alert, or one that it took in, is at home; 0 when none. */
static enum vs_err gathered_in(struct store *st, const struct grouping_alert *al, int64_t *ret)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT b.incident FROM alert a JOIN budget_incident b ON b.incident = a.incident WHERE a.id = ?1 "
            "OR a.id IN (SELECT old FROM alert_supersedes WHERE id = ?1) ORDER BY b.incident LIMIT 1");

    store_bind_text(q, 1, slice_str(al->id));
    enum vs_err err = store_step(q);
    *ret = err == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err stay_gathered(const struct settling *g, const struct grouping_alert *al, int64_t incident)
{
    bool fresh;
    enum vs_err err = incident_take_alert(g->st, incident, slice_str(al->id), g->now_us, &fresh);

    return err == VS_OK ? grouping_left_behind(g->st, incident, 0, g->now_us) : err;
}

static enum vs_err place(const struct settling *g, const struct grouping_alert *al, const struct alert_context *rule)
{
    const struct silence *s = NULL;
    struct held h;
    bool hurts = rule->safety >= SAFETY_HARD, hard = hurts || al->severity == ALERT_CRITICAL;
    enum vs_err err = read_held(g, al, &h);

    if (err == VS_OK)
        err = find_silence(g, al, hurts, &s);
    if (err != VS_OK)
        return err;
    const char *through = why_through(al, s, &h);
    if (s != NULL && through == NULL) {
        err = hold(g, al, s, &h);
        return err == VS_OK ? budget_note(g->st, al, rule->owner, BUDGET_SILENCED, g->now_us) : err;
    }
    if (h.silence != 0)
        err = end_hold(g, al, through != NULL ? through : "no_match");
    if (err != VS_OK)
        return err;
    return hard || through != NULL ? to_queue(g, al, rule, BUDGET_THROUGH) : by_budget(g, al, rule);
}

static enum vs_err settle_one(const struct settling *g, struct slice id)
{
    struct grouping_alert al;
    struct alert_context rule;
    struct store_stmt *q = NULL;
    bool superseded;
    int64_t gathered = 0;
    enum vs_err err = respond_load(g->st, id, &al, &superseded);

    if (err != VS_OK || superseded)
        return err;
    err = gathered_in(g->st, &al, &gathered);
    if (err == VS_OK)
        err = rule_info_find(g->st, slice_str(al.rule), &q, &rule);
    if (err != VS_OK)
        return err;
    bool hard = al.severity == ALERT_CRITICAL && al.state != ALERT_RETRACTED;
    if (gathered != 0 && !hard && (al.incident == 0 || al.incident == gathered)) {
        err = stay_gathered(g, &al, gathered);
    } else if (gathered != 0 && al.incident == gathered) {
        /* Its leaving is seen in its row; to grouping it is an alert without a home. */
        err = budget_note(g->st, &al, rule.owner, BUDGET_THROUGH, g->now_us);
        if (err == VS_OK)
            err = respond_work_on(g->st, &al, &rule, g->now_us);
    } else if (al.incident != 0) {
        err = respond_work_on(g->st, &al, &rule, g->now_us);
    } else if (al.state != ALERT_RETRACTED && !rule.hunt_only) {
        err = place(g, &al, &rule);
    }
    store_done(q);
    return err;
}

/* The next alerts that wait, in the order that makes placing a function of the set. */
static enum vs_err take_waiting(struct store *st, char id[SETTLE_STEP][ALERT_ID_TEXT_SIZE], int *ret_count)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT a.id FROM alert_waiting w JOIN alert a ON a.id = w.alert ORDER BY a.first_us, a.id LIMIT ?");
    enum vs_err err;
    int count = 0;

    store_bind_i64(q, 1, SETTLE_STEP);
    while ((err = store_step(q)) == VS_OK && count < SETTLE_STEP)
        if (slice_to_str(store_text(q, 0), id[count], sizeof id[count]))
            count++;
    store_done(q);
    *ret_count = count;
    return err == VS_ERR_END || err == VS_OK ? VS_OK : err;
}

static enum vs_err stop_waiting(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "DELETE FROM alert_waiting WHERE alert = ?");

    store_bind_text(q, 1, id);
    return store_run(q);
}

enum vs_err respond_settle(struct store *st, int64_t now_us)
{
    struct settling g = {.st = st, .now_us = now_us};
    char id[SETTLE_STEP][ALERT_ID_TEXT_SIZE];
    int count = 0;
    enum vs_err err = silence_expire(st, now_us);

    if (err == VS_OK)
        err = take_waiting(st, id, &count);
    if (err == VS_OK && count > 0)
        err = silence_set_load(st, now_us, &g.silences);
    while (err == VS_OK && count > 0) {
        for (int i = 0; i < count && err == VS_OK; i++) {
            err = settle_one(&g, slice_str(id[i]));
            if (err == VS_OK)
                err = stop_waiting(st, slice_str(id[i]));
        }
        if (err == VS_OK)
            err = take_waiting(st, id, &count);
    }
    silence_set_free(&g.silences);
    return err == VS_OK ? budget_settle(st, now_us) : err;
}
