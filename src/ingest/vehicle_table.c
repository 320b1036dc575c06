#include "ingest/vehicle_table.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "ingest/clock.h"

#define SLOTS_FIRST 1024
#define HUGE_SIZE   (2u << 20) /* bytes from which on large pages are asked for */

_Static_assert(sizeof(struct vehicle_state) == VEHICLE_STATE_SIZE, "the record is what the memory figures are made of");

struct vehicle_slot {
    uint32_t tag;
    uint32_t number; /* of the vehicle plus one; 0 = free */
};

/* A vid is the output of a keyed hash, so its bytes are spread already; folding both halves keeps test numbers apart.
 */
static uint64_t hash_vid(const uint8_t vid[EV_VID_SIZE])
{
    uint64_t a, b;

    memcpy(&a, vid, 8);
    memcpy(&b, vid + 8, 8);
    uint64_t h = (a ^ (b << 32 | b >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ h >> 32;
}

/* Zeroed memory that is taken from the system only where it is touched. A million vehicles are 80 MB in random order,
 * so most of the cost of a lookup is finding the page; large pages make that cheap. */
static void *map_zeroed(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (size >= HUGE_SIZE)
        (void)madvise(p, size, MADV_HUGEPAGE); /* a kernel without them is only slower */
    return p;
}

static void unmap(void *p, size_t size)
{
    if (p != NULL)
        munmap(p, size);
}

static size_t slots_size(const struct vehicle_table *t)
{
    return ((size_t)t->slot_mask + 1) * sizeof t->slot[0];
}

enum vs_err vehicle_table_init(struct vehicle_table *t, uint32_t vehicles_max)
{
    memset(t, 0, sizeof *t);
    t->slot_mask = SLOTS_FIRST - 1;
    t->vehicles_max = vehicles_max;
    t->slot = map_zeroed(slots_size(t));
    t->record = map_zeroed((size_t)vehicles_max * sizeof t->record[0]);
    if (t->slot != NULL && t->record != NULL)
        return VS_OK;
    vehicle_table_done(t);
    return VS_ERR_NO_MEMORY;
}

static void epoch_more_done(struct epoch_more *m)
{
    seq_set_done(&m->state.taken);
    span_set_done(&m->merged);
    span_set_done(&m->dead);
}

static void vehicle_done(struct vehicle_state *v)
{
    seq_set_done(&v->taken);
    if (v->more == NULL)
        return;
    epoch_more_done(&v->more->present);
    for (uint32_t i = 0; i < v->more->other_count; i++)
        epoch_more_done(&v->more->other[i]);
    free(v->more->other);
    free(v->more);
}

void vehicle_table_done(struct vehicle_table *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        vehicle_done(&t->record[i]);
    unmap(t->record, (size_t)t->vehicles_max * sizeof t->record[0]);
    unmap(t->slot, slots_size(t));
    free(t->changed);
    memset(t, 0, sizeof *t);
}

struct vehicle_state *vehicle_table_at(const struct vehicle_table *t, uint32_t number)
{
    assert(number < t->count);
    return &t->record[number];
}

/* The slot of a vehicle, or the free one where it would go. */
static struct vehicle_slot *probe(const struct vehicle_table *t, const uint8_t vid[EV_VID_SIZE], uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    for (uint32_t i = (uint32_t)hash & t->slot_mask;; i = (i + 1) & t->slot_mask) {
        struct vehicle_slot *s = &t->slot[i];

        if (s->number == 0)
            return s;
        if (s->tag == tag && memcmp(vehicle_table_at(t, s->number - 1)->vid, vid, EV_VID_SIZE) == 0)
            return s;
    }
}

uint32_t vehicle_table_find(const struct vehicle_table *t, const uint8_t vid[EV_VID_SIZE])
{
    const struct vehicle_slot *s = probe(t, vid, hash_vid(vid));

    return s->number == 0 ? VEHICLE_NONE : s->number - 1;
}

/* Doubles the slots when two thirds are used; records stay where they are. */
static bool grow_slots(struct vehicle_table *t)
{
    uint64_t used = (uint64_t)t->count + 1, room = (uint64_t)t->slot_mask + 1;

    if (used * 3 < room * 2)
        return true;
    struct vehicle_slot *old = t->slot, *slot = map_zeroed(room * 2 * sizeof slot[0]);
    if (slot == NULL)
        return false;
    unmap(old, slots_size(t));
    t->slot = slot;
    t->slot_mask = (uint32_t)(room * 2 - 1);
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t hash = hash_vid(t->record[i].vid);
        uint32_t at = (uint32_t)hash & t->slot_mask;

        while (slot[at].number != 0)
            at = (at + 1) & t->slot_mask;
        slot[at] = (struct vehicle_slot){(uint32_t)(hash >> 32), i + 1};
    }
    return true;
}

static bool grow_changed(struct vehicle_table *t)
{
    if (t->count < (uint64_t)t->changed_size * 64)
        return true;
    uint32_t size = t->changed_size > 0 ? t->changed_size * 2 : 64;
    uint64_t *changed = realloc(t->changed, size * sizeof changed[0]);
    if (changed == NULL)
        return false;
    memset(changed + t->changed_size, 0, (size - t->changed_size) * sizeof changed[0]);
    t->changed = changed;
    t->changed_size = size;
    return true;
}

enum vs_err vehicle_table_get(struct vehicle_table *t, const uint8_t vid[EV_VID_SIZE], uint32_t *ret)
{
    uint64_t hash = hash_vid(vid);
    struct vehicle_slot *s = probe(t, vid, hash);

    if (s->number == 0) {
        if (t->count >= t->vehicles_max)
            return VS_ERR_FULL;
        if (!grow_slots(t) || !grow_changed(t))
            return VS_ERR_NO_MEMORY;
        s = probe(t, vid, hash);
        *s = (struct vehicle_slot){(uint32_t)(hash >> 32), ++t->count};
        struct vehicle_state *v = vehicle_table_at(t, t->count - 1);
        memcpy(v->vid, vid, EV_VID_SIZE);
        v->clock_offset_us = CLOCK_UNKNOWN;
    }
    *ret = s->number - 1;
    return VS_OK;
}

void vehicle_table_mark(struct vehicle_table *t, uint32_t number)
{
    t->changed[number / 64] |= UINT64_C(1) << (number % 64);
}

/* ---- epochs */

static struct vehicle_more *need_more(struct vehicle_state *v)
{
    if (v->more == NULL) {
        v->more = calloc(1, sizeof *v->more);
        if (v->more != NULL)
            v->more->present.clock_offset_us = CLOCK_UNKNOWN;
    }
    return v->more;
}

/* Index of an epoch among the others, or where it would go. */
static uint32_t find_other(const struct vehicle_more *m, uint32_t epoch)
{
    uint32_t i = 0;

    while (i < m->other_count && m->other[i].state.epoch < epoch)
        i++;
    return i;
}

static void sets_of(const struct epoch_more *m, struct ledger_sets *ret)
{
    *ret = (struct ledger_sets){m->state.produced, &m->state.taken, &m->merged, &m->dead};
}

static void close_lowest(struct vehicle_more *m)
{
    struct epoch_more *lowest = &m->other[0];
    struct ledger_sets sets;
    struct ledger sum = {.duplicates = lowest->duplicates};

    sets_of(lowest, &sets);
    ledger_count(&sets, &sum, NULL, NULL);
    ledger_add(&m->closed, &sum);
    m->any_closed = true;
    m->closed_epoch = lowest->state.epoch;
    m->closed_count++;
    epoch_more_done(lowest);
    m->other_count--;
    memmove(m->other, m->other + 1, m->other_count * sizeof m->other[0]);
}

/* Makes room for an epoch among the others. NULL: it is lower than all and there are too many, or no memory. */
static struct epoch_more *add_other(struct vehicle_more *m, uint32_t epoch)
{
    if (m->other_count == m->other_size) {
        uint32_t size = m->other_size > 0 ? m->other_size * 2 : 2;
        struct epoch_more *other = realloc(m->other, size * sizeof other[0]);
        if (other == NULL)
            return NULL;
        m->other = other;
        m->other_size = size;
    }
    uint32_t at = find_other(m, epoch);
    memmove(m->other + at + 1, m->other + at, (m->other_count - at) * sizeof m->other[0]);
    m->other_count++;
    memset(&m->other[at], 0, sizeof m->other[at]);
    m->other[at].state.epoch = epoch;
    m->other[at].clock_offset_us = CLOCK_UNKNOWN;
    return &m->other[at];
}

/* The present epoch becomes one of the others. */
static bool retire_present(struct vehicle_state *v)
{
    struct vehicle_more *m = need_more(v);
    struct epoch_more *old = m != NULL ? add_other(m, v->epoch) : NULL;

    if (old == NULL)
        return false;
    *old = m->present;
    old->state = (struct epoch_state){v->epoch, v->produced, v->taken};
    old->clock_offset_us = v->clock_offset_us;
    memset(&m->present, 0, sizeof m->present);
    memset(&v->taken, 0, sizeof v->taken);
    v->produced = 0;
    v->clock_offset_us = CLOCK_UNKNOWN;
    return true;
}

static enum epoch_answer other_epoch(struct vehicle_state *v, uint32_t epoch, struct epoch_view *ret)
{
    struct vehicle_more *m = need_more(v);

    if (m == NULL)
        return EPOCH_NO_MEMORY;
    if (m->any_closed && epoch <= m->closed_epoch)
        return EPOCH_CLOSED;
    uint32_t at = find_other(m, epoch);
    struct epoch_more *e =
        at < m->other_count && m->other[at].state.epoch == epoch ? &m->other[at] : add_other(m, epoch);
    if (e == NULL)
        return EPOCH_NO_MEMORY;
    if (m->other_count >= LEDGER_EPOCHS_MAX) {
        close_lowest(m);
        if (m->closed_epoch >= epoch)
            return EPOCH_CLOSED;
        e = &m->other[find_other(m, epoch)];
    }
    *ret = (struct epoch_view){&e->state.produced, &e->state.taken, &e->clock_offset_us, false, epoch};
    return EPOCH_OK;
}

enum epoch_answer vehicle_epoch(struct vehicle_state *v, uint32_t epoch, struct epoch_view *ret)
{
    bool empty = v->produced == 0 && v->taken.low == 0 && v->taken.bits == 0 && v->taken.ahead == NULL;

    if (empty && v->more == NULL)
        v->epoch = epoch;
    if (epoch < v->epoch)
        return other_epoch(v, epoch, ret);
    if (epoch > v->epoch) {
        if (!retire_present(v))
            return EPOCH_NO_MEMORY;
        v->epoch = epoch;
        if (v->more->other_count >= LEDGER_EPOCHS_MAX)
            close_lowest(v->more);
    }
    *ret = (struct epoch_view){&v->produced, &v->taken, &v->clock_offset_us, true, epoch};
    return EPOCH_OK;
}

struct epoch_more *vehicle_epoch_more(struct vehicle_state *v, const struct epoch_view *view)
{
    struct vehicle_more *m = need_more(v);

    if (m == NULL)
        return NULL;
    return view->present ? &m->present : &m->other[find_other(m, view->epoch)];
}

struct epoch_more *vehicle_epoch_peek(const struct vehicle_state *v, uint32_t epoch)
{
    if (v->more == NULL)
        return NULL;
    if (epoch == v->epoch)
        return &v->more->present;
    uint32_t at = find_other(v->more, epoch);
    return at < v->more->other_count && v->more->other[at].state.epoch == epoch ? &v->more->other[at] : NULL;
}

void vehicle_epochs(const struct vehicle_state *v,
                    void (*each)(uint32_t epoch, const struct ledger_sets *sets, uint64_t duplicates, void *ctx),
                    void *ctx)
{
    const struct vehicle_more *m = v->more;
    struct ledger_sets sets;

    for (uint32_t i = 0; m != NULL && i < m->other_count; i++) {
        sets_of(&m->other[i], &sets);
        each(m->other[i].state.epoch, &sets, m->other[i].duplicates, ctx);
    }
    sets = (struct ledger_sets){v->produced, &v->taken, m != NULL ? &m->present.merged : NULL,
                                m != NULL ? &m->present.dead : NULL};
    each(v->epoch, &sets, m != NULL ? m->present.duplicates : 0, ctx);
}

static void add_epoch(uint32_t epoch, const struct ledger_sets *sets, uint64_t duplicates, void *ctx)
{
    struct ledger sum = {.duplicates = duplicates};

    (void)epoch;
    ledger_count(sets, &sum, NULL, NULL);
    ledger_add(ctx, &sum);
}

void vehicle_ledger(const struct vehicle_state *v, struct ledger *ret)
{
    memset(ret, 0, sizeof *ret);
    if (v->more != NULL)
        *ret = v->more->closed;
    vehicle_epochs(v, add_epoch, ret);
}

uint32_t vehicle_epoch_count(const struct vehicle_state *v)
{
    return 1 + (v->more != NULL ? v->more->other_count + v->more->closed_count : 0);
}
