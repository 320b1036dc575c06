#include "app/campaign_alerts.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_MAX 2048 /* hours */

/* ---- the alert */

struct source {
    struct campaigns *c;
    const struct campaign *al;
    const uint8_t *vids;
    uint32_t vid_count;
    alert_member_fn *each;
    void *each_ctx;
    bool enough;
};

static void on_case(void *ctx, const struct campaign_case *cs)
{
    struct source *s = ctx;
    struct alert_member m = {.epoch = cs->origin.epoch,
                             .seq = cs->origin.seq,
                             .time_us = cs->time_us,
                             .count = 1,
                             .log_partition = cs->origin.log_partition,
                             .log_offset = cs->origin.log_offset,
                             .signature = s->al->signature,
                             .model = cs->model,
                             .sw_version = cs->software,
                             .region = cs->region};

    if (s->enough || cs->vehicle >= s->vid_count)
        return;
    memcpy(m.vid, s->vids + (size_t)EV_VID_SIZE * cs->vehicle, EV_VID_SIZE);
    s->enough = !s->each(s->each_ctx, &m);
}

static void members(void *ctx, const struct alert *al, alert_member_fn *each, void *each_ctx)
{
    struct source *s = ctx;

    (void)al;
    s->each = each;
    s->each_ctx = each_ctx;
    s->enough = false;
    campaign_cases(s->c, s->al, on_case, s);
}

/* A bad update or failing parts are work for engineering, not a reason to wake the night shift. */
static uint8_t severity_of(const struct campaign *al)
{
    if (!al->page)
        return ALERT_INFO;
    if (al->verdict != CAMPAIGN_ATTACK)
        return ALERT_MEDIUM;
    return al->vehicles >= 100 ? ALERT_CRITICAL : ALERT_HIGH;
}

struct words {
    char title[512], peak[16], rationale[1024];
};

static void say(const struct campaign *al, struct words *w)
{
    static const char *const WHAT[] = {"attack suspected", "software regression suspected", "hardware fault suspected"};
    char cell[256];
    size_t len;

    campaign_cell_text(&al->cell, cell, sizeof cell);
    /* As elsewhere, a signature is shown by its first 50 characters. */
    snprintf(w->title, sizeof w->title, "%s: %.*s on %u vehicles of %s where %.1f are usual%s", WHAT[al->verdict],
             (int)(al->signature.len < 50 ? al->signature.len : 50), (const char *)al->signature.ptr, al->vehicles,
             cell, al->expected,
             al->baseline == 0 ? " (still learning)"
             : al->cold        ? " (new cell)"
                               : "");
    snprintf(w->peak, sizeof w->peak, "%u", al->vehicles);
    len = (size_t)snprintf(w->rationale, sizeof w->rationale,
                           "More vehicles than usual began to report this. Attack %.0f %%, software %.0f %%, hardware "
                           "%.0f %%.",
                           100 * al->p[0], 100 * al->p[1], 100 * al->p[2]);
    for (uint32_t i = 0; i < al->reason_count && i < 4 && len + CAMPAIGN_REASON_SIZE + 4 < sizeof w->rationale; i++)
        len += (size_t)snprintf(w->rationale + len, sizeof w->rationale - len, " %s.", al->reason[i].text);
}

static void alert_of(const struct campaign *al, const struct words *w, struct alert *ret)
{
    memset(ret, 0, sizeof *ret);
    memcpy(ret->id, al->id, ALERT_ID_SIZE);
    ret->rule = slice_str(CAMPAIGN_RULE);
    ret->title = slice_str(w->title);
    ret->severity = severity_of(al);
    ret->state = al->state == CAMPAIGN_RETRACTED ? ALERT_RETRACTED
                 : al->state == CAMPAIGN_CLOSED  ? ALERT_CLOSED
                                                 : ALERT_OPEN;
    ret->group_count = 1;
    ret->group[0] = (struct alert_group){slice_str("signature"), al->signature};
    ret->first_us = al->first_us;
    ret->last_us = al->last_us;
    ret->count = ret->vehicles = al->vehicles;
    ret->peak = slice_str(w->peak);
    ret->supersedes_count = al->supersedes_count;
    for (uint32_t i = 0; i < al->supersedes_count; i++)
        memcpy(ret->supersedes[i], al->supersedes[i], ALERT_ID_SIZE);
}

static enum vs_err put_alert(struct store *st, struct source *s, int64_t now_us, bool *ret_changed)
{
    const struct alert_source source = {members, s};
    struct words w;
    struct alert alert;

    say(s->al, &w);
    alert_of(s->al, &w, &alert);
    struct alert_context context = {.rationale = slice_str(w.rationale),
                                    .playbook = slice_str(s->al->verdict == CAMPAIGN_ATTACK ? "fleet_campaign" : ""),
                                    .owner = slice_str("fleet-threat-analysis"),
                                    .safety = -1,
                                    .hunt_only = !s->al->page,
                                    .action_count = 1};
    context.action[0].name =
        slice_str(s->al->verdict == CAMPAIGN_REGRESSION ? "software_regression_review" : "analyst_review");
    return alert_writer_put(st, &source, &context, &alert, now_us, ret_changed);
}

/* ---- the row */

static char *reasons_json(const struct campaign *al)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < al->reason_count; i++)
        json_array_append_new(all, json_pack("{s:s, s:f, s:f, s:f}", "text", al->reason[i].text, "attack",
                                             al->reason[i].weight[0], "regression", al->reason[i].weight[1], "fault",
                                             al->reason[i].weight[2]));
    char *text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(4));
    json_decref(all);
    return text;
}

