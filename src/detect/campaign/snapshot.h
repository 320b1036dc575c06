/* snapshot: the state of fleet statistics in a section of a snapshot file, and back.
 *
 * What follows from other things is not written but worked out again: tables, shapes of days, exposures per cell. Armed
 * versions are not in it: whoever arms them does so again. A loaded instance goes on as the saved one would have. */
#ifndef DETECT_CAMPAIGN_SNAPSHOT_H
#define DETECT_CAMPAIGN_SNAPSHOT_H

#include "base/snapshot.h"
#include "detect/campaign/campaign.h"

void campaign_save(const struct campaigns *c, struct snapshot_writer *w);
/* Into a new one. VS_ERR_MALFORMED, VS_ERR_NO_MEMORY: free it. */
VS_MUST_USE enum vs_err campaign_load(struct campaigns *c, struct snapshot_in *in);

#endif
