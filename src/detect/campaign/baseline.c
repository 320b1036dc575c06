/* Baselines: what is usual. The arithmetic is in detect/campaign/baseline.h and docs/campaigns.md.
 *
 * Sums that could depend on the order of numbers given out are taken in integers: terms of the dispersion are rounded
 * to 2^-20 first. So the same set of events gives the same bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define FIXED          1048576.0
#define SPREAD_WEIGHT  50.0 /* squared cases that the prior of the dispersion weighs */
#define SPREAD_MIN     0.005
#define SPREAD_MAX     4.0
#define EXCLUDED_MAX   14
#define PROFILE_WEIGHT 200.0 /* cases that an even profile weighs */

/* ---- profile */

static void learn_day_shape(struct campaigns *c, int32_t day)
{
    uint32_t *shape = c->day_shape[ring_of(day)];

    memset(shape, 0, sizeof c->day_shape[0]);
    for (uint32_t i = 0; i < c->signature_texts.count; i++) {
        const struct signature *s = &c->signature[i];
        uint32_t of_hour[24] = {0};

        for (uint32_t k = cases_from(s, day * 24); k < s->case_count && s->cases[k].hour < (day + 1) * 24; k++)
            of_hour[s->cases[k].hour - day * 24]++;
        for (int h = 0; h < 24; h++)
            shape[h] += of_hour[h] < PROFILE_CASES_MAX ? of_hour[h] : PROFILE_CASES_MAX;
    }
    c->day_shape_known[ring_of(day)] = true;
}

static void shape_profile(const uint64_t by_weekday[7], const uint64_t by_hour[24], const uint64_t exposure[7],
                          struct profile *ret)
{
    uint64_t cases = 0, vehicle_days = 0;
    double factor[7], sum = 0;

    for (int w = 0; w < 7; w++) {
        cases += by_weekday[w];
        vehicle_days += exposure[w];
    }
    for (int w = 0; w < 7; w++) {
        double expected = vehicle_days > 0 ? (double)exposure[w] * (double)cases / (double)vehicle_days : 0;

        factor[w] = ((double)by_weekday[w] + PROFILE_WEIGHT) / (expected + PROFILE_WEIGHT);
        sum += factor[w];
    }
    for (int w = 0; w < 7; w++) {
        ret->cum[w][0] = 0;
        for (int h = 0; h < 24; h++)
            ret->cum[w][h + 1] = ret->cum[w][h] + factor[w] * 7 / sum * ((double)by_hour[h] + PROFILE_WEIGHT / 24) /
                                                      ((double)cases + PROFILE_WEIGHT);
    }
}

void profile_learn(struct campaigns *c, int32_t day, struct profile *ret)
{
    uint64_t by_weekday[7] = {0}, by_hour[24] = {0}, exposure[7] = {0};
    const struct campaign_cell fleet_cell = {0};
    uint32_t fleet = cell_find(c, &fleet_cell);

    for (int32_t d = day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS; d < day - CAMPAIGN_GUARD_DAYS; d++) {
        if (!exposure_keeps(c, d))
            continue;
        if (!c->day_shape_known[ring_of(d)])
            learn_day_shape(c, d);
        exposure[weekday_of(d)] += fleet != CAMPAIGN_NONE ? exposure_active(c, fleet, d) : 0;
        for (int h = 0; h < 24; h++) {
            by_hour[h] += c->day_shape[ring_of(d)][h];
            by_weekday[weekday_of(d)] += c->day_shape[ring_of(d)][h];
        }
    }
    shape_profile(by_weekday, by_hour, exposure, ret);
}

/* ---- trailing rates of one signature */

static void exclude_alarm_days(struct campaigns *c, const struct signature *s, int32_t first)
{
    bool *excluded = c->rates.excluded;
    uint32_t count = 0;

    memset(excluded, 0, CAMPAIGN_BASELINE_DAYS * sizeof *excluded);
    for (uint32_t i = 0; i < s->pick_count && count < EXCLUDED_MAX; i++) {
        int32_t at = day_of_hour(s->pick[i].hour) - first;

        if (at < 0 || at >= CAMPAIGN_BASELINE_DAYS || excluded[at])
            continue;
        excluded[at] = true;
        count++;
    }
}

static void count_case(struct campaigns *c, uint32_t cell)
{
    struct rates *r = &c->rates;

    if (r->stamp[cell] != r->now) {
        r->stamp[cell] = r->now;
        r->cases[cell] = 0;
    }
    r->cases[cell]++;
}

static uint32_t cases_in(const struct rates *r, uint32_t cell)
{
    return cell < r->room && r->stamp[cell] == r->now ? r->cases[cell] : 0;
}

static uint64_t taught_days(const struct campaigns *c, uint32_t cell)
{
    int32_t first = c->rates.day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS;
    uint64_t sum = 0;

    for (int32_t i = 0; i < CAMPAIGN_BASELINE_DAYS; i++)
        if (!c->rates.excluded[i])
            sum += exposure_active(c, cell, first + i);
    return sum;
}

