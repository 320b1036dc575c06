/* The fleet and its everyday reports. */
#include "outbreak_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES_PER_DAY_MILLION 1329.0
#define BUILD_DAYS            1460
#define STEPS_PER_RELEASE     3

double ob_unit(struct rng *r)
{
    return ((double)(rng_next(r) >> 11) + 0.5) / 9007199254740992.0;
}

double ob_normal(struct rng *r)
{
    return sqrt(-2 * log(ob_unit(r))) * cos(6.283185307179586 * ob_unit(r));
}

/* Marsaglia and Tsang (2000), for shapes of 1 and more. */
double ob_gamma(struct rng *r, double shape)
{
    double d = shape - 1.0 / 3, k = 1 / sqrt(9 * d);

    for (;;) {
        double x = ob_normal(r), v = 1 + k * x;

        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(ob_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v / shape;
    }
}

uint32_t ob_poisson(struct rng *r, double mean)
{
    uint32_t n = 0;

    /* In parts, so that the product does not vanish. */
    while (mean > 20) {
        double part = 20, p = 1;
        for (p = ob_unit(r); p > exp(-part); p *= ob_unit(r))
            n++;
        mean -= part;
    }
    for (double p = ob_unit(r); p > exp(-mean); p *= ob_unit(r))
        n++;
    return n;
}

uint64_t ob_hash(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t z = seed + a * UINT64_C(0x9E3779B97F4A7C15) + b * UINT64_C(0xD1B54A32D192ED03);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t outbreak_key(uint32_t vehicle)
{
    return ob_hash(77, vehicle, 0);
}

int64_t outbreak_start_us(void)
{
    return OB_START_DAY * OB_DAY_US;
}

/* Three of four vehicles drive on a weekday, fewer on the weekend. */
bool ob_active(const struct outbreak *o, uint32_t vehicle, int32_t day)
{
    int weekday = (day + 3) % 7;

    return ob_hash(o->cfg.seed, vehicle, (uint64_t)day) % 100 < (weekday >= 5 ? 60u : 76u);
}

static int64_t delay_us(const struct outbreak *o, uint32_t vehicle, int32_t day)
{
    uint64_t h = ob_hash(o->cfg.seed + 1, vehicle, (uint64_t)day), spread = h >> 20;
    uint64_t class = h % 100;

    if (class < 70)
        return (int64_t)(spread % 600) * 1000000;
    if (class < 90)
        return (int64_t)(spread % (6 * 3600)) * 1000000;
    return (int64_t)(spread % ((class < 98 ? 24 : 48) * 3600)) * 1000000;
}

int64_t ob_received(const struct outbreak *o, uint32_t vehicle, int64_t time_us)
{
    return time_us + delay_us(o, vehicle, (int32_t)(time_us / OB_DAY_US));
}

enum vs_err ob_put(struct outbreak *o, int64_t received_us, const struct outbreak_record *rec)
{
    int32_t hour = (int32_t)((received_us - outbreak_start_us()) / OB_HOUR_US);

    if (hour < o->hour)
        hour = o->hour;
    if (hour >= o->hour + OB_AHEAD_H)
        hour = o->hour + OB_AHEAD_H - 1;
    struct ob_bucket *b = &o->bucket[hour % OB_AHEAD_H];
    if (b->count == b->room) {
        uint32_t room = b->room == 0 ? 1024 : 2 * b->room;
        struct outbreak_record *more = realloc(b->record, room * sizeof *more);

        if (more == NULL)
            return VS_ERR_NO_MEMORY;
        b->record = more;
        b->room = room;
    }
    b->record[b->count++] = *rec;
    return VS_OK;
}

enum vs_err ob_report(struct outbreak *o, uint32_t vehicle, uint32_t signature, int64_t time_us, uint32_t planted)
{
    uint32_t times = rng_chance(&o->rng, 600000) ? 1 : (uint32_t)rng_between(&o->rng, 2, 8);
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < times && err == VS_OK; i++) {
        struct outbreak_record rec = {time_us, vehicle, signature, planted};

        err = ob_put(o, ob_received(o, vehicle, time_us), &rec);
        if (err == VS_OK && rng_chance(&o->rng, 50000))
            err = ob_put(o, ob_received(o, vehicle, time_us) + 3 * OB_HOUR_US, &rec);
        time_us += (int64_t)rng_below(&o->rng, 5 * 3600) * 1000000;
    }
    return err;
}

/* ---- the fleet */

/* The version a vehicle runs on a day: a fiftieth gets a release in the first two days, most over the next fortnight,
 * one in twelve never. */
uint32_t ob_version(const struct outbreak *o, uint32_t vehicle, int32_t day, int32_t *ret_since_day)
{
    uint32_t model = o->body[vehicle].model, version = 0;

    *ret_since_day = 0;
    for (uint32_t v = 1; v < OUTBREAK_VERSIONS && o->release_day[model][v] <= day; v++) {
        uint64_t h = ob_hash(o->cfg.seed + 2, vehicle, v);
        int32_t got = o->release_day[model][v] + (h % 50 == 0 ? (int32_t)(h >> 32) % 2 : 2 + (int32_t)((h >> 32) % 14));

        if ((h >> 16) % 12 == 0 || got > day)
            continue;
        version = v;
        *ret_since_day = got;
    }
    return version;
}

void outbreak_vehicle_at(const struct outbreak *o, uint32_t vehicle, int64_t time_us, struct outbreak_vehicle *ret)
{
    const struct ob_body *b = &o->body[vehicle];
    int32_t day = (int32_t)(time_us / OB_DAY_US), since;

    ret->model = b->model;
    ret->region = b->region;
    ret->hardware = b->hardware;
    ret->version = ob_version(o, vehicle, day, &since);
    ret->version_since_us = since * OB_DAY_US;
    ret->build_day = OB_START_DAY - (int32_t)b->build_day;
    ret->odometer_km = (day - ret->build_day) * b->km_per_day;
}

static void make_models(struct outbreak *o)
{
    for (uint32_t m = 0; m < OUTBREAK_MODELS; m++) {
        int32_t day = OB_START_DAY + (int32_t)rng_between(&o->rng, -20, 40);

        for (uint32_t v = 1; v < OUTBREAK_VERSIONS; v++) {
            o->release_day[m][v] = day;
            day += (int32_t)rng_between(&o->rng, 35, 60);
            for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
                o->step[m][v][s] = o->step[m][v - 1][s] > 0 ? o->step[m][v - 1][s] : 1;
            for (int i = 0; i < STEPS_PER_RELEASE; i++) {
                double f = exp(0.4 * ob_normal(&o->rng));
                o->step[m][v][rng_below(&o->rng, OUTBREAK_SIGNATURES)] *= (float)(f > 2 ? 2 : f);
            }
        }
        for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
            o->step[m][0][s] = 1;
    }
}

static enum vs_err make_vehicles(struct outbreak *o)
{
    double weight[OUTBREAK_MODELS], sum = 0;
    uint32_t next = 0;

    for (uint32_t m = 0; m < OUTBREAK_MODELS; m++)
        sum += weight[m] = 1 / (1 + 0.12 * m);
    for (uint32_t m = 0; m < OUTBREAK_MODELS; m++) {
        uint32_t size =
            m + 1 < OUTBREAK_MODELS ? (uint32_t)(o->cfg.vehicles * weight[m] / sum) : o->cfg.vehicles - next;

        o->of_model[m] = calloc(size + 1, sizeof(uint32_t));
        if (o->of_model[m] == NULL)
            return VS_ERR_NO_MEMORY;
        for (uint32_t i = 0; i < size; i++, next++) {
            struct ob_body *b = &o->body[next];
            uint64_t h = rng_next(&o->rng);

            o->of_model[m][i] = next;
            b->model = (uint8_t)m;
            b->region = (uint8_t)((h % 100) < 40   ? 0
                                  : (h % 100) < 65 ? 1
                                  : (h % 100) < 80 ? 2
                                  : (h % 100) < 92 ? 3
                                                   : 4);
            b->build_day = (uint32_t)((h >> 8) % BUILD_DAYS);
            b->km_per_day = (uint16_t)(10 + (h >> 24) % 60);
            b->hardware = (uint8_t)(b->build_day * 3 / BUILD_DAYS);
        }
        o->model_size[m] = size;
    }
    return VS_OK;
}

/* How often a signature is reported everyday: from a noisy few to rare ones, and by model. */
static void make_rates(struct outbreak *o)
{
    double weight[OUTBREAK_SIGNATURES], sum = 0;

    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++)
        sum += weight[s] = exp(1.3 * ob_normal(&o->rng)) / (1 + 0.05 * s);
    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++) {
        double fleet = CASES_PER_DAY_MILLION * weight[s] / sum;

        for (uint32_t m = 0; m < OUTBREAK_MODELS; m++)
            o->per_day[s][m] = fleet * o->model_size[m] / 1e6 * exp(0.5 * ob_normal(&o->rng) - 0.125);
    }
}

