/* campaign_baseline: versions of a baseline as JSON text, and who armed which.
 *
 * {"days":28,"threshold":15.5,"profile":[7 lists of 25 numbers],
 *  "cells":[[mask,model,software,region,vehicle_days],..],
 *  "signatures":[[signature,fleet spread,model spread,[[cell,cases],..]],..]}      cell: place in "cells"
 *
 * Numbers with a point are written with 17 digits, so that they come back as they were. */
#ifndef APP_CAMPAIGN_BASELINE_H
#define APP_CAMPAIGN_BASELINE_H

#include "detect/campaign/baseline.h"
#include "store/store.h"

/* Learns and writes the candidate (version 0). */
VS_MUST_USE enum vs_err campaign_candidate_write(struct campaigns *c, struct store *st, int64_t now_us);
/* Brings every arming with a number above *seq into the instance, in order, and moves *seq. *ret_any says whether there
 * was one. */
VS_MUST_USE enum vs_err campaign_arm_from_store(struct campaigns *c, struct store *st, int64_t *seq, bool *ret_any);
int64_t campaign_arming_last(struct store *st);

#endif
