/* One pass keeps the newest `limit` events in a heap whose root is the oldest of them. An event is copied with its
 * texts only when it gets into the heap. */
#include "ingest/history.h"

#include <assert.h>
#include <stdlib.h>

#include "stream/by_key.h"

struct kept {
    struct history_place place;
    struct event ev;
    struct normalised no;
    uint8_t *bytes; /* what the slices of both point into */
};

struct collecting {
    const struct history_query *query;
    void *ctx;
    struct kept *kept; /* heap: none is older than its children */
    uint32_t count;
    struct history_result result;
    enum vs_err err;
};

static int compare_places(const struct history_place *a, const struct history_place *b)
{
    if (a->first_us != b->first_us)
        return a->first_us < b->first_us ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* ---- copies */

/* All slices of an event and of what goes with it, so that sizing and copying cannot disagree. */
static unsigned list_slices(struct kept *k, struct slice *ret[EV_FIELDS_MAX + 9])
{
    struct slice *const fixed[] = {&k->ev.ecu,        &k->ev.sensor,      &k->ev.bus,    &k->no.model, &k->no.hardware,
                                   &k->no.sw_version, &k->no.ecu_version, &k->no.region, &k->no.owner};
    unsigned count = 0;

    for (; count < 9; count++)
        ret[count] = fixed[count];
    for (unsigned i = 0; i < k->ev.field_count; i++)
        if (ev_field_find(k->ev.field[i].id)->kind >= EV_KIND_TEXT)
            ret[count++] = &k->ev.field[i].value.s;
    return count;
}

static bool copy(struct kept *k, const struct event *ev, const struct normalised *no)
{
    struct slice *part[EV_FIELDS_MAX + 9];
    size_t size = 0, at = 0;

    k->ev = *ev;
    k->no = *no;
    unsigned count = list_slices(k, part);
    for (unsigned i = 0; i < count; i++)
        size += part[i]->len;
    uint8_t *bytes = realloc(k->bytes, size > 0 ? size : 1);
    if (bytes == NULL)
        return false;
    k->bytes = bytes;
    for (unsigned i = 0; i < count; i++) {
        if (part[i]->len > 0)
            memcpy(bytes + at, part[i]->ptr, part[i]->len);
        part[i]->ptr = bytes + at;
        at += part[i]->len;
    }
    return true;
}

/* ---- heap */

static void swap(struct kept *a, struct kept *b)
{
    struct kept other = *a;

    *a = *b;
    *b = other;
}

static void sift_up(struct kept *k, uint32_t i)
{
    for (; i > 0 && compare_places(&k[i].place, &k[(i - 1) / 2].place) < 0; i = (i - 1) / 2)
        swap(&k[i], &k[(i - 1) / 2]);
}

static void sift_down(struct kept *k, uint32_t count)
{
    for (uint32_t i = 0, child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && compare_places(&k[child + 1].place, &k[child].place) < 0)
            child++;
        if (compare_places(&k[i].place, &k[child].place) <= 0)
            return;
        swap(&k[i], &k[child]);
    }
}

static void keep(struct collecting *c, const struct event *ev, const struct normalised *no,
                 const struct history_place *place)
{
    bool full = c->count == c->query->limit;

    c->result.more = c->result.more || full;
    if (full && compare_places(place, &c->kept[0].place) < 0)
        return;
    struct kept *k = full ? &c->kept[0] : &c->kept[c->count];
    if (!copy(k, ev, no)) {
        c->err = VS_ERR_NO_MEMORY;
        return;
    }
    k->place = *place;
    if (full)
        sift_down(c->kept, c->count);
    else
        sift_up(c->kept, c->count++);
}

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct collecting *c = ctx;
    const struct history_query *q = c->query;
    struct history_place place = {ev->first_us, no->offset, no->index};

    if (ev->last_us < q->from_us || ev->first_us >= q->to_us || (q->want != NULL && !q->want(ev, c->ctx)))
        return;
    c->result.total++;
    if (!q->has_before || compare_places(&place, &q->before) < 0)
        keep(c, ev, no, &place);
}

/* ---- the pass */

/* An event is at most NORMALISE_FUTURE_US later than its reception, so nothing received before that can be of interest.
 */
static enum vs_err read_records(struct stream *s, struct normalise *n, struct collecting *c)
{
    int64_t since_us = c->query->from_us > NORMALISE_FUTURE_US ? c->query->from_us - NORMALISE_FUTURE_US : 0;
    struct stream_by_key *q;
    struct stream_record rec;

    enum vs_err err = stream_by_key_open(s, slice_make(c->query->vid, EV_VID_SIZE), since_us, &q);
    if (err != VS_OK)
        return err;
    while (err == VS_OK && c->err == VS_OK) {
        err = stream_by_key_next(q, &rec);
        if (err == VS_ERR_TAMPERED) {
            c->result.damaged++;
            err = VS_OK;
        } else if (err == VS_OK) {
            err = normalise_step(n, &rec);
        }
    }
    stream_by_key_close(q);
    return err == VS_ERR_END || err == VS_OK ? c->err : err;
}

static int newest_first(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    return compare_places(&y->place, &x->place);
}

static void give(struct collecting *c, normalise_event_fn *each, struct history_result *ret)
{
    if (c->count > 0)
        qsort(c->kept, c->count, sizeof c->kept[0], newest_first);
    for (uint32_t i = 0; i < c->count; i++)
        each(&c->kept[i].ev, &c->kept[i].no, c->ctx);
    *ret = c->result;
    ret->count = c->count;
    if (c->count > 0)
        ret->last = c->kept[c->count - 1].place;
}

enum vs_err history_page(struct stream *s, const struct registry *registry, const struct history_query *query,
                         normalise_event_fn *each, void *ctx, struct history_result *ret)
{
    struct collecting c = {.query = query, .ctx = ctx};
    struct normalise_config cfg = {.registry = registry, .vehicles_max = 1, .event = on_event, .ctx = &c};
    struct normalise *n = NULL;

    assert(query->limit >= 1 && query->limit <= HISTORY_LIMIT_MAX);
    c.kept = calloc(query->limit, sizeof c.kept[0]);
    enum vs_err err = c.kept != NULL ? normalise_new(&cfg, &n) : VS_ERR_NO_MEMORY;
    if (err == VS_OK)
        err = read_records(s, n, &c);
    if (err == VS_OK)
        give(&c, each, ret);
    normalise_free(n);
    for (uint32_t i = 0; c.kept != NULL && i < query->limit; i++)
        free(c.kept[i].bytes);
    free(c.kept);
    return err;
}
