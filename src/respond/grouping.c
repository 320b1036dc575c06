#include <stdio.h>
#include <string.h>

#include "respond/grouping.h"
#include "respond/timeline.h"
#include "store/change.h"

#define ABSORB_STEP 256

/* A small set of incident or cluster numbers. */
struct numbers {
    int64_t at[GROUPING_LINKS_MAX];
    int count;
};

static void numbers_add(struct numbers *n, int64_t v)
{
    for (int i = 0; i < n->count; i++)
        if (n->at[i] == v)
            return;
    if (v != 0 && n->count < GROUPING_LINKS_MAX)
        n->at[n->count++] = v;
}

/* Runs a query that gives numbers in its first column, ends it, and adds them. */
static enum vs_err numbers_collect(struct numbers *n, struct store_stmt *q)
{
    enum vs_err err;

    while ((err = store_step(q)) == VS_OK)
        numbers_add(n, store_i64(q, 0));
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

/* The one that stays: open before closed, later stage first, lower number first. */
static bool further_on(const struct incident_state *a, const struct incident_state *b)
{
    bool a_closed = a->stage == STAGE_CLOSED, b_closed = b->stage == STAGE_CLOSED;

    if (a_closed != b_closed)
        return b_closed;
    if (a->stage != b->stage)
        return a->stage > b->stage;
    return a->number < b->number;
}

/* Merges all into the one that is furthest on; 0 when the set is empty. */
static enum vs_err merge_all(struct store *st, const struct numbers *n, int64_t now_us, int64_t *ret)
{
    struct incident_state best = {0}, in;
    struct numbers homes = {.count = 0};
    enum vs_err err = VS_OK;

    for (int i = 0; i < n->count && err == VS_OK; i++) {
        err = incident_load(st, n->at[i], &in);
        if (err != VS_OK || in.kind == INCIDENT_BUDGET)
            continue;
        numbers_add(&homes, in.number);
        if (best.number == 0 || further_on(&in, &best))
            best = in;
    }
    for (int i = 0; i < homes.count && err == VS_OK; i++)
        if (homes.at[i] != best.number)
            err = incident_merge(st, homes.at[i], best.number, now_us);
    if (err == VS_OK)
        *ret = best.number;
    return err;
}

static struct slice id_of(const struct grouping_alert *al)
{
    return slice_str(al->id);
}

/* ---- vehicle's alerts: clusters */

/* The clusters that the alert touches: its own, its neighbours' in time, and those of the alerts it took in. */
static enum vs_err touched_clusters(struct store *st, const struct grouping_alert *al, struct numbers *n)
{
    struct store_stmt *q = store_prepare(st, "SELECT DISTINCT cluster FROM alert WHERE vid = ? AND id <> ? "
                                             "AND cluster IS NOT NULL AND first_us <= ? AND last_us >= ?");

