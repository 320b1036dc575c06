/* Three readings of one excess: an attack, a software version that went wrong, parts that fail.
 *
 * Each feature is a number around 0, worked out from the cases beside the vehicles that could have been cases; a share
 * compared with a share is the difference of their log odds, drawn towards 0 when the cases are few. The score of a
 * reading is its constant plus the weighted features; the three scores give shares by the logistic rule. WEIGHT was
 * fitted to simulated campaigns of tuning seeds (bench/campaign_fit.py); a fleet that has closed incidents of its own
 * should fit it to them. Nothing is ever suppressed by it: a probable fault stays in sight. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define YOUNG_DAYS  45  /* a version older than that is not news */
#define FEW         5.0 /* cases that halve a comparison's say */
#define FEATURE_MAX 4.0
#define SAYS_MIN    0.15 /* a reason that moves less is not told */

static const double CONSTANT[CAMPAIGN_VERDICTS] = {2.30, -1.20, -1.10};
/*                                                 attack regression fault */
static const double WEIGHT[CAMPAIGN_FEATURES][CAMPAIGN_VERDICTS] = {
    [CAMPAIGN_F_ROLLOUT] = {-0.20, 0.35, -0.05},  [CAMPAIGN_F_VERSION] = {-0.58, 1.15, -0.47},
    [CAMPAIGN_F_HARDWARE] = {-0.44, -0.30, 1.15}, [CAMPAIGN_F_BUILD] = {-0.43, -0.31, 1.05},
    [CAMPAIGN_F_MILEAGE] = {-0.21, -0.15, 0.76},  [CAMPAIGN_F_SMOOTH] = {-0.71, -0.01, 0.92},
    [CAMPAIGN_F_CHAIN] = {1.17, -0.74, -0.63},    [CAMPAIGN_F_REGION] = {0.30, -0.03, -0.17},
    [CAMPAIGN_F_MODELS] = {0.67, -0.33, -0.34},   [CAMPAIGN_F_BURST] = {0.52, -0.02, -0.50},
    [CAMPAIGN_F_EVIDENCE] = {0.40, -0.10, -0.20},
};

const char *campaign_verdict_name(enum campaign_verdict v)
{
    static const char *const NAME[] = {"attack_suspected", "software_regression_suspected", "hardware_fault_suspected"};

    return NAME[v];
}

static double bounded(double x)
{
    return x > FEATURE_MAX ? FEATURE_MAX : x < -FEATURE_MAX ? -FEATURE_MAX : x;
}

/* How much more often among cases (k of n) than among vehicles (y of z), in log odds; 0 when either is not known. */
static double compared(double k, double n, double y, double z)
{
    if (n < 1 || z < 1)
        return 0;
    double odds = log((k + 0.5) / (n - k + 0.5)) - log((y + 0.5) / (z - y + 0.5));
    return bounded(odds * n / (n + FEW));
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

struct findings {
    double x[CAMPAIGN_FEATURES];
    char text[CAMPAIGN_FEATURES][CAMPAIGN_REASON_SIZE];
};

#define SAY(f, feature, ...) snprintf((f)->text[feature], CAMPAIGN_REASON_SIZE, __VA_ARGS__)

static void find_rollout(const struct reason_facts *r, struct findings *f)
{
    f->x[CAMPAIGN_F_ROLLOUT] = compared(r->changed_cases, r->dated_cases, r->changed_vehicles, r->dated_vehicles);
    SAY(f, CAMPAIGN_F_ROLLOUT,
        "%u of %u vehicles changed their software in the %d days before it began (%.0f h before on average); of all "
        "vehicles compared %.0f %% did",
        r->changed_cases, r->dated_cases, REASON_CHANGE_DAYS,
        r->changed_cases > 0 ? (double)r->change_hours / r->changed_cases : 0,
        percent(r->changed_vehicles, r->dated_vehicles));
}

/* The value whose share among cases is furthest above its share among vehicles. Of equals the first by text. */
static const struct share *standing_out(const struct shares *s, double *ret)
{
    const struct share *best = NULL;

    *ret = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        double x = compared(s->of[i].cases, s->cases, s->of[i].vehicles, s->vehicles);

        if (s->vehicles == 0 || (best != NULL && x < *ret) ||
            (best != NULL && x <= *ret && slice_compare(s->of[i].value, best->value) > 0))
            continue;
        best = &s->of[i];
        *ret = x;
    }
    return best;
}

