/* The scan: a signature, an hour, all windows that end there, all cells with cases in them.
 *
 * Score of x cases where m are expected and the relative variance of the mean is a = 1 / r:
 *     L = x ln(x / m) - (x + r) ln((x + r) / (m + r)),   0 when x <= m,
 * the log-likelihood ratio of the best raised mean against m. By Chernoff's bound a count as high or higher has, under
 * the baseline, a probability of at most exp(-L), whatever m and a: so one threshold serves cells of every size. */
#include <math.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

static const uint16_t WINDOW_H[CAMPAIGN_WINDOWS] = {1, 3, 6, 12, 24, 48, CAMPAIGN_WINDOW_MAX_H};

#define EXCESS_RATIO_MIN 1.5 /* of expected cases: less is not worth a person's time, however certain */
#define EXPLAINS_SHARE   0.9 /* a smaller cell with this share of the excess explains it */

double scan_score(double x, double m, double a)
{
    double r = 1 / a;

    if (x <= m)
        return 0;
    return x * log(x / m) - (x + r) * log((x + r) / (m + r));
}

static void tally_case(struct campaigns *c, uint32_t cell, unsigned window)
{
    struct tally *t = &c->tally[cell];

    if (t->stamp != c->stamp) {
        memset(t->cases, 0, sizeof t->cases);
        t->stamp = c->stamp;
        c->touched[c->touched_count++] = cell;
    }
    t->cases[window]++;
}

/* Counts the cases of the last four days by cell and smallest window, then makes the windows contain each other. */
static void tally_hour(struct campaigns *c, const struct signature *s, int32_t hour)
{
    c->stamp++;
    c->touched_count = 0;
    for (uint32_t k = cases_from(s, hour - CAMPAIGN_WINDOW_MAX_H + 1); k < s->case_count && s->cases[k].hour <= hour;
         k++) {
        unsigned window = 0;

        while (hour - s->cases[k].hour >= WINDOW_H[window])
            window++;
        for (int mask = 0; mask < CAMPAIGN_MASKS; mask++)
            tally_case(c, c->cohort[s->cases[k].cohort].cell[mask], window);
    }
    for (uint32_t i = 0; i < c->touched_count; i++)
        for (int w = 1; w < CAMPAIGN_WINDOWS; w++)
            c->tally[c->touched[i]].cases[w] += c->tally[c->touched[i]].cases[w - 1];
}

static struct pick look_at_cell(const struct campaigns *c, uint32_t cell, int32_t hour)
{
    struct pick best = {.hour = hour, .cell = cell};
    const struct tally *t = &c->tally[cell];
    struct rate rate = rates_of(c, cell);
    double spread = rates_spread(c, cell);

    for (int w = 0; w < CAMPAIGN_WINDOWS; w++) {
        if (t->cases[w] < c->cfg.vehicles_min || (w > 0 && t->cases[w] == t->cases[w - 1]))
            continue;
        double expected = rates_expected(c, cell, rate.per_day, hour - WINDOW_H[w] + 1, hour);
        double score = scan_score(t->cases[w], expected, rate.variance + spread);

        if (score <= best.score || t->cases[w] < EXCESS_RATIO_MIN * expected)
            continue;
        best.score = score;
        best.expected = expected;
        best.cases = t->cases[w];
        best.window_h = WINDOW_H[w];
    }
    return best;
}

static bool before(const struct campaigns *c, const struct pick *a, const struct pick *b)
{
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score;
    return cell_compare(c, a->cell, b->cell) < 0;
}

static bool within(const struct campaigns *c, uint32_t small, uint32_t large)
{
    const struct cell *x = &c->cell[small], *y = &c->cell[large];

    return (x->mask & y->mask) == y->mask && !cells_disjoint(c, small, large);
}

/* Of the cells in alarm that lie in the most telling one and hold its excess, the one with the fewest vehicles. */
static struct pick smallest(const struct campaigns *c, const struct pick *alarm, uint32_t count,
                            const struct pick *best)
{
    struct pick ret = *best;

    for (uint32_t i = 0; i < count; i++) {
        const struct pick *p = &alarm[i];
        uint32_t size = exposure_expected(c, p->cell, c->rates.day);
        uint32_t least = exposure_expected(c, ret.cell, c->rates.day);

        if (!within(c, p->cell, best->cell) || p->cases - p->expected < EXPLAINS_SHARE * (best->cases - best->expected))
            continue;
        if (size < least || (size == least && p->cell != ret.cell && cell_compare(c, p->cell, ret.cell) > 0))
            ret = *p;
    }
    return ret;
}

static enum vs_err keep(struct signature *s, const struct pick *p)
{
    if (!array_room((void **)&s->pick, s->pick_count, &s->pick_room, sizeof *s->pick))
        return VS_ERR_NO_MEMORY;
    s->pick[s->pick_count++] = *p;
    return VS_OK;
}

