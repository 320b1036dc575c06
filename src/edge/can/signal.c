/* signal: values outside the range that the network description gives.
 *
 * Limits are raw and inclusive: a value at the limit is fine, the next one is not. A multiplexed signal is looked at
 * only when its multiplexer selects it, and only when all of its bits were received. Named values outside the range
 * ("signal not available") are listed in the model and are no finding. */
#include "codec/can_bits.h"
#include "edge/can/state.h"

static struct can_bits bits_of(const uint8_t *start, uint8_t length, uint8_t flags)
{
    struct can_bits b = {model_u16(start), length, (flags & SIGNAL_BIG_ENDIAN) != 0, (flags & SIGNAL_SIGNED) != 0};
    return b;
}

static bool selected(const uint8_t *s, struct slice data)
{
    if ((s[SIGNAL_AT_FLAGS] & SIGNAL_MUXED) == 0)
        return true;
    struct can_bits mux = bits_of(s + SIGNAL_AT_MUX_START, s[SIGNAL_AT_MUX_LENGTH], s[SIGNAL_AT_MUX_FLAGS]);
    if (!can_bits_fit(&mux, data.len))
        return false;
    uint64_t value = can_bits_get(&mux, data);
    return value >= model_u32(s + SIGNAL_AT_MUX_LOW) && value <= model_u32(s + SIGNAL_AT_MUX_HIGH);
}

static bool named(const struct vids *v, const uint8_t *s, int64_t value)
{
    uint32_t at = model_u32(s + SIGNAL_AT_EXTRA);

    if (at == 0)
        return false;
    uint32_t count = model_u32(v->payloads + at);
    for (uint32_t i = 0; i < count; i++)
        if (model_i64(v->payloads + at + 8 + 8 * (size_t)i) == value)
            return true;
    return false;
}

static void signal_judge(struct vids *v, const struct vids_look *k, const uint8_t *s, struct slice data)
{
    struct can_bits bits = bits_of(s + SIGNAL_AT_START, s[SIGNAL_AT_LENGTH], s[SIGNAL_AT_FLAGS]);

    if (!can_bits_fit(&bits, data.len) || !selected(s, data))
        return;
    int64_t value = (int64_t)can_bits_get(&bits, data), min = model_i64(s + SIGNAL_AT_MIN),
            max = model_i64(s + SIGNAL_AT_MAX);
    if ((value >= min && value <= max) || named(v, s, value))
        return;
    struct vids_finding *f = vids_raise_id(v, k, VIDS_SIGNAL_RANGE, EV_CAN_SIGNAL_OUT_OF_RANGE, 100);
    if (f == NULL)
        return;
    vids_finding_text(f, EV_F_SIGNAL, vids_model_name(v, model_u32(s + SIGNAL_AT_NAME)));
    vids_finding_int(f, EV_F_VALUE, value);
    vids_finding_int(f, EV_F_LIMIT_MIN, min);
    vids_finding_int(f, EV_F_LIMIT_MAX, max);
}

void vids_signal_step(struct vids *v, const struct vids_look *k)
{
    uint32_t first = model_u32(k->id + ID_AT_SIGNAL_FIRST), count = model_u16(k->id + ID_AT_SIGNAL_COUNT);
    struct slice data = can_frame_data(k->fr);

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *s = v->signals + (size_t)(first + i) * MODEL_SIGNAL_SIZE;
        if ((s[SIGNAL_AT_FLAGS] & SIGNAL_ARMED) != 0)
            signal_judge(v, k, s, data);
    }
}
