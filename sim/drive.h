/* drive: the ordinary life of a vehicle, day by day: trips, contacts with positions, and the security events that a
 * healthy fleet makes all the time (audit records, firewall matches, a failed seed here, a freshness loss there).
 *
 * What it makes must never be an attack in the eyes of a sensible rule; what looks like one on purpose comes from
 * sim/plan.h. State is where the vehicle stands and its mileage. All draws come from (seed, vehicle, day). */
#ifndef SIM_DRIVE_H
#define SIM_DRIVE_H

#include "fleet.h"
#include "scene.h"

#define DAY_US INT64_C(86400000000)

struct drive {
    int64_t lat, lon;
    uint32_t odometer_km;
};

void drive_init(struct drive *d, const struct fleet_vehicle *v);
/* Adds the day's events; start_us is the day's midnight. */
void drive_day(struct drive *d, const struct fleet_vehicle *v, uint64_t seed, unsigned day, int64_t start_us,
               struct scene *s);

#endif
