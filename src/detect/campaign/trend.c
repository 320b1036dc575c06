/* Slow rises: what climbs by a few per cent a week passes under every window of four days, and a baseline of four weeks
 * climbs with it. So weekly cases per vehicle-day are kept for a year and their slope is tested.
 *
 * With x cases and e vehicle-days in week w, m = q e the cases expected of a constant rate q, and v the mean week
 * weighted by m: U = sum (w - v) x, its variance f sum (w - v)^2 m, z = U / sqrt(variance). f is how much more than
 * Poisson the weeks scatter around the fitted line (never below 1). The relative slope is U / sum (w - v)^2 m. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define TREND_CASES_MIN 200 /* fewer over all weeks say nothing about per cents */
#define TREND_RISE_MIN  0.10

uint32_t *series_weeks(struct campaigns *c, uint32_t signature, uint32_t cell)
{
    uint64_t key = (uint64_t)signature << 32 | cell;
    uint32_t at = number_map_get(&c->series_of, key);

    if (at != CAMPAIGN_NONE)
        return c->series[at].week;
    if (!array_room((void **)&c->series, c->series_count, &c->series_room, sizeof *c->series) ||
        number_map_put(&c->series_of, key, c->series_count) != VS_OK)
        return NULL;
    struct series *s = &c->series[c->series_count++];
    memset(s, 0, sizeof *s);
    s->signature = signature;
    s->cell = cell;
    return s->week;
}

void series_count(struct campaigns *c, uint32_t signature, uint32_t cohort, int32_t hour, int by)
{
    static const uint8_t MASK[2] = {0, CAMPAIGN_MODEL};
    uint32_t at = (uint32_t)week_of(day_of_hour(hour)) % WEEKS;

    for (int i = 0; i < 2; i++) {
        uint32_t *week = series_weeks(c, signature, c->cohort[cohort].cell[MASK[i]]);

        if (week != NULL && (by > 0 || week[at] > 0))
            week[at] += (uint32_t)by;
    }
}

void series_forget(struct campaigns *c, int32_t week)
{
    for (uint32_t i = 0; i < c->series_count; i++)
        c->series[i].week[(uint32_t)week % WEEKS] = 0;
}

struct fit {
    double slope, z;
    uint64_t cases;
};

static struct fit fit_weeks(const uint32_t *cases, const uint32_t *days, int32_t first, int32_t last)
{
    double x = 0, e = 0, centre = 0, u = 0, spread = 0, chi = 0;
    struct fit ret = {0, 0, 0};

    for (int32_t w = first; w <= last; w++) {
        x += cases[(uint32_t)w % WEEKS];
        e += days[(uint32_t)w % WEEKS];
        centre += (double)(w - first) * days[(uint32_t)w % WEEKS];
    }
    ret.cases = (uint64_t)x;
    if (e < 1 || x < TREND_CASES_MIN)
        return ret;
    centre /= e;
    for (int32_t w = first; w <= last; w++) {
        double away = w - first - centre, m = x / e * days[(uint32_t)w % WEEKS];

        u += away * cases[(uint32_t)w % WEEKS];
        spread += away * away * m;
    }
    if (spread <= 0)
        return ret;
    ret.slope = u / spread;
    for (int32_t w = first; w <= last; w++) {
        double m = x / e * days[(uint32_t)w % WEEKS], line = m * (1 + ret.slope * (w - first - centre));
        double off = cases[(uint32_t)w % WEEKS] - line;

        chi += line > 0.5 ? off * off / line : off * off / 0.5;
    }
    double f = chi / (last - first - 1);
    ret.z = u / sqrt(spread * (f > 1 ? f : 1));
    return ret;
}

static void look_at_series(const struct campaigns *c, const struct series *sr, int32_t last,
                           void (*each)(void *ctx, const struct campaign_trend *tr), void *ctx)
{
    const struct cell *x = &c->cell[sr->cell];
    int32_t first = last - WEEKS + 4;

    /* The first week in which the cell was there may be a part of one. */
    while (first <= last && x->weekly[(uint32_t)first % WEEKS] == 0)
        first++;
    first++;
    for (int32_t w = first + CAMPAIGN_TREND_WEEKS - 1; w <= last; w++) {
        struct fit fit = fit_weeks(sr->week, x->weekly, first, w);
        int32_t weeks = w - first + 1;

        if (fit.z < CAMPAIGN_TREND_Z || fit.slope * weeks < TREND_RISE_MIN)
            continue;
        struct campaign_trend tr = {.signature = intern_text(&c->signature_texts, sr->signature),
                                    .cell = cell_view(c, sr->cell),
                                    .from_us = (first * 7 - 3) * CAMPAIGN_DAY_US,
                                    .to_us = (w * 7 + 4) * CAMPAIGN_DAY_US,
                                    .weeks = (uint32_t)weeks,
                                    .per_week = fit.slope,
                                    .z = fit.z,
                                    .cases = fit.cases};
        each(ctx, &tr);
        first = w + 1;
        w = first + CAMPAIGN_TREND_WEEKS - 2;
    }
}

static int series_order(const void *a, const void *b, void *ctx)
{
    const struct campaigns *c = ctx;
    const struct series *x = &c->series[*(const uint32_t *)a], *y = &c->series[*(const uint32_t *)b];
    int order =
        slice_compare(intern_text(&c->signature_texts, x->signature), intern_text(&c->signature_texts, y->signature));

    return order != 0 ? order : cell_compare(c, x->cell, y->cell);
}

void campaign_trends(const struct campaigns *c, int64_t now_us,
                     void (*each)(void *ctx, const struct campaign_trend *tr), void *ctx)
{
    uint32_t *order = calloc(c->series_count + 1, sizeof *order);
    int32_t day = day_of_hour(hour_of(now_us));

    if (order == NULL)
        return;
    for (uint32_t i = 0; i < c->series_count; i++)
        order[i] = i;
    qsort_r(order, c->series_count, sizeof *order, series_order, (void *)(uintptr_t)c);
    for (uint32_t i = 0; i < c->series_count; i++)
        look_at_series(c, &c->series[order[i]], week_of(day - 2) - 1, each, ctx);
    free(order);
}
