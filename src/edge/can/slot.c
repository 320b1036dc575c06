/* slot: one frame per slot of a cyclic identifier.
 *
 * A cyclic sender leaves one frame in each slot of a grid with its cycle time. The grid is followed by a phase-locked
 * loop: next = last slot + cycle + residual / 2^gain. A frame belongs to the slot it is nearest to, so jitter, even
 * half a cycle of it, is no alarm; a second frame in a slot is one frame too many, and that is what injection, flooding
 * and replay cannot avoid without silencing the sender. Unlike the time between frames this accuses the slot, not the
 * innocent next frame.
 *
 * What looks alike but is harmless, and how it is told apart:
 *  - Late frames: a slot that stayed empty gives a credit, and the frame that comes too late uses it.
 *  - A frame so early that ordinary jitter could have moved it there: wait. If the slot it might have been meant for is
 *    then filled by another frame, it was too many; if that slot stays empty, it was early.
 *  - Sending on change: an identifier whose payload mostly stays may send a changed payload at once, out of turn. Wait.
 *    When the next ordinary frame carries the changed payload on, it was the sender; when the payload goes back, not.
 *  - A restarted sender or a shifted clock: frames stay outside the tolerance, the grid is set anew after OFF_MAX.
 *  - Pages: a message sent as several frames back to back is one slot with room for so many frames.
 * An alarm needs `need` slots with an extra frame out of the last 8 (1 for a grid learned without any). */
#include "edge/can/state.h"

#define SLOT_LOCKED          3
#define OFF_MAX              6
#define LEAP_SLOTS           64 /* longer away: lock on anew */
#define LATE_US              100000
#define CHANGE_RECENT        8
#define CHANGE_RARE_PERMILLE 300
#define HELD_MANY            6 /* extra frames with a changed payload before an ordinary one: no sender on change does that */

static void slot_set(struct vids_id_state *st, uint32_t now, uint32_t cycle)
{
    st->next_us = now + cycle;
    st->slot_due_us = now;
    st->lock = 1;
    st->credit = 0;
    st->off_count = 0;
    st->history = 0;
    st->flags &= (uint8_t) ~(STATE_HELD | STATE_REVERTED);
}

static void slot_remember(struct vids *v, const struct vids_look *k, int32_t residual)
{
    k->st->slot_frame = (uint32_t)v->frame_index;
    k->st->slot_us = k->now;
    k->st->slot_residual = residual;
}

static void payload_remember(const struct vids_look *k)
{
    struct vids_id_state *st = k->st;

    if (k->hash != st->last_hash) {
        st->before_hash = st->last_hash;
        st->since_change = 0;
    } else if (st->since_change < UINT8_MAX)
        st->since_change++;
    st->last_hash = k->hash;
}

/* Until three frames came in step there is no grid to accuse anyone with. */
static void slot_acquire(struct vids *v, const struct vids_look *k, uint32_t cycle, int32_t residual)
{
    struct vids_id_state *st = k->st;
    int32_t tolerance = (int32_t)model_u32(k->id + ID_AT_TOLERANCE_US), half = (int32_t)(cycle / 2);

    if (st->lock == 0 || residual < -half || residual > half || vids_abs(residual) > tolerance) {
        slot_set(st, k->now, cycle);
    } else {
        st->lock++;
        st->slot_due_us = st->next_us;
        st->next_us += cycle + (uint32_t)(residual / 2);
    }
    slot_remember(v, k, 0);
    payload_remember(k);
}

/* The extra frame at frame_low is certain. */
static void slot_accuse(struct vids *v, const struct vids_look *k, uint32_t frame_low, uint32_t rel_us, uint32_t hash,
                        int32_t early_us)
{
    struct vids_id_state *st = k->st;
    uint32_t cycle = model_u32(k->id + ID_AT_CYCLE_US), need = k->id[ID_AT_NEED];
    bool again = (k->flags & ID_FRESH) != 0 && hash == st->extra_hash;

    st->extra_hash = hash;
    st->history |= 1;
    if ((uint32_t)__builtin_popcount(st->history) < need)
        return;
    uint32_t score = 100 + (uint32_t)((uint64_t)(uint32_t)early_us * 100 / cycle);
    struct vids_finding *f = vids_raise_id(v, k, again ? VIDS_REPLAY : VIDS_SLOT_RESIDUAL,
                                           again ? EV_CAN_REPLAY : EV_CAN_CYCLE_TOO_FAST, score);
    if (f == NULL)
        return;
    f->learned = (k->flags & ID_LEARNED_CYCLE) != 0;
    vids_finding_frame(v, f, frame_low, rel_us);
    if (again) {
        vids_finding_uint(f, EV_F_FRAMES, 1);
    } else {
        vids_finding_uint(f, EV_F_GAP_US, k->now - st->last_us);
        vids_finding_uint(f, EV_F_CYCLE_US, cycle);
    }
}

