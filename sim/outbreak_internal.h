/* outbreak_internal: what the three files of the fleet-statistics simulator share. */
#ifndef SIM_OUTBREAK_INTERNAL_H
#define SIM_OUTBREAK_INTERNAL_H

#include "outbreak.h"

#define OB_HOUR_US   INT64_C(3600000000)
#define OB_DAY_US    INT64_C(86400000000)
#define OB_START_DAY 20454 /* 2026-01-01, a Thursday */
#define OB_AHEAD_H   (24 * 8)
#define OB_TRUTHS    32

struct ob_bucket {
    struct outbreak_record *record;
    uint32_t count, room;
};

struct ob_body {
    uint32_t build_day; /* before the start of the simulation */
    uint16_t km_per_day;
    uint8_t model, region, hardware;
};

struct ob_planted {
    struct outbreak_truth truth;
    double per_hour; /* at the start */
    double doubling_h;
    uint32_t victims_max;
    uint32_t chain_per_million; /* victims that report other signatures too */
    uint32_t hardware, quarter, release;
    int64_t *victim_us;
    uint32_t victim_room;
};

struct outbreak {
    struct outbreak_config cfg;
    struct rng rng;
    struct ob_body *body;
    uint32_t *of_model[OUTBREAK_MODELS]; /* vehicles */
    uint32_t model_size[OUTBREAK_MODELS];
    int32_t release_day[OUTBREAK_MODELS][OUTBREAK_VERSIONS]; /* [0] is before everything */
    double per_day[OUTBREAK_SIGNATURES][OUTBREAK_MODELS];
    float step[OUTBREAK_MODELS][OUTBREAK_VERSIONS][OUTBREAK_SIGNATURES]; /* level of a version, 0 to 2 */
    struct ob_bucket bucket[OB_AHEAD_H];                                 /* by hour of receipt */
    int32_t hour;                                                        /* next to hand out, from the start */
    int32_t day_made;                                                    /* next day to make */
    struct ob_planted planted[OB_TRUTHS];
    uint32_t planted_count;
};

double ob_unit(struct rng *r); /* 0 < x < 1 */
double ob_normal(struct rng *r);
double ob_gamma(struct rng *r, double shape); /* mean 1 */
uint32_t ob_poisson(struct rng *r, double mean);
uint64_t ob_hash(uint64_t seed, uint64_t a, uint64_t b);
bool ob_active(const struct outbreak *o, uint32_t vehicle, int32_t day);
uint32_t ob_version(const struct outbreak *o, uint32_t vehicle, int32_t day, int32_t *ret_since_day);
/* Puts what a vehicle reports from a time on: the report, repetitions, duplicates, each received after the vehicle's
 * delay of that day. */
enum vs_err ob_report(struct outbreak *o, uint32_t vehicle, uint32_t signature, int64_t time_us, uint32_t planted);
enum vs_err ob_put(struct outbreak *o, int64_t received_us, const struct outbreak_record *rec);
int64_t ob_received(const struct outbreak *o, uint32_t vehicle, int64_t time_us);
void ob_plan(struct outbreak *o);
enum vs_err ob_plant_day(struct outbreak *o, int32_t day);

#endif