/* The dispersion of daily counts in cells of one mask: sum of (x - m)^2 - x over the sum of m^2. A day of x cases adds
 * x^2 - 2xm - x to what a day of none adds. */
struct spread_sum {
    int64_t over, square;
};

static double mean_of_day(const struct campaigns *c, uint32_t cell, double per_day, int32_t day)
{
    return per_day * exposure_active(c, cell, day) * c->rates.profile->cum[weekday_of(day)][24];
}

static double per_day_of(const struct campaigns *c, uint32_t cell)
{
    uint64_t days = taught_days(c, cell);

    return days > 0 ? cases_in(&c->rates, cell) / (double)days : 0;
}

static void spread_add_cell(const struct campaigns *c, uint32_t cell, double per_day, struct spread_sum *sum)
{
    int32_t first = c->rates.day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS;

    for (int32_t i = 0; i < CAMPAIGN_BASELINE_DAYS; i++) {
        if (c->rates.excluded[i])
            continue;
        double m = mean_of_day(c, cell, per_day, first + i);

        sum->over += llround(m * m * FIXED);
        sum->square += llround(m * m * FIXED);
    }
}

static void spread_add_day(const struct campaigns *c, uint32_t cell, double per_day, int32_t day, uint32_t x,
                           struct spread_sum *sum)
{
    double m = mean_of_day(c, cell, per_day, day), n = x;

    sum->over += llround((n * n - 2 * n * m - n) * FIXED);
}

static double spread_of(const struct spread_sum *sum)
{
    double a =
        ((double)sum->over / FIXED + DISPERSION_PRIOR * SPREAD_WEIGHT) / ((double)sum->square / FIXED + SPREAD_WEIGHT);

    return a < SPREAD_MIN ? SPREAD_MIN : a > SPREAD_MAX ? SPREAD_MAX : a;
}

/* The days of one mask: per day and cell the number of cases, in passes over the sorted cases. */
static double learn_spread(struct campaigns *c, const struct signature *s, uint8_t mask)
{
    int32_t first = c->rates.day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS;
    struct spread_sum sum = {0, 0};
    uint32_t k = cases_from(s, first * 24);

    for (uint32_t i = 0; i < c->cell_count; i++)
        if (c->cell[i].mask == mask && cases_in(&c->rates, i) > 0)
            spread_add_cell(c, i, per_day_of(c, i), &sum);
    for (int32_t day = first; day < first + CAMPAIGN_BASELINE_DAYS; day++) {
        c->stamp++;
        c->touched_count = 0;
        for (; k < s->case_count && s->cases[k].hour < (day + 1) * 24; k++) {
            uint32_t cell = c->cohort[s->cases[k].cohort].cell[mask];

            if (c->rates.excluded[day - first])
                continue;
            if (c->tally[cell].stamp != c->stamp) {
                c->tally[cell].stamp = c->stamp;
                c->tally[cell].cases[0] = 0;
                c->touched[c->touched_count++] = cell;
            }
            c->tally[cell].cases[0]++;
        }
        for (uint32_t i = 0; i < c->touched_count; i++)
            spread_add_day(c, c->touched[i], per_day_of(c, c->touched[i]), day, c->tally[c->touched[i]].cases[0], &sum);
    }
    return spread_of(&sum);
}

static bool rates_room(struct campaigns *c)
{
    struct rates *r = &c->rates;
    uint32_t room = r->room, stamp_room = r->room, touched_room = c->touched_room;

    if (c->cell_count <= r->room && c->cell_count <= c->tally_room && c->cell_count <= c->touched_room)
        return true;
    if (!array_room((void **)&r->cases, c->cell_count, &room, sizeof *r->cases) ||
        !array_room((void **)&r->stamp, c->cell_count, &stamp_room, sizeof *r->stamp) ||
        !array_room((void **)&c->tally, c->cell_count, &c->tally_room, sizeof *c->tally) ||
        !array_room((void **)&c->touched, c->cell_count, &touched_room, sizeof *c->touched))
        return false;
    r->room = room;
    c->touched_room = touched_room;
    return true;
}

static void learn_rates(struct campaigns *c, const struct signature *s)
{
    struct rates *r = &c->rates;
    int32_t first = r->day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS;
    const struct campaign_cell fleet_cell = {0};
    uint32_t fleet = cell_find(c, &fleet_cell);

    exclude_alarm_days(c, s, first);
    r->now++;
    for (uint32_t k = cases_from(s, first * 24);
         k < s->case_count && s->cases[k].hour < (first + CAMPAIGN_BASELINE_DAYS) * 24; k++)
        for (int mask = 0; mask < CAMPAIGN_MASKS && !r->excluded[day_of_hour(s->cases[k].hour) - first]; mask++)
            count_case(c, c->cohort[s->cases[k].cohort].cell[mask]);
    r->days = 0;
    for (int32_t i = 0; i < CAMPAIGN_BASELINE_DAYS; i++)
        r->days += !r->excluded[i] && fleet != CAMPAIGN_NONE && exposure_active(c, fleet, first + i) > 0;
    r->spread_fleet = learn_spread(c, s, 0);
    r->spread_model = learn_spread(c, s, CAMPAIGN_MODEL);
}