/* The wait of an ambiguous extra frame ends with this frame, which fills a slot. True when it carries on what that
 * frame brought. */
static bool held_resolve(struct vids *v, const struct vids_look *k, uint32_t missed)
{
    struct vids_id_state *st = k->st;
    bool sticky = (k->flags & ID_STICKY) != 0;

    bool reverted = (st->flags & STATE_REVERTED) != 0;
    st->flags &= (uint8_t) ~(STATE_HELD | STATE_REVERTED);
    if (missed > 0) { /* the slot stayed empty: the frame was early, not too many */
        if (st->credit > 0)
            st->credit--;
        return false;
    }
    if (sticky && !reverted && st->held_hash != st->last_hash) {
        bool rare = model_u16(k->id + ID_AT_CHANGE) < CHANGE_RARE_PERMILLE;
        if (k->hash == st->held_hash || (rare && k->hash != st->last_hash))
            return true; /* sent on change, and the change stays, or went on */
    }
    slot_accuse(v, k, st->held_frame, st->held_us, st->held_hash, vids_abs((int32_t)(st->next_us - st->held_us)));
    return false;
}

/* Of the slots that stayed empty, those whose frames may still come: nothing is late by more than LATE_US. After a
 * longer hold the sender's phase has walked on unseen, so there may be one more. */
static uint32_t credit_of(uint32_t missed, uint32_t late_us, uint32_t cycle, uint32_t tolerance)
{
    if (missed > 1)
        missed++;
    if (late_us > LATE_US + tolerance && missed > LATE_US / cycle)
        missed = LATE_US / cycle;
    return missed;
}

/* The grid goes on from the slot that was due then, whose frame came `residual` later. */
static void slot_advance(const struct vids_look *k, uint32_t due_us, uint32_t cycle, int32_t residual)
{
    struct vids_id_state *st = k->st;
    int32_t tolerance = (int32_t)model_u32(k->id + ID_AT_TOLERANCE_US), step = residual;

    st->slot_due_us = due_us;
    if (vids_abs(residual) <= tolerance) {
        st->off_count = 0;
    } else if (++st->off_count >= OFF_MAX) {
        st->off_count = 0;
        st->next_us = k->now + cycle;
        return;
    } else {
        step = residual < 0 ? -tolerance : tolerance;
    }
    st->next_us = due_us + cycle + (uint32_t)(step / (INT32_C(1) << k->id[ID_AT_GAIN]));
}

static void slot_fill(struct vids *v, const struct vids_look *k, uint32_t cycle, int32_t residual)
{
    struct vids_id_state *st = k->st;
    int32_t tolerance = (int32_t)model_u32(k->id + ID_AT_TOLERANCE_US), half = (int32_t)(cycle / 2);
    uint32_t missed = 0, missed_credit;

    if (residual > half) {
        missed = (uint32_t)(residual + half) / cycle;
        if (missed >= LEAP_SLOTS) {
            slot_set(st, k->now, cycle);
            payload_remember(k);
            return;
        }
        residual -= (int32_t)(missed * cycle);
        missed_credit = credit_of(missed, (uint32_t)residual + missed * cycle, cycle, (uint32_t)tolerance);
        st->credit = (uint8_t)(st->credit + missed_credit > UINT8_MAX ? UINT8_MAX : st->credit + missed_credit);
    } else if (st->credit > 0 && residual <= tolerance) {
        st->credit--; /* credits run out within a few slots in time */
    }
    bool carried_on = (st->flags & STATE_HELD) != 0 && held_resolve(v, k, missed);
    st->history = (uint8_t)(st->history << 1);
    slot_advance(k, st->next_us + missed * cycle, cycle, residual);
    slot_remember(v, k, residual);
    payload_remember(k);
    if (carried_on)
        st->since_change = 1;
}

static void held_set(struct vids_id_state *st, uint32_t frame, uint32_t rel_us, uint32_t hash)
{
    st->flags |= STATE_HELD;
    st->held_count = 1;
    st->held_frame = frame;
    st->held_us = rel_us;
    st->held_hash = hash;
}

/* An extra frame with another payload than the frame before it, of an identifier that may send on change. When it goes
 * back to what was before, the odd one is the frame that filled the slot. */
