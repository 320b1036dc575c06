/* stix_observed: observations for a pattern out of STIX JSON.
 *
 *     {"first_observed": "..Z", "last_observed": "..Z", "number_observed": 1, "objects": [{"type": .., "id": ..}, ..]}
 *
 * as it stands in an observed-data object with its observables beside it (`objects` may also be the map of STIX 2.0,
 * whose keys are then the ids). Properties that end in _hex and _bin become bytes.
 * Memory: names and texts are borrowed from the JSON document. */
#ifndef DETECT_INTEL_STIX_OBSERVED_H
#define DETECT_INTEL_STIX_OBSERVED_H

#include "base/jsonl/json_doc.h"
#include "detect/intel/stix_tree.h"

/* Adds to the tree. VS_ERR_MALFORMED, VS_ERR_LIMIT; *ret_reason is a constant text. */
VS_MUST_USE enum vs_err stix_observed_read(struct json_node n, struct stix_tree *t, struct stix_observation *ret,
                                           const char **ret_reason);

#endif
