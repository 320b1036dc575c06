/* pipeline: what a site says about the rules it runs: values of placeholders, and field names of other taxonomies.
 *
 * A document of a rule file, or a file of its own, in the form of pySigma's processing pipelines, as far as that has a
 * meaning without a query language:
 *
 *     name: our fleet
 *     vars:
 *         Workshops: [W-*, 'Depot 7']             |expand: %Workshops%   one of these; wildcards work
 *     transformations:
 *         - type: wildcard_placeholders           these placeholders match anything
 *           include: [Servers]
 *         - type: value_placeholders              nothing to say: vars apply anyhow
 *         - type: field_name_mapping              fields of rules with `taxonomy: ours`
 *           mapping: {process_command_line: CommandLine}
 *           rule_conditions: [{type: taxonomy, taxonomy: ours}]
 *
 * A placeholder that stands twice with different values is an error: rules must not depend on the order of files.
 * Memory: in the plan's arena. Bounds: PIPELINE_VARS_MAX names, PIPELINE_VALUES_MAX values of one. */
#ifndef DETECT_SIGMA_PIPELINE_H
#define DETECT_SIGMA_PIPELINE_H

#include "core/writer.h"
#include "detect/sigma/yaml_tree.h"

#define PIPELINE_VARS_MAX   4096
#define PIPELINE_VALUES_MAX 65536

struct rule;

struct placeholder {
    struct placeholder *next;
    struct slice name;
    const struct yaml_node *value; /* a scalar or a list of scalars; NULL: matches anything */
    const char *path;
    unsigned line;
};

struct field_mapping {
    struct field_mapping *next;
    struct slice taxonomy; /* empty: the default one, "sigma" */
    const struct yaml_node *map;
};

struct pipeline {
    struct placeholder *placeholder;
    struct field_mapping *mapping;
    uint32_t count;
};

/* A name that a rule used. */
struct used_name {
    struct used_name *next;
    struct slice name;
};

/* Whether a document is a pipeline: a map with vars or transformations. */
bool pipeline_is(const struct yaml_node *doc);
/* Adds what the document says; with `bare` it may be just a map of names and values. */
void pipeline_add(struct pipeline *p, struct arena *a, struct diag *d, const char *path, const struct yaml_node *doc,
                  bool bare);
const struct placeholder *pipeline_find(const struct pipeline *p, struct slice name);
/* What the event calls a rule's field. */
struct slice pipeline_field(const struct pipeline *p, struct slice taxonomy, struct slice name);
bool pipeline_knows_taxonomy(const struct pipeline *p, struct slice taxonomy);
/* The part of the pipeline that the rule depends on, as documents; nothing when there is none. */
void pipeline_write_used(const struct pipeline *p, const struct rule *r, struct writer *w);

#endif
