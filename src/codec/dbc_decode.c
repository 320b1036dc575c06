#include "codec/dbc_decode.h"

#include <math.h>

/* Half precision (IEEE 754 binary16): sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
static double half_to_real(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;

    if (exponent == 0x1F)
        return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(fraction + 0x400, exponent - 25);
}

static double bits_to_real(uint64_t bits, unsigned length)
{
    float single;
    double real;
    uint32_t low = (uint32_t)bits;

    if (length == 16)
        return half_to_real((uint16_t)bits);
    if (length == 32) {
        memcpy(&single, &low, sizeof single);
        return (double)single;
    }
    memcpy(&real, &bits, sizeof real);
    return real;
}

bool dbc_raw(const struct dbc_signal *s, struct slice data, struct dbc_number *ret)
{
    if (!can_bits_fit(&s->bits, data.len))
        return false;
    if (s->bits.length > 64) {
        ret->kind = DBC_WIDE;
        ret->is.u = 0;
        return true;
    }
    uint64_t bits = can_bits_get(&s->bits, data);
    if ((s->flags & DBC_SIGNAL_FLOAT) != 0) {
        ret->kind = DBC_REAL;
        ret->is.r = bits_to_real(bits, s->bits.length);
    } else if (s->bits.is_signed) {
        ret->kind = DBC_INT;
        ret->is.i = (int64_t)bits;
    } else {
        ret->kind = DBC_UINT;
        ret->is.u = bits;
    }
    return true;
}

double dbc_number_real(struct dbc_number n)
{
    switch (n.kind) {
    case DBC_INT:
        return (double)n.is.i;
    case DBC_UINT:
        return (double)n.is.u;
    case DBC_REAL:
        return n.is.r;
    case DBC_WIDE:
        break;
    }
    return (double)NAN;
}

/* A whole number as sign and magnitude, which covers int64_t and uint64_t alike. */
struct whole {
    bool negative;
    uint64_t size;
};

static struct whole whole_of(int64_t i)
{
    struct whole w = {i < 0, i < 0 ? 0 - (uint64_t)i : (uint64_t)i};

    return w;
}

static bool whole_add(struct whole a, struct whole b, struct whole *ret)
{
    if (a.negative == b.negative) {
        ret->negative = a.negative;
        return !__builtin_add_overflow(a.size, b.size, &ret->size);
    }
    bool a_wins = a.size >= b.size;
    ret->negative = a_wins ? a.negative : b.negative;
    ret->size = a_wins ? a.size - b.size : b.size - a.size;
    return true;
}

/* raw * factor; false when it leaves 64 bits and their sign. */
static bool product(const struct dbc_signal *s, struct dbc_number raw, struct whole *ret)
{
    struct whole v = raw.kind == DBC_INT ? whole_of(raw.is.i) : (struct whole){false, raw.is.u};
    struct whole factor = whole_of(s->factor_int);

    ret->negative = v.negative != factor.negative;
    return !__builtin_mul_overflow(v.size, factor.size, &ret->size);
}

static bool whole_number(struct whole v, struct dbc_number *ret)
{
    if (v.negative && v.size > (uint64_t)INT64_MAX + 1)
        return false;
    if (v.negative || v.size <= INT64_MAX) {
        ret->kind = DBC_INT;
        ret->is.i = (int64_t)(v.negative ? 0 - v.size : v.size);
    } else {
        ret->kind = DBC_UINT;
        ret->is.u = v.size;
    }
    return true;
}

/* Integers as long as factor and offset are and 64 bits hold them. A whole factor before a broken offset is multiplied
 * in integers too, so that the result is rounded once only. */
struct dbc_number dbc_physical(const struct dbc_signal *s, struct dbc_number raw)
{
    struct dbc_number physical = {DBC_REAL, {0}};
    unsigned whole_factor = s->flags & (DBC_SIGNAL_EXACT | DBC_SIGNAL_WHOLE_FACTOR);
    struct whole v, sum;

