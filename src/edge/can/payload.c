/* payload: bits that never changed, and bytes within the range that was seen.
 *
 * A minute of driving is no baseline for either, so learning arms an identifier only when the second half of a long
 * calibration brought nothing new (docs/formats/vids-model.md, flag ID_PAYLOAD). Until then this runs in shadow and
 * only counts what it would have said. */
#include "edge/can/state.h"

static void payload_hit(struct vids *v, const struct vids_look *k, enum vids_detector d, uint32_t score_centi,
                        unsigned byte, const uint8_t *low, const uint8_t *high)
{
    if ((k->flags & ID_PAYLOAD) == 0) {
        v->counters.shadow[d]++;
        return;
    }
    bool range = d == VIDS_BYTE_RANGE;
    struct vids_finding *f =
        vids_raise_id(v, k, d, range ? EV_CAN_SIGNAL_OUT_OF_RANGE : EV_CAN_PAYLOAD_ANOMALY, score_centi);
    if (f == NULL)
        return;
    f->learned = true;
    if (range) {
        vids_finding_int(f, EV_F_VALUE, k->fr->data[byte]);
        vids_finding_int(f, EV_F_LIMIT_MIN, low[byte]);
        vids_finding_int(f, EV_F_LIMIT_MAX, high[byte]);
    }
}

void vids_payload_step(struct vids *v, const struct vids_look *k)
{
    const uint8_t *record = v->payloads + model_u32(k->id + ID_AT_PAYLOAD);
    unsigned len = record[0], flipped = 0, outside = 0, byte = 0;
    const uint8_t *mask = record + MODEL_PAYLOAD_HEAD, *value = mask + len, *low = value + len, *high = low + len;

    if (len > k->fr->len)
        len = k->fr->len;
    for (unsigned i = 0; i < len; i++) {
        uint8_t b = k->fr->data[i];
        flipped += (unsigned)__builtin_popcount((b ^ value[i]) & mask[i]);
        if (b < low[i] || b > high[i]) {
            outside++;
            byte = i;
        }
    }
    if (flipped > 0)
        payload_hit(v, k, VIDS_CONSTANT_BITS, 100 * flipped, 0, low, high);
    if (outside > 0)
        payload_hit(v, k, VIDS_BYTE_RANGE, 100 * outside, byte, low, high);
}
