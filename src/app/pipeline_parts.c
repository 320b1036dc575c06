#include "app/pipeline_part.h"

/* One row a part, in the order in which they commit. */
const struct pipeline_part *const pipeline_parts[] = {
    NULL,
};

_Static_assert(sizeof pipeline_parts / sizeof pipeline_parts[0] <= PIPELINE_PARTS_MAX + 1, "too many parts");
