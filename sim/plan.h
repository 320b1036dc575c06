/* plan: the attacks of a simulation, what a right analysis must find of them, and look-alikes that it must not.
 *
 * The plan is made before the first day from the seed alone: which vehicles, when, which rule must see it. Ground truth
 * is written from it, never from what detection said. Look-alikes stand just under each threshold (five failures where
 * six are needed, 48 vehicles where 50 are), so that a rule which is too eager shows itself. Memory: heap, bounded by
 * PLAN_ATTACKS_MAX and PLAN_HITS_MAX. Threads: read by any after plan_new. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "fleet.h"
#include "scene.h"

#define PLAN_ATTACKS_MAX 64
#define PLAN_HITS_MAX    4096
#define PLAN_RULES_MAX   3

enum plan_scenario {
    PLAN_SECOC_STORM,
    PLAN_KEY_GUESSING,  /* SecurityAccess with wrong keys */
    PLAN_KEY_LOCKOUT,   /* the ECU locks out before the fourth wrong key */
    PLAN_POSITION_JUMP, /* a clone of the vehicle's identity speaks from elsewhere */
    PLAN_V2X_SPOOFING,
    PLAN_SECOC_KEY, /* a leaked key used against one model */
    PLAN_FLEET_CAMPAIGN,
    PLAN_RELAY_THEFT,     /* opened by a key that lay still, started, driven away */
    PLAN_KEY_PROGRAMMING, /* a key learned at the diagnostic port */
    PLAN_DIAG_DRIVING,    /* routines while the vehicle drives */
    PLAN_HOST_ROOT,       /* an unknown program takes root */
    PLAN_FORGED_UPDATE,   /* packages with a wrong signature offered to one vehicle */
    PLAN_GNSS_SPOOFING,
    PLAN_SCENARIO_COUNT
};

struct plan_attack {
    char id[48];
    enum plan_scenario scenario;
    bool lookalike;                   /* must not be found */
    const char *rule[PLAN_RULES_MAX]; /* the first must fire; the others may, as a consequence; NULL ends the list */
    int64_t first_us, last_us;        /* true times */
    uint32_t hit_first, hit_count;    /* its part of the hits */
    char detail[32];                  /* the part that all its events share */
};

struct plan_hit {
    uint32_t attack;
    uint32_t vehicle;
    int64_t time_us;
};

struct plan;

/* vehicles: all of them, borrowed during the call. */
VS_MUST_USE enum vs_err plan_new(uint64_t seed, const struct fleet_vehicle *vehicles, uint32_t vehicle_count,
                                 unsigned days, int64_t start_us, struct plan **ret);
void plan_free(struct plan *p);
uint32_t plan_count(const struct plan *p);
const struct plan_attack *plan_at(const struct plan *p, uint32_t index);
const struct plan_hit *plan_hits(const struct plan *p, const struct plan_attack *a);
/* True on a day on which the plan needs the vehicle to stand still, since a position jump is measured from its place.
 */
bool plan_parks(const struct plan *p, uint32_t vehicle, int64_t start_us);
/* Adds to a vehicle's day what the plan does to it on that day; `at` is where it stands. */
void plan_day(const struct plan *p, const struct fleet_vehicle *v, int64_t start_us, int64_t lat, int64_t lon,
              struct scene *s);
/* One attack as a JSON object: id, scenario, lookalike, rules, first, last, vehicles. */
void plan_write_truth(const struct plan *p, const struct plan_attack *a, const struct fleet_vehicle *vehicles,
                      struct writer *w);

#endif