static void say_share(struct findings *f, enum campaign_feature feature, const char *what, const struct shares *s,
                      const struct share *best)
{
    SAY(f, feature, "%.0f %% of the vehicles have %s %.*s; of all vehicles compared %.0f %% have it",
        percent(best->cases, s->cases), what, (int)best->value.len, (const char *)best->value.ptr,
        percent(best->vehicles, s->vehicles));
}

static int32_t version_age(const struct campaigns *c, uint32_t cell, struct slice version, int32_t first_hour)
{
    struct campaign_cell of = cell_view(c, cell);

    of.mask = (uint8_t)((of.mask & CAMPAIGN_MODEL) | CAMPAIGN_SOFTWARE);
    of.software = version;
    uint32_t at = cell_find(c, &of);
    return at == CAMPAIGN_NONE ? INT32_MAX : day_of_hour(first_hour) - c->cell[at].first_day;
}

static void find_shares(const struct campaigns *c, uint32_t cell, int32_t first_hour, const struct reason_facts *r,
                        struct findings *f)
{
    double x;
    const struct share *best = standing_out(&r->software, &x);

    if (best != NULL) {
        int32_t age = version_age(c, cell, best->value, first_hour);

        if (age <= YOUNG_DAYS) {
            f->x[CAMPAIGN_F_VERSION] = x;
            SAY(f, CAMPAIGN_F_VERSION,
                "%.0f %% of the vehicles run %.*s, first seen %d days before; of all vehicles compared %.0f %% do",
                percent(best->cases, r->software.cases), (int)best->value.len, (const char *)best->value.ptr, age,
                percent(best->vehicles, r->software.vehicles));
        }
    }
    best = standing_out(&r->hardware, &f->x[CAMPAIGN_F_HARDWARE]);
    if (best != NULL)
        say_share(f, CAMPAIGN_F_HARDWARE, "hardware", &r->hardware, best);
    best = standing_out(&r->region, &f->x[CAMPAIGN_F_REGION]);
    if (best != NULL && r->region.count > 1)
        say_share(f, CAMPAIGN_F_REGION, "region", &r->region, best);
}

static void find_build(const struct reason_facts *r, struct findings *f)
{
    uint32_t cases = 0, vehicles = 0, at = 0;

    for (uint32_t i = 0; i < REASON_QUARTERS; i++) {
        cases += r->quarter_cases[i];
        vehicles += r->quarter_vehicles[i];
    }
    for (uint32_t i = 0; i < REASON_QUARTERS && cases > 0; i++) {
        double x = compared(r->quarter_cases[i], cases, r->quarter_vehicles[i], vehicles);

        if (r->quarter_cases[i] == 0 || x <= f->x[CAMPAIGN_F_BUILD])
            continue;
        f->x[CAMPAIGN_F_BUILD] = x;
        at = i;
    }
    SAY(f, CAMPAIGN_F_BUILD, "%u of %u vehicles were built in the same quarter; of all vehicles compared %.0f %% were",
        r->quarter_cases[at], cases, percent(r->quarter_vehicles[at], vehicles));
}

static void find_mileage(const struct reason_facts *r, struct findings *f)
{
    if (r->km_cases_count == 0 || r->km_vehicles_count < 2)
        return;
    double usual = (double)r->km_vehicles / r->km_vehicles_count, mean = (double)r->km_cases / r->km_cases_count;
    double variance = r->km_square / r->km_vehicles_count - usual * usual, n = r->km_cases_count;

    f->x[CAMPAIGN_F_MILEAGE] = variance > 1 ? bounded(2 * (mean - usual) / sqrt(variance) * n / (n + FEW)) : 0;
    SAY(f, CAMPAIGN_F_MILEAGE, "mean mileage %.0f km; of all vehicles compared %.0f km", mean, usual);
}

static void find_course(const struct reason_facts *r, const struct campaign *al, struct findings *f)
{
    double hours = (double)(al->last_us - al->first_us) / (double)CAMPAIGN_HOUR_US;
    double usual = hours > 0 ? al->expected / hours : 0, now = hours > 0 ? r->cases / hours - usual : 0;
    double before = r->before / 240.0 - usual;
    double n = r->before + 1.0;

    if (now > 0) {
        f->x[CAMPAIGN_F_SMOOTH] = bounded(4 * fmin(1, fmax(0, before / now)) * n / (n + FEW));
        SAY(f, CAMPAIGN_F_SMOOTH, "in the ten days before there were %u cases already, where %.1f are usual", r->before,
            usual * 240);
    }
    double expected = hours > 6 ? 6 / hours : 1, share = r->cases > 0 ? (double)r->burst / r->cases : 0;
    f->x[CAMPAIGN_F_BURST] = hours > 12 ? compared(r->burst, r->cases, 1000 * expected, 1000) : 0;
    SAY(f, CAMPAIGN_F_BURST, "%u of %u cases lie within six hours, of %.0f hours in all%s", r->burst, r->cases, hours,
        share > 0.5 ? ": a common start" : "");
}

