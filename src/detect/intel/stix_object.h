/* stix_object: one object of a bundle, as far as this project works with it, checked.
 *
 * Source: STIX 2.1. Common properties (section 3.2), indicator (4.7), relationship (5.1), sighting (5.2), TLP markings
 * (7.2.1.4, and the TLP 2.0 extension of OASIS), external references of attack patterns. Objects of STIX 2.0, which
 * lack spec_version and pattern_type, are taken as well. Texts are borrowed from the JSON document. Bounds:
 * STIX_ID_MAX, STIX_NAME_MAX, STIX_PATTERN_MAX; longer is refused, a description is cut. What is refused is named in
 * stix_object_fault with the property. */
#ifndef DETECT_INTEL_STIX_OBJECT_H
#define DETECT_INTEL_STIX_OBJECT_H

#include "base/jsonl/json_doc.h"

#define STIX_ID_MAX          128u
#define STIX_NAME_MAX        512u
#define STIX_DESCRIPTION_MAX 8192u
#define STIX_TECHNIQUES_MAX  8u

enum stix_type {
    STIX_TYPE_OTHER, /* kept, not worked with */
    STIX_TYPE_INDICATOR,
    STIX_TYPE_ATTACK_PATTERN,
    STIX_TYPE_MALWARE,
    STIX_TYPE_RELATIONSHIP,
    STIX_TYPE_SIGHTING,
    STIX_TYPE_MARKING,
    STIX_TYPE_IDENTITY
};

/* The Traffic Light Protocol, least restrictive first. WHITE of TLP 1.0 is CLEAR. */
enum stix_tlp { TLP_UNMARKED, TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED };
#define TLP_COUNT (TLP_RED + 1)

struct stix_object {
    uint8_t type; /* enum stix_type */
    struct slice type_name, id, created_by, name, description;
    int64_t created_us, modified_us;
    bool revoked;
    int confidence;      /* 0 to 100, -1 when not said */
    uint8_t tlp;         /* enum stix_tlp: the most restrictive of all markings */
    bool marked_further; /* by a marking that is not TLP */
    struct slice pattern, pattern_type;
    int64_t valid_from_us, valid_until_us; /* INT64_MAX: no end */
    struct slice relationship, source_ref, target_ref;
    struct slice sighting_of;
    int64_t count, first_seen_us, last_seen_us; /* of a sighting; times 0 when not said */
    unsigned technique_count;
    struct slice technique[STIX_TECHNIQUES_MAX]; /* external ids, e.g. "T0071", "CAPEC-163" */
};

struct stix_object_fault {
    char property[64];
    char text[160];
};

/* VS_ERR_MALFORMED, VS_ERR_RANGE, VS_ERR_LIMIT. */
VS_MUST_USE enum vs_err stix_object_read(struct json_node n, struct stix_object *ret,
                                         struct stix_object_fault *ret_fault);

const char *stix_tlp_name(enum stix_tlp tlp); /* "TLP:AMBER+STRICT"; "" when unmarked */
/* "amber", "TLP:AMBER", "white", .. in any case; -1 when it is none. */
int stix_tlp_from_name(struct slice name);
/* The level that a marking-definition of either version stands for; -1 when it is another marking. */
int stix_tlp_from_id(struct slice id);
/* The id of the marking-definition of TLP 2.0; NULL when unmarked. */
const char *stix_tlp_id(enum stix_tlp tlp);

#endif