enum vs_err outbreak_new(const struct outbreak_config *cfg, struct outbreak **ret)
{
    struct outbreak *o = calloc(1, sizeof *o);

    if (o == NULL)
        return VS_ERR_NO_MEMORY;
    o->cfg = *cfg;
    o->rng = rng_split(cfg->seed, "outbreak", 0);
    o->body = calloc(cfg->vehicles, sizeof *o->body);
    if (o->body == NULL || make_vehicles(o) != VS_OK) {
        outbreak_free(o);
        return VS_ERR_NO_MEMORY;
    }
    make_models(o);
    make_rates(o);
    if (cfg->plant)
        ob_plan(o);
    *ret = o;
    return VS_OK;
}

void outbreak_free(struct outbreak *o)
{
    if (o == NULL)
        return;
    for (uint32_t m = 0; m < OUTBREAK_MODELS; m++)
        free(o->of_model[m]);
    for (uint32_t i = 0; i < OB_AHEAD_H; i++)
        free(o->bucket[i].record);
    for (uint32_t i = 0; i < o->planted_count; i++)
        free(o->planted[i].victim_us);
    free(o->body);
    free(o);
}

/* ---- a day */

static int64_t hour_drawn(struct outbreak *o, int32_t day)
{
    static const uint8_t WEIGHT[24] = {2,  1,  1,  1,  2,  5,  12, 20, 18, 12, 10, 11,
                                       12, 11, 11, 12, 16, 20, 18, 12, 8,  6,  4,  3};
    uint32_t sum = 0, at, h = 0;

    for (int i = 0; i < 24; i++)
        sum += WEIGHT[i];
    for (at = (uint32_t)rng_below(&o->rng, sum); at >= WEIGHT[h]; h++)
        at -= WEIGHT[h];
    return day * OB_DAY_US + h * OB_HOUR_US + (int64_t)rng_below(&o->rng, 3600) * 1000000;
}

