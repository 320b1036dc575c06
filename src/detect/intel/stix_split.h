/* stix_split: the objects of a STIX bundle or a TAXII envelope, one after the other, each with its place in the text.
 *
 * Sources: STIX 2.1 section 8 (bundle), TAXII 2.1 section 3.7 (envelope: more, next, objects). A single object that
 * stands for itself is taken as a bundle of one. The splitter only follows strings and brackets; each object's text is
 * then checked by the reader that takes it, so a fault names the object and its byte, and the memory needed is that of
 * one object however long the bundle is.
 *
 * Memory: none of its own; all slices are borrowed from the text. Cost: one pass. Bounds: STIX_OBJECT_MAX bytes an
 * object, JSON_DOC_DEPTH_MAX levels. */
#ifndef DETECT_INTEL_STIX_SPLIT_H
#define DETECT_INTEL_STIX_SPLIT_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define STIX_OBJECT_MAX (4u << 20)

struct stix_split {
    struct slice in; /* private */
    size_t pos;
    bool in_objects, single, done;
    uint64_t index;
    size_t byte; /* of the fault, or of the object given last */
    const char *reason;
    struct slice type, id,
        next; /* members of the bundle or envelope, raw (next without its quotes); empty when absent */
    bool more;
};

void stix_split_init(struct stix_split *s, struct slice text);
/* The next object. VS_ERR_END behind the last one, with the whole text seen. VS_ERR_MALFORMED, VS_ERR_TRUNCATED,
 * VS_ERR_LIMIT: s->byte and s->reason say where and why. */
VS_MUST_USE enum vs_err stix_split_next(struct stix_split *s, struct slice *ret);

#endif
