/* stix_tree: cyber observables as a pattern looks at them: objects with an id, a type and named values.
 *
 * Values are nodes of one array; the children of a map or list are linked by index. An observation is a run of objects
 * that were seen together between two times. It is filled from a vehicle event (observe.h) or from STIX JSON
 * (stix_observed.h). Properties whose names end in _hex and _bin hold bytes.
 *
 * Memory: the tree owns its array and reuses it; names and texts are borrowed, or put into the tree's own block with
 * stix_tree_copy. Bounds: STIX_TREE_MAX nodes, STIX_OBJECTS_MAX objects an observation, STIX_TREE_TEXT_MAX bytes. */
#ifndef DETECT_INTEL_STIX_TREE_H
#define DETECT_INTEL_STIX_TREE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define STIX_TREE_MAX      (1u << 20)
#define STIX_TREE_TEXT_MAX (16u << 20)
#define STIX_OBJECTS_MAX   64u

enum stix_value_kind {
    STIX_VALUE_NULL,
    STIX_VALUE_INT,
    STIX_VALUE_FLOAT,
    STIX_VALUE_BOOL,
    STIX_VALUE_TEXT,
    STIX_VALUE_BYTES,
    STIX_VALUE_LIST,
    STIX_VALUE_MAP
};

struct stix_value {
    uint8_t kind; /* enum stix_value_kind */
    bool b;
    uint32_t child, last, next; /* indexes, STIX_TREE_NONE when none */
    struct slice key;           /* of a member; of an object its id */
    union {
        int64_t i;
        double d;
        struct slice s;
    } value;
};
#define STIX_TREE_NONE UINT32_MAX

struct stix_observation {
    uint32_t object[STIX_OBJECTS_MAX]; /* maps */
    struct slice type[STIX_OBJECTS_MAX];
    uint32_t object_count;
    int64_t first_us, last_us;
    uint32_t number; /* how often it was seen, at least 1 */
};

struct stix_tree {
    struct stix_value *value;
    uint32_t count, room;
    uint8_t *text; /* private: a block of its own, never moved while it is in use */
    uint32_t text_len;
    bool full; /* a bound was hit: what was built is not whole */
};

void stix_tree_init(struct stix_tree *t);
void stix_tree_done(struct stix_tree *t);
void stix_tree_reset(struct stix_tree *t);

/* Adds a value below `parent` (STIX_TREE_NONE: on its own) and gives its index. When a bound is hit the tree is full,
 * stays full, and the index is that of a value that nobody sees. */
uint32_t stix_tree_add(struct stix_tree *t, uint32_t parent, struct slice key, enum stix_value_kind kind);
void stix_tree_int(struct stix_tree *t, uint32_t parent, const char *key, int64_t v);
void stix_tree_bool(struct stix_tree *t, uint32_t parent, const char *key, bool v);
void stix_tree_text(struct stix_tree *t, uint32_t parent, const char *key, struct slice v);
/* Room for a text of `len` bytes in the tree's own block; NULL when it is full. */
uint8_t *stix_tree_copy(struct stix_tree *t, size_t len);
/* A new object of an observation; a map. */
uint32_t stix_tree_object(struct stix_tree *t, struct stix_observation *o, struct slice id, struct slice type);

#endif