static char *curve_json(struct campaigns *c, const struct campaign *al)
{
    struct campaign_hour *hour = calloc(CURVE_MAX, sizeof *hour);
    json_t *all = json_array();
    uint32_t n = hour != NULL ? campaign_curve(c, al, hour, CURVE_MAX) : 0;

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("[I, i, I]", (json_int_t)hour[i].time_us, (int)hour[i].cases,
                                             (json_int_t)llround(1000 * hour[i].expected)));
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    free(hour);
    return text;
}

static void bind_part(struct store_stmt *q, int at, const struct campaign_cell *cell, uint8_t part, struct slice text)
{
    if ((cell->mask & part) != 0)
        store_bind_text(q, at, text);
    else
        store_bind_null(q, at);
}

static enum vs_err put_row(struct store *st, const struct campaign *al, const char *reasons, const char *curve,
                           int64_t now_us)
{
    char id[ALERT_ID_TEXT_SIZE];
    const int64_t number[] = {llround(1000 * al->p[0]),
                              llround(1000 * al->p[1]),
                              llround(1000 * al->p[2]),
                              al->first_us,
                              al->detected_us,
                              al->last_us,
                              now_us,
                              now_us,
                              al->alarm_hours,
                              al->vehicles,
                              llround(1000 * al->expected),
                              llround(1000 * al->score),
                              llround(1000 * al->threshold),
                              al->window_h,
                              llround(1000 * al->explains),
                              al->baseline,
                              al->cold,
                              al->page};
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO campaign (id, signature, model, software, region, state, verdict, attack_milli, "
        "regression_milli, fault_milli, first_us, detected_us, last_us, told_us, changed_us, alarm_hours, vehicles, "
        "expected_milli, score_milli, threshold_milli, window_h, explains_milli, baseline, cold, page, reasons, "
        "curve) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET model = excluded.model, software = excluded.software, region = "
        "excluded.region, state = excluded.state, verdict = excluded.verdict, attack_milli = "
        "excluded.attack_milli, regression_milli = excluded.regression_milli, fault_milli = excluded.fault_milli, "
        "first_us = excluded.first_us, detected_us = excluded.detected_us, last_us = excluded.last_us, changed_us = "
        "excluded.changed_us, alarm_hours = excluded.alarm_hours, vehicles = excluded.vehicles, expected_milli = "
        "excluded.expected_milli, score_milli = excluded.score_milli, threshold_milli = excluded.threshold_milli, "
        "window_h = excluded.window_h, explains_milli = excluded.explains_milli, baseline = excluded.baseline, cold "
        "= excluded.cold, page = excluded.page, reasons = excluded.reasons, curve = excluded.curve");

    alert_id_text(al->id, id);
    store_bind_text(q, 1, slice_str(id));
    store_bind_text(q, 2, al->signature);
    bind_part(q, 3, &al->cell, CAMPAIGN_MODEL, al->cell.model);
    bind_part(q, 4, &al->cell, CAMPAIGN_SOFTWARE, al->cell.software);
    bind_part(q, 5, &al->cell, CAMPAIGN_REGION, al->cell.region);
    store_bind_text(q, 6, slice_str(campaign_state_name(al->state)));
    store_bind_text(q, 7, slice_str(campaign_verdict_name(al->verdict)));
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        store_bind_i64(q, 8 + (int)i, number[i]);
    store_bind_text(q, 26, slice_str(reasons));
    store_bind_text(q, 27, slice_str(curve));
    return store_run(q);
}

/* A retracted campaign keeps what it said; only its state moves. */
static enum vs_err retract_row(struct store *st, const struct campaign *al, int64_t now_us)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct store_stmt *q = store_prepare(
        st, "UPDATE campaign SET state = 'retracted', changed_us = ? WHERE id = ? AND state <> 'retracted'");

    alert_id_text(al->id, id);
    store_bind_i64(q, 1, now_us);
    store_bind_text(q, 2, slice_str(id));
    return store_run(q);
}

/* What a campaign was called before is told by the one that took it over. */
static enum vs_err retract_taken_over(struct store *st, const struct campaign *al, int64_t now_us)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < al->supersedes_count && err == VS_OK; i++) {
        struct campaign old = {.state = CAMPAIGN_RETRACTED};

        memcpy(old.id, al->supersedes[i], CAMPAIGN_ID_SIZE);
        err = retract_row(st, &old, now_us);
    }
    return err;
}

enum vs_err campaign_alert_put(struct store *st, struct campaigns *c, const uint8_t *vids, uint32_t vid_count,
                               const struct campaign *al, int64_t now_us, bool *ret_changed)
{
    struct source s = {.c = c, .al = al, .vids = vids, .vid_count = vid_count};
    enum vs_err err = put_alert(st, &s, now_us, ret_changed);

    if (err != VS_OK || !*ret_changed)
        return err;
    if (al->state == CAMPAIGN_RETRACTED)
        return retract_row(st, al, now_us);
    char *reasons = reasons_json(al), *curve = curve_json(c, al);
    err = reasons == NULL || curve == NULL ? VS_ERR_NO_MEMORY : put_row(st, al, reasons, curve, now_us);
    if (err == VS_OK)
        err = retract_taken_over(st, al, now_us);
    free(reasons);
    free(curve);
    return err;
}
