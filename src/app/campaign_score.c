#include "app/campaign_score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/campaign_literal.h"

#define HOUR_US   CAMPAIGN_HOUR_US
#define AFTER_US  (10 * CAMPAIGN_DAY_US) /* alarms so long behind the end of something planted belong to it */
#define BEFORE_H  48
#define LOOK_H    72 /* how far back late reports are looked at again */
#define TOLD_MAX  4096
#define JUDGE_US  (2 * CAMPAIGN_DAY_US)
#define NAME_SIZE 16

struct told {
    uint8_t id[CAMPAIGN_ID_SIZE];
};

struct run {
    const struct score_config *cfg;
    struct score *score;
    struct outbreak *sim;
    struct campaigns *c;
    struct literal literal[OUTBREAK_SIGNATURES];
    uint32_t signature[OUTBREAK_SIGNATURES];
    uint32_t cohort[OUTBREAK_MODELS][OUTBREAK_VERSIONS][OUTBREAK_REGIONS]; /* + 1 */
    char signature_name[OUTBREAK_SIGNATURES][NAME_SIZE];
    char hardware_name[3][NAME_SIZE];
    struct told told[TOLD_MAX];
    uint32_t told_count;
    int64_t now_us, watch_us;
    enum vs_err err;
};

/* ---- names */

static int number_behind(struct slice s, char letter)
{
    int n = -1;

    for (size_t i = 0; i < s.len; i++) {
        if ((char)s.ptr[i] == letter)
            n = 0;
        else if (n >= 0 && s.ptr[i] >= '0' && s.ptr[i] <= '9')
            n = 10 * n + (s.ptr[i] - '0');
        else if (n >= 0)
            break;
    }
    return n;
}

static uint32_t cohort_of(struct run *r, const struct outbreak_vehicle *v)
{
    uint32_t *at = &r->cohort[v->model][v->version][v->region];

    if (*at == 0) {
        char model[NAME_SIZE], software[NAME_SIZE], region[NAME_SIZE];

        snprintf(model, sizeof model, "M%u", v->model);
        snprintf(software, sizeof software, "V%u.%u", v->model, v->version);
        snprintf(region, sizeof region, "R%u", v->region);
        *at = campaign_cohort(r->c, slice_str(model), slice_str(software), slice_str(region)) + 1;
    }
    return *at - 1;
}

static void vehicle_facts(void *ctx, uint32_t vehicle, int64_t time_us, struct campaign_vehicle *ret)
{
    struct run *r = ctx;
    struct outbreak_vehicle v;

    outbreak_vehicle_at(r->sim, vehicle, time_us, &v);
    ret->hardware = slice_str(r->hardware_name[v.hardware]);
    ret->build_day = v.build_day;
    ret->odometer_km = v.odometer_km;
    ret->software_since_us = v.version_since_us;
}

static uint64_t vehicle_key(void *ctx, uint32_t vehicle)
{
    (void)ctx;
    return outbreak_key(vehicle);
}

/* ---- what belongs to what */

static bool same_target(const struct outbreak_truth *t, const struct campaign *al)
{
    int model = number_behind(al->cell.model, 'M'), region = number_behind(al->cell.region, 'R');
    int software = number_behind(al->cell.software, 'V');

    if (number_behind(al->signature, 's') != (int)t->signature)
        return false;
    if (t->model != OUTBREAK_NONE &&
        ((model >= 0 && model != (int)t->model) || (software >= 0 && software != (int)t->model)))
        return false;
    return t->region == OUTBREAK_NONE || region < 0 || region == (int)t->region;
}

/* What an intrusion or a cascade of failures drags along is not false; it has signatures of its own. */
static bool dragged_along(const struct run *r, int signature)
{
    return r->cfg->plant && signature >= (int)OUTBREAK_FIRST_CHAIN;
}

static bool belongs(const struct outbreak_truth *t, const struct campaign *al)
{
    return number_behind(al->signature, 's') == (int)t->signature && al->last_us > t->start_us &&
           al->first_us < t->end_us + AFTER_US;
}

static bool was_told(const struct run *r, const uint8_t id[CAMPAIGN_ID_SIZE])
{
    for (uint32_t i = 0; i < r->told_count; i++)
        if (memcmp(r->told[i].id, id, CAMPAIGN_ID_SIZE) == 0)
            return true;
    return false;
}

static void tell(struct run *r, const uint8_t id[CAMPAIGN_ID_SIZE])
{
    if (r->told_count < TOLD_MAX)
        memcpy(r->told[r->told_count++].id, id, CAMPAIGN_ID_SIZE);
}

