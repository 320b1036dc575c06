/* What is planted: when, where, and on whom. Each on a signature of its own, so that streams do not disturb each other;
 * other signatures only carry what an intrusion or a cascade of failures drags along. */
#include "outbreak_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_SIGNATURES (OUTBREAK_SIGNATURES - OUTBREAK_FIRST_CHAIN)

const char *outbreak_kind_name(enum outbreak_kind k)
{
    static const char *const NAME[] = {"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "R1", "R2", "F1", "F2"};

    return NAME[k];
}

uint32_t outbreak_truth_count(const struct outbreak *o)
{
    return o->planted_count;
}

const struct outbreak_truth *outbreak_truth_at(const struct outbreak *o, uint32_t i)
{
    return &o->planted[i].truth;
}

uint32_t outbreak_victims_before(const struct outbreak *o, uint32_t truth, int64_t time_us)
{
    const struct ob_planted *p = &o->planted[truth];
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->truth.victims; i++)
        n += p->victim_us[i] < time_us;
    return n;
}

/* ---- planning */

static double fleet_rate(const struct outbreak *o, uint32_t s)
{
    double sum = 0;

    for (uint32_t m = 0; m < OUTBREAK_MODELS; m++)
        sum += o->per_day[s][m];
    return sum;
}

static bool signature_free(const struct outbreak *o, uint32_t s)
{
    for (uint32_t i = 0; i < o->planted_count; i++)
        if (o->planted[i].truth.signature == s)
            return false;
    return s < OUTBREAK_SIGNATURES - CHAIN_SIGNATURES;
}

static uint32_t pick_signature(struct outbreak *o, enum outbreak_kind kind)
{
    uint32_t best = OUTBREAK_NONE;

    if (kind != OUTBREAK_S5 && kind != OUTBREAK_S6) {
        do
            best = (uint32_t)rng_below(&o->rng, OUTBREAK_SIGNATURES);
        while (!signature_free(o, best));
        return best;
    }
    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++) {
        double more = best == OUTBREAK_NONE ? 1 : fleet_rate(o, s) - fleet_rate(o, best);

        if (signature_free(o, s) && (best == OUTBREAK_NONE || (kind == OUTBREAK_S5 ? more > 0 : more < 0)))
            best = s;
    }
    return best;
}

/* A release of the model that begins within the time in which things are planted; OUTBREAK_NONE when there is none. */
static uint32_t release_within(const struct outbreak *o, uint32_t m)
{
    for (uint32_t v = 1; v < OUTBREAK_VERSIONS; v++)
        if (o->release_day[m][v] >= OB_START_DAY + (int32_t)o->cfg.quiet_days &&
            o->release_day[m][v] < OB_START_DAY + (int32_t)o->cfg.days - 20)
            return v;
    return OUTBREAK_NONE;
}

