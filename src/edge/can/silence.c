/* silence: the deadline of a cyclic identifier passed while its bus was alive.
 *
 * Told once per outage. A pause of the whole bus (sleep, a recording that stopped) is not an outage of its identifiers:
 * their deadlines start again when the bus does. An identifier never seen in this run cannot fall silent. */
#include "edge/can/state.h"

static bool bus_asleep(const struct vids *v, uint32_t bus, uint32_t now)
{
    const uint8_t *record = v->buses + (size_t)bus * MODEL_BUS_SIZE;

    return now - v->fixed->bus[bus].last_us > 2 * model_u32(record + BUS_AT_GAP_US) + 20000;
}

void vids_silence_judge(struct vids *v, uint32_t index)
{
    struct vids_id_state *st = &v->id_state[index];
    const uint8_t *id = vids_model_id(v, (int)index);
    uint32_t now = vids_rel(v), deadline = model_u32(id + ID_AT_DEADLINE_US), age = now - st->last_us;

    struct vids_look k = {NULL, id, st, model_u32(id + ID_AT_FLAGS), 0, now, id[ID_AT_BUS]};
    if (age > VIDS_AWAY_US) {
        st->flags = 0;
        st->lock = 0;
        return;
    }
    if ((k.flags & ID_SILENCE) == 0 || st->lock < 3)
        return;
    if (bus_asleep(v, k.bus, k.now) || k.now - v->fixed->bus[k.bus].resume_us <= deadline)
        return;
    st->flags |= STATE_SILENT;
    struct vids_finding *f =
        vids_raise_id(v, &k, VIDS_SILENCE, EV_CAN_SILENT, (uint32_t)((uint64_t)age * 100 / deadline));
    if (f == NULL)
        return;
    f->learned = (k.flags & ID_LEARNED_CYCLE) != 0;
    vids_finding_uint(f, EV_F_GAP_US, age);
    vids_finding_uint(f, EV_F_CYCLE_US, model_u32(k.id + ID_AT_CYCLE_US));
}
