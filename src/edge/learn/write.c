/* write: lays a model out as docs/formats/vids-model.md says. Two passes: sizes, then bytes. */
#include <stdlib.h>

#include "core/crc32c.h"
#include "edge/learn/learn.h"

struct layout {
    uint32_t ids, hash, buses, signals, payloads, payloads_size, names, names_size, size, hash_bits, signal_count;
};

static uint32_t up8(uint32_t n)
{
    return (n + 7u) & ~7u;
}

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

static uint32_t payload_size(const struct learn_id *id)
{
    return id->payload_len == 0 ? 0 : up8(MODEL_PAYLOAD_HEAD + 4u * id->payload_len);
}

static uint32_t name_size(struct slice name)
{
    return 1 + (uint32_t)(name.len > 255 ? 255 : name.len);
}

static void layout_sizes(const struct learner *l, struct layout *o)
{
    o->payloads_size = 8; /* offset 0 means none */
    o->names_size = 8;
    for (uint32_t i = 0; i < l->id_count; i++) {
        const struct learn_id *id = &l->id[i];
        o->payloads_size += payload_size(id);
        if (id->message != NULL)
            o->names_size += name_size(id->message->name);
        for (uint32_t s = 0; s < id->signal_count; s++) {
            o->names_size += name_size(id->signal[s].name);
            if (id->signal[s].extra_count > 0)
                o->payloads_size += 8 + 8 * id->signal[s].extra_count;
        }
        o->signal_count += id->signal_count;
    }
}

/* Fills the table; false when an identifier would lie further than VIDS_PROBES_MAX from its place. */
static bool hash_write(const struct learner *l, uint32_t bits, uint8_t *table)
{
    uint32_t mask = (1u << bits) - 1;

    memset(table, 0xFF, 2u << bits);
    for (uint32_t i = 0; i < l->id_count; i++) {
        uint32_t place = model_hash(l->id[i].key, l->id[i].bus) >> (32 - bits), probes = 1;
        for (; model_u16(table + 2 * place) != MODEL_HASH_EMPTY; place = (place + 1) & mask)
            if (++probes > VIDS_PROBES_MAX)
                return false;
        put_u16(table + 2 * place, i);
    }
    return true;
}

static enum vs_err hash_bits_find(const struct learner *l, uint32_t *ret_bits)
{
    uint8_t *table = malloc(2u << LEARN_LOOKUP_BITS);
    uint32_t bits = 4;

    if (table == NULL)
        return VS_ERR_NO_MEMORY;
    while ((1u << bits) < 2 * l->id_count)
        bits++;
    while (bits <= LEARN_LOOKUP_BITS && !hash_write(l, bits, table))
        bits++;
    free(table);
    *ret_bits = bits;
    return bits <= LEARN_LOOKUP_BITS ? VS_OK : VS_ERR_LIMIT;
}

static struct layout layout_of(const struct learner *l, uint32_t hash_bits)
{
    struct layout o = {.hash_bits = hash_bits};

    layout_sizes(l, &o);
    o.buses = MODEL_HEADER_SIZE;
    o.ids = o.buses + l->bus_count * MODEL_BUS_SIZE;
    o.hash = o.ids + l->id_count * MODEL_ID_SIZE;
    o.signals = o.hash + (2u << o.hash_bits);
    o.payloads = up8(o.signals + o.signal_count * MODEL_SIGNAL_SIZE);
    o.names = up8(o.payloads + o.payloads_size);
    o.size = up8(o.names + o.names_size);
    return o;
}

static void header_write(const struct learner *l, const struct layout *o, uint8_t *p)
{
    memcpy(p, "VIDS", 4);
    put_u16(p + MODEL_AT_VERSION, MODEL_VERSION);
    put_u16(p + MODEL_AT_HEADER_SIZE, MODEL_HEADER_SIZE);
    put_u32(p + MODEL_AT_SIZE, o->size);
    put_u32(p + MODEL_AT_ID_COUNT, l->id_count);
    put_u32(p + MODEL_AT_SIGNAL_COUNT, o->signal_count);
    put_u32(p + MODEL_AT_BUS_COUNT, l->bus_count);
    put_u32(p + MODEL_AT_HASH_BITS, o->hash_bits);
    put_u32(p + MODEL_AT_IDS, o->ids);
    put_u32(p + MODEL_AT_HASH, o->hash);
    put_u32(p + MODEL_AT_BUSES, o->buses);
    put_u32(p + MODEL_AT_SIGNALS, o->signals);
    put_u32(p + MODEL_AT_PAYLOADS, o->payloads);
    put_u32(p + MODEL_AT_PAYLOADS_SIZE, o->payloads_size);
    put_u32(p + MODEL_AT_NAMES, o->names);
    put_u32(p + MODEL_AT_NAMES_SIZE, o->names_size);
    put_u32(p + MODEL_AT_FLAGS, l->id_count > 0 ? MODEL_CLOSED : 0);
    put_u32(p + MODEL_AT_TRAINED_MS, l->report.trained_ms);
}

static void bus_write(const struct learner *l, uint32_t b, uint8_t *p)
{
    memcpy(p + BUS_AT_NAME, l->bus[b].name, strlen(l->bus[b].name));
    put_u32(p + BUS_AT_BITRATE, l->bitrate);
    put_u32(p + BUS_AT_FRAMES_MAX, l->bus[b].frames_max);
    put_u32(p + BUS_AT_BITS_MAX, l->bus[b].bits_max);
    put_u32(p + BUS_AT_GAP_US, l->bus[b].gap_us);
    put_u32(p + BUS_AT_FRAMES_MEAN, l->bus[b].frames_mean);
}

