/* normalise_internal: the state behind ingest/normalise.h, for its own files. */
#ifndef INGEST_NORMALISE_INTERNAL_H
#define INGEST_NORMALISE_INTERNAL_H

#include "ingest/clock.h"
#include "ingest/decoder.h"
#include "ingest/normalise.h"
#include "ingest/vehicle_table.h"

#define CONTENT_SIZE 16 /* bytes of a content's hash */

struct content {
    uint8_t hash[CONTENT_SIZE];
};

struct normalise {
    struct normalise_config cfg;
    struct clock_limits limits;
    struct decoding decoding;
    struct vehicle_table vehicles;
    struct normalise_stats stats;
    struct content *content; /* ring of NORMALISE_CONTENTS with a table of their places; NULL until needed */
    uint32_t *content_slot;  /* place in the ring plus one; 0 = free */
    uint32_t content_count, content_next;
};

/* Whether this content was seen among the last NORMALISE_CONTENTS; remembers it when not (normalise_content.c). */
VS_MUST_USE enum vs_err normalise_content_seen(struct normalise *n, struct slice content, bool *ret_seen);
VS_MUST_USE enum vs_err normalise_content_add(struct normalise *n, const struct content *c, bool *ret_seen);

#endif
