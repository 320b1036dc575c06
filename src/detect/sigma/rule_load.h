/* rule_load: one Sigma document into one rule. References between rules are left as text; plan.c resolves them. */
#ifndef DETECT_SIGMA_RULE_LOAD_H
#define DETECT_SIGMA_RULE_LOAD_H

#include "detect/sigma/rule_value.h"

struct ref_text {
    struct slice text;
    const struct yaml_node *at;
};

/* What of a correlation must wait until all rules are known. */
struct correlation_text {
    struct ref_text ref[RULE_REFS_MAX];
    uint8_t ref_count;
    const struct yaml_node *aliases; /* NULL when there are none */
};

/* Fills `r` from a document; r->broken is set after an error. `text` is filled for correlations. */
void rule_load(const struct rule_source *src, const struct yaml_node *doc, struct rule *r,
               struct correlation_text *text);

/* "10m": s, m, h or d. */
bool rule_read_span(struct slice text, int64_t *ret_us);
/* informational, low, medium, high, critical */
bool rule_read_severity(struct slice text, uint8_t *ret);
const char *rule_severity_name(uint8_t severity);
/* Whether this is a leaf of UN R155 Annex 5 Part A, table A1. */
bool rule_is_r155(struct slice id);
bool rule_is_atm(struct slice id);

#endif
