/* history: the events of one vehicle out of the event log, newest first, page by page.
 *
 * The log is the history: nothing is stored per event. Sealed segments are searched through their index, records are
 * decoded by the code that detection uses, repetitions are left out, clocks are repaired the same way. A page is what
 * stands behind a place in the order (event time, offset, index) of the whole history; places stay valid for ever.
 * Memory: `limit` events are copied while the log is read; what `each` gets is valid during the call.
 * Cost: one pass over the vehicle's own records received since from_us. */
#ifndef INGEST_HISTORY_H
#define INGEST_HISTORY_H

#include "ingest/normalise.h"
#include "stream/stream.h"

#define HISTORY_LIMIT_MAX 1000

/* Where an event stands: by time, then by arrival. */
struct history_place {
    int64_t first_us;
    uint64_t offset;
    uint32_t index;
};

struct history_query {
    uint8_t vid[EV_VID_SIZE];
    int64_t from_us;                                 /* events that ended at or after it */
    int64_t to_us;                                   /* and began before it; INT64_MAX = no end */
    bool (*want)(const struct event *ev, void *ctx); /* NULL = all */
    bool has_before;
    struct history_place before; /* only events that stand before this place: the last one of the page before */
    uint32_t limit;              /* 1 to HISTORY_LIMIT_MAX */
};

struct history_result {
    uint64_t total;   /* all events of the query, of this page or not */
    uint64_t damaged; /* records that could not be read any more */
    uint32_t count;   /* of this page */
    bool more;
    struct history_place last; /* of the page's last event, when count > 0 */
};

/* Calls `each` for the events of one page, newest first. `registry` may be NULL. */
VS_MUST_USE enum vs_err history_page(struct stream *s, const struct registry *registry,
                                     const struct history_query *query, normalise_event_fn *each, void *ctx,
                                     struct history_result *ret);

#endif
