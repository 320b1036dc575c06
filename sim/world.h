/* world: a fleet over time. Every vehicle runs the real gateway (src/gateway) on a journal in memory; what it would
 * send comes out as uploads in the order of their sending, doubled ones and late ones among them.
 *
 * A step is one day. Within it each vehicle lives its day (sim/drive.h), suffers what the plan has for it (sim/plan.h),
 * and sends when its link allows. Whoever takes an upload must bring it to the backend, as a vehicle would by trying
 * again; for some the acknowledgement is taken to be lost, and their events come once more in a later upload. Times
 * handed out are true times; what the vehicle wrote into the batch is its own clock, which may be wrong. Memory: heap,
 * about 200 kB a vehicle. Threads: one owner. The same seed gives the same bytes. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "plan.h"

struct world_config {
    uint64_t seed;
    uint32_t vehicles;
    unsigned days;
    int64_t start_us; /* a midnight */
    struct slice pseudonym_key;
};

struct world_upload {
    int64_t sent_us; /* true time */
    uint32_t vehicle;
    struct slice body; /* COSE bytes; borrowed until the next step */
};

struct world_counters {
    uint64_t events;  /* raised by sensors */
    uint64_t records; /* left the vehicles, each counted once */
    uint64_t batches;
    uint64_t doubled;      /* batches whose events come again because the acknowledgement got lost */
    uint64_t bytes;        /* of all batches */
    uint64_t late_batches; /* from vehicles that had been off the air for a day or more */
};

struct world;

VS_MUST_USE enum vs_err world_new(const struct world_config *cfg, struct world **ret);
void world_free(struct world *w);
const struct fleet_vehicle *world_vehicle(const struct world *w, uint32_t number);
/* The private key (struct key *) that a vehicle signs with. */
const struct key *world_key(const struct world *w, uint32_t number);
const struct plan *world_plan(const struct world *w);
void world_counters(const struct world *w, struct world_counters *ret);

/* Lives the next day and hands out its uploads, sorted by time. VS_ERR_END after the last day. */
VS_MUST_USE enum vs_err world_step(struct world *w, const struct world_upload **ret, uint32_t *ret_count);

#endif
