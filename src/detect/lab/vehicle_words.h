/* vehicle_words: what a number in an event means to people who know vehicles: the UDS service, the negative response
 * code, the message behind a CAN identifier, the title of an event type. */
#ifndef DETECT_LAB_VEHICLE_WORDS_H
#define DETECT_LAB_VEHICLE_WORDS_H

#include "codec/dbc.h"
#include "detect/sigma/record.h"

/* The words for a value of a field; empty when there are none. `dbc` may be NULL. Borrowed from it, or static. */
struct slice vehicle_words(uint32_t field, const struct val *v, const struct dbc *dbc);
/* The title of an event type: "SecOC authentication failed"; empty when the schema does not know it. */
struct slice vehicle_words_type(struct slice type);

#endif
