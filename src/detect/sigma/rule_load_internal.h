/* rule_load_internal: what the files that read one rule share. */
#ifndef DETECT_SIGMA_RULE_LOAD_INTERNAL_H
#define DETECT_SIGMA_RULE_LOAD_INTERNAL_H

#include "detect/sigma/rule_load.h"

struct load {
    const struct rule_source *src;
    struct rule *rule;
};

/* An error at a place of the document; the rule is broken then. */
__attribute__((format(printf, 3, 4))) void load_complain(const struct load *l, const struct yaml_node *at,
                                                         const char *format, ...);
__attribute__((format(printf, 3, 4))) void load_warn(const struct load *l, const struct yaml_node *at,
                                                     const char *format, ...);
/* The texts of a scalar or a list of scalars; 0 after an error or when there are none. */
uint8_t load_texts(const struct load *l, const struct yaml_node *n, const char *what, struct ref_text *ret,
                   unsigned max);
/* Complains about keys of a map that are none of `known`, which `expected` lists for the message. */
void load_only(const struct load *l, const struct yaml_node *map, const char *const *known, size_t count,
               const char *what);

void load_correlation(const struct load *l, const struct yaml_node *doc, const struct yaml_node *n,
                      struct correlation_text *text);
/* What the JSON schemas of the specification ask of the keys that do not decide what matches: warnings. */
void load_schema(const struct load *l, const struct yaml_node *doc);

#endif