    if (raw.kind == DBC_WIDE)
        return raw;
    double scaled = dbc_number_real(raw) * s->factor;
    if (raw.kind != DBC_REAL && whole_factor != 0 && product(s, raw, &v)) {
        if ((s->flags & DBC_SIGNAL_EXACT) != 0 && whole_add(v, whole_of(s->offset_int), &sum) &&
            whole_number(sum, &physical))
            return physical;
        scaled = v.negative ? -(double)v.size : (double)v.size;
    }
    physical.kind = DBC_REAL;
    physical.is.r = scaled + s->offset;
    return physical;
}

/* A raw value as an integer, the way multiplexers and value descriptions see it; a fraction is cut. */
static bool as_integer(struct dbc_number raw, uint64_t *ret_value, bool *ret_negative)
{
    if (raw.kind == DBC_WIDE || (raw.kind == DBC_REAL && !(fabs(raw.is.r) < 0x1p63)))
        return false;
    int64_t i = raw.kind == DBC_REAL ? (int64_t)raw.is.r : raw.is.i;
    *ret_negative = raw.kind != DBC_UINT && i < 0;
    *ret_value = raw.kind == DBC_UINT ? raw.is.u : (uint64_t)i;
    return true;
}

static bool in_ranges(const struct dbc *db, const struct dbc_signal *s, uint64_t value)
{
    for (uint32_t i = s->range_first; i < s->range_first + s->range_count; i++)
        if (value >= db->ranges[i].low && value <= db->ranges[i].high)
            return true;
    return false;
}

static bool selected(const struct dbc *db, const struct dbc_signal *s, struct slice data)
{
    struct dbc_number raw;
    uint64_t value;
    bool negative;

    return dbc_raw(&db->signals[s->mux], data, &raw) && as_integer(raw, &value, &negative) && !negative &&
           in_ranges(db, s, value);
}

bool dbc_present(const struct dbc *db, const struct dbc_signal *s, struct slice data)
{
    if ((s->flags & DBC_SIGNAL_UNREACHABLE) != 0)
        return false;
    for (; (s->flags & DBC_SIGNAL_MUXED) != 0; s = &db->signals[s->mux])
        if (!selected(db, s, data))
            return false;
    return true;
}

/* A multiplexer with no signal at all under it, and no described value, says nothing about what is usual. */
static bool selects_nothing(const struct dbc_decode *it, const struct dbc_signal *mux, struct dbc_number raw)
{
    const struct dbc *db = it->db;
    uint32_t index = (uint32_t)(mux - db->signals);
    bool negative = false, any = mux->text_count > 0;
    uint64_t value = 0;
    struct slice text;

    if (!as_integer(raw, &value, &negative))
        return true;
    if (dbc_text_find(db, mux, value, negative, &text))
        return false;
    for (uint32_t i = 0; i < it->message->signal_count; i++) {
        const struct dbc_signal *s = &db->signals[it->message->signal_first + i];
        if ((s->flags & DBC_SIGNAL_MUXED) == 0 || s->mux != index)
            continue;
        any = true;
        if (!negative && in_ranges(db, s, value))
            return false;
    }
    return any;
}

void dbc_decode_init(struct dbc_decode *it, const struct dbc *db, const struct dbc_message *m, struct slice data)
{
    it->db = db;
    it->message = m;
    it->data = data;
    it->next = 0;
    it->missing_count = 0;
}

static void fill(const struct dbc_decode *it, const struct dbc_signal *s, struct dbc_number raw, struct dbc_value *ret)
{
    uint64_t value;
    bool negative;

    ret->signal = s;
    ret->raw = raw;
    ret->physical = dbc_physical(s, raw);
    ret->text = slice_make(NULL, 0);
    ret->has_text = as_integer(raw, &value, &negative) && dbc_text_find(it->db, s, value, negative, &ret->text);
    ret->mux_unknown = (s->flags & DBC_SIGNAL_MUX) != 0 && selects_nothing(it, s, raw);
}

bool dbc_decode_next(struct dbc_decode *it, struct dbc_value *ret)
{
    while (it->next < it->message->signal_count) {
        const struct dbc_signal *s = &it->db->signals[it->message->signal_first + it->next++];
        struct dbc_number raw;

        if (!dbc_present(it->db, s, it->data))
            continue;
        if (!dbc_raw(s, it->data, &raw)) {
            it->missing_count++;
            continue;
        }
        fill(it, s, raw, ret);
        return true;
    }
    return false;
}