static void aim(struct outbreak *o, struct ob_planted *p)
{
    static const double PER_HOUR[OUTBREAK_KINDS] = {2, 0.5, 0.5, 0.5, 5, 0.2, 1, 1, 1, 0, 0, 1, 1.5};
    static const uint16_t DAYS[OUTBREAK_KINDS] = {7, 14, 6, 6, 7, 14, 10, 10, 10, 18, 18, 24, 10};
    enum outbreak_kind k = p->truth.kind;
    bool one_model = k == OUTBREAK_S1 || k == OUTBREAK_S2 || k == OUTBREAK_S3 || k == OUTBREAK_S6 || k >= OUTBREAK_S9;
    uint32_t m = k == OUTBREAK_S3   ? (uint32_t)rng_below(&o->rng, 8)
                 : k == OUTBREAK_S1 ? (uint32_t)rng_between(&o->rng, OUTBREAK_MODELS - 10, OUTBREAK_MODELS - 1)
                                    : (uint32_t)rng_below(&o->rng, OUTBREAK_MODELS);

    while ((k == OUTBREAK_S9 || k == OUTBREAK_R1 || k == OUTBREAK_R2) && release_within(o, m) == OUTBREAK_NONE)
        m = (uint32_t)rng_below(&o->rng, OUTBREAK_MODELS);
    p->truth.model = one_model ? m : OUTBREAK_NONE;
    p->truth.region =
        k == OUTBREAK_S8 || k == OUTBREAK_F2 ? (uint32_t)rng_below(&o->rng, OUTBREAK_REGIONS - 1) : OUTBREAK_NONE;
    p->per_hour = PER_HOUR[k];
    p->doubling_h = k == OUTBREAK_S3 || k == OUTBREAK_S4 ? 12 : 0;
    p->victims_max = 1000;
    p->hardware = (uint32_t)rng_below(&o->rng, 3);
    p->quarter = (uint32_t)rng_below(&o->rng, 12);
    int64_t day = rng_between(&o->rng, o->cfg.quiet_days, o->cfg.days - 20);
    if (k == OUTBREAK_S9 || k == OUTBREAK_R1 || k == OUTBREAK_R2) {
        p->release = release_within(o, m);
        day = o->release_day[m][p->release] - OB_START_DAY + (k == OUTBREAK_S9 ? rng_between(&o->rng, 2, 8) : 0);
    }
    p->truth.start_us = (OB_START_DAY + day) * OB_DAY_US + rng_between(&o->rng, 0, 23) * OB_HOUR_US;
    p->truth.end_us = p->truth.start_us + DAYS[k] * OB_DAY_US;
}

void ob_plan(struct outbreak *o)
{
    static const uint32_t CHAIN[4] = {0, 300000, 500000, 800000};
    /* Noisiest and rarest signature first, while they are free. */
    static const uint8_t ORDER[OUTBREAK_KINDS] = {OUTBREAK_S5, OUTBREAK_S6, OUTBREAK_S1, OUTBREAK_S2, OUTBREAK_S3,
                                                  OUTBREAK_S4, OUTBREAK_S7, OUTBREAK_S8, OUTBREAK_S9, OUTBREAK_R1,
                                                  OUTBREAK_R2, OUTBREAK_F1, OUTBREAK_F2};

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < OUTBREAK_KINDS; i++) {
            struct ob_planted *p = &o->planted[o->planted_count];
            enum outbreak_kind k = (enum outbreak_kind)ORDER[i];

            /* Twice what there are fewer kinds of, so that the classes weigh alike. */
            if (round == 1 && k < OUTBREAK_R1)
                continue;
            p->truth.kind = k;
            p->truth.what = k < OUTBREAK_R1 ? OUTBREAK_ATTACK : k < OUTBREAK_F1 ? OUTBREAK_REGRESSION : OUTBREAK_FAULT;
            p->truth.signature = pick_signature(o, k);
            aim(o, p);
            p->chain_per_million = p->truth.what == OUTBREAK_ATTACK ? CHAIN[rng_below(&o->rng, 4)] : 150000;
            o->planted_count++;
        }
}

/* ---- a day */

static bool fits(const struct outbreak *o, const struct ob_planted *p, uint32_t vehicle, int32_t day)
{
    const struct ob_body *b = &o->body[vehicle];

    if (p->truth.region != OUTBREAK_NONE && b->region != p->truth.region)
        return false;
    if (p->truth.kind == OUTBREAK_F1 && b->build_day / 91 != p->quarter)
        return false;
    if (p->truth.kind == OUTBREAK_F2 && b->hardware != p->hardware)
        return false;
    return ob_active(o, vehicle, day);
}

static uint32_t draw_victim(struct outbreak *o, const struct ob_planted *p, int32_t day)
{
    for (int i = 0; i < 500; i++) {
        uint32_t m = p->truth.model;
        uint32_t v = m == OUTBREAK_NONE ? (uint32_t)rng_below(&o->rng, o->cfg.vehicles)
                                        : o->of_model[m][rng_below(&o->rng, o->model_size[m])];
        /* Wear: the more kilometres a day, the likelier. */
        bool worn = p->truth.kind != OUTBREAK_F1 || rng_below(&o->rng, 70) < o->body[v].km_per_day;

        if (worn && fits(o, p, v, day))
            return v;
    }
    return OUTBREAK_NONE;
}