static void found(const struct run *r, struct score_detector *d, uint32_t truth)
{
    const struct outbreak_truth *t = outbreak_truth_at(r->sim, truth);

    if (d->found || r->now_us <= t->start_us || r->now_us > t->end_us + AFTER_US)
        return;
    d->found = true;
    d->delay_h = (double)(r->now_us - t->start_us) / (double)HOUR_US;
    d->vehicles = outbreak_victims_before(r->sim, truth, r->now_us);
}

static void on_change(void *ctx, const struct campaign *al)
{
    struct run *r = ctx;
    bool planted = dragged_along(r, number_behind(al->signature, 's')), known = was_told(r, al->id);

    if (al->state == CAMPAIGN_RETRACTED)
        return;
    for (uint32_t i = 0; i < outbreak_truth_count(r->sim); i++) {
        const struct outbreak_truth *t = outbreak_truth_at(r->sim, i);

        planted |= belongs(t, al);
        if (belongs(t, al) && same_target(t, al) && al->last_us > t->start_us)
            found(r, &r->score->planted[i].scan, i);
    }
    for (uint32_t i = 0; i < al->supersedes_count; i++)
        known |= was_told(r, al->supersedes[i]);
    if (!was_told(r, al->id))
        tell(r, al->id);
    r->score->scan_false += !known && !planted && al->detected_us >= r->watch_us;
}

/* ---- verdicts */

static void on_judge(void *ctx, const struct campaign *al)
{
    struct run *r = ctx;

    for (uint32_t i = 0; i < r->score->planted_count; i++) {
        struct score_planted *p = &r->score->planted[i];
        const struct outbreak_truth *t = outbreak_truth_at(r->sim, i);

        if (p->judged || !p->scan.found || !belongs(t, al) || !same_target(t, al) || al->detected_us < t->start_us)
            continue;
        if (r->now_us < t->start_us + (int64_t)(p->scan.delay_h * (double)HOUR_US) + JUDGE_US)
            continue;
        p->judged = true;
        p->verdict = al->verdict;
        memcpy(p->p, al->p, sizeof p->p);
        memcpy(p->feature, al->feature, sizeof p->feature);
    }
}

static void judge(struct run *r)
{
    bool due = false;

    for (uint32_t i = 0; i < r->score->planted_count && !due; i++) {
        const struct score_planted *p = &r->score->planted[i];

        due = !p->judged && p->scan.found &&
              r->now_us >=
                  outbreak_truth_at(r->sim, i)->start_us + (int64_t)(p->scan.delay_h * (double)HOUR_US) + JUDGE_US;
    }
    if (!due || r->err != VS_OK)
        return;
    campaign_ask(r->c, vehicle_facts, vehicle_key, r);
    r->err = campaign_each(r->c, true, on_judge, r);
    campaign_ask(r->c, NULL, NULL, NULL);
}

/* ---- the run */

static void take(struct run *r, const struct outbreak_record *rec)
{
    struct outbreak_vehicle v;

    outbreak_vehicle_at(r->sim, rec->vehicle, rec->time_us, &v);
    uint32_t cohort = cohort_of(r, &v);
    r->score->records++;
    if (rec->signature == OUTBREAK_NONE) {
        r->err = campaign_seen(r->c, rec->vehicle, cohort, rec->time_us);
        return;
    }
    r->score->reports++;
    r->err = campaign_report(r->c, rec->vehicle, cohort, r->signature[rec->signature], rec->time_us,
                             &(struct campaign_origin){0});
    if (r->err == VS_OK)
        r->err = literal_add(&r->literal[rec->signature], (int32_t)(rec->time_us / HOUR_US), rec->vehicle);
}

static void look_literally(struct run *r)
{
    int32_t now = (int32_t)(r->now_us / HOUR_US);

    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
        if (r->literal[s].fresh)
            literal_look(&r->literal[s], now - LOOK_H, now - 1);
    for (uint32_t i = 0; i < outbreak_truth_count(r->sim); i++) {
        const struct outbreak_truth *t = outbreak_truth_at(r->sim, i);
        int32_t start = (int32_t)(t->start_us / HOUR_US);

        if (literal_alarm(&r->literal[t->signature], start > now - LOOK_H ? start : now - LOOK_H, now - 1))
            found(r, &r->score->planted[i].literal, i);
    }
}

static enum vs_err look(struct run *r, double (*cpu_s)(void))
{
    double before = cpu_s != NULL ? cpu_s() : 0;

    if (r->err == VS_OK)
        r->err = campaign_settle(r->c, r->now_us, CAMPAIGN_CHANGED);
    if (r->err == VS_OK)
        r->err = campaign_each(r->c, false, on_change, r);
    r->score->settle_cpu_s += cpu_s != NULL ? cpu_s() - before : 0;
    judge(r);
    look_literally(r);
    return r->err;
}

static enum vs_err play(struct run *r, double (*cpu_s)(void))
{
    const struct outbreak_record *rec;
    uint32_t count, hours = 0;

