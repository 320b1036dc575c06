/* counter: an alive counter out of step while the old sequence goes on.
 *
 * Ordinary frames carry last + step. A frame that does not is kept in mind, and the next one judges it: if that one
 * goes on from the odd frame, frames were lost or the sender restarted, and nothing is told; if it goes on from the
 * frame before, the odd one came from somebody else. Three odd frames out of 8 that fit neither way are told too: that
 * is a sender who does not know the counter. A replacement of a frame (not an addition) leaves a hole of one, so two
 * steps count as going on. Armed only where training saw the counter hold and this detector silent. */
#include "edge/can/state.h"

#define ODD_FRAMES 3

static void counter_accuse(struct vids *v, const struct vids_look *k, uint32_t frame_low, uint32_t rel_us, uint8_t seen,
                           uint8_t expected)
{
    struct vids_finding *f = vids_raise_id(v, k, VIDS_COUNTER, EV_CAN_COUNTER, 100);

    if (f == NULL)
        return;
    f->learned = true;
    vids_finding_frame(v, f, frame_low, rel_us);
    vids_finding_uint(f, EV_F_COUNTER, seen);
    vids_finding_uint(f, EV_F_COUNTER_EXPECTED, expected);
}

static void counter_odd(struct vids *v, const struct vids_look *k, uint8_t value, uint8_t expected, uint8_t mask)
{
    struct vids_id_state *st = k->st;

    if ((st->flags & STATE_COUNTER_HELD) != 0) {
        if (value == ((st->counter_held + k->id[ID_AT_COUNTER_STEP]) & mask)) {
            st->flags &= (uint8_t)~STATE_COUNTER_HELD;
            st->counter_last = value;
            st->counter_history = (uint8_t)(st->counter_history << 1);
            return;
        }
        st->counter_history = (uint8_t)(st->counter_history << 1 | 1);
        if (__builtin_popcount(st->counter_history) >= ODD_FRAMES)
            counter_accuse(v, k, (uint32_t)v->frame_index, k->now, value, expected);
    }
    st->flags |= STATE_COUNTER_HELD;
    st->counter_held = value;
    st->counter_frame = (uint32_t)v->frame_index;
    st->counter_us = k->now;
}

void vids_counter_step(struct vids *v, const struct vids_look *k)
{
    struct vids_id_state *st = k->st;
    uint32_t bit = model_u16(k->id + ID_AT_COUNTER_BIT), byte = bit / 8;
    uint8_t mask = (uint8_t)((1u << k->id[ID_AT_COUNTER_LEN]) - 1), step = k->id[ID_AT_COUNTER_STEP];

    if (byte >= k->fr->len)
        return;
    uint8_t value = (uint8_t)(k->fr->data[byte] >> bit % 8 & mask);
    uint8_t expected = (uint8_t)((st->counter_last + step) & mask);
    if ((st->flags & STATE_COUNTED) == 0) {
        st->flags |= STATE_COUNTED;
        st->counter_last = value;
        return;
    }
    bool held = (st->flags & STATE_COUNTER_HELD) != 0;
    if (value != expected &&
        !(held && value == ((expected + step) & mask) && value != ((st->counter_held + step) & mask))) {
        counter_odd(v, k, value, expected, mask);
        return;
    }
    st->flags &= (uint8_t)~STATE_COUNTER_HELD;
    st->counter_last = value;
    st->counter_history = (uint8_t)(st->counter_history << 1);
    if (held)
        counter_accuse(v, k, st->counter_frame, st->counter_us, st->counter_held, expected);
}
