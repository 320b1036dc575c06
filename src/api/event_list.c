/* Member events of alerts and incidents. The state database names them and says where in the event log they lie; each
 * is decoded from there. An event that the log no longer has is shown as far as the alert's record goes. */
#include <inttypes.h>
#include <stdio.h>

#include "api/event_json_api.h"
#include "api/event_list.h"
#include "api/event_log.h"
#include "api/incident_parts.h"
#include "api/route.h"

/* Columns of a member, in the order of member_read. */
#define MEMBER_COLUMNS                                                                                                 \
    "m.vid, m.epoch, m.seq, m.time_us, m.count, m.log_partition, m.log_offset, m.type, m.signature, m.ecu, m.bus, "    \
    "v.model, v.sw_version, v.region"

/* The event that is looked for in a record, and what was found. */
struct wanted {
    int64_t epoch, seq;
    struct store_stmt *q; /* the member's row, for what the log does not say */
    bool exact_position;
    json_t *found;
};

static void take(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct wanted *w = ctx;

    if (w->found != NULL || (int64_t)ev->seq != w->seq || (int64_t)ev->epoch != w->epoch)
        return;
    w->found = event_api_json(ev, no, w->exact_position);
    json_object_set_new(w->found, "model", json_column(w->q, 11));
    json_object_set_new(w->found, "sw_version", json_column(w->q, 12));
    json_object_set_new(w->found, "region", json_column(w->q, 13));
}

static const struct ev_type_info *type_named(struct slice name)
{
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        if (slice_equal_str(name, ev_type_at(i)->name))
            return ev_type_at(i);
    return NULL;
}

/* What the alert keeps of its member. */
static json_t *from_record(struct store_stmt *q)
{
    const struct ev_type_info *type = type_named(store_text(q, 7));
    char id[96];

    snprintf(id, sizeof id, "%" PRId64 "-%" PRId64 "-e%" PRId64 "s%" PRId64, store_i64(q, 5), store_i64(q, 6),
             store_i64(q, 1), store_i64(q, 2));
    const char *priority = type == NULL || type->priority == EV_PRIORITY_LOW ? "low"
                           : type->priority == EV_PRIORITY_MEDIUM            ? "medium"
                                                                             : "critical";
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:o, s:s, s:o, s:I, s:n, s:n, s:I, s:I, s:o, s:o, s:n, s:o, s:o, s:o, s:o, s:{}}", "id",
        id, "vid", json_column(q, 0), "type", json_column(q, 7), "priority", priority, "time",
        json_time(store_i64(q, 3)), "time_trust", "distrusted", "received", json_time(store_i64(q, 3)), "count",
        (json_int_t)store_i64(q, 4), "first", "last", "seq", (json_int_t)store_i64(q, 2), "epoch",
        (json_int_t)store_i64(q, 1), "ecu", json_slice_or_null(store_text(q, 9)), "bus",
        json_slice_or_null(store_text(q, 10)), "sensor", "signature", json_slice_or_null(store_text(q, 8)), "model",
        json_column(q, 11), "sw_version", json_column(q, 12), "region", json_column(q, 13), "fields");
}

static json_t *member_json(struct call *c, struct store_stmt *q)
{
    struct wanted w = {
        .epoch = store_i64(q, 1), .seq = store_i64(q, 2), .q = q, .exact_position = call_may(c, PERM_POSITION_READ)};
    int64_t partition = store_i64(q, 5), offset = store_i64(q, 6);

    /* A record that cannot be read leaves the event to what the alert knows of it. */
    if (partition >= 0 && partition < STREAM_PARTITION_MAX && offset >= 0)
        (void)!event_log_events(c->api->log, (uint32_t)partition, (uint64_t)offset, take, &w);
    return w.found != NULL ? w.found : from_record(q);
}

json_t *event_members_of_alert(struct call *c, struct slice alert, int64_t limit)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT " MEMBER_COLUMNS
                                                " FROM alert_member m LEFT JOIN alert_vehicle v ON v.alert = m.alert "
                                                "AND v.vid = m.vid AND v.signature = m.signature WHERE m.alert = ? "
                                                "ORDER BY m.time_us DESC, m.vid, m.epoch DESC, m.seq DESC LIMIT ?");
    json_t *list = json_array();

    store_bind_text(q, 1, alert);
    store_bind_i64(q, 2, limit);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, member_json(c, q));
    store_done(q);
    return list;
}

/* An event may be a member of several alerts of the incident: it is one event. */
#define INCIDENT_MEMBERS                                                                                               \
    "FROM incident_alert ia JOIN alert a ON a.id = ia.alert JOIN alert_member m ON m.alert = a.id "                    \
    "LEFT JOIN alert_vehicle v ON v.alert = m.alert AND v.vid = m.vid AND v.signature = m.signature "                  \
    "WHERE ia.incident = ?1 AND a.superseded_by IS NULL AND (?2 IS NULL OR m.vid = ?2)"

static int64_t count_members(struct call *c, int64_t number, const char *vid)
{
    struct store_stmt *q =
        store_prepare(c->st, "SELECT count(*) FROM (SELECT DISTINCT m.vid, m.epoch, m.seq " INCIDENT_MEMBERS ") x");

    store_bind_i64(q, 1, number);
    if (vid != NULL)
        store_bind_text(q, 2, slice_str(vid));
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

void incident_events(struct call *c)
{
    struct page page;
    const char *vid = http_query(c->rq, "vid");
    int64_t number = call_incident(c);

    if (number == 0 || !page_read(c, "time", &page))
        return;
    if (vid != NULL && vid[0] == '\0')
        vid = NULL;
    int64_t from = page.has_cursor && page.key >= 0 ? page.key : 0;
    struct store_stmt *q =
        store_prepare(c->st, "SELECT " MEMBER_COLUMNS " " INCIDENT_MEMBERS " GROUP BY m.vid, m.epoch, m.seq "
                             "ORDER BY m.time_us DESC, m.vid, m.epoch DESC, m.seq DESC LIMIT ?3 OFFSET ?4");
    json_t *rows = json_array();
    store_bind_i64(q, 1, number);
    if (vid != NULL)
        store_bind_text(q, 2, slice_str(vid));
    store_bind_i64(q, 3, page.limit);
    store_bind_i64(q, 4, from);
    while (store_step(q) == VS_OK)
        json_array_append_new(rows, member_json(c, q));
    store_done(q);
    int64_t total = count_members(c, number, vid), next = from + (int64_t)json_array_size(rows);
    if (next < total)
        page_next(&page, next, 0);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o, s:[]}", "total", json_total(total), "rows", rows, "next",
                         page_next_json(&page), "gaps"));
}
