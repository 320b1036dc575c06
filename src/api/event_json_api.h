/* event_json_api: one event as schema Event of the interface. */
#ifndef API_EVENT_JSON_API_H
#define API_EVENT_JSON_API_H

#include <jansson.h>

#include "ingest/normalise.h"

/* `exact_position`: latitude and longitude as they are; else rounded to a tenth of a degree. */
json_t *event_api_json(const struct event *ev, const struct normalised *no, bool exact_position);

#endif
