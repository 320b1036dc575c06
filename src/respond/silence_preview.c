#include "respond/silence_preview.h"

#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

/* Texts that may come more than once; sorted and counted at the end. */
struct names {
    char (*at)[VID_TEXT_SIZE];
    size_t count, room;
};

struct looking {
    struct store *st;
    struct silence meant; /* of any severity */
    struct silence_preview out;
    struct names vehicles;
    int64_t *incident;
    size_t incident_count;
    int64_t now_us;
};

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, VID_TEXT_SIZE);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static size_t distinct_names(struct names *n)
{
    size_t kept = n->count > 0;

    if (n->count > 0)
        qsort(n->at, n->count, sizeof *n->at, by_text);
    for (size_t i = 1; i < n->count; i++)
        if (memcmp(n->at[i], n->at[kept - 1], VID_TEXT_SIZE) != 0)
            memmove(n->at[kept++], n->at[i], VID_TEXT_SIZE);
    n->count = kept;
    return kept;
}

static void add_name(struct names *n, struct slice vid)
{
    char text[VID_TEXT_SIZE] = "";

    if (n->count == n->room && distinct_names(n) == n->room)
        return; /* as many as are counted */
    if (slice_to_str(vid, text, sizeof text))
        memcpy(n->at[n->count++], text, sizeof text);
}

static enum vs_err add_vehicles(struct looking *l, struct slice alert)
{
    struct store_stmt *q = store_prepare(l->st, "SELECT DISTINCT vid FROM alert_vehicle WHERE alert = ?");
    enum vs_err err;

    store_bind_text(q, 1, alert);
    while ((err = store_step(q)) == VS_OK)
        add_name(&l->vehicles, store_text(q, 0));
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static void add_rule(struct silence_preview *p, struct slice rule)
{
    for (unsigned i = 0; i < p->rules; i++)
        if (slice_equal_str(rule, p->rule[i].rule)) {
            p->rule[i].alerts++;
            return;
        }
    if (p->rules < PREVIEW_RULES_MAX && slice_to_str(rule, p->rule[p->rules].rule, sizeof p->rule[0].rule))
        p->rule[p->rules++].alerts = 1;
}

/* One alert of the last days: columns id, rule, severity, state, incident, group_json. */
static enum vs_err look(struct looking *l, struct store_stmt *row, uint32_t severities)
{
    bool fits = false;
    struct silence_preview *p = &l->out;
    struct slice id = store_text(row, 0);
    int64_t severity = store_i64(row, 2), incident = store_i64(row, 4);
    const struct silence_subject al = {id, store_text(row, 1), store_text(row, 5), severity};
    enum vs_err err = silence_matches(l->st, &l->meant, &al, l->now_us, &fits);

    if (err != VS_OK || !fits)
        return err;
    if (((int64_t)severities >> severity & 1) == 0) {
        p->graver++;
        return VS_OK;
    }
    p->alerts++;
    p->open += store_i64(row, 3) == ALERT_OPEN;
    add_rule(p, store_text(row, 1));
    if (p->samples < PREVIEW_SAMPLE_MAX && slice_to_str(id, p->sample[p->samples], sizeof p->sample[0]))
        p->samples++;
    if (incident != 0)
        l->incident[l->incident_count++] = incident;
    return add_vehicles(l, id);
}

static enum vs_err look_at_all(struct looking *l, uint32_t severities)
{
    struct store_stmt *q = store_prepare(
        l->st, "SELECT id, rule, severity, state, incident, group_json FROM alert WHERE last_us >= ? AND state <> 2 "
               "AND superseded_by IS NULL ORDER BY last_us DESC, number DESC LIMIT ?");
    enum vs_err err = VS_OK, looked = VS_OK;

    _Static_assert(ALERT_RETRACTED == 2, "the number in the SQL");
    store_bind_i64(q, 1, l->out.from_us);
    store_bind_i64(q, 2, PREVIEW_ALERTS_MAX);
    while (looked == VS_OK && (err = store_step(q)) == VS_OK) {
        l->out.looked_at++;
        looked = look(l, q, severities);
    }
    store_done(q);
    l->out.complete = l->out.looked_at < PREVIEW_ALERTS_MAX;
    return looked != VS_OK ? looked : err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err judge_incidents(struct looking *l)
{
    struct silence_preview *p = &l->out;
    enum vs_err err = VS_OK;
    struct incident_state in = {0};

    if (l->incident_count > 0)
        qsort(l->incident, l->incident_count, sizeof l->incident[0], by_number);
    for (size_t i = 0; i < l->incident_count && err == VS_OK; i++) {
        if (i == 0 || l->incident[i] != l->incident[i - 1]) {
            err = incident_load(l->st, l->incident[i], &in);
            p->incidents++;
            p->malicious += in.disposition == DISPOSITION_MALICIOUS;
        }
        p->now_in_queue += in.stage != STAGE_CLOSED;
    }
    return err;
}

enum vs_err silence_preview(struct store *st, const struct silence_draft *d, int64_t now_us,
                            struct silence_preview *ret)
{
    struct looking *l = calloc(1, sizeof *l);
    enum vs_err err = VS_ERR_NO_MEMORY;

    if (l == NULL)
        return err;
    l->st = st;
    l->now_us = now_us;
    l->out.from_us = now_us - PREVIEW_DAYS * DAY_US;
    l->vehicles.room = PREVIEW_VEHICLES_MAX;
    l->vehicles.at = malloc(l->vehicles.room * sizeof *l->vehicles.at);
    l->incident = malloc(PREVIEW_ALERTS_MAX * sizeof *l->incident);
    l->meant.severities = UINT32_MAX >> 1;
    l->meant.matcher_count = d->matcher_count;
    l->meant.matcher = malloc(SILENCE_MATCHERS_MAX * sizeof *l->meant.matcher);
    if (l->vehicles.at != NULL && l->incident != NULL && l->meant.matcher != NULL) {
        memcpy(l->meant.matcher, d->matcher, d->matcher_count * sizeof *d->matcher);
        err = look_at_all(l, d->severities);
        if (err == VS_OK)
            err = judge_incidents(l);
        distinct_names(&l->vehicles);
        l->out.vehicles = (int64_t)l->vehicles.count;
    }
    if (err == VS_OK)
        *ret = l->out;
    free(l->meant.matcher);
    free(l->incident);
    free(l->vehicles.at);
    free(l);
    return err;
}