    numbers_add(n, al->cluster);
    store_bind_text(q, 1, slice_str(al->vid));
    store_bind_text(q, 2, id_of(al));
    store_bind_i64(q, 3, al->last_us + GROUPING_VEHICLE_US);
    store_bind_i64(q, 4, al->first_us - GROUPING_VEHICLE_US);
    enum vs_err err = numbers_collect(n, q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "SELECT DISTINCT a.cluster FROM alert_supersedes s JOIN alert a ON a.id = s.old "
                          "WHERE s.id = ? AND a.cluster IS NOT NULL");
    store_bind_text(q, 1, id_of(al));
    return numbers_collect(n, q);
}

static enum vs_err set_cluster(struct store *st, const struct grouping_alert *al, const struct numbers *n,
                               int64_t *ret_cluster)
{
    int64_t keep = 0;
    enum vs_err err = VS_OK;

    for (int i = 0; i < n->count; i++)
        if (keep == 0 || n->at[i] < keep)
            keep = n->at[i];
    if (keep == 0)
        err = counter_next(st, "cluster", &keep);
    for (int i = 0; i < n->count && err == VS_OK; i++) {
        struct store_stmt *q = store_prepare(st, "UPDATE alert SET cluster = ? WHERE cluster = ?");
        store_bind_i64(q, 1, keep);
        store_bind_i64(q, 2, n->at[i]);
        err = store_run(q);
    }
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE alert SET cluster = ? WHERE id = ?");
    store_bind_i64(q, 1, keep);
    store_bind_text(q, 2, id_of(al));
    *ret_cluster = keep;
    return store_run(q);
}

/* The incident of the earliest campaign that absorbs the alert; 0 when none does. */
static enum vs_err absorbing_campaign(struct store *st, struct slice alert, int64_t *ret)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT c.incident FROM alert_vehicle v JOIN alert_vehicle cv ON cv.vid = v.vid AND cv.signature = v.signature "
        "AND cv.first_us <= v.last_us AND cv.last_us >= v.first_us JOIN alert c ON c.id = cv.alert "
        "WHERE v.alert = ? AND c.vid IS NULL AND c.incident IS NOT NULL AND c.state <> 2 AND c.superseded_by IS NULL "
        "AND c.incident NOT IN (SELECT incident FROM budget_incident) "
        "ORDER BY c.first_us, c.id LIMIT 1");

    store_bind_text(q, 1, alert);
    enum vs_err err = store_step(q);
    *ret = err == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err place_vehicle(struct store *st, const struct grouping_alert *al, const struct alert_context *rule,
                                 int64_t now_us, int64_t *ret)
{
    struct numbers clusters = {.count = 0}, homes = {.count = 0};
    int64_t cluster = 0, campaign = 0, home = 0;
    enum vs_err err = touched_clusters(st, al, &clusters);

    if (err == VS_OK)
        err = set_cluster(st, al, &clusters, &cluster);
    if (err == VS_OK)
        err = absorbing_campaign(st, id_of(al), &campaign);
    if (err != VS_OK)
        return err;
    struct store_stmt *q =
        store_prepare(st, "SELECT DISTINCT i.number FROM alert a JOIN incident i ON i.number = a.incident "
                          "WHERE a.cluster = ? AND i.kind = 0 AND i.merged_into IS NULL ORDER BY i.number");
    store_bind_i64(q, 1, cluster);
    err = numbers_collect(&homes, q);
    if (err == VS_OK)
        err = merge_all(st, &homes, now_us, &home);
    if (err != VS_OK)
        return err;
    if (campaign != 0)
        home = campaign;
    if (home == 0)
        return incident_open(st, INCIDENT_VEHICLE, rule->rationale, rule->playbook, rule->safety, now_us, ret);
    *ret = home;
    return VS_OK;
}

/* ---- campaign alerts */

static enum vs_err linked_campaigns(struct store *st, const struct grouping_alert *al, struct numbers *n)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT DISTINCT b.incident FROM alert a JOIN alert b ON b.rule = a.rule AND b.group_json = a.group_json "
            "WHERE a.id = ? AND b.incident IS NOT NULL AND b.first_us <= ? AND b.last_us >= ?");
    enum vs_err err;

    store_bind_text(q, 1, id_of(al));
    store_bind_i64(q, 2, al->last_us + GROUPING_CAMPAIGN_US);
    store_bind_i64(q, 3, al->first_us - GROUPING_CAMPAIGN_US);
    err = numbers_collect(n, q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "SELECT DISTINCT a.incident FROM alert_supersedes s JOIN alert a ON a.id = s.old "
                          "WHERE s.id = ? AND a.incident IS NOT NULL");
    store_bind_text(q, 1, id_of(al));
    err = numbers_collect(n, q);
    if (err != VS_OK)
        return err;
    /* Campaigns with one signature each, the same one. */
    q = store_prepare(
        st, "SELECT DISTINCT c.incident FROM alert c WHERE c.vid IS NULL AND c.incident IS NOT NULL AND c.id <> ?1 "
            "AND c.superseded_by IS NULL AND c.first_us <= ?2 AND c.last_us >= ?3 AND c.id IN "
            "(SELECT v.alert FROM alert_vehicle v WHERE v.signature = (SELECT min(signature) FROM alert_vehicle "
            "WHERE alert = ?1)) AND (SELECT count(DISTINCT signature) FROM alert_vehicle WHERE alert = c.id) = 1 "
            "AND (SELECT count(DISTINCT signature) FROM alert_vehicle WHERE alert = ?1) = 1");
    store_bind_text(q, 1, id_of(al));
    store_bind_i64(q, 2, al->last_us + GROUPING_CAMPAIGN_US);
    store_bind_i64(q, 3, al->first_us - GROUPING_CAMPAIGN_US);
    return numbers_collect(n, q);
}

