/* The events of one vehicle, decoded from the log as they are asked for, and their counts over time. */
#include <stdlib.h>
#include <string.h>

#include "api/event_json_api.h"
#include "api/event_log.h"
#include "api/filter.h"
#include "api/page.h"
#include "api/route.h"
#include "api/vehicle_json.h"

#define BUCKETS_MAX 500
#define TYPES_MAX   100

/* Which events are wanted. */
struct selection {
    struct filter_list type;
    uint32_t priority; /* bits of enum ev_priority */
    int64_t from_us, to_us;
};

static int priority_number(struct slice code)
{
    return slice_equal_str(code, "critical") ? EV_PRIORITY_CRITICAL
           : slice_equal_str(code, "medium") ? EV_PRIORITY_MEDIUM
           : slice_equal_str(code, "low")    ? EV_PRIORITY_LOW
                                             : -1;
}

static bool read_range(struct call *c, struct selection *s)
{
    const char *from = http_query(c->rq, "from"), *to = http_query(c->rq, "to");

    s->to_us = INT64_MAX;
    if ((from == NULL || filter_time(from, c->now_us, &s->from_us) == VS_OK) &&
        (to == NULL || filter_time(to, c->now_us, &s->to_us) == VS_OK))
        return true;
    reply_fault(c, VS_ERR_MALFORMED, "from", "from and to take RFC 3339 or now-<number><s|m|h|d|w>");
    return false;
}

static bool read_selection(struct call *c, struct selection *s)
{
    memset(s, 0, sizeof *s);
    if (filter_list_parse(http_query(c->rq, "type"), &s->type) != VS_OK) {
        reply_fault(c, VS_ERR_MALFORMED, "type", "not a list of at most 16 event types");
        return false;
    }
    enum vs_err err = filter_mask(http_query(c->rq, "priority"), priority_number, 3, &s->priority);
    if (err != VS_OK) {
        reply_fault(c, err, "priority", "not a list of: critical, medium, low");
        return false;
    }
    return read_range(c, s);
}

/* A whole name ("uds.security_access_denied") or its first segment ("uds"). */
static bool type_named(struct slice name, struct slice wanted)
{
    return slice_starts(name, wanted) && (name.len == wanted.len || name.ptr[wanted.len] == '.');
}

static bool in_list(struct slice name, const struct slice *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (type_named(name, list[i]))
            return true;
    return false;
}

static bool selected(const struct selection *s, const struct event *ev)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    struct slice name = slice_str(type != NULL ? type->name : "");

    return ev->last_us >= s->from_us && ev->first_us < s->to_us && ((1u << ev->priority) & s->priority) != 0 &&
           (s->type.include_count == 0 || in_list(name, s->type.include, s->type.include_count)) &&
           !in_list(name, s->type.exclude, s->type.exclude_count);
}

/* ---- the list */

struct lister {
    struct call *c;
    const struct vehicle_name *name;
    struct selection want;
    json_t *rows;
};

static bool wanted(const struct event *ev, void *ctx)
{
    const struct lister *k = ctx;

    return selected(&k->want, ev);
}

/* What the registry says of the vehicle, its software as of the event's time. */
static void add_enrichment(json_t *o, struct store *st, const char *vid, int64_t time_us)
{
    struct store_stmt *q = store_prepare(
        st,
        "SELECT v.model, v.region, (SELECT s.software FROM vehicle_software s WHERE s.vid = v.vid AND s.component = '' "
        "AND s.from_us <= ?2 ORDER BY s.from_us DESC, s.recorded_us DESC LIMIT 1) FROM vehicle v WHERE v.vid = ?1");

    store_bind_text(q, 1, slice_str(vid));
    store_bind_i64(q, 2, time_us);
    if (store_step(q) == VS_OK) {
        json_object_set_new(o, "model", json_column(q, 0));
        json_object_set_new(o, "region", json_column(q, 1));
        json_object_set_new(o, "sw_version", json_column(q, 2));
    }
    store_done(q);
}

static void add_row(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct lister *k = ctx;
    json_t *o = event_api_json(ev, no, call_may(k->c, PERM_POSITION_READ));

    add_enrichment(o, k->c->st, k->name->text, ev->first_us);
    json_array_append_new(k->rows, o);
}

/* A place travels in a cursor as the time and one number: the offset above the index in its record. */
#define INDEX_BITS 20

static void read_place(const struct page *page, struct history_query *hq)
{
    if (!page->has_cursor || page->id < 0)
        return;
    hq->has_before = true;
    hq->before.first_us = page->key;
    hq->before.offset = (uint64_t)page->id >> INDEX_BITS;
    hq->before.index = (uint32_t)page->id & ((1u << INDEX_BITS) - 1);
}

void vehicle_events(struct call *c)
{
    struct vehicle_name name;
    struct page page;
    struct history_result result;
    struct lister k = {.c = c, .name = &name};

    if (!call_vehicle(c, &name) || !read_selection(c, &k.want) || !page_read(c, "time", &page))
        return;
    struct history_query hq = {
        .from_us = k.want.from_us, .to_us = k.want.to_us, .want = wanted, .limit = (uint32_t)page.limit};
    memcpy(hq.vid, name.vid, sizeof hq.vid);
    read_place(&page, &hq);
    k.rows = json_array();
    enum vs_err err = event_log_history(c->api->log, &hq, add_row, &k, &result);
    if (err != VS_OK) {
        json_decref(k.rows);
        reply_store_failure(c, err);
        return;
    }
    if (result.more)
        page_next(&page, result.last.first_us, (int64_t)(result.last.offset << INDEX_BITS | result.last.index));
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o, s:[]}", "total", json_total((int64_t)result.total), "rows", k.rows, "next",
                         page_next_json(&page), "gaps"));
}

