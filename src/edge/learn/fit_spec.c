/* fit_spec: what the network description says, in the form of the model.
 *
 * A message applies to every bus on which its identifier was recorded; one that was never recorded goes to the first
 * bus, so that it is known. Physical limits become raw limits: a raw value is allowed when its physical value lies
 * within [min, max], so limits that fall between two raw values are rounded inwards. Named values outside (VAL_) are
 * allowed. */
#include <math.h>
#include <stdlib.h>

#include "edge/learn/learn.h"

#define CYCLE_NEED  2 /* a cycle that was only written down has unknown jitter: ask for two extra frames */
#define EXTRAS_MAX  16
#define SIGNALS_MAX 4096

static void put_u16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, v);
    put_u16(p + 2, v >> 16);
}

static void put_i64(uint8_t *p, int64_t v)
{
    put_u32(p, (uint32_t)(uint64_t)v);
    put_u32(p + 4, (uint32_t)((uint64_t)v >> 32));
}

/* Raw limits of a signal; false when it has none, or they do not restrict it. */
static bool limits_of(const struct dbc_signal *s, int64_t *ret_min, int64_t *ret_max)
{
    bool sign = s->bits.is_signed;
    unsigned length = s->bits.length;

    if ((s->flags & DBC_SIGNAL_RANGE) == 0 || (s->flags & (DBC_SIGNAL_FLOAT | DBC_SIGNAL_UNREACHABLE)) != 0 ||
        length > 62 || s->factor == 0 || s->min > s->max)
        return false;
    int64_t least = sign ? -(INT64_C(1) << (length - 1)) : 0;
    int64_t most = sign ? (INT64_C(1) << (length - 1)) - 1 : (INT64_C(1) << length) - 1;
    double a = (s->min - s->offset) / s->factor, b = (s->max - s->offset) / s->factor;
    double low = a < b ? a : b, high = a < b ? b : a, grain = 1e-6;
    low = ceil(low - grain * fmax(1, fabs(low)) * 1e-3 - grain);
    high = floor(high + grain * fmax(1, fabs(high)) * 1e-3 + grain);
    *ret_min = low <= (double)least ? least : low >= (double)most ? most : (int64_t)low;
    *ret_max = high >= (double)most ? most : high <= (double)least ? least : (int64_t)high;
    return *ret_min > least || *ret_max < most;
}

static enum vs_err extras_of(const struct dbc *db, const struct dbc_signal *s, struct learn_signal *out)
{
    int64_t min = model_i64(out->record + SIGNAL_AT_MIN), max = model_i64(out->record + SIGNAL_AT_MAX);

    out->extra = calloc(EXTRAS_MAX, sizeof *out->extra);
    if (out->extra == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < s->text_count && out->extra_count < EXTRAS_MAX; i++) {
        int64_t value = (int64_t)db->texts[s->text_first + i].value;
        if (value < min || value > max)
            out->extra[out->extra_count++] = value;
    }
    return VS_OK;
}

/* Multiplexing with one multiplexer and one range is checked; anything deeper leaves the signal out. */
static bool mux_of(const struct dbc *db, const struct dbc_signal *s, uint8_t *record)
{
    if ((s->flags & DBC_SIGNAL_MUXED) == 0)
        return true;
    if (s->mux == DBC_NONE || s->range_count != 1)
        return false;
    const struct dbc_signal *m = &db->signals[s->mux];
    const struct dbc_range *r = &db->ranges[s->range_first];
    if ((m->flags & DBC_SIGNAL_MUXED) != 0 || m->bits.length > 32 || r->high > UINT32_MAX ||
        !can_bits_fit(&m->bits, CAN_FRAME_DATA_MAX))
        return false;
    record[SIGNAL_AT_FLAGS] |= SIGNAL_MUXED;
    put_u16(record + SIGNAL_AT_MUX_START, m->bits.start);
    record[SIGNAL_AT_MUX_LENGTH] = (uint8_t)m->bits.length;
    record[SIGNAL_AT_MUX_FLAGS] = m->bits.big_endian ? SIGNAL_BIG_ENDIAN : 0;
    put_u32(record + SIGNAL_AT_MUX_LOW, (uint32_t)r->low);
    put_u32(record + SIGNAL_AT_MUX_HIGH, (uint32_t)r->high);
    return true;
}

