/* The loss ledger of the fleet. */
#include "api/fleet.h"
#include "api/route.h"
#include "ingest/ledger_store.h"

void ledger_get(struct call *c)
{
    struct ledger l;
    struct fleet_counts fleet;
    uint64_t vehicles, with_gaps;
    enum vs_err err = ledger_store_total(c->st, &l, &vehicles, &with_gaps);

    if (err != VS_OK) {
        reply_store_failure(c, err);
        return;
    }
    fleet_counts(c->st, c->now_us, &fleet);
    reply_json(c, 200,
               json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "produced", (json_int_t)l.produced, "stored",
                         (json_int_t)l.stored, "merged", (json_int_t)l.merged, "dead_lettered",
                         (json_int_t)l.dead_lettered, "missing", (json_int_t)l.missing, "vehicles",
                         (json_int_t)vehicles, "vehicles_with_gaps", (json_int_t)with_gaps, "silent_vehicles",
                         (json_int_t)fleet.silent, "as_of", json_time(c->now_us)));
}
