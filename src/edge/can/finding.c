/* finding: a finding as an event of the schema. */
#include "edge/vids.h"

static const char *const detector_names[VIDS_DETECTORS] = {
    [VIDS_UNKNOWN_ID] = "unknown_id",
    [VIDS_SEGMENT] = "segment",
    [VIDS_DLC] = "dlc",
    [VIDS_SLOT_RESIDUAL] = "slot_residual",
    [VIDS_REPLAY] = "slot_replay",
    [VIDS_RATE] = "rate",
    [VIDS_SILENCE] = "silence",
    [VIDS_BUS_LOAD] = "bus_load",
    [VIDS_SIGNAL_RANGE] = "signal_range",
    [VIDS_BYTE_RANGE] = "byte_range",
    [VIDS_CONSTANT_BITS] = "constant_bits",
    [VIDS_COUNTER] = "alive_counter",
    [VIDS_ERROR_FRAMES] = "error_frames",
    [VIDS_DIAGNOSTIC] = "diagnostic",
};

const char *vids_detector_name(enum vids_detector d)
{
    return (unsigned)d < VIDS_DETECTORS ? detector_names[d] : "none";
}

static bool type_carries(const struct ev_type_info *type, enum ev_field_id id)
{
    for (unsigned i = 0; i < type->field_count; i++)
        if (type->field[i] == id)
            return true;
    return false;
}

static void field_copy(struct event *ev, const struct ev_field *field)
{
    const struct ev_field_info *info = ev_field_find(field->id);

    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        event_set_uint(ev, (enum ev_field_id)field->id, field->value.u);
        break;
    case EV_KIND_INT:
        event_set_int(ev, (enum ev_field_id)field->id, field->value.i);
        break;
    case EV_KIND_BOOL:
        event_set_bool(ev, (enum ev_field_id)field->id, field->value.u != 0);
        break;
    case EV_KIND_TEXT:
    case EV_KIND_BYTES:
        event_set_text(ev, (enum ev_field_id)field->id, field->value.s);
        break;
    }
}

void vids_finding_event(const struct vids_finding *f, int64_t wall_us, struct event *ret_ev)
{
    const struct ev_type_info *type = ev_type_find(f->type);

    event_init(ret_ev, f->type, f->time_us + wall_us);
    ret_ev->sensor = slice_str("can_ids");
    ret_ev->bus = f->bus;
    ret_ev->count = f->count;
    if (f->has_id && type_carries(type, EV_F_CAN_ID))
        event_set_uint(ret_ev, EV_F_CAN_ID, f->can_id);
    if (f->has_id && type_carries(type, EV_F_EXTENDED))
        event_set_bool(ret_ev, EV_F_EXTENDED, f->extended);
    for (unsigned i = 0; i < f->field_count; i++)
        if (type_carries(type, (enum ev_field_id)f->field[i].id))
            field_copy(ret_ev, &f->field[i]);
    if (f->data_len > 0 && type_carries(type, EV_F_DATA))
        event_set_text(ret_ev, EV_F_DATA, slice_make(f->data, f->data_len));
    if (type_carries(type, EV_F_DETECTOR))
        event_set_text(ret_ev, EV_F_DETECTOR, slice_str(vids_detector_name((enum vids_detector)f->detector)));
    if (type_carries(type, EV_F_SCORE))
        event_set_int(ret_ev, EV_F_SCORE, f->score_centi);
}
