/* intel_anchor: by which values a pattern can be looked up.
 *
 * Most indicators name exact values: an address, a digest, a host. An event that does not show one of them cannot match
 * the pattern, so the pattern is filed under these values (its anchors) and looked at only when one turns up. A
 * conjunction needs the anchors of one of its sides, a disjunction those of both. An expression of nothing but equal
 * values is exact: where an anchor is hit nothing is left to test.
 *
 * What no event can show, and what needs more than one event, is refused here with its place in the pattern.
 * Pure functions. Bounds: INTEL_ANCHORS_MAX anchors an observation. */
#ifndef DETECT_INTEL_INTEL_ANCHOR_H
#define DETECT_INTEL_INTEL_ANCHOR_H

#include "detect/intel/address.h"
#include "detect/intel/observe.h"

#define INTEL_ANCHORS_MAX 4096u

enum intel_anchor_kind {
    ANCHOR_EXACT,  /* a key of the class */
    ANCHOR_BLOCK,  /* an address or a block of addresses */
    ANCHOR_SUFFIX, /* a host name or what ends in it: LIKE '%.example.com' */
    ANCHOR_TYPE    /* an event type, by its index */
};

struct intel_anchor {
    uint8_t kind, class;
    struct slice key; /* ANCHOR_EXACT, ANCHOR_SUFFIX: borrowed from the pattern */
    struct address_block block;
    uint32_t can_id;
    uint32_t type;
};

struct intel_anchors {
    struct intel_anchor anchor[INTEL_ANCHORS_MAX];
    uint32_t count;
    bool found; /* every match shows one of them; false: only the types narrow it down */
    bool exact;
};

/* Brings the literals of the whole pattern to the one form of observe_key and turns tests of addresses into tests of
 * blocks (which is what feeds mean by `ipv4-addr:value = '10.0.0.0/8'`). Refuses what single events cannot decide:
 * VS_ERR_UNSUPPORTED with the fault. */
VS_MUST_USE enum vs_err intel_anchor_prepare(struct stix_pattern *p, struct stix_fault *ret_fault);
/* The anchors of one STIX_OBSERVATION node. VS_ERR_LIMIT. */
VS_MUST_USE enum vs_err intel_anchor_find(const struct stix_pattern *p, uint32_t node, struct intel_anchors *ret);
/* An event of this type can show anything of what the observation speaks of. */
bool intel_anchor_type(const struct stix_pattern *p, uint32_t node, const struct ev_type_info *type);

#endif