    while (r->err == VS_OK) {
        r->err = outbreak_step(r->sim, &rec, &count, &r->now_us);
        if (r->err == VS_ERR_END)
            return VS_OK;
        double before = cpu_s != NULL ? cpu_s() : 0;
        for (uint32_t i = 0; i < count && r->err == VS_OK; i++)
            take(r, &rec[i]);
        r->score->feed_cpu_s += cpu_s != NULL ? cpu_s() - before : 0;
        if (r->err == VS_OK && ++hours % r->cfg->step_h == 0)
            r->err = look(r, cpu_s);
    }
    return r->err;
}

/* ---- accounts at the end */

static void on_final(void *ctx, const struct campaign *al)
{
    struct run *r = ctx;
    bool planted = dragged_along(r, number_behind(al->signature, 's'));

    for (uint32_t i = 0; i < r->score->planted_count; i++) {
        const struct outbreak_truth *t = outbreak_truth_at(r->sim, i);

        planted |= belongs(t, al);
        if (same_target(t, al) && al->detected_us <= t->start_us && al->last_us > t->start_us - BEFORE_H * HOUR_US)
            r->score->planted[i].scan.excluded = true;
    }
    if (!planted && al->detected_us >= r->watch_us)
        r->score->scan_false_hours += al->alarm_hours;
}

static bool hour_planted(const struct run *r, uint32_t s, int64_t us)
{
    for (uint32_t i = 0; i < outbreak_truth_count(r->sim); i++) {
        const struct outbreak_truth *t = outbreak_truth_at(r->sim, i);

        if (t->signature == s && us >= t->start_us && us < t->end_us + AFTER_US)
            return true;
    }
    return false;
}

/* Alarms of the literal rule more than 48 hours apart are two, as for the scan. */
static void account_literal(struct run *r, uint32_t s)
{
    const struct literal *l = &r->literal[s];
    int32_t last = -1000000;

    for (int32_t h = l->first_hour; h < l->first_hour + l->hours && !dragged_along(r, (int)s); h++) {
        if (!l->alarm[h - l->first_hour] || h * HOUR_US < r->watch_us || hour_planted(r, s, h * HOUR_US))
            continue;
        r->score->literal_false += h - last > CAMPAIGN_GAP_H;
        r->score->literal_false_hours++;
        last = h;
    }
}

static enum vs_err account(struct run *r)
{
    enum vs_err err = campaign_each(r->c, true, on_final, r);

    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
        account_literal(r, s);
    for (uint32_t i = 0; i < r->score->planted_count; i++) {
        struct score_planted *p = &r->score->planted[i];

        p->truth = *outbreak_truth_at(r->sim, i);
        int32_t start = (int32_t)(p->truth.start_us / HOUR_US);
        p->literal.excluded = literal_alarm(&r->literal[p->truth.signature], start - BEFORE_H, start - 1);
    }
    r->score->months = (r->cfg->days - r->cfg->quiet_days) / 30.0;
    campaign_stats(r->c, &r->score->stats);
    return err;
}

static enum vs_err open_run(struct run *r)
{
    const struct outbreak_config sim = {r->cfg->seed, r->cfg->vehicles, r->cfg->days, r->cfg->quiet_days,
                                        r->cfg->plant};
    const struct campaign_config campaign = {.threshold = r->cfg->threshold, .seed = 1};
    enum vs_err err = outbreak_new(&sim, &r->sim);

    if (err == VS_OK)
        err = campaigns_new(&campaign, &r->c);
    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES && err == VS_OK; s++) {
        snprintf(r->signature_name[s], NAME_SIZE, "s%02u|x|1", s);
        r->signature[s] = campaign_signature(r->c, slice_str(r->signature_name[s]), 0);
        err = literal_init(&r->literal[s], (int32_t)(outbreak_start_us() / HOUR_US), (int32_t)r->cfg->days * 24);
    }
    for (unsigned h = 0; h < 3; h++)
        snprintf(r->hardware_name[h], NAME_SIZE, "H%u", h);
    r->watch_us = outbreak_start_us() + r->cfg->quiet_days * CAMPAIGN_DAY_US;
    return err;
}

enum vs_err campaign_score(const struct score_config *cfg, double (*cpu_s)(void), struct score *ret)
{
    struct run *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    memset(ret, 0, sizeof *ret);
    r->cfg = cfg;
    r->score = ret;
    enum vs_err err = open_run(r);
    ret->planted_count = err == VS_OK ? outbreak_truth_count(r->sim) : 0;
    if (err == VS_OK)
        err = play(r, cpu_s);
    if (err == VS_OK)
        err = account(r);
    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
        literal_done(&r->literal[s]);
    campaigns_free(r->c);
    outbreak_free(r->sim);
    free(r);
    return err;
}
