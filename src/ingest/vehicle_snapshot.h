/* vehicle_snapshot: the state of all vehicles into a snapshot and back (docs/formats/snapshot.md).
 *
 * Numbers of vehicles stay what they were. Loading wants an empty table; after a failure the table must be thrown away.
 * Cost: about 70 bytes and 0.2 us a vehicle. */
#ifndef INGEST_VEHICLE_SNAPSHOT_H
#define INGEST_VEHICLE_SNAPSHOT_H

#include "base/snapshot.h"
#include "ingest/vehicle_table.h"

void vehicle_table_save(const struct vehicle_table *t, struct snapshot_writer *w);
/* VS_ERR_MALFORMED, VS_ERR_NO_MEMORY, VS_ERR_FULL. */
VS_MUST_USE enum vs_err vehicle_table_load(struct vehicle_table *t, struct snapshot_in *in);

#endif
