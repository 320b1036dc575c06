/* The events of one vehicle, decoded from the log as they are asked for, and their counts over time. */
#include <stdlib.h>
#include <string.h>

#include "api/event_json_api.h"
#include "api/event_log.h"
#include "api/filter.h"
#include "api/page.h"
#include "api/route.h"
#include "api/vehicle_json.h"

#define EVENTS_MAX  20000 /* of a page's window; more are counted, and the total says "at least" */
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

struct found {
    int64_t time_us;
    uint32_t epoch;
    uint64_t seq;
    uint32_t partition, index;
    uint64_t offset;
};

struct collector {
    struct selection want;
    struct found *found;
    size_t count;
    int64_t total;
};

static void collect(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct collector *k = ctx;

    if (!selected(&k->want, ev))
        return;
    k->total++;
    /* When the room is used up the newest arrivals take the place of the oldest: a ring by arrival. */
    struct found *f = &k->found[k->count < EVENTS_MAX ? k->count++ : (size_t)(k->total % EVENTS_MAX)];
    f->time_us = ev->first_us;
    f->epoch = ev->epoch;
    f->seq = ev->seq;
    f->partition = no->partition;
    f->offset = no->offset;
    f->index = no->index;
}

/* Newest event time first; then newest number. */
static int compare_found(const void *pa, const void *pb)
{
    const struct found *a = pa, *b = pb;

    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? 1 : -1;
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch ? 1 : -1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? 1 : -1;
    return a->index < b->index ? 1 : a->index > b->index ? -1 : 0;
}

struct one {
    uint32_t index;
    bool exact_position;
    json_t *json;
};

static void take_one(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct one *o = ctx;

    if (no->index == o->index && o->json == NULL)
        o->json = event_api_json(ev, no, o->exact_position);
}

static json_t *rows_json(struct call *c, const struct collector *k, size_t from, size_t limit)
{
    json_t *rows = json_array();

    for (size_t i = from; i < k->count && i < from + limit; i++) {
        struct one one = {.index = k->found[i].index, .exact_position = call_may(c, PERM_POSITION_READ)};
        if (event_log_events(c->api->log, k->found[i].partition, k->found[i].offset, take_one, &one) == VS_OK &&
            one.json != NULL)
            json_array_append_new(rows, one.json);
    }
    return rows;
}

void vehicle_events(struct call *c)
{
    struct vehicle_name name;
    struct page page;
    struct collector k = {.count = 0};

    if (!call_vehicle(c, &name) || !read_selection(c, &k.want) || !page_read(c, "time", &page))
        return;
    k.found = malloc(EVENTS_MAX * sizeof *k.found);
    enum vs_err err = k.found != NULL ? event_log_vehicle(c->api->log, name.vid, collect, &k) : VS_ERR_NO_MEMORY;
    if (err != VS_OK) {
        free(k.found);
        reply_store_failure(c, err);
        return;
    }
    qsort(k.found, k.count, sizeof *k.found, compare_found);
    size_t from = page.has_cursor && page.key > 0 ? (size_t)page.key : 0;
    json_t *rows = rows_json(c, &k, from, (size_t)page.limit);
    if (from + (size_t)page.limit < k.count)
        page_next(&page, (int64_t)from + page.limit, 0);
    json_t *total = json_pack("{s:I, s:s}", "value", (json_int_t)k.total, "relation", "eq");
    free(k.found);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o, s:[]}", "total", total, "rows", rows, "next", page_next_json(&page), "gaps"));
}

/* ---- how many of each type */

struct by_type {
    int64_t count[EV_TYPE_COUNT];
};

static void count_type(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct by_type *b = ctx;

    (void)no;
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        if (ev_type_at(i)->id == ev->type)
            b->count[i] += ev->count;
}

json_t *vehicle_types_json(struct call *c, const struct vehicle_name *name)
{
    struct by_type b = {.count = {0}};
    json_t *list = json_array();

    /* A log that cannot be read shows as no counts here; the events themselves say why. */
    (void)!event_log_vehicle(c->api->log, name->vid, count_type, &b);
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

static void add_to_series(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct series *s = ctx;

    (void)no;
    if (ev->first_us < s->want.from_us || ev->first_us >= s->want.to_us)
        return;
    int64_t b = (ev->first_us - s->want.from_us) / s->bucket_us;
    if (b >= s->buckets)
        b = s->buckets - 1;
    s->count[b][ev->priority <= EV_PRIORITY_CRITICAL ? ev->priority : 0] += ev->count;
    s->heard[b] = true;
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
        enum vs_err err = event_log_vehicle(c->api->log, name.vid, add_to_series, s);
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