static void take_armed(struct campaigns *c, uint32_t signature)
{
    struct rates *r = &c->rates;
    uint32_t at = number_map_get(&r->armed->spread, signature);

    r->days = r->armed->days;
    r->profile = &r->armed->profile;
    r->spread_fleet = at != CAMPAIGN_NONE ? r->armed->spread_of[at][0] : DISPERSION_PRIOR;
    r->spread_model = at != CAMPAIGN_NONE ? r->armed->spread_of[at][1] : DISPERSION_PRIOR;
}

enum vs_err rates_for(struct campaigns *c, uint32_t signature, int32_t hour)
{
    struct rates *r = &c->rates;
    const struct armed *armed = armed_at(c, hour);
    int32_t day = day_of_hour(hour);

    if (r->signature == signature && r->day == day && r->armed == armed)
        return VS_OK;
    if (!rates_room(c))
        return VS_ERR_NO_MEMORY;
    r->signature = signature;
    r->day = day;
    r->armed = armed;
    if (armed != NULL) {
        take_armed(c, signature);
        return VS_OK;
    }
    if (!c->profile_known || c->profile_day != day) {
        profile_learn(c, day, &c->profile);
        c->profile_day = day;
        c->profile_known = true;
    }
    r->profile = &c->profile;
    learn_rates(c, &c->signature[signature]);
    return VS_OK;
}

/* ---- asking */

static void known_of(const struct campaigns *c, uint32_t cell, double *ret_cases, double *ret_days)
{
    const struct armed *a = c->rates.armed;

    if (a == NULL) {
        uint64_t vehicle_days = taught_days(c, cell);

        *ret_cases = cases_in(&c->rates, cell);
        *ret_days = (double)vehicle_days;
        return;
    }
    uint32_t cases = number_map_get(&a->cases, (uint64_t)c->rates.signature << 32 | cell);
    uint32_t at = number_map_get(&a->cell, cell);
    *ret_cases = cases != CAMPAIGN_NONE ? cases : 0;
    *ret_days = at != CAMPAIGN_NONE ? (double)a->vehicle_days[at] : 0;
}

struct rate rates_of(const struct campaigns *c, uint32_t cell)
{
    uint32_t chain[4] = {0}, length = 0;
    double cases, days;

    for (uint32_t at = cell; at != CAMPAIGN_NONE && length < 4; at = c->cell[at].parent)
        chain[length++] = at;
    known_of(c, chain[length - 1], &cases, &days);
    struct rate rate = {.per_day = (cases + RATES_PRIOR_FLEET) / (days > 1 ? days : 1),
                        .variance = 1 / (cases + RATES_PRIOR_FLEET),
                        .cases = cases};
    for (uint32_t i = length - 1; i-- > 0;) {
        known_of(c, chain[i], &cases, &days);
        double lean = RATES_PRIOR / (cases + RATES_PRIOR);

        rate.per_day = (cases + RATES_PRIOR) / (days + RATES_PRIOR / rate.per_day);
        rate.variance = 1 / (cases + RATES_PRIOR) + lean * lean * rate.variance;
        rate.cases = cases;
    }
    return rate;
}

double rates_threshold(const struct campaigns *c)
{
    return c->rates.armed != NULL && c->rates.armed->threshold > 0 ? c->rates.armed->threshold : c->cfg.threshold;
}

double rates_spread(const struct campaigns *c, uint32_t cell)
{
    /* Software mostly belongs to one model, so what is left of the fleet with it scatters like a model. */
    bool pooled = (c->cell[cell].mask & (CAMPAIGN_MODEL | CAMPAIGN_SOFTWARE)) == 0;

    return pooled || c->rates.spread_model < c->rates.spread_fleet ? c->rates.spread_fleet : c->rates.spread_model;
}

double rates_expected(const struct campaigns *c, uint32_t cell, double per_day, int32_t from, int32_t to)
{
    double sum = 0;

    for (int32_t day = day_of_hour(from); day <= day_of_hour(to); day++) {
        int32_t low = from > day * 24 ? from - day * 24 : 0;
        int32_t high = to < day * 24 + 23 ? to - day * 24 + 1 : 24;
        const double *cum = c->rates.profile->cum[weekday_of(day)];

        sum += exposure_expected(c, cell, day) * (cum[high] - cum[low]);
    }
    return sum * per_day;
}
