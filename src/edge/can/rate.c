/* rate: counts against an arrival curve.
 *
 * Every frame costs `rate` microseconds, time pays them back, and `burst` is how far the account may be overdrawn: the
 * generic cell rate algorithm of ITU-T I.371, which is a CUSUM of (rate - gap) in one word of state. Learning takes the
 * burst from the worst that ordinary traffic did. It catches floods of any identifier, slow additions to a cyclic one,
 * and is all there is for identifiers without a cycle. Of a sporadic identifier a frame that repeats the payload before
 * it costs the full price and one that brings news a quarter: people press buttons, replays repeat. */
#include "edge/can/state.h"

void vids_rate_step(struct vids *v, const struct vids_look *k)
{
    struct vids_id_state *st = k->st;
    uint32_t cost = model_u32(k->id + ID_AT_RATE_US), burst = model_u32(k->id + ID_AT_BURST_US);
    int32_t owed;

    if ((k->flags & ID_SPORADIC) != 0) {
        if (k->hash != st->last_hash)
            cost /= 4;
        st->last_hash = k->hash;
    }
    if ((st->flags & STATE_RATED) == 0 || (int32_t)(st->tat_us - k->now) < 0) {
        st->flags |= STATE_RATED;
        st->tat_us = k->now;
    }
    owed = (int32_t)(st->tat_us - k->now);
    if (owed <= (int32_t)burst) {
        st->tat_us += cost;
        return;
    }
    /* Debt beyond the burst keeps the alarm up while the excess lasts, and is forgiven soon after. */
    if ((k->flags & ID_SPORADIC) != 0 && owed <= (int32_t)(burst + 2 * cost))
        st->tat_us += cost;
    struct vids_finding *f =
        vids_raise_id(v, k, VIDS_RATE, EV_CAN_RATE, (uint32_t)((uint64_t)(uint32_t)owed * 100 / (burst + 1)));
    if (f == NULL)
        return;
    f->learned = (k->flags & ID_OBSERVED) != 0;
    vids_finding_uint(f, EV_F_CYCLE_US, model_u32(k->id + ID_AT_CYCLE_US));
}
