/* daily: the ordinary life that security sensors see in a healthy vehicle: doors opened with the key, updates that run
 * and sometimes fail, workshops, sticks with music, apps, reflections of satellites, one worn contact. None of it is an
 * attack, all of it is what attacks look like from afar, and rules must stay silent about it.
 *
 * Rates are per vehicle and day, in thousandths, and low enough for a real fleet; each kind has a random stream of its
 * own, so that a further kind changes nothing in the others. Pure. */
#ifndef SIM_DAILY_H
#define SIM_DAILY_H

#include "fleet.h"
#include "scene.h"

/* Adds a vehicle's ordinary events between two times of one day on which it drives. */
void daily_add(const struct fleet_vehicle *v, uint64_t seed, unsigned day, int64_t from_us, int64_t to_us,
               struct scene *s);

#endif
