#include "gateway/aggregate.h"

#include <assert.h>

#include "gateway/record.h"

void aggregate_init(struct aggregate *a, struct aggregate_slot *slot, uint32_t slot_count)
{
    a->slot = slot;
    a->slot_count = slot_count;
    a->evicted_count = 0;
    for (uint32_t i = 0; i < slot_count; i++)
        slot[i].used = false;
}

static struct slice signature_of(const struct event *ev, uint8_t buf[EV_SIGNATURE_MAX])
{
    struct writer w;

    writer_init(&w, buf, EV_SIGNATURE_MAX);
    event_signature(ev, &w);
    return writer_slice(&w);
}

/* FNV-1a; only saves work, equality is decided by comparing. A length goes before each part, so that parts cannot
 * shift. */
static uint64_t hash_part(uint64_t h, struct slice s)
{
    h = (h ^ s.len) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.ptr[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t hash_of(const struct event *ev, struct slice signature)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ ev->type ^ (uint64_t)ev->priority << 16;

    h = hash_part(h, ev->ecu);
    h = hash_part(h, ev->sensor);
    h = hash_part(h, ev->bus);
    return hash_part(h, signature);
}

static bool same_kind(const struct aggregate_slot *s, const struct event *ev, struct slice signature)
{
    uint8_t buf[EV_SIGNATURE_MAX];
    struct event first;

    if (record_read(slice_make(s->bytes, s->len), 0, &first) != VS_OK)
        return false;
    return first.type == ev->type && first.priority == ev->priority && slice_equal(first.ecu, ev->ecu) &&
           slice_equal(first.sensor, ev->sensor) && slice_equal(first.bus, ev->bus) &&
           slice_equal(signature_of(&first, buf), signature);
}

static struct aggregate_slot *find(const struct aggregate *a, const struct event *ev, uint64_t hash,
                                   struct slice signature)
{
    for (uint32_t i = 0; i < a->slot_count; i++)
        if (a->slot[i].used && a->slot[i].hash == hash && same_kind(&a->slot[i], ev, signature))
            return &a->slot[i];
    return NULL;
}

/* The first event of a record: what is kept of it is its bytes, and from now on the numbers in the slot count. */
static bool begin(struct aggregate_slot *s, const struct event *ev)
{
    struct writer w;

    writer_init(&w, s->bytes, sizeof s->bytes);
    record_write(ev, &w);
    if (w.full)
        return false;
    s->len = (uint16_t)w.len;
    s->seq = ev->seq;
    s->count = ev->count;
    s->first_us = ev->first_us;
    s->last_us = ev->last_us;
    s->trust = ev->trust;
    s->folds.count = 0;
    s->dirty = true;
    return true;
}

/* False when count or folds have no room for it. */
static bool merge(struct aggregate_slot *s, const struct event *ev)
{
    if (ev->count > EV_COUNT_MAX - s->count)
        return false;
    if (!folds_add(&s->folds, (struct ev_fold){.seq_first = ev->seq, .count = 1, .filter = EV_FILTER_AGGREGATION}))
        return false;
    s->count += ev->count;
    if (ev->first_us < s->first_us)
        s->first_us = ev->first_us;
    if (ev->last_us > s->last_us)
        s->last_us = ev->last_us;
    if (ev->trust > s->trust)
        s->trust = ev->trust;
    s->dirty = true;
    return true;
}

/* A free slot; without one the oldest is told, to be closed first. An armed slot without a record is simply taken. */
static struct aggregate_slot *make_place(struct aggregate *a, uint32_t *ret_oldest)
{
    struct aggregate_slot *oldest = NULL;

    for (uint32_t i = 0; i < a->slot_count; i++) {
        struct aggregate_slot *s = &a->slot[i];

        if (!s->used)
            return s;
        if (oldest == NULL || s->opened_us < oldest->opened_us)
            oldest = s;
    }
    if (oldest != NULL && oldest->count == 0)
        return oldest;
    *ret_oldest = oldest == NULL ? 0 : (uint32_t)(oldest - a->slot);
    return NULL;
}

enum aggregate_result aggregate_offer(struct aggregate *a, const struct event *ev, uint32_t rule, uint32_t window_ms,
                                      bool lead, int64_t now_us, uint32_t *ret_slot)
{
    uint8_t buf[EV_SIGNATURE_MAX];
    struct slice signature = signature_of(ev, buf);
    uint64_t hash = hash_of(ev, signature);

    if (a->slot_count == 0 || record_size_max(ev) > AGGREGATE_EVENT_MAX)
        return AGGREGATE_LARGE;
    struct aggregate_slot *s = find(a, ev, hash, signature);
    if (s != NULL && s->count == 0) {
        *ret_slot = (uint32_t)(s - a->slot);
        return begin(s, ev) ? AGGREGATE_OPENED : AGGREGATE_LARGE;
    }
    if (s != NULL) {
        *ret_slot = (uint32_t)(s - a->slot);
        return merge(s, ev) ? AGGREGATE_MERGED : AGGREGATE_FULL;
    }
    s = make_place(a, ret_slot);
    if (s == NULL) {
        a->evicted_count++;
        return AGGREGATE_EVICT;
    }
    s->used = true;
    s->hash = hash;
    s->rule = rule;
    s->window_ms = window_ms;
    s->opened_us = now_us;
    bool fits = begin(s, ev);
    assert(fits);
    (void)fits;
    if (!lead)
        return AGGREGATE_OPENED;
    aggregate_restart(s);
    return AGGREGATE_LEADS;
}

void aggregate_restart(struct aggregate_slot *s)
{
    s->count = 0;
    s->dirty = false;
}

void aggregate_free(struct aggregate_slot *s)
{
    s->used = false;
    s->dirty = false;
}

void aggregate_slot_event(const struct aggregate_slot *s, uint32_t epoch, struct event *ret)
{
    enum vs_err err = record_read(slice_make(s->bytes, s->len), epoch, ret);

    assert(err == VS_OK);
    (void)err;
    ret->seq = s->seq;
    ret->count = s->count;
    ret->first_us = s->first_us;
    ret->last_us = s->last_us;
    ret->trust = s->trust;
    ret->fold_count = s->folds.count;
    memcpy(ret->fold, s->folds.run, s->folds.count * sizeof ret->fold[0]);
}
