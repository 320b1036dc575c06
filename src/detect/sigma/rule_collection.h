/* rule_collection: the old way to say once what several documents of a file share.
 *
 *     action: global    what follows has these keys as well, until the end of the file or a reset
 *     action: reset     nothing is shared any more
 *     action: repeat    the document before, with these keys changed
 *
 * Maps are merged key by key at every depth; where both say something, the later document counts. Correlations, filters
 * and pipelines stand for themselves. Sigma 2 has no actions, but rules from before it do. */
#ifndef DETECT_SIGMA_RULE_COLLECTION_H
#define DETECT_SIGMA_RULE_COLLECTION_H

#include "detect/sigma/yaml_tree.h"

struct rule_collection {
    struct arena *arena;
    struct diag *diag;
    const char *path;
    const struct yaml_node *global; /* NULL: nothing is shared */
    const struct yaml_node *before; /* for repeat */
};

/* The rule that this document of the file is; NULL when it is none (global, reset, or an error). */
const struct yaml_node *rule_collection_next(struct rule_collection *c, const struct yaml_node *doc);

#endif
