#include "fleet.h"

#include <stdio.h>

#include "base/crypto.h"

static const struct fleet_model MODEL[] = {
    {"Aurora", "GW-A2", {"EngTorque", "BrakePressure", "SteerAngle", "ClusterSpeed"}, 30},
    {"Boreas", "GW-B1", {"EngTorque", "TransGear", "BrakePressure", "DoorLock"}, 25},
    {"Cirrus", "GW-C3", {"MotorTorque", "BmsLimits", "BrakePressure", "SteerAngle"}, 20},
    {"Dorado", "GW-D1", {"MotorTorque", "ChargeCtrl", "DoorLock", "SteerAngle"}, 15},
    {"Terra T9", "GW-T1", {"PtoState", "HitchHeight", "EngTorque", "SteerAngle"}, 10},
};
#define MODEL_COUNT (sizeof MODEL / sizeof MODEL[0])

struct region {
    const char *name;
    int64_t lat, lon; /* centre, 10^-7 degrees */
};

static const struct region REGION[] = {
    {"eu-central", 485000000, 115000000}, {"eu-north", 593000000, 180000000},  {"eu-south", 419000000, 125000000},
    {"na-east", 407000000, -740000000},   {"na-west", 377000000, -1224000000}, {"jp", 356800000, 1396900000},
};
#define REGION_COUNT (sizeof REGION / sizeof REGION[0])

static const char *const SOFTWARE[] = {"4.10.2", "4.11.0", "4.12.1"};

const struct fleet_model *fleet_model_at(unsigned index)
{
    return index < MODEL_COUNT ? &MODEL[index] : NULL;
}

static const struct fleet_model *draw_model(struct rng *r)
{
    uint64_t at = rng_below(r, 100);
    unsigned i = 0;

    while (i + 1 < MODEL_COUNT && at >= MODEL[i].share) {
        at -= MODEL[i].share;
        i++;
    }
    return &MODEL[i];
}

/* ISO 3779 shape: maker, description, number; letters I, O and Q do not occur. */
static void make_vin(struct fleet_vehicle *v)
{
    snprintf(v->vin, sizeof v->vin, "WVS%c%04uX%08u", v->model->name[0], (unsigned)(v->model->share * 37 % 10000),
             (unsigned)(v->number % 100000000));
}

static void draw_link(struct fleet_vehicle *v, struct rng *r, unsigned days)
{
    uint64_t at = rng_below(r, 100);

    v->link = at < 85 ? LINK_GOOD : at < 95 ? LINK_DAILY : LINK_ABSENT;
    v->wifi = rng_below(r, 100) < 60;
    if (v->link == LINK_ABSENT && days >= 4) {
        unsigned longest = days * 2 / 3 < 21 ? days * 2 / 3 : 21;
        unsigned length = (unsigned)rng_between(r, 2, longest);

        v->absent_from_day = (uint8_t)rng_between(r, 1, days - length);
        v->absent_to_day = (uint8_t)(v->absent_from_day + length);
    }
}

/* One in fifty has a clock that is wrong by a constant: hours (time zone mistakes) or days (a dead backup battery). */
static int64_t draw_clock_offset_us(struct rng *r)
{
    if (!rng_chance(r, 20000))
        return 0;
    int64_t hours = rng_between(r, 1, 72) * (rng_chance(r, 500000) ? 1 : -1);
    return hours * 3600 * INT64_C(1000000) + rng_between(r, 0, 1800) * INT64_C(1000000);
}

void fleet_vehicle_init(struct fleet_vehicle *v, uint64_t seed, uint32_t number, unsigned days,
                        struct slice pseudonym_key)
{
    struct rng r = rng_split(seed, "vehicle", number);
    uint8_t mac[SHA256_SIZE];

    memset(v, 0, sizeof *v);
    v->number = number;
    v->model = draw_model(&r);
    make_vin(v);
    hmac_sha256(pseudonym_key, slice_str(v->vin), mac);
    memcpy(v->vid, mac, sizeof v->vid);
    const struct region *region = &REGION[rng_below(&r, REGION_COUNT)];
    v->region = region->name;
    v->home_lat = region->lat + rng_between(&r, -10000000, 10000000);
    v->home_lon = region->lon + rng_between(&r, -10000000, 10000000);
    snprintf(v->owner, sizeof v->owner, "own-%08x", (unsigned)rng_below(&r, UINT32_MAX));
    v->trips_per_day = (uint8_t)rng_between(&r, 1, 4);
    for (unsigned i = 0; i <= FLEET_OTA_STEPS; i++)
        v->software[i] = SOFTWARE[i];
    for (unsigned i = 0; i < FLEET_OTA_STEPS; i++) {
        unsigned start = days * (i + 1) / 3;
        uint64_t day = start + rng_below(&r, days / 4 + 1);

        v->ota_day[i] = rng_chance(&r, 900000) && day < days ? (uint8_t)day : UINT8_MAX;
    }
    draw_link(v, &r, days);
    v->clock_offset_us = draw_clock_offset_us(&r);
}

const char *fleet_software_on(const struct fleet_vehicle *v, unsigned day)
{
    const char *version = v->software[0];

    for (unsigned i = 0; i < FLEET_OTA_STEPS; i++)
        if (v->ota_day[i] != UINT8_MAX && day >= v->ota_day[i])
            version = v->software[i + 1];
    return version;
}