static enum vs_err signal_add(struct learner *l, struct learn_id *id, const struct dbc_signal *s)
{
    struct learn_signal *out = &id->signal[id->signal_count];
    int64_t min, max;

    memset(out, 0, sizeof *out);
    if (!limits_of(s, &min, &max) || !can_bits_fit(&s->bits, CAN_FRAME_DATA_MAX) || s->bits.start > UINT16_MAX ||
        !mux_of(l->db, s, out->record))
        return VS_OK;
    put_i64(out->record + SIGNAL_AT_MIN, min);
    put_i64(out->record + SIGNAL_AT_MAX, max);
    put_u16(out->record + SIGNAL_AT_START, s->bits.start);
    out->record[SIGNAL_AT_LENGTH] = (uint8_t)s->bits.length;
    out->record[SIGNAL_AT_FLAGS] |= (uint8_t)(SIGNAL_ARMED | (s->bits.big_endian ? SIGNAL_BIG_ENDIAN : 0) |
                                              (s->bits.is_signed ? SIGNAL_SIGNED : 0));
    out->name = s->name;
    enum vs_err err = extras_of(l->db, s, out);
    if (err == VS_OK) {
        id->signal_count++;
        l->report.signals++;
    }
    return err;
}

static void cycle_specified(struct learn_id *id, uint32_t cycle_us)
{
    if (cycle_us == 0)
        return;
    id->cycle_us = cycle_us;
    id->tolerance_us = cycle_us / 2;
    id->gain = 1;
    id->need = CYCLE_NEED;
    id->rate_us = cycle_us - cycle_us / 10;
    id->burst_us = 8 * cycle_us;
    id->deadline_us = 10 * cycle_us;
    id->flags |= ID_SLOT | ID_RATE | ID_SILENCE;
}

static enum vs_err message_apply(struct learner *l, struct learn_id *id, const struct dbc_message *m)
{
    bool fd = m->format == DBC_FORMAT_STANDARD_FD || m->format == DBC_FORMAT_EXTENDED_FD || m->length > 8;

    if (id->message != NULL)
        return VS_OK; /* of several with one identifier the last in the file, which comes first here */
    id->message = m;
    id->flags |= ID_SPECIFIED;
    if (m->length <= CAN_FRAME_DATA_MAX)
        id->dlc_mask |= (uint16_t)(1u << can_frame_len_to_dlc((uint8_t)m->length, fd));
    if (m->cycle_ms <= 12000 && (m->send_type.len == 0 || slice_starts(m->send_type, slice_str("Cyclic")) ||
                                 slice_starts(m->send_type, slice_str("cyclic"))))
        cycle_specified(id, m->cycle_ms * 1000);
    if (m->signal_count == 0 || m->signal_count > SIGNALS_MAX)
        return VS_OK;
    id->signal = calloc(m->signal_count, sizeof *id->signal);
    if (id->signal == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < m->signal_count; i++) {
        enum vs_err err = signal_add(l, id, &l->db->signals[m->signal_first + i]);
        if (err != VS_OK)
            return err;
    }
    return VS_OK;
}

enum vs_err learn_fit_spec(struct learner *l)
{
    if (l->db == NULL)
        return VS_OK;
    uint32_t recorded = l->id_count;
    for (uint32_t i = l->db->message_count; i-- > 0;) {
        const struct dbc_message *m = &l->db->messages[i];
        uint32_t key = model_key(m->id, m->extended);
        bool found = false;
        for (uint32_t k = 0; k < recorded; k++) {
            if (l->id[k].key != key)
                continue;
            found = true;
            enum vs_err err = message_apply(l, &l->id[k], m);
            if (err != VS_OK)
                return err;
        }
        struct learn_id *id = found ? NULL : learn_id_get(l, 0, key);
        if (id != NULL) {
            enum vs_err err = message_apply(l, id, m);
            if (err != VS_OK)
                return err;
        }
    }
    return VS_OK;
}
