/* registry: what is known about each vehicle, in memory: model, hardware, region, owner pseudonym, software over time.
 *
 * Enrichment asks it once per batch; it is loaded from the state database (ingest/registry_store.h) or filled by the
 * simulator. Software history is bitemporal: a period says from when on a component ran a version (valid time) and when
 * we learned so (recorded time); nothing is overwritten, and "as of event time" is a search by valid time in which a
 * later recorded fact about the same instant wins. The component "" is the vehicle's software as a whole.
 *
 * Memory: texts are copied and shared (few models, many vehicles). Facts are borrowed until the next registry_put or
 * registry_software_put for that vehicle. Bounds: REGISTRY_VEHICLES_MAX vehicles, REGISTRY_SOFTWARE_MAX periods each.
 * Threads: one writer and no reader at the same time. Cost: find is O(1); software O(log periods). */
#ifndef INGEST_REGISTRY_H
#define INGEST_REGISTRY_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "event/event.h"

#define REGISTRY_VEHICLES_MAX 50000000u
#define REGISTRY_SOFTWARE_MAX 4096 /* periods of one vehicle; more are refused and counted */
#define REGISTRY_TEXT_MAX     256  /* bytes of one text */

enum software_source { SOFTWARE_IMPORT = 1, SOFTWARE_EVENT = 2, SOFTWARE_OTA = 3 };

struct software_period {
    struct slice component; /* "" = the vehicle as a whole, else an ECU or component name */
    struct slice version;
    int64_t from_us;     /* valid from; it lasts until the next period of the component begins */
    int64_t recorded_us; /* when we learned it */
    uint8_t source;      /* enum software_source */
};

struct vehicle_facts {
    uint8_t vid[EV_VID_SIZE];
    struct slice model; /* "" = not known, as everywhere here */
    struct slice hardware;
    struct slice region; /* coarse: a market, never a position */
    struct slice owner;  /* pseudonym, never owner data */
    int64_t enrolled_us;
};

struct registry;

VS_MUST_USE enum vs_err registry_new(struct registry **ret);
void registry_free(struct registry *g);
/* Adds a vehicle or replaces its facts; software history stays. VS_ERR_LIMIT for texts too long, VS_ERR_FULL. */
VS_MUST_USE enum vs_err registry_put(struct registry *g, const struct vehicle_facts *facts);
/* Adds a period to a vehicle that is there (else VS_ERR_NOT_FOUND). The same fact twice changes nothing. */
VS_MUST_USE enum vs_err registry_software_put(struct registry *g, const uint8_t vid[EV_VID_SIZE],
                                              const struct software_period *p);
/* NULL when the vehicle is not enrolled. */
const struct vehicle_facts *registry_find(const struct registry *g, const uint8_t vid[EV_VID_SIZE]);
/* Version that a component ran at that time; "" when nothing is known for it. */
struct slice registry_software_at(const struct vehicle_facts *facts, struct slice component, int64_t time_us);
/* Periods sorted by (component, from_us, recorded_us). */
uint32_t registry_software(const struct vehicle_facts *facts, const struct software_period **ret);
uint32_t registry_count(const struct registry *g);
/* Learns from an event (ota.installed, vehicle.configuration) which software runs. True when that was news, and
 * *ret_period then says what; the caller persists it. */
bool registry_observe(struct registry *g, const struct event *ev, int64_t recorded_us,
                      struct software_period *ret_period);

#endif
