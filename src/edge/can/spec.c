/* spec: identifiers and lengths that the model does not know. Binary, no memory beyond who was told already. */
#include "edge/can/state.h"

static struct vids_episode *stranger_episode(struct vids *v, uint32_t key, uint32_t bus)
{
    struct vids_fixed *x = v->fixed;
    uint32_t now_ms = (uint32_t)((v->now_us - v->origin_us) / 1000);

    for (unsigned i = 0; i < VIDS_STRANGERS; i++)
        if (x->stranger[i].episode.used && x->stranger[i].key == key && x->stranger[i].bus == bus)
            return &x->stranger[i].episode;
    /* The oldest place, unless even that one is still under way: a scan over many identifiers then shares one. */
    struct vids_stranger *s = &x->stranger[x->stranger_next];
    if (s->episode.used && now_ms - s->episode.hit_ms < 100) {
        v->counters.strangers_merged++;
        return &x->strangers_other;
    }
    x->stranger_next = (uint8_t)((x->stranger_next + 1) % VIDS_STRANGERS);
    memset(s, 0, sizeof *s);
    s->key = key;
    s->bus = (uint8_t)bus;
    return &s->episode;
}

void vids_spec_unknown(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    uint32_t key = model_key(fr->id, (fr->flags & CAN_FRAME_EXT) != 0);
    int elsewhere = -1;

    if ((v->model_flags & MODEL_CLOSED) == 0)
        return;
    for (uint32_t b = 0; b < v->bus_count && elsewhere < 0; b++)
        if (b != bus)
            elsewhere = vids_model_find(v, b, key);
    struct vids_finding *f =
        vids_raise(v, stranger_episode(v, key, bus), elsewhere >= 0 ? VIDS_SEGMENT : VIDS_UNKNOWN_ID,
                   elsewhere >= 0 ? EV_CAN_WRONG_SEGMENT : EV_CAN_UNKNOWN_ID, 100);
    if (f == NULL)
        return;
    f->has_id = true;
    f->can_id = fr->id;
    f->extended = (fr->flags & CAN_FRAME_EXT) != 0;
    f->learned = true;
    f->bus = vids_bus_name(v, bus);
    f->data_len = fr->len;
    memcpy(f->data, fr->data, fr->len);
    if (elsewhere >= 0)
        vids_finding_text(f, EV_F_BUS_EXPECTED, vids_bus_name(v, vids_model_id(v, elsewhere)[ID_AT_BUS]));
    else
        vids_finding_uint(f, EV_F_DLC, fr->len);
}

/* The frame has a length code that the model does not allow. */
void vids_spec_dlc(struct vids *v, const struct vids_look *k)
{
    uint16_t mask = model_u16(k->id + ID_AT_DLC_MASK);
    struct vids_finding *f = vids_raise_id(v, k, VIDS_DLC, EV_CAN_WRONG_DLC, 100);
    if (f == NULL)
        return;
    f->learned = (k->flags & ID_SPECIFIED) == 0;
    vids_finding_uint(f, EV_F_DLC, k->fr->len);
    if (mask != 0)
        vids_finding_uint(
            f, EV_F_DLC_EXPECTED,
            can_frame_dlc_to_len((uint8_t)(31 - __builtin_clz(mask)), (k->fr->flags & CAN_FRAME_FD) != 0));
}
