/* event_list: events as the interface shows them, from the event log. */
#ifndef API_EVENT_LIST_H
#define API_EVENT_LIST_H

#include <jansson.h>

#include "core/slice.h"

struct call;

/* The newest `limit` member events of an alert. */
json_t *event_members_of_alert(struct call *c, struct slice alert, int64_t limit);

#endif
