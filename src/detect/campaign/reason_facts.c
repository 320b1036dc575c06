/* What the cases of a campaign have in common, beside what the vehicles have in common that could have been cases.
 *
 * The comparison is drawn from the campaign's cell with the software left open, so that versions can be compared: its
 * cases, and its vehicles that were active meanwhile. Of large cells every vehicle whose key is below a limit is taken,
 * about REASON_SAMPLE: which ones does not depend on the order in which vehicles were met. */
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define BURST_H       6
#define BEFORE_H      240
#define QUARTER_DAYS  91
#define FIRST_QUARTER 7305 /* 1990-01-01 */

static void count_share(struct shares *s, struct slice value, bool is_case)
{
    uint32_t i = 0;

    if (value.len == 0)
        return;
    while (i < s->count && !slice_equal(s->of[i].value, value))
        i++;
    if (is_case)
        s->cases++;
    else
        s->vehicles++;
    if (i == REASON_VALUES)
        return;
    if (i == s->count)
        s->of[s->count++] = (struct share){.value = value};
    if (is_case)
        s->of[i].cases++;
    else
        s->of[i].vehicles++;
}

static void count_change(struct reason_facts *f, const struct campaign_vehicle *v, int64_t time_us, bool is_case)
{
    int64_t hours = (time_us - v->software_since_us) / CAMPAIGN_HOUR_US;
    bool soon = hours >= 0 && hours <= 24 * REASON_CHANGE_DAYS;

    if (v->software_since_us == 0)
        return;
    if (is_case) {
        f->dated_cases++;
        f->changed_cases += soon;
        f->change_hours += soon ? hours : 0;
    } else {
        f->dated_vehicles++;
        f->changed_vehicles += soon;
    }
}

static void count_vehicle(struct reason_facts *f, const struct campaign_vehicle *v, int64_t time_us, bool is_case)
{
    count_change(f, v, time_us, is_case);
    count_share(&f->hardware, v->hardware, is_case);
    if (v->build_day >= FIRST_QUARTER) {
        uint32_t q = (uint32_t)(v->build_day - FIRST_QUARTER) / QUARTER_DAYS;

        if (q < REASON_QUARTERS)
            (*(is_case ? &f->quarter_cases[q] : &f->quarter_vehicles[q]))++;
    }
    if (v->odometer_km < 0)
        return;
    if (is_case) {
        f->km_cases += v->odometer_km;
        f->km_cases_count++;
    } else {
        f->km_vehicles += v->odometer_km;
        f->km_vehicles_count++;
        f->km_square += (double)v->odometer_km * v->odometer_km;
    }
}

static void count_cohort(struct campaigns *c, struct reason_facts *f, uint32_t cohort, bool is_case)
{
    const struct cohort *co = &c->cohort[cohort];

    count_share(&f->software, intern_text(&c->texts, co->value[1]), is_case);
    count_share(&f->region, intern_text(&c->texts, co->value[2]), is_case);
}

static void facts_of(const struct campaigns *c, uint32_t vehicle, int64_t time_us, struct campaign_vehicle *ret)
{
    *ret = (struct campaign_vehicle){.build_day = -1, .odometer_km = -1};
    if (c->cfg.facts != NULL)
        c->cfg.facts(c->cfg.ctx, vehicle, time_us, ret);
}

/* Most cases within BURST_H hours, as they come by in the order of time. */
struct burst {
    int32_t hour[BURST_H];
    uint32_t cases[BURST_H];
};

static uint32_t burst_add(struct burst *b, int32_t hour)
{
    uint32_t at = (uint32_t)(((hour % BURST_H) + BURST_H) % BURST_H), sum = 0;

    if (b->hour[at] != hour || b->cases[at] == 0) {
        b->hour[at] = hour;
        b->cases[at] = 0;
    }
    b->cases[at]++;
    for (int i = 0; i < BURST_H; i++)
        sum += hour - b->hour[i] < BURST_H ? b->cases[i] : 0;
    return sum;
}

/* Counts the model when it has its second case. The tally is free between two scans. */
static void count_model(struct campaigns *c, uint32_t cohort, struct reason_facts *f)
{
    struct tally *t = &c->tally[c->cohort[cohort].cell[CAMPAIGN_MODEL]];

    if (t->stamp != c->stamp) {
        t->stamp = c->stamp;
        t->cases[0] = 0;
    }
    f->models += ++t->cases[0] == 2;
}

static void gather_cases(struct campaigns *c, uint32_t signature, uint32_t scope, int32_t first, int32_t last,
                         struct reason_facts *f)
{
    const struct signature *s = &c->signature[signature];
    uint8_t mask = c->cell[scope].mask;
    struct burst recent = {.cases = {0}};

    c->stamp++;
    for (uint32_t k = cases_from(s, first - BEFORE_H); k < s->case_count && s->cases[k].hour <= last; k++) {
        const struct a_case *x = &s->cases[k];
        struct campaign_vehicle v;

        if (c->cohort[x->cohort].cell[mask] != scope)
            continue;
        if (x->hour < first) {
            f->before++;
            continue;
        }
        int64_t time_us = cases_time(c, x->vehicle, signature, x->hour);
        facts_of(c, x->vehicle, time_us, &v);
        count_vehicle(f, &v, time_us, true);
        count_cohort(c, f, x->cohort, true);
        count_model(c, x->cohort, f);
        f->others += cases_others(c, x->vehicle, signature, x->hour, 48);
        f->cases++;
        uint32_t burst = burst_add(&recent, x->hour);
        f->burst = burst > f->burst ? burst : f->burst;
    }
}

static void gather_vehicles(struct campaigns *c, uint32_t scope, int32_t first, int32_t last, struct reason_facts *f)
{
    uint8_t mask = c->cell[scope].mask;
    uint32_t size = exposure_expected(c, scope, day_of_hour(first));
    uint64_t limit = size > REASON_SAMPLE ? UINT64_MAX / size * REASON_SAMPLE : UINT64_MAX;
    int32_t from = day_of_hour(first) - 1, to = day_of_hour(last) < from + 7 ? day_of_hour(last) : from + 7;

    if (c->cfg.facts == NULL || c->cfg.key == NULL)
        return;
    for (uint32_t i = 0; i < c->slot_count; i++) {
        const struct slot *sl = &c->slot[i];
        struct campaign_vehicle v;

        if (c->cohort[sl->cohort].cell[mask] != scope || c->cfg.key(c->cfg.ctx, sl->vehicle) > limit ||
            !exposure_was_active(c, i, from, to))
            continue;
        int64_t middle_us = (first + (last - first) / 2) * CAMPAIGN_HOUR_US;
        facts_of(c, sl->vehicle, middle_us, &v);
        count_vehicle(f, &v, middle_us, false);
        count_cohort(c, f, sl->cohort, false);
        f->vehicles++;
    }
}

void reason_gather(struct campaigns *c, uint32_t signature, uint32_t cell, int32_t first_hour, int32_t last_hour,
                   struct reason_facts *ret)
{
    uint32_t scope = cell;

    memset(ret, 0, sizeof *ret);
    if ((c->cell[cell].mask & CAMPAIGN_SOFTWARE) != 0) {
        struct campaign_cell open = cell_view(c, cell);

        open.mask &= (uint8_t)~CAMPAIGN_SOFTWARE;
        scope = cell_find(c, &open);
    }
    gather_cases(c, signature, scope, first_hour, last_hour, ret);
    gather_vehicles(c, scope, first_hour, last_hour, ret);
}