static void find_rest(const struct reason_facts *r, unsigned flags, struct findings *f)
{
    double chain = r->cases > 0 ? (double)r->others / r->cases : 0;

    f->x[CAMPAIGN_F_CHAIN] = bounded(2 * chain - 0.3);
    SAY(f, CAMPAIGN_F_CHAIN, "%.1f other signatures on each of these vehicles within two days%s", chain,
        chain >= 1 ? ": steps of one intrusion look like that" : "");
    f->x[CAMPAIGN_F_MODELS] = r->models > 1 ? bounded(log2(r->models)) : 0;
    SAY(f, CAMPAIGN_F_MODELS, "on %u models at once", r->models);
    f->x[CAMPAIGN_F_EVIDENCE] = ((flags & CAMPAIGN_SPECIFIED) != 0) + ((flags & CAMPAIGN_PAYLOAD) != 0);
    SAY(f, CAMPAIGN_F_EVIDENCE, "%s%s%s", (flags & CAMPAIGN_SPECIFIED) != 0 ? "a specification is broken" : "",
        f->x[CAMPAIGN_F_EVIDENCE] > 1 ? ", and " : "",
        (flags & CAMPAIGN_PAYLOAD) != 0 ? "the content is the same on all vehicles" : "");
}

/* ---- weighing */

static double pull(const double w[CAMPAIGN_VERDICTS])
{
    return fmax(fabs(w[0] - w[1]), fmax(fabs(w[0] - w[2]), fabs(w[1] - w[2])));
}

static void tell_reasons(const struct findings *f, struct campaign *ret)
{
    for (int i = 0; i < CAMPAIGN_FEATURES; i++) {
        struct campaign_reason r = {.text = ""};
        uint32_t at = ret->reason_count;

        for (int v = 0; v < CAMPAIGN_VERDICTS; v++)
            r.weight[v] = WEIGHT[i][v] * f->x[i];
        if (pull(r.weight) < SAYS_MIN || f->text[i][0] == '\0')
            continue;
        memcpy(r.text, f->text[i], sizeof r.text);
        while (at > 0 && pull(ret->reason[at - 1].weight) < pull(r.weight)) {
            ret->reason[at] = ret->reason[at - 1];
            at--;
        }
        ret->reason[at] = r;
        ret->reason_count++;
    }
}

static void weigh(const struct findings *f, struct campaign *ret)
{
    double score[CAMPAIGN_VERDICTS], top = -1e9, sum = 0;

    for (int v = 0; v < CAMPAIGN_VERDICTS; v++) {
        score[v] = CONSTANT[v];
        for (int i = 0; i < CAMPAIGN_FEATURES; i++)
            score[v] += WEIGHT[i][v] * f->x[i];
        if (score[v] > top) {
            top = score[v];
            ret->verdict = (enum campaign_verdict)v;
        }
    }
    for (int v = 0; v < CAMPAIGN_VERDICTS; v++)
        sum += exp(score[v] - top);
    for (int v = 0; v < CAMPAIGN_VERDICTS; v++)
        ret->p[v] = exp(score[v] - top) / sum;
    memcpy(ret->feature, f->x, sizeof ret->feature);
    tell_reasons(f, ret);
}

void reason_about(struct campaigns *c, uint32_t signature, uint32_t cell, int32_t first_hour, int32_t last_hour,
                  struct campaign *ret)
{
    struct reason_facts facts;
    struct findings f;

    memset(&f, 0, sizeof f);
    reason_gather(c, signature, cell, first_hour, last_hour, &facts);
    find_rollout(&facts, &f);
    find_shares(c, cell, first_hour, &facts, &f);
    find_build(&facts, &f);
    find_mileage(&facts, &f);
    find_course(&facts, ret, &f);
    find_rest(&facts, c->signature[signature].flags, &f);
    weigh(&f, ret);
}
