/* engine_format: what engine_save and engine_load agree on; docs/formats/snapshot.md has the layout. */
#ifndef DETECT_ENGINE_ENGINE_FORMAT_H
#define DETECT_ENGINE_ENGINE_FORMAT_H

#include "detect/engine/engine_internal.h"

#define ENGINE_FORMAT    1u
#define PLACES_SAVED_MAX (4 * PLACES_MAX)   /* of one event, those of backfills included */
#define ENGINE_TIME_MAX  (INT64_C(1) << 60) /* microseconds on either side of 1970 that a snapshot may name */

enum { SAVED_EVENT_HAS_SEQ = 1, SAVED_EVENT_LATE = 2 };
enum { SAVED_EPISODE_LATE = 1, SAVED_EPISODE_CLOSED = 2 };
enum { SAVED_RULE_ALERTS = 1, SAVED_RULE_BACKFILL = 2 };
enum { SAVED_ENTRY_SECOND = 1, SAVED_ENTRY_HIT = 2 };
enum saved_value { SAVED_VALUE_NONE, SAVED_VALUE_NAME, SAVED_VALUE_NUMBER, SAVED_VALUE_POSITION };

/* Bytes that each thing takes at least, for bounding counts. */
#define SAVED_RULE_SIZE    (4 + RULE_HASH_SIZE + 1 + 16)
#define SAVED_NAME_SIZE    4
#define SAVED_REFUSED_SIZE 8
#define SAVED_GROUP_SIZE   16
#define SAVED_EPISODE_SIZE (ALERT_ID_SIZE + 9 * 8 + 5)
#define SAVED_QUEUED_SIZE  20
#define SAVED_EVENT_SIZE   (5 * 8 + 3 * 4 + 1 + 4)
#define SAVED_PLACE_SIZE   4
#define SAVED_ENTRY_SIZE   13
#define SAVED_GHOST_SIZE   28

static inline enum saved_value saved_value_of(uint8_t type)
{
    return type == CORR_VALUE_COUNT    ? SAVED_VALUE_NAME
           : type == CORR_GEO_VELOCITY ? SAVED_VALUE_POSITION
                                       : SAVED_VALUE_NUMBER;
}

#endif
