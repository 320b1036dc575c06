/* random_event: valid events of every type with every kind of value, from a seed. */
#ifndef RANDOM_EVENT_H
#define RANDOM_EVENT_H

#include "event/event.h"
#include "seed.h"

/* A text of up to `max` bytes of valid UTF-8, mostly short, out of a fixed pool. */
static inline struct slice random_text(struct seed *s, size_t max)
{
    static const char pool[] =
        "EngTorque \xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x97 \"quote\\ |pipe\x01\x1f\x7f "
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz";
    size_t len = (size_t)seed_below(s, seed_below(s, 8) == 0 ? max + 1 : 24);
    struct slice t = slice_make(pool, len < sizeof pool - 1 ? len : sizeof pool - 1);

    /* Not in the middle of a character. */
    while (t.len > 0 && (t.ptr[t.len] & 0xC0) == 0x80)
        t.len--;
    return t;
}

/* Numbers of all lengths, so that every form of a head is met. */
static inline uint64_t random_number(struct seed *s, uint64_t max)
{
    uint64_t v = seed_next(s) >> seed_below(s, 64);

    return max == UINT64_MAX ? v : v % (max + 1);
}

static inline void random_field(struct event *ev, enum ev_field_id id, struct seed *s)
{
    const struct ev_field_info *info = ev_field_find((uint8_t)id);
    uint64_t v;

    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        event_set_uint(ev, id, random_number(s, info->max));
        break;
    case EV_KIND_INT:
        v = random_number(s, info->max < INT64_MAX ? info->max : INT64_MAX);
        event_set_int(ev, id,
                      info->min < 0 && seed_below(s, 2) == 0 ? (int64_t)(v > (uint64_t) - (info->min + 1) ? 0 : v) * -1
                                                             : (int64_t)v);
        break;
    case EV_KIND_BOOL:
        event_set_bool(ev, id, seed_below(s, 2) == 0);
        break;
    case EV_KIND_TEXT:
    case EV_KIND_BYTES:
        event_set_text(ev, id, random_text(s, EV_TEXT_LEN_MAX));
        break;
    }
}

/* A valid event around this time; seq is set by the caller. */
static inline void random_event(struct event *ev, int64_t around_us, struct seed *s)
{
    const struct ev_type_info *type = ev_type_at((unsigned)seed_below(s, EV_TYPE_COUNT));

    event_init(ev, type->id, around_us + (int64_t)(seed_next(s) >> seed_below(s, 63)) % 100000000);
    if (seed_below(s, 3) == 0)
        ev->last_us += (int64_t)random_number(s, 1000000000);
    if (seed_below(s, 3) == 0)
        ev->count = 1 + (uint32_t)random_number(s, UINT32_MAX - 1);
    if (seed_below(s, 4) == 0)
        ev->priority = (uint8_t)seed_below(s, 3);
    if (seed_below(s, 4) == 0)
        ev->trust = (uint8_t)seed_below(s, 3);
    if (seed_below(s, 2) == 0)
        ev->ecu = random_text(s, EV_TEXT_LEN_MAX);
    if (seed_below(s, 3) == 0)
        ev->sensor = random_text(s, EV_TEXT_LEN_MAX);
    if (seed_below(s, 2) == 0)
        ev->bus = random_text(s, EV_TEXT_LEN_MAX);
    for (unsigned i = 0; i < type->field_count; i++)
        if ((type->required >> i & 1) != 0 || seed_below(s, 2) == 0)
            random_field(ev, (enum ev_field_id)type->field[i], s);
    if (seed_below(s, 4) != 0)
        return;
    ev->fold_count = (uint8_t)seed_below(s, EV_FOLDS_MAX + 1);
    for (unsigned i = 0; i < ev->fold_count; i++)
        ev->fold[i] = (struct ev_fold){.seq_first = 1 + random_number(s, INT64_MAX - 2),
                                       .count = 1 + (uint32_t)random_number(s, UINT32_MAX - 1),
                                       .filter = (uint8_t)(1 + seed_below(s, 8))};
}

#endif
