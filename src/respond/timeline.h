/* timeline: what happened around an incident, one line each, for its page. Lines are added, never changed.
 *
 * Lanes: event, detection, analyst, command, approval, ota, comment, system. Kinds are codes such as alert.opened,
 * stage.moved, disposition.set, assigned, comment, undo, merged, task.opened. */
#ifndef RESPOND_TIMELINE_H
#define RESPOND_TIMELINE_H

#include "store/store.h"

struct timeline_item {
    const char *lane, *kind;
    struct slice who;    /* empty = the system */
    struct slice text;   /* one line */
    struct slice detail; /* reason or comment; empty = none */
    struct slice vid;    /* hex; empty = none */
    struct slice ref;    /* id of what it is about; empty = none */
};

VS_MUST_USE enum vs_err timeline_add(struct store *st, int64_t incident, const struct timeline_item *item,
                                     int64_t now_us);

#endif