/* The most telling cell that shares no vehicle with those chosen before. */
static const struct pick *next_best(const struct campaigns *c, const struct pick *alarm, uint32_t count,
                                    const struct pick *chosen, uint32_t chosen_count)
{
    const struct pick *best = NULL;

    for (uint32_t i = 0; i < count; i++) {
        bool apart = true;

        for (uint32_t k = 0; k < chosen_count && apart; k++)
            apart = cells_disjoint(c, alarm[i].cell, chosen[k].cell);
        if (apart && (best == NULL || before(c, &alarm[i], best)))
            best = &alarm[i];
    }
    return best;
}

/* Share of the fleet's excess in the window of the pick that lies in its cell. */
static double explained(const struct campaigns *c, const struct pick *p)
{
    const struct campaign_cell whole = {0};
    uint32_t fleet = cell_find(c, &whole);
    int w = 0;

    while (w < CAMPAIGN_WINDOWS - 1 && WINDOW_H[w] < p->window_h)
        w++;
    struct rate rate = rates_of(c, fleet);
    double excess =
        c->tally[fleet].cases[w] - rates_expected(c, fleet, rate.per_day, p->hour - p->window_h + 1, p->hour);
    double share = excess > 0 ? (p->cases - p->expected) / excess : 1;
    return share > 1 ? 1 : share;
}

/* The most telling cell, then the most telling one that shares no vehicle with it, and so on. */
static enum vs_err choose(struct campaigns *c, struct signature *s, const struct pick *alarm, uint32_t count)
{
    struct pick chosen[PICKS_MAX];
    uint32_t chosen_count = 0;
    const struct pick *best;
    enum vs_err err = VS_OK;

    while (chosen_count < PICKS_MAX && err == VS_OK &&
           (best = next_best(c, alarm, count, chosen, chosen_count)) != NULL) {
        struct pick *p = &chosen[chosen_count++];

        *p = smallest(c, alarm, count, best);
        p->warm = false;
        for (uint32_t i = 0; i < count && !p->warm; i++)
            p->warm = alarm[i].warm && !cells_disjoint(c, alarm[i].cell, best->cell);
        p->explains = explained(c, p);
        p->baseline = c->rates.armed != NULL ? c->rates.armed->version : 0;
        p->threshold = rates_threshold(c);
        err = keep(s, p);
    }
    return err;
}

static enum vs_err scan_hour(struct campaigns *c, uint32_t signature, int32_t hour, bool *ret_alarm)
{
    uint32_t count = 0;
    enum vs_err err = rates_for(c, signature, hour);

    *ret_alarm = false;
    if (err != VS_OK || c->rates.days < CAMPAIGN_LEARN_DAYS)
        return err;
    c->stats.looks++;
    tally_hour(c, &c->signature[signature], hour);
    for (uint32_t i = 0; i < c->touched_count; i++) {
        uint32_t cell = c->touched[i];

        if (c->tally[cell].cases[CAMPAIGN_WINDOWS - 1] < c->cfg.vehicles_min)
            continue;
        struct pick p = look_at_cell(c, cell, hour);
        if (p.score < rates_threshold(c))
            continue;
        p.warm = c->cell[cell].first_day <= day_of_hour(hour) - CAMPAIGN_LEARN_DAYS;
        if (!array_room((void **)&c->alarm, count, &c->alarm_room, sizeof *c->alarm))
            return VS_ERR_NO_MEMORY;
        c->alarm[count++] = p;
    }
    *ret_alarm = count > 0;
    return count > 0 ? choose(c, &c->signature[signature], c->alarm, count) : VS_OK;
}

/* Looks at every hour with a case from `from_hour` on, and at the hours behind an alarm until it is over. */
enum vs_err scan_signature(struct campaigns *c, uint32_t signature, int32_t from_hour)
{
    struct signature *s = &c->signature[signature];
    int32_t end = hour_of(c->now_us);
    bool alarm = false;
    enum vs_err err = VS_OK;

    while (s->pick_count > 0 && s->pick[s->pick_count - 1].hour >= from_hour)
        s->pick_count--;
    alarm = s->pick_count > 0 && s->pick[s->pick_count - 1].hour == from_hour - 1;
    c->rates.signature = CAMPAIGN_NONE;
    uint32_t k = cases_from(s, from_hour);
    int32_t hour = alarm ? from_hour : k < s->case_count ? s->cases[k].hour : NO_HOUR;
    while (err == VS_OK && hour <= end) {
        err = scan_hour(c, signature, hour, &alarm);
        while (k < s->case_count && s->cases[k].hour <= hour)
            k++;
        hour = alarm ? hour + 1 : k < s->case_count ? s->cases[k].hour : NO_HOUR;
    }
    s->changed = true;
    return err;
}
