/* registry_store: the registry's rows in the state database (tables vehicle and vehicle_software).
 *
 * Every change of a fact carries a version that rises, so that a process which keeps the registry in memory takes over
 * only what is new. Writing functions are called inside a transaction. */
#ifndef INGEST_REGISTRY_STORE_H
#define INGEST_REGISTRY_STORE_H

#include "ingest/registry.h"
#include "store/store.h"

/* Takes over everything that changed since *version (0 = everything), and sets it to how far that was. */
VS_MUST_USE enum vs_err registry_store_refresh(struct store *st, struct registry *g, int64_t *version);
/* Everything. */
VS_MUST_USE enum vs_err registry_store_load(struct store *st, struct registry *g);
/* Adds a vehicle or replaces its facts; first_contact and the like stay. */
VS_MUST_USE enum vs_err registry_store_put(struct store *st, const struct vehicle_facts *facts);
/* Adds a period of software; one with the same component, from and recorded is replaced. */
VS_MUST_USE enum vs_err registry_store_software_put(struct store *st, const uint8_t vid[EV_VID_SIZE],
                                                    const struct software_period *p);
/* The same for what registry_observe found; also adds it to the feed of changes. */
VS_MUST_USE enum vs_err registry_store_observe(struct store *st, const uint8_t vid[EV_VID_SIZE],
                                               const struct software_period *p);

#endif
