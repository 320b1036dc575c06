/* alert_json: an alert as one JSON object, keys in the order id, rule, title, severity, group, first, last, count,
 * peak, vehicles, state, late, supersedes. Times are RFC 3339 UTC with microseconds. */
#ifndef DETECT_LAB_ALERT_JSON_H
#define DETECT_LAB_ALERT_JSON_H

#include "core/writer.h"
#include "store/alert.h"

#define ALERT_JSON_SIZE 65536 /* enough for any alert whose texts are within the limits of rules and group keys */

void alert_json_write(const struct alert *al, struct writer *w);
const char *alert_state_name(uint8_t state);
const char *alert_severity_name(uint8_t severity);

#endif
