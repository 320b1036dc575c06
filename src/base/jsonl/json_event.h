/* json_event: an event from the flat JSON object that people, tools and backend feeds write (the form of
 * event/event_json.h, read instead of written).
 *
 * `type` and `time` must be there; time and last are RFC 3339 or integer microseconds since 1970. Fields of the event
 * type go by their names in schema/events.yaml: numbers as numbers (or "0x.." texts), fixed point ones as decimals,
 * bytes as hex. Names that are no field of the schema, and null, are passed over: enrichment and people add their own.
 * Memory: texts are borrowed from the object, bytes fields are put into `bytes`. Threads: reentrant. */
#ifndef BASE_JSONL_JSON_EVENT_H
#define BASE_JSONL_JSON_EVENT_H

#include "base/jsonl/json_reader.h"
#include "event/event.h"

struct json_event {
    struct event ev;      /* vid is not set */
    struct slice vehicle; /* text of the key vin; empty when absent */
};

/* VS_ERR_UNKNOWN_TYPE, VS_ERR_MALFORMED, VS_ERR_RANGE, VS_ERR_LIMIT; *ret_reason is a constant text, *ret_name
 * (borrowed) the key at fault. The caller validates the event afterwards. seq and epoch are in ret->ev also on failure,
 * when the object had them. */
VS_MUST_USE enum vs_err json_event_read(const struct json_object *o, uint8_t bytes[EV_FIELDS_MAX][EV_TEXT_LEN_MAX],
                                        struct json_event *ret, const char **ret_reason, struct slice *ret_name);

#endif