static void id_write(const struct learn_id *id, uint8_t *p)
{
    put_u32(p + ID_AT_ID, id->key);
    p[ID_AT_BUS] = id->bus;
    p[ID_AT_GAIN] = id->gain;
    put_u16(p + ID_AT_DLC_MASK, id->dlc_mask);
    put_u32(p + ID_AT_FLAGS, id->flags);
    put_u32(p + ID_AT_CYCLE_US, id->cycle_us);
    put_u32(p + ID_AT_TOLERANCE_US, id->tolerance_us);
    put_u32(p + ID_AT_DEADLINE_US, id->deadline_us);
    put_u32(p + ID_AT_RATE_US, id->rate_us);
    put_u32(p + ID_AT_BURST_US, id->burst_us);
    put_u32(p + ID_AT_SUPPORT, id->count);
    put_u16(p + ID_AT_SIGNAL_COUNT, id->signal_count);
    put_u16(p + ID_AT_COUNTER_BIT, id->counter_bit);
    p[ID_AT_COUNTER_LEN] = id->counter_len;
    p[ID_AT_COUNTER_STEP] = id->counter_step;
    p[ID_AT_NEED] = id->need;
    p[ID_AT_PAGES] = id->pages;
    put_u32(p + ID_AT_WINDOW_US, id->window_us);
    put_u16(p + ID_AT_CHANGE, id->change_permille);
}

static uint32_t payload_write(const struct learn_id *id, uint8_t *p)
{
    uint32_t n = id->payload_len;

    p[0] = id->payload_len;
    memcpy(p + MODEL_PAYLOAD_HEAD, id->mask, n);
    memcpy(p + MODEL_PAYLOAD_HEAD + n, id->value, n);
    memcpy(p + MODEL_PAYLOAD_HEAD + 2 * n, id->low, n);
    memcpy(p + MODEL_PAYLOAD_HEAD + 3 * n, id->high, n);
    return payload_size(id);
}

static uint32_t extra_write(const struct learn_signal *s, uint8_t *p)
{
    put_u32(p, s->extra_count);
    for (uint32_t i = 0; i < s->extra_count; i++) {
        put_u32(p + 8 + 8 * i, (uint32_t)(uint64_t)s->extra[i]);
        put_u32(p + 12 + 8 * i, (uint32_t)((uint64_t)s->extra[i] >> 32));
    }
    return 8 + 8 * s->extra_count;
}

static uint32_t name_write(struct slice name, uint8_t *p)
{
    p[0] = (uint8_t)(name_size(name) - 1);
    memcpy(p + 1, name.ptr, p[0]);
    return name_size(name);
}

static void ids_write(const struct learner *l, const struct layout *o, uint8_t *p)
{
    uint32_t signal = 0, payload = 8, name = 8;

    for (uint32_t i = 0; i < l->id_count; i++) {
        const struct learn_id *id = &l->id[i];
        uint8_t *record = p + o->ids + i * MODEL_ID_SIZE;
        id_write(id, record);
        put_u32(record + ID_AT_SIGNAL_FIRST, signal);
        if (id->payload_len > 0) {
            put_u32(record + ID_AT_PAYLOAD, payload);
            payload += payload_write(id, p + o->payloads + payload);
        }
        if (id->message != NULL) {
            put_u32(record + ID_AT_NAME, name);
            name += name_write(id->message->name, p + o->names + name);
        }
        for (uint32_t s = 0; s < id->signal_count; s++, signal++) {
            uint8_t *out = p + o->signals + signal * MODEL_SIGNAL_SIZE;
            memcpy(out, id->signal[s].record, MODEL_SIGNAL_SIZE);
            if (id->signal[s].bad)
                out[SIGNAL_AT_FLAGS] &= (uint8_t)~SIGNAL_ARMED;
            put_u32(out + SIGNAL_AT_NAME, name);
            name += name_write(id->signal[s].name, p + o->names + name);
            if (id->signal[s].extra_count > 0) {
                put_u32(out + SIGNAL_AT_EXTRA, payload);
                payload += extra_write(&id->signal[s], p + o->payloads + payload);
            }
        }
    }
}

enum vs_err learn_write(const struct learner *l, uint8_t **ret_blob, size_t *ret_size)
{
    uint32_t hash_bits;
    enum vs_err err = hash_bits_find(l, &hash_bits);

    if (err != VS_OK)
        return err;
    struct layout o = layout_of(l, hash_bits);
    if (o.size > MODEL_SIZE_MAX)
        return VS_ERR_LIMIT;
    uint8_t *p = calloc(1, o.size);
    if (p == NULL)
        return VS_ERR_NO_MEMORY;
    header_write(l, &o, p);
    for (uint32_t b = 0; b < l->bus_count; b++)
        bus_write(l, b, p + o.buses + b * MODEL_BUS_SIZE);
    ids_write(l, &o, p);
    if (!hash_write(l, hash_bits, p + o.hash)) {
        free(p);
        return VS_ERR_LIMIT;
    }
    put_u32(p + MODEL_AT_CRC, crc32c(0, slice_make(p + MODEL_AT_CRC + 4, o.size - MODEL_AT_CRC - 4)));
    *ret_blob = p;
    *ret_size = o.size;
    return VS_OK;
}
