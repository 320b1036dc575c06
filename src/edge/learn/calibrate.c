/* calibrate: the detectors run over the recordings they were learned from, and whatever speaks there gives way.
 *
 * A threshold is widened first (slot: one more extra frame needed; rate: twice the burst; silence: twice the deadline)
 * and disarmed when that does not help within a few rounds. A counter or a payload model that speaks is disarmed at
 * once. A signal range of the network description that the recordings contradict is disarmed and reported. */
#include <stdlib.h>

#include "edge/learn/learn.h"

#define NEED_MAX     3
#define ROUNDS_WIDEN 3

static void disarm(struct learner *l, struct learn_id *id, uint32_t flag)
{
    id->flags &= ~flag;
    l->report.detectors_disarmed++;
}

static void signal_disarm(struct learner *l, struct learn_id *id, const struct vids_finding *f)
{
    for (unsigned i = 0; i < f->field_count; i++)
        for (uint32_t s = 0; f->field[i].id == EV_F_SIGNAL && s < id->signal_count; s++)
            if (slice_equal(id->signal[s].name, f->field[i].value.s) && !id->signal[s].bad) {
                id->signal[s].bad = true;
                l->report.signals_disarmed++;
            }
}

/* One finding on clean traffic; true when that moved something. */
static bool give_way(struct learner *l, struct learn_id *id, const struct vids_finding *f, unsigned round)
{
    bool widen = round < ROUNDS_WIDEN;

    switch ((enum vids_detector)f->detector) {
    case VIDS_SLOT_RESIDUAL:
    case VIDS_REPLAY:
        if (widen && id->need < NEED_MAX)
            id->need++;
        else
            disarm(l, id, ID_SLOT);
        break;
    case VIDS_RATE:
        if (widen && id->burst_us < UINT32_C(300000000))
            id->burst_us *= 2;
        else
            disarm(l, id, ID_RATE);
        break;
    case VIDS_SILENCE:
        if (widen && id->deadline_us < UINT32_C(300000000))
            id->deadline_us *= 2;
        else
            disarm(l, id, ID_SILENCE);
        break;
    case VIDS_COUNTER:
        disarm(l, id, ID_COUNTER);
        break;
    case VIDS_BYTE_RANGE:
    case VIDS_CONSTANT_BITS:
        disarm(l, id, ID_PAYLOAD);
        break;
    case VIDS_SIGNAL_RANGE:
        signal_disarm(l, id, f);
        break;
    case VIDS_UNKNOWN_ID:
    case VIDS_SEGMENT:
    case VIDS_DLC:
    case VIDS_BUS_LOAD:
    case VIDS_ERROR_FRAMES:
    case VIDS_DIAGNOSTIC:
    case VIDS_DETECTORS:
        return false;
    }
    l->report.detectors_widened += widen;
    return true;
}

/* Each threshold moves at most once a round: `seen` has a bit per identifier and detector. Signals move always. */
static void findings_apply(struct learner *l, const struct vids_finding *f, size_t n, uint16_t *seen, unsigned round,
                           bool *ret_changed)
{
    for (size_t i = 0; i < n; i++) {
        int bus = f[i].has_id ? learn_bus_get(l, f[i].bus) : -1;
        if (bus < 0)
            continue;
        struct learn_id *id = learn_id_get(l, (uint32_t)bus, model_key(f[i].can_id, f[i].extended));
        unsigned detector = f[i].detector == VIDS_REPLAY ? VIDS_SLOT_RESIDUAL : f[i].detector;
        uint16_t bit = (uint16_t)(1u << detector);
        if (id == NULL || ((seen[id - l->id] & bit) != 0 && detector != VIDS_SIGNAL_RANGE))
            continue;
        seen[id - l->id] |= bit;
        if (give_way(l, id, &f[i], round))
            *ret_changed = true;
    }
}

static void replay(struct learner *l, struct vids *v, uint16_t *seen, unsigned round, bool *ret_changed)
{
    static const int64_t between_sessions_us = 2 * VIDS_LEAP_US;
    struct vids_finding found[VIDS_FINDINGS_MAX];
    int64_t shift = 0;

    for (uint32_t i = 0; i < l->frame_count; i++) {
        const struct learn_frame *f = &l->frame[i];
        struct can_frame fr = {.time_us = f->time_us,
                               .id = l->id[f->id].key & CAN_FRAME_ID_EXT,
                               .flags = f->flags,
                               .dlc = f->dlc,
                               .len = f->len,
                               .bus = slice_str(l->bus[f->bus].name)};
        memcpy(fr.data, learn_data(l, f), f->len);
        if (i > 0 && l->frame[i - 1].session != f->session)
            shift = v->now_us + between_sessions_us - f->time_us;
        size_t n = vids_step(v, &fr, f->time_us + shift, found, VIDS_FINDINGS_MAX);
        findings_apply(l, found, n, seen, round, ret_changed);
    }
}

enum vs_err learn_calibrate(struct learner *l, bool *ret_changed, unsigned round)
{
    uint8_t *blob = NULL;
    size_t size = 0;
    enum vs_err err = learn_write(l, &blob, &size);

    *ret_changed = false;
    if (err != VS_OK)
        return err;
    size_t need = vids_storage_size(slice_make(blob, size));
    void *memory = malloc(need);
    uint16_t *seen = calloc(VIDS_IDS_MAX, sizeof *seen);
    struct vids v;
    err = memory == NULL || seen == NULL ? VS_ERR_NO_MEMORY : vids_init(&v, memory, need, slice_make(blob, size));
    if (err == VS_OK)
        replay(l, &v, seen, round, ret_changed);
    free(seen);
    free(memory);
    free(blob);
    return err;
}