static enum vs_err everyday_cases(struct outbreak *o, int32_t day, uint32_t s, uint32_t m, double level)
{
    uint32_t n = ob_poisson(&o->rng, 2 * o->per_day[s][m] * level * ob_gamma(&o->rng, 4));
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < n && err == VS_OK && o->model_size[m] > 0; i++) {
        uint32_t vehicle = o->of_model[m][rng_below(&o->rng, o->model_size[m])];
        int32_t since;
        uint32_t version = ob_version(o, vehicle, day, &since);

        if (!rng_chance(&o->rng, (uint32_t)(o->step[m][version][s] * 500000)) || !ob_active(o, vehicle, day))
            continue;
        err = ob_report(o, vehicle, s, hour_drawn(o, day), OUTBREAK_NONE);
    }
    return err;
}

static enum vs_err make_day(struct outbreak *o, int32_t day)
{
    enum vs_err err = VS_OK;

    for (uint32_t v = 0; v < o->cfg.vehicles && err == VS_OK; v++) {
        if (!ob_active(o, v, day))
            continue;
        int64_t time_us =
            day * OB_DAY_US + (int64_t)(ob_hash(o->cfg.seed + 3, v, (uint64_t)day) % 64800 + 14400) * 1000000;
        struct outbreak_record rec = {time_us, v, OUTBREAK_NONE, OUTBREAK_NONE};
        err = ob_put(o, ob_received(o, v, time_us), &rec);
    }
    for (uint32_t s = 0; s < OUTBREAK_SIGNATURES; s++) {
        /* Activity is three in four; the level makes up for it. */
        double level = ob_gamma(&o->rng, 12) / 0.72;
        for (uint32_t m = 0; m < OUTBREAK_MODELS && err == VS_OK; m++)
            err = everyday_cases(o, day, s, m, level);
    }
    return err == VS_OK ? ob_plant_day(o, day) : err;
}

enum vs_err outbreak_step(struct outbreak *o, const struct outbreak_record **ret, uint32_t *ret_count,
                          int64_t *ret_now_us)
{
    enum vs_err err = VS_OK;

    if (o->hour > 0) {
        struct ob_bucket *last = &o->bucket[(o->hour - 1) % OB_AHEAD_H];
        last->count = 0;
    }
    if (o->hour >= (int32_t)o->cfg.days * 24)
        return VS_ERR_END;
    if (o->hour % 24 == 0)
        err = make_day(o, OB_START_DAY + o->hour / 24);
    if (err != VS_OK)
        return err;
    *ret = o->bucket[o->hour % OB_AHEAD_H].record;
    *ret_count = o->bucket[o->hour % OB_AHEAD_H].count;
    o->hour++;
    *ret_now_us = outbreak_start_us() + o->hour * OB_HOUR_US;
    return VS_OK;
}