static void changed_extra(struct vids *v, const struct vids_look *k, uint32_t first_frame, uint32_t first_us)
{
    struct vids_id_state *st = k->st;

    if (st->since_change == 0 && k->hash == st->before_hash) {
        held_set(st, first_frame, first_us, k->hash);
        st->flags |= STATE_REVERTED;
    } else {
        held_set(st, (uint32_t)v->frame_index, k->now, k->hash);
    }
}

/* An extra frame of an identifier that may send on change; first_* tell the frame that filled the slot before it. True
 * when that settles it or must be awaited. */
static bool sticky_extra(struct vids *v, const struct vids_look *k, uint32_t first_frame, uint32_t first_us)
{
    struct vids_id_state *st = k->st;

    if ((st->flags & STATE_HELD) == 0) {
        if (k->hash == st->last_hash)
            return st->since_change < CHANGE_RECENT; /* repeats its change */
        changed_extra(v, k, first_frame, first_us);
        return true;
    }
    if (st->held_hash == st->last_hash)
        return false; /* waits for another reason: it might have been early */
    bool back = (st->flags & STATE_REVERTED) != 0 ? k->hash == st->held_hash : k->hash == st->last_hash;
    if (back) { /* changed and back, both at once: a sender on change does that */
        st->flags &= (uint8_t) ~(STATE_HELD | STATE_REVERTED);
        payload_remember(k);
        st->since_change = 0;
        return true;
    }
    if (++st->held_count < HELD_MANY) {
        if ((st->flags & STATE_REVERTED) == 0)
            st->held_hash = k->hash; /* changed again: it is the newest that has to stay */
        return true;
    }
    st->flags &= (uint8_t) ~(STATE_HELD | STATE_REVERTED);
    return false;
}

static void slot_extra(struct vids *v, const struct vids_look *k, uint32_t cycle, int32_t residual)
{
    struct vids_id_state *st = k->st;
    int32_t tolerance = (int32_t)model_u32(k->id + ID_AT_TOLERANCE_US);
    uint32_t frame = (uint32_t)v->frame_index, rel_us = k->now, first_frame = st->slot_frame, first_us = st->slot_us;

    if (st->credit > 0) {
        st->credit--;
        payload_remember(k);
        return;
    }
    /* Of the two frames in this slot the later one is named, unless the earlier one came outside the tolerance. */
    int32_t late = (int32_t)(k->now - st->slot_due_us), off = vids_abs(late), before = vids_abs(st->slot_residual);
    if (before > tolerance && before > off) {
        frame = first_frame;
        rel_us = first_us;
    }
    /* The grid follows the one that came nearer to its time, or an attacker could drag it along. */
    if (off < before && k->id[ID_AT_PAGES] < 2) {
        slot_advance(k, st->slot_due_us, cycle, late);
        slot_remember(v, k, late);
    }
    if ((k->flags & ID_STICKY) != 0 && sticky_extra(v, k, first_frame, first_us))
        return;
    if ((st->flags & STATE_HELD) != 0) { /* a third frame: no jitter explains that */
        st->flags &= (uint8_t)~STATE_HELD;
        slot_accuse(v, k, st->held_frame, st->held_us, st->held_hash, -residual);
    } else if (-residual < 2 * tolerance) {
        held_set(st, frame, rel_us, k->hash);
    } else {
        slot_accuse(v, k, frame, rel_us, k->hash, -residual);
    }
}

/* Frames that follow the first of their slot closely. True when this is one of them, and dealt with. */
static bool page_step(struct vids *v, const struct vids_look *k)
{
    struct vids_id_state *st = k->st;
    uint32_t pages = k->id[ID_AT_PAGES];

    if (st->lock == 0 || k->now - st->slot_us >= model_u32(k->id + ID_AT_WINDOW_US)) {
        st->page = 1;
        return false;
    }
    if (st->page < UINT8_MAX)
        st->page++;
    /* After slots that stayed empty their pages may come with these. */
    if (st->page > pages * (1u + st->credit) && st->lock >= SLOT_LOCKED)
        slot_accuse(v, k, (uint32_t)v->frame_index, k->now, k->hash, (int32_t)(model_u32(k->id + ID_AT_CYCLE_US) / 2));
    return true;
}

void vids_slot_step(struct vids *v, const struct vids_look *k)
{
    uint32_t cycle = model_u32(k->id + ID_AT_CYCLE_US);
    int32_t residual = (int32_t)(k->now - k->st->next_us);

    if (k->id[ID_AT_PAGES] > 1 && page_step(v, k))
        return;
    if (k->st->lock < SLOT_LOCKED)
        slot_acquire(v, k, cycle, residual);
    else if (residual < -(int32_t)(cycle / 2))
        slot_extra(v, k, cycle, residual);
    else
        slot_fill(v, k, cycle, residual);
}
