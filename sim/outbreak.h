/* outbreak: a fleet as fleet statistics sees it, with planted attacks, bad updates and failing parts.
 *
 * No buses, no gateways: only which vehicle was active on which day and which signature it reported when, and when that
 * came in. What is true of fleets and hard for statistics is in it: models of very different size; counts that scatter
 * more than Poisson, by day, signature and model; weekdays and hours; software that is rolled out in stages and shifts
 * the level of some signatures for good without harm; uploads up to 48 hours late; reports that repeat for hours and
 * come twice. What is planted stands in the truth with its time, target and class. Sizes follow the simulation of the
 * reference: 1,329 cases a day in a million vehicles, 50 signatures, 40 models.
 *
 * One step is one hour of receiving. The same seed gives the same records. Memory: heap, about 60 bytes a vehicle and
 * the records under way. Threads: one owner. */
#ifndef SIM_OUTBREAK_H
#define SIM_OUTBREAK_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "rng.h"

#define OUTBREAK_SIGNATURES  50
#define OUTBREAK_MODELS      40
#define OUTBREAK_REGIONS     5
#define OUTBREAK_VERSIONS    8   /* of one model, at most */
#define OUTBREAK_FIRST_CHAIN 38u /* signatures from here on carry what planted things drag along */
#define OUTBREAK_NONE        UINT32_MAX

enum outbreak_class { OUTBREAK_ATTACK, OUTBREAK_REGRESSION, OUTBREAK_FAULT };

enum outbreak_kind {
    OUTBREAK_S1, /* attack: 2 vehicles an hour, one small model */
    OUTBREAK_S2, /* 0.5 an hour, one model */
    OUTBREAK_S3, /* doubling every 12 hours, one large model */
    OUTBREAK_S4, /* doubling every 12 hours, all models */
    OUTBREAK_S5, /* 5 an hour on the noisiest signature, all models */
    OUTBREAK_S6, /* 0.2 an hour on a rare signature, one model */
    OUTBREAK_S7, /* 1 an hour over all models and regions */
    OUTBREAK_S8, /* 1 an hour in one region, all models */
    OUTBREAK_S9, /* 1 an hour on a model while it is being updated */
    OUTBREAK_R1, /* bad update: 5 % of those that get it, within three days of getting it */
    OUTBREAK_R2, /* the same with 1 % */
    OUTBREAK_F1, /* parts of one build quarter fail, more with mileage, rising over three weeks */
    OUTBREAK_F2, /* a hardware generation of a model fails in one region's cold snap, mornings, ten days */
    OUTBREAK_KINDS
};

struct outbreak_config {
    uint64_t seed;
    uint32_t vehicles;
    uint32_t days;
    uint32_t quiet_days; /* nothing is planted before */
    bool plant;          /* false: background only */
};

struct outbreak_truth {
    enum outbreak_kind kind;
    enum outbreak_class what;
    uint32_t signature, model, region; /* OUTBREAK_NONE: all */
    int64_t start_us;
    int64_t end_us;
    uint32_t victims; /* up to now */
};

struct outbreak_record {
    int64_t time_us;
    uint32_t vehicle;
    uint32_t signature; /* OUTBREAK_NONE: something else came, the vehicle was active */
    uint32_t planted;   /* number of the truth it belongs to, OUTBREAK_NONE; not for detectors */
};

struct outbreak_vehicle {
    uint32_t model, region, version, hardware;
    int32_t build_day, odometer_km;
    int64_t version_since_us;
};

struct outbreak;

VS_MUST_USE enum vs_err outbreak_new(const struct outbreak_config *cfg, struct outbreak **ret);
void outbreak_free(struct outbreak *o);
int64_t outbreak_start_us(void);
/* Records received in the next hour, in the order of receipt; *ret_now_us is the end of it. VS_ERR_END behind the last
 * day. */
VS_MUST_USE enum vs_err outbreak_step(struct outbreak *o, const struct outbreak_record **ret, uint32_t *ret_count,
                                      int64_t *ret_now_us);
void outbreak_vehicle_at(const struct outbreak *o, uint32_t vehicle, int64_t time_us, struct outbreak_vehicle *ret);
uint64_t outbreak_key(uint32_t vehicle);
uint32_t outbreak_truth_count(const struct outbreak *o);
const struct outbreak_truth *outbreak_truth_at(const struct outbreak *o, uint32_t i);
/* Victims of the truth whose first report lies before the time. */
uint32_t outbreak_victims_before(const struct outbreak *o, uint32_t truth, int64_t time_us);
const char *outbreak_kind_name(enum outbreak_kind k);

#endif
