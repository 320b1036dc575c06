/* plan_loader: what plan.c and plan_link.c share while a plan is being made. */
#ifndef DETECT_SIGMA_PLAN_LOADER_H
#define DETECT_SIGMA_PLAN_LOADER_H

#include "detect/sigma/plan.h"
#include "detect/sigma/rule_load.h"

/* A document that is still to be made into a rule. */
struct plan_document {
    const char *path;
    const struct yaml_node *doc;
};

struct loader {
    struct plan *plan;
    struct diag *diag;
    struct plan_document *document;
    uint32_t document_count, document_room;
    struct correlation_text *text; /* by rule */
    uint32_t rule_room;
    struct intern labels; /* names and ids */
    uint32_t *owner;      /* by label: rule number */
    uint32_t owner_room;
    bool io_failed;
    bool bare; /* the file at hand may be just names and values of placeholders */
};

/* Room for one more rule, which it makes. NULL, with a complaint, when there are too many. */
struct rule *plan_new_rule(struct loader *l, const char *path, const struct yaml_node *doc);
__attribute__((format(printf, 4, 5))) void plan_rule_error(struct loader *l, struct rule *r, const struct yaml_node *at,
                                                           const char *format, ...);
struct rule_source plan_source(struct loader *l, struct rule *r);

/* Resolves references, joins filters and scopes, and orders the correlations. */
void plan_link(struct loader *l);

#endif