enum vs_err grouping_left_behind(struct store *st, int64_t number, int64_t gone_to, int64_t now_us)
{
    struct incident_state in;
    struct store_stmt *q = store_prepare(st, "SELECT count(*) FROM alert WHERE incident = ? AND superseded_by IS NULL");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    bool empty = err == VS_OK && store_i64(q, 0) == 0;
    store_done(q);
    if (err == VS_OK)
        err = incident_load(st, number, &in);
    if (err != VS_OK || in.merged_into != 0)
        return err;
    if (in.kind == INCIDENT_BUDGET) {
        q = store_prepare(st, "UPDATE budget_incident SET stale = 1 WHERE incident = ?");
        store_bind_i64(q, 1, number);
        return store_run(q);
    }
    if (empty && in.stage != STAGE_CLOSED)
        return incident_merge(st, number, gone_to, now_us);
    return incident_refresh(st, number, now_us);
}

struct absorbed {
    char id[ALERT_ID_TEXT_SIZE];
    int64_t incident;
};

/* The next vehicle's alerts, by id, that the campaign alert may absorb. */
static enum vs_err absorb_candidates(struct store *st, struct slice campaign, int64_t target, const char *after,
                                     struct absorbed *list, int *ret_count)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT DISTINCT a.id, a.incident FROM alert_vehicle cv JOIN alert_vehicle v ON v.vid = cv.vid "
            "AND v.signature = cv.signature AND v.first_us <= cv.last_us AND v.last_us >= cv.first_us "
            "JOIN alert a ON a.id = v.alert WHERE cv.alert = ? AND a.vid IS NOT NULL AND a.incident IS NOT NULL "
            "AND a.incident <> ? AND a.superseded_by IS NULL AND a.id > ? ORDER BY a.id LIMIT ?");
    enum vs_err err;
    int count = 0;

    store_bind_text(q, 1, campaign);
    store_bind_i64(q, 2, target);
    store_bind_text(q, 3, slice_str(after));
    store_bind_i64(q, 4, ABSORB_STEP);
    while ((err = store_step(q)) == VS_OK && count < ABSORB_STEP) {
        if (!slice_to_str(store_text(q, 0), list[count].id, sizeof list[count].id))
            continue;
        list[count++].incident = store_i64(q, 1);
    }
    store_done(q);
    *ret_count = count;
    return err == VS_ERR_END || err == VS_OK ? VS_OK : err;
}

static enum vs_err absorb_one(struct store *st, const struct absorbed *a, int64_t target, int64_t now_us)
{
    int64_t best;
    bool fresh;
    enum vs_err err = absorbing_campaign(st, slice_str(a->id), &best);

    if (err != VS_OK || best == 0 || best == a->incident)
        return err;
    err = incident_take_alert(st, best, slice_str(a->id), now_us, &fresh);
    if (err != VS_OK)
        return err;
    char id[INCIDENT_ID_SIZE], text[96];
    incident_id_text(best, id);
    snprintf(text, sizeof text, "the campaign %s took in an alert of this incident", id);
    struct timeline_item item = {
        .lane = "system", .kind = "alert.absorbed", .text = slice_str(text), .ref = slice_str(a->id)};
    err = timeline_add(st, a->incident, &item, now_us);
    if (err == VS_OK && best != target) /* the caller works out only its own */
        err = incident_refresh(st, best, now_us);
    return err == VS_OK ? grouping_left_behind(st, a->incident, best, now_us) : err;
}

