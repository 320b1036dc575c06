/* evidence: the batches in the event log that an incident's alerts rest on. */
#ifndef API_EVIDENCE_H
#define API_EVIDENCE_H

#include <jansson.h>
#include <stdint.h>

#define EVIDENCE_MAX 200

struct call;

json_t *evidence_json(struct call *c, int64_t incident);

#endif
