#include "app/pipeline_part.h"

#include "app/campaign_link.h"
#include "app/economy_link.h"
#include "app/intel_link.h"

/* One row a part, in the order in which they commit. */
const struct pipeline_part *const pipeline_parts[] = {
    &campaign_link,
    &intel_link,
    &economy_link, /* last: it places the alerts of all others */
    NULL,
};

_Static_assert(sizeof pipeline_parts / sizeof pipeline_parts[0] <= PIPELINE_PARTS_MAX + 1, "too many parts");