static enum vs_err absorb(struct store *st, const struct grouping_alert *al, int64_t target, int64_t now_us)
{
    struct absorbed list[ABSORB_STEP];
    char after[ALERT_ID_TEXT_SIZE] = "";
    int count;
    enum vs_err err;

    do {
        err = absorb_candidates(st, id_of(al), target, after, list, &count);
        for (int i = 0; i < count && err == VS_OK; i++)
            err = absorb_one(st, &list[i], target, now_us);
        if (count > 0)
            memcpy(after, list[count - 1].id, sizeof after);
    } while (err == VS_OK && count == ABSORB_STEP);
    return err;
}

static enum vs_err place_campaign(struct store *st, const struct grouping_alert *al, const struct alert_context *rule,
                                  int64_t now_us, int64_t *ret)
{
    struct numbers linked = {.count = 0};
    int64_t home = 0;
    bool fresh;
    enum vs_err err = linked_campaigns(st, al, &linked);

    numbers_add(&linked, al->incident);
    if (err == VS_OK)
        err = merge_all(st, &linked, now_us, &home);
    if (err == VS_OK && home == 0)
        err = incident_open(st, INCIDENT_CAMPAIGN, rule->rationale, rule->playbook, rule->safety, now_us, &home);
    /* The campaign must be at home before anything can be absorbed into it. */
    if (err == VS_OK)
        err = incident_take_alert(st, home, id_of(al), now_us, &fresh);
    if (err == VS_OK && al->state != ALERT_RETRACTED)
        err = absorb(st, al, home, now_us);
    if (err == VS_OK)
        *ret = home;
    return err;
}

enum vs_err grouping_place(struct store *st, const struct grouping_alert *al, const struct alert_context *rule,
                           int64_t now_us, int64_t *ret_incident)
{
    if (al->vid[0] == '\0')
        return place_campaign(st, al, rule, now_us, ret_incident);
    return place_vehicle(st, al, rule, now_us, ret_incident);
}

/* The first of these incidents that people still work on, of a kind that alerts join. */
static enum vs_err first_open(struct store *st, const struct numbers *n, int64_t *ret)
{
    struct incident_state in;
    enum vs_err err = VS_OK;

    for (int i = 0; i < n->count && err == VS_OK && *ret == 0; i++) {
        err = incident_load(st, n->at[i], &in);
        if (err == VS_OK && in.kind != INCIDENT_BUDGET && in.merged_into == 0 && in.stage != STAGE_CLOSED)
            *ret = in.number;
    }
    return err;
}

enum vs_err grouping_would_join(struct store *st, const struct grouping_alert *al, int64_t *ret_incident)
{
    struct numbers links = {.count = 0}, homes = {.count = 0};
    int64_t campaign = 0, home = 0;
    enum vs_err err;

    if (al->vid[0] == '\0') {
        err = linked_campaigns(st, al, &homes);
    } else {
        err = absorbing_campaign(st, id_of(al), &campaign);
        numbers_add(&homes, campaign);
        if (err == VS_OK)
            err = touched_clusters(st, al, &links);
        for (int i = 0; i < links.count && err == VS_OK; i++) {
            struct store_stmt *q = store_prepare(st, "SELECT DISTINCT i.number FROM alert a JOIN incident i "
                                                     "ON i.number = a.incident WHERE a.cluster = ? AND i.kind = 0 "
                                                     "ORDER BY i.number");
            store_bind_i64(q, 1, links.at[i]);
            err = numbers_collect(&homes, q);
        }
    }
    if (err == VS_OK)
        err = first_open(st, &homes, &home);
    if (err == VS_OK)
        *ret_incident = home;
    return err;
}
