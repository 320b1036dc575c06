/* stix_literal: reads one literal of a STIX pattern into the pattern. Private to stix_pattern.c. */
#ifndef DETECT_INTEL_STIX_LITERAL_H
#define DETECT_INTEL_STIX_LITERAL_H

#include "detect/intel/stix_lex.h"
#include "detect/intel/stix_pattern.h"

/* The text of a quoted literal without its escapes, added to the pattern's texts. */
VS_MUST_USE enum vs_err stix_add_text(struct stix_pattern *p, struct slice quoted, uint32_t *ret_at, uint32_t *ret_len);
/* VS_ERR_MALFORMED with *ret_reason, a constant text. */
VS_MUST_USE enum vs_err stix_add_literal(struct stix_pattern *p, const struct stix_token *t, const char **ret_reason);
/* Makes room for one more element of a growing array. */
VS_MUST_USE bool stix_room(void **array, uint32_t count, uint32_t *room, size_t size);

#endif
