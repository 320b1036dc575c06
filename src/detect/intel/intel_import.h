/* intel_import: takes a STIX bundle, a TAXII envelope or a single object into the state database.
 *
 * Each object is read, checked and stored on its own. One that is broken is told to `fault` with its number, id and
 * byte and left out; the others are taken. A bundle that is broken itself (its brackets, its end) is refused as a whole
 * by the caller rolling back. Indicators whose pattern cannot be matched are stored with the reason, so that people see
 * them. A revoked indicator is valid until it was revoked.
 *
 * Which objects are there in the end does not depend on the order or repetition of imports (store/intel_store.h).
 * Memory: one object at a time. Threads: that of the store. Cost: see docs/intel.md. JSON_PADDING bytes behind the text
 * must be readable. */
#ifndef DETECT_INTEL_INTEL_IMPORT_H
#define DETECT_INTEL_INTEL_IMPORT_H

#include "detect/intel/stix_object.h"
#include "store/store.h"

struct intel_import_counts {
    uint64_t objects, indicators, added, updated, older, unchanged, refused_patterns, faulty, relations, sightings,
        subjects;
};

/* Where an object was found wrong. index counts from 1; id is empty when it is not known. */
typedef void intel_import_fault_fn(void *ctx, uint64_t index, size_t byte, struct slice id, const char *reason);

struct intel_import;

struct intel_import_config {
    struct store *store;
    struct slice source;  /* borrowed for the life of the import: a file's or feed's name */
    uint8_t tlp_unmarked; /* level of objects without a TLP marking */
    intel_import_fault_fn *fault;
    void *ctx;
};

VS_MUST_USE enum vs_err intel_import_new(const struct intel_import_config *cfg, struct intel_import **ret);
void intel_import_free(struct intel_import *im);
/* Inside a transaction. VS_ERR_MALFORMED, VS_ERR_TRUNCATED, VS_ERR_LIMIT: of the whole, told to `fault`. */
VS_MUST_USE enum vs_err intel_import_text(struct intel_import *im, struct slice text);
void intel_import_counts(const struct intel_import *im, struct intel_import_counts *ret);

#endif