/* Shows every event of the vehicle within the range to `look`, which counts and wants none. */
static enum vs_err look_at_all(struct call *c, const struct vehicle_name *name, int64_t from_us, int64_t to_us,
                               bool (*look)(const struct event *ev, void *ctx), normalise_event_fn *none, void *ctx)
{
    struct history_query hq = {.from_us = from_us, .to_us = to_us, .want = look, .limit = 1};
    struct history_result result;

    memcpy(hq.vid, name->vid, sizeof hq.vid);
    return event_log_history(c->api->log, &hq, none, ctx, &result);
}

static void no_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    (void)ev;
    (void)no;
    (void)ctx;
}

/* ---- how many of each type */

struct by_type {
    int64_t count[EV_TYPE_COUNT];
};

static bool count_type(const struct event *ev, void *ctx)
{
    struct by_type *b = ctx;

    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        if (ev_type_at(i)->id == ev->type)
            b->count[i] += ev->count;
    return false;
}

json_t *vehicle_types_json(struct call *c, const struct vehicle_name *name)
{
    struct by_type b = {.count = {0}};
    json_t *list = json_array();

    /* A log that cannot be read shows as no counts here; the events themselves say why. */
    (void)!look_at_all(c, name, 0, INT64_MAX, count_type, no_event, &b);
    for (size_t shown = 0; shown < TYPES_MAX; shown++) {
        unsigned best = 0;
        for (unsigned i = 1; i < EV_TYPE_COUNT; i++)
            if (b.count[i] > b.count[best])
                best = i;
        if (b.count[best] == 0)
            break;
        json_array_append_new(
            list, json_pack("{s:s, s:I}", "type", ev_type_at(best)->name, "count", (json_int_t)b.count[best]));
        b.count[best] = 0;
    }
    return list;
}

/* ---- activity */

struct series {
    struct selection want;
    int64_t bucket_us;
    int buckets;
    int64_t count[BUCKETS_MAX][3];
    bool heard[BUCKETS_MAX]; /* something was received that was sent in or after the bucket */
};

static bool add_to_series(const struct event *ev, void *ctx)
{
    struct series *s = ctx;

    if (ev->first_us < s->want.from_us || ev->first_us >= s->want.to_us)
        return false;
    int64_t b = (ev->first_us - s->want.from_us) / s->bucket_us;
    if (b >= s->buckets)
        b = s->buckets - 1;
    s->count[b][ev->priority <= EV_PRIORITY_CRITICAL ? ev->priority : 0] += ev->count;
    s->heard[b] = true;
    return false;
}

/* A bucket is covered when an event lies in it, or between two contacts: before the first and after the last one
 * nothing is known. */
static void mark_covered(struct call *c, struct series *s, const char *vid)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT first_contact_us, last_contact_us FROM vehicle WHERE vid = ?");

    store_bind_text(q, 1, slice_str(vid));
    if (store_step(q) == VS_OK && !store_is_null(q, 0))
        for (int b = 0; b < s->buckets; b++) {
            int64_t start = s->want.from_us + b * s->bucket_us;
            if (start + s->bucket_us > store_i64(q, 0) && start <= store_i64(q, 1))
                s->heard[b] = true;
        }
    store_done(q);
}

static json_t *buckets_json(const struct series *s)
{
    json_t *list = json_array();

    for (int b = 0; b < s->buckets; b++)
        json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:I, s:b}", "time",
                                              json_time(s->want.from_us + b * s->bucket_us), "critical",
                                              (json_int_t)s->count[b][EV_PRIORITY_CRITICAL], "medium",
                                              (json_int_t)s->count[b][EV_PRIORITY_MEDIUM], "low",
                                              (json_int_t)s->count[b][EV_PRIORITY_LOW], "gap", !s->heard[b]));
    return list;
}

/* Without a range: the last day. */
static bool read_series(struct call *c, struct series *s)
{
    const char *text = http_query(c->rq, "buckets");
    int64_t buckets = 96;

    if (!read_range(c, &s->want))
        return false;
    if (text != NULL && (filter_number(text, BUCKETS_MAX, &buckets) != VS_OK || buckets < 1)) {
        reply_fault(c, VS_ERR_RANGE, "buckets", "1 to 500");
        return false;
    }
    if (s->want.to_us == INT64_MAX)
        s->want.to_us = c->now_us;
    if (http_query(c->rq, "from") == NULL)
        s->want.from_us = s->want.to_us - INT64_C(86400000000);
    if (s->want.from_us >= s->want.to_us) {
        reply_fault(c, VS_ERR_RANGE, "from", "from must be before to");
        return false;
    }
    s->buckets = (int)buckets;
    s->bucket_us = (s->want.to_us - s->want.from_us + buckets - 1) / buckets;
    if (s->bucket_us < 1000000)
        s->bucket_us = 1000000;
    return true;
}

void vehicle_activity(struct call *c)
{
    struct vehicle_name name;
    struct series *s = calloc(1, sizeof *s);

    if (s == NULL) {
        reply_store_failure(c, VS_ERR_NO_MEMORY);
        return;
    }
    if (call_vehicle(c, &name) && read_series(c, s)) {
        enum vs_err err = look_at_all(c, &name, s->want.from_us, s->want.to_us, add_to_series, no_event, s);
        mark_covered(c, s, name.text);
        if (err == VS_OK)
            reply_json(c, 200,
                       json_pack("{s:o, s:o, s:I, s:o}", "from", json_time(s->want.from_us), "to",
                                 json_time(s->want.to_us), "bucket_s", (json_int_t)(s->bucket_us / 1000000), "buckets",
                                 buckets_json(s)));
        else
            reply_store_failure(c, err);
    }
    free(s);
}
