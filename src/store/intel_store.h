/* intel_store: threat intelligence in the state database: what came in, and how it is found again.
 *
 * Of each object all versions are kept; of those that are worked with (indicators, relations, sightings, subjects) the
 * newest one counts, whatever the order of coming: later `modified` wins, and of two versions that claim the same
 * moment the one whose text is greater, byte by byte. An object that comes again changes nothing.
 *
 * Writing functions are called inside a transaction. Memory: slices are borrowed for the call; rows read are borrowed
 * until the next one. Errors: of the store. */
#ifndef STORE_INTEL_STORE_H
#define STORE_INTEL_STORE_H

#include "store/store.h"

struct intel_object_row {
    struct slice id, type, source, body;
    int64_t modified_us;
    uint8_t tlp;
    bool marked_further;
};

/* What became of an object that was put. */
enum intel_put { INTEL_PUT_SAME, INTEL_PUT_OLDER, INTEL_PUT_NEWEST, INTEL_PUT_FIRST };

/* Keeps the version. INTEL_PUT_OLDER: kept, but a newer one counts. */
VS_MUST_USE enum vs_err intel_store_object(struct store *st, const struct intel_object_row *row, enum intel_put *ret);

struct intel_indicator_row {
    int64_t number;
    struct slice id, source, created_by, name, pattern, refused; /* created_by, refused: empty when none */
    int64_t modified_us, valid_from_us, valid_until_us;          /* INT64_MAX: no end */
    int64_t confidence;                                          /* -1: not said */
    int64_t version;
    uint8_t tlp;
    bool revoked, hunted;
};

/* Makes this the indicator's version that counts. A new one gets row->number. */
VS_MUST_USE enum vs_err intel_store_indicator(struct store *st, const struct intel_indicator_row *row, bool first);
/* The number that was given out last, and setting it: an import takes numbers from there on, within one transaction. */
VS_MUST_USE enum vs_err intel_store_last_number(struct store *st, int64_t *ret);
VS_MUST_USE enum vs_err intel_store_set_last_number(struct store *st, int64_t number);

struct intel_relation_row {
    struct slice id, kind, source_ref, target_ref;
    int64_t modified_us;
    bool revoked;
};
VS_MUST_USE enum vs_err intel_store_relation(struct store *st, const struct intel_relation_row *row);

struct intel_subject_row {
    struct slice id, type, name, techniques;
    int64_t modified_us;
};
VS_MUST_USE enum vs_err intel_store_subject(struct store *st, const struct intel_subject_row *row);

struct intel_sighting_row {
    struct slice id, sighting_of, created_by, source;
    int64_t modified_us, count, first_us, last_us; /* times 0: not said */
    uint8_t tlp;
    bool revoked;
};
VS_MUST_USE enum vs_err intel_store_sighting(struct store *st, const struct intel_sighting_row *row);

/* The version under which changes are noted from now on; one for each import. */
VS_MUST_USE enum vs_err intel_store_next_version(struct store *st, int64_t *ret);
/* The newest version; 0 when there is none. Cheap. */
int64_t intel_store_version(struct store *st);

/* The columns that intel_indicator_row_read expects, of a table or alias called `i`. */
#define INTEL_INDICATOR_COLUMNS                                                                                        \
    "i.number, i.id, i.source, i.created_by, i.name, i.pattern, i.refused, i.modified_us, i.valid_from_us, "           \
    "i.valid_until_us, i.confidence, i.version, i.tlp, i.revoked, i.hunted"
#define INTEL_INDICATOR_COLUMN_COUNT 15
void intel_indicator_row_read(struct store_stmt *q, struct intel_indicator_row *ret);

#endif
