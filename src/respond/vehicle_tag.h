/* vehicle_tag: what people know of a vehicle that no event tells: that it is of the test fleet, in the workshop, a
 * press car. Silences may name tags. A tag may end by itself. Every change is in the audit log. Functions run inside
 * the caller's transaction. */
#ifndef RESPOND_VEHICLE_TAG_H
#define RESPOND_VEHICLE_TAG_H

#include "respond/act.h"

#define VEHICLE_TAG_MAX        32 /* bytes: a-z, 0-9, _ and - */
#define VEHICLE_TAGS_MAX       16 /* of one vehicle */
#define VEHICLE_TAG_REASON_MAX 400

/* Why it is no tag; NULL when it is one. */
const char *vehicle_tag_fault(struct slice tag);
/* Adds it, or gives it a new reason and end. until_us 0 = until taken away. VS_ERR_LIMIT: the vehicle has too many. */
VS_MUST_USE enum vs_err vehicle_tag_put(struct store *st, struct slice vid, struct slice tag, struct slice reason,
                                        int64_t until_us, const struct actor *who, int64_t now_us);
/* VS_ERR_NOT_FOUND. */
VS_MUST_USE enum vs_err vehicle_tag_take(struct store *st, struct slice vid, struct slice tag, struct slice reason,
                                         const struct actor *who, int64_t now_us);

#endif
