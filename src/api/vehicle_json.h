/* vehicle_json: vehicles as the interface shows them. */
#ifndef API_VEHICLE_JSON_H
#define API_VEHICLE_JSON_H

#include "api/call.h"
#include "store/alert_store.h"

struct vehicle_name {
    uint8_t vid[EV_VID_SIZE];
    char text[VID_TEXT_SIZE];
};

/* The vehicle the path names; false: the call has been answered with not_found. */
bool call_vehicle(struct call *c, struct vehicle_name *ret);

/* Columns of a table or alias `v` that vehicle_row_json reads, in its order. */
#define VEHICLE_ROW_COLUMNS                                                                                            \
    "v.vid, v.model, v.hardware, (SELECT s.software FROM vehicle_software s WHERE s.vid = v.vid AND s.component = '' " \
    "ORDER BY s.from_us DESC, s.recorded_us DESC LIMIT 1), v.region, v.first_contact_us, v.last_contact_us, "          \
    "v.enrolled_us, (SELECT count(DISTINCT i.number) FROM alert_vehicle av JOIN alert a ON a.id = av.alert "           \
    "JOIN incident i ON i.number = a.incident WHERE av.vid = v.vid AND i.stage <> 5 AND i.merged_into IS NULL)"

json_t *vehicle_row_json(struct store_stmt *q, int64_t now_us);
json_t *vehicle_json(struct call *c, const struct vehicle_name *name, int64_t as_of_us);
/* ECUs and their software as of a time. */
json_t *vehicle_ecus(struct store *st, const char *vid, int64_t as_of_us);
/* Occurrences by event type over the whole log, the commonest first (vehicle_events.c). */
json_t *vehicle_types_json(struct call *c, const struct vehicle_name *name);

#endif
