/* fleet: the vehicles of a simulation, each a function of the seed and its number.
 *
 * A vehicle has an identity (VIN, pseudonym), a build (model, hardware, software over time), a home region, a driver
 * (trips a day), a link (when it reaches the backend) and a clock (right, or wrong by a constant). Nothing here keeps
 * state over time; sim/drive.h makes the days. Memory: values; texts are constants or inside the struct. */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "event/event.h"
#include "rng.h"

#define FLEET_VIN_LEN   17
#define FLEET_OTA_STEPS 2

enum fleet_link {
    LINK_GOOD,  /* cellular whenever it drives, Wi-Fi at night */
    LINK_DAILY, /* one upload a day */
    LINK_ABSENT /* off the air for days or weeks in a row, then everything at once */
};

struct fleet_model {
    const char *name;
    const char *hardware;
    const char *pdu[4]; /* secured PDUs of this line */
    uint8_t share;      /* percent of the fleet */
};

struct fleet_vehicle {
    uint32_t number;
    char vin[FLEET_VIN_LEN + 1];
    uint8_t vid[EV_VID_SIZE];
    const struct fleet_model *model;
    const char *region;
    const char *software[FLEET_OTA_STEPS + 1]; /* version before the first rollout, after it, after the second */
    uint8_t ota_day[FLEET_OTA_STEPS];          /* day on which the vehicle takes the rollout; 255 = never */
    char owner[24];
    int64_t home_lat, home_lon; /* 10^-7 degrees */
    uint8_t trips_per_day;      /* mean */
    enum fleet_link link;
    uint8_t absent_from_day, absent_to_day; /* LINK_ABSENT: no contact in [from, to) */
    bool wifi;                              /* at night, for low priority */
    int64_t clock_offset_us;                /* vehicle clock minus true time */
};

/* days: length of the simulation; pseudonym_key makes the vid as the backend does. */
void fleet_vehicle_init(struct fleet_vehicle *v, uint64_t seed, uint32_t number, unsigned days,
                        struct slice pseudonym_key);
const struct fleet_model *fleet_model_at(unsigned index); /* NULL past the last */
/* Software version that the vehicle runs on a day. */
const char *fleet_software_on(const struct fleet_vehicle *v, unsigned day);

#endif
