/* rule_text: the canonical text of a rule document, and what a rule's identity over time is made of.
 *
 * Canonical text is JSON, and therefore YAML: maps with their keys in byte order, two spaces a level, comments and
 * layout gone, aliases written out. The same document gives the same bytes however it was typed, and the text loads as
 * the rule that it was.
 *
 *     version   SHA-256 of the canonical text of the rule, of every rule it refers to (and they to), of the filters
 * that apply to any of these, and of the placeholder values and field names that they use. The text behind it is all
 * that is needed to run the rule again years later. meaning   SHA-256 of the parts of all this that decide which events
 * match and how they are counted. Two loads of a rule with the same meaning can share windows: a new title, level or
 * rationale changes the version only.
 *
 * Bounds: RULE_TEXT_MAX bytes of one document; what is larger is refused, which also stops aliases that unfold without
 * end. */
#ifndef DETECT_SIGMA_RULE_TEXT_H
#define DETECT_SIGMA_RULE_TEXT_H

#include "core/writer.h"
#include "detect/sigma/yaml_tree.h"

#define RULE_TEXT_MAX ((size_t)1 << 20)

struct plan;
struct rule;

/* One text with quotes, as JSON and YAML both read it. */
void rule_text_string(struct slice s, struct writer *w);
/* The whole document. The writer is full when it does not fit. */
void rule_text_write(const struct yaml_node *doc, struct writer *w);
/* The parts that decide what matches. */
void rule_text_write_meaning(const struct yaml_node *doc, struct writer *w);

/* Fills meaning and version of every rule that is not broken, once the rules are linked. */
void rule_text_identify(struct plan *p);
/* The text whose SHA-256 is the rule's version: documents with "---" between them. malloc'd; the caller frees. */
char *rule_text_version(const struct plan *p, const struct rule *r, size_t *ret_len);
/* The same of several rules: those that `wanted` says yes to, each document once. NULL when there are none. */
char *rule_text_bundle(const struct plan *p, bool (*wanted)(void *ctx, const struct rule *r), void *ctx,
                       size_t *ret_len);

#endif