static enum vs_err strike(struct outbreak *o, struct ob_planted *p, uint32_t vehicle, int64_t time_us)
{
    if (p->truth.victims == p->victim_room) {
        uint32_t room = p->victim_room == 0 ? 64 : 2 * p->victim_room;
        int64_t *more = realloc(p->victim_us, room * sizeof *more);

        if (more == NULL)
            return VS_ERR_NO_MEMORY;
        p->victim_us = more;
        p->victim_room = room;
    }
    p->victim_us[p->truth.victims++] = time_us;
    enum vs_err err = ob_report(o, vehicle, p->truth.signature, time_us, (uint32_t)(p - o->planted));
    if (err != VS_OK || !rng_chance(&o->rng, p->chain_per_million))
        return err;
    uint32_t along = p->truth.what == OUTBREAK_ATTACK ? (uint32_t)rng_between(&o->rng, 1, 3) : 1;
    for (uint32_t i = 0; i < along && err == VS_OK; i++) {
        uint32_t s = OUTBREAK_SIGNATURES - 1 - (uint32_t)rng_below(&o->rng, CHAIN_SIGNATURES);
        int64_t at = time_us + rng_between(&o->rng, -20, 20) * (OB_HOUR_US / 2);
        err = ob_report(o, vehicle, s, at, OUTBREAK_NONE);
    }
    return err;
}

static double rate_at(const struct ob_planted *p, int64_t time_us)
{
    double hours = (double)(time_us - p->truth.start_us) / (double)OB_HOUR_US;
    double of_day = (double)(time_us % OB_DAY_US) / (double)OB_HOUR_US;

    if (p->doubling_h > 0)
        return p->per_hour * exp2(hours / p->doubling_h);
    if (p->truth.kind == OUTBREAK_F1)
        return p->per_hour * hours / (24 * 21);
    if (p->truth.kind == OUTBREAK_F2)
        return of_day >= 5 && of_day < 11 ? 3 * p->per_hour : 0.2 * p->per_hour;
    return p->per_hour;
}

static enum vs_err plant_hours(struct outbreak *o, struct ob_planted *p, int32_t day)
{
    enum vs_err err = VS_OK;

    for (int h = 0; h < 24; h++) {
        int64_t at = day * OB_DAY_US + h * OB_HOUR_US;
        uint32_t n = at >= p->truth.start_us && at < p->truth.end_us ? ob_poisson(&o->rng, rate_at(p, at)) : 0;

        for (uint32_t i = 0; i < n && err == VS_OK && p->truth.victims < p->victims_max; i++) {
            uint32_t v = draw_victim(o, p, day);
            if (v != OUTBREAK_NONE)
                err = strike(o, p, v, at + (int64_t)rng_below(&o->rng, 3600) * 1000000);
        }
    }
    return err;
}

/* A bad update strikes those that got it on this day, within three days. */
static enum vs_err plant_update(struct outbreak *o, struct ob_planted *p, int32_t day)
{
    uint32_t m = p->truth.model;
    enum vs_err err = VS_OK;

    if (day * OB_DAY_US >= p->truth.end_us)
        return VS_OK;
    for (uint32_t i = 0; i < o->model_size[m] && err == VS_OK && p->truth.victims < p->victims_max; i++) {
        uint32_t v = o->of_model[m][i];
        int32_t since;

        if (ob_version(o, v, day, &since) == p->release && since == day &&
            rng_chance(&o->rng, p->truth.kind == OUTBREAK_R1 ? 50000 : 10000))
            err = strike(o, p, v, day * OB_DAY_US + rng_between(&o->rng, 3600, 72 * 3600) * 1000000);
    }
    return err;
}

enum vs_err ob_plant_day(struct outbreak *o, int32_t day)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < o->planted_count && err == VS_OK; i++) {
        struct ob_planted *p = &o->planted[i];

        if (p->truth.what == OUTBREAK_REGRESSION)
            err = plant_update(o, p, day);
        else
            err = plant_hours(o, p, day);
    }
    return err;
}
