/* event_json: an event as one flat JSON object, for people, tests and tools.
 *
 * Keys in this order, left out when empty or default: vin, time, last, type, epoch, seq, count, priority, trust, ecu,
 * sensor, bus, signature, then the type's own fields by their names. Times are RFC 3339 UTC with microseconds; fixed
 * point numbers are decimals; bytes are lower case hex. No allocation; at most
 * EVENT_JSON_SIZE bytes are written, besides `extra` and with a vehicle text of up to 64 bytes. */
#ifndef EVENT_EVENT_JSON_H
#define EVENT_EVENT_JSON_H

#include "event/event.h"

#define EVENT_JSON_SIZE 24576

/* Writes the object without a newline. `vehicle` is the text for the key vin: the pseudonym's hex, or whatever the
 * caller shows. The event must be valid (event_validate). Fields whose names start with the extra keys that enrichment
 * adds (model, sw_version, ...) are written by the caller: `extra` is JSON text `,"key":value...` put before the
 * closing brace, and may be empty. */
void event_json_write(const struct event *ev, struct slice vehicle, struct slice extra, struct writer *w);

/* The value of one field as JSON. */
void event_json_value(const struct ev_field *f, struct writer *w);

#endif
