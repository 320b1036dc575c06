/* model: opens a blob. Every offset is checked here, once, so that the detectors may follow them without looking. */
#include "edge/can/model.h"

#include "codec/can_bits.h"
#include "core/crc32c.h"

static bool section_fits(uint32_t size, uint32_t at, uint64_t count, uint32_t record)
{
    return at >= MODEL_HEADER_SIZE && at % 8 == 0 && at <= size && count * record <= size - at;
}

static bool name_fits(struct slice names, uint32_t at)
{
    return at == 0 || (at < names.len && names.ptr[at] <= names.len - at - 1);
}

static bool payload_fits(struct slice payloads, uint32_t at)
{
    if (at == 0)
        return true;
    if (at % 4 != 0 || at > payloads.len || payloads.len - at < MODEL_PAYLOAD_HEAD)
        return false;
    uint32_t len = payloads.ptr[at];
    return len <= CAN_FRAME_DATA_MAX && 4 * len <= payloads.len - at - MODEL_PAYLOAD_HEAD;
}

static bool extra_fits(struct slice payloads, uint32_t at)
{
    if (at == 0)
        return true;
    if (at % 8 != 0 || at > payloads.len || payloads.len - at < 8)
        return false;
    uint32_t count = model_u32(payloads.ptr + at);
    return count <= (payloads.len - at - 8) / 8;
}

static bool bits_valid(const uint8_t *start, uint8_t length, uint8_t flags)
{
    struct can_bits bits = {model_u16(start), length, (flags & SIGNAL_BIG_ENDIAN) != 0, false};
    return length >= 1 && length <= 64 && can_bits_fit(&bits, CAN_FRAME_DATA_MAX);
}

static bool signal_valid(const uint8_t *s, struct slice names, struct slice payloads)
{
    if (!bits_valid(s + SIGNAL_AT_START, s[SIGNAL_AT_LENGTH], s[SIGNAL_AT_FLAGS]))
        return false;
    if ((s[SIGNAL_AT_FLAGS] & SIGNAL_MUXED) != 0 &&
        !bits_valid(s + SIGNAL_AT_MUX_START, s[SIGNAL_AT_MUX_LENGTH], s[SIGNAL_AT_MUX_FLAGS]))
        return false;
    return name_fits(names, model_u32(s + SIGNAL_AT_NAME)) && extra_fits(payloads, model_u32(s + SIGNAL_AT_EXTRA));
}

static bool id_valid(const struct vids *v, const uint8_t *id, struct slice names, struct slice payloads)
{
    uint32_t flags = model_u32(id + ID_AT_FLAGS), cycle = model_u32(id + ID_AT_CYCLE_US);
    uint32_t first = model_u32(id + ID_AT_SIGNAL_FIRST), count = model_u16(id + ID_AT_SIGNAL_COUNT);
    uint32_t bit = model_u16(id + ID_AT_COUNTER_BIT), len = id[ID_AT_COUNTER_LEN];

    if (id[ID_AT_BUS] >= v->bus_count || id[ID_AT_GAIN] > 16)
        return false;
    if ((flags & ID_SILENCE) != 0 && model_u32(id + ID_AT_DEADLINE_US) == 0)
        return false;
    /* Sums of a few cycles must stay within 31 bits. */
    if ((flags & ID_SLOT) != 0 && (cycle < 100 || cycle > UINT32_C(120000000)))
        return false;
    if (model_u32(id + ID_AT_WINDOW_US) > UINT32_C(60000000) ||
        model_u32(id + ID_AT_TOLERANCE_US) > UINT32_C(60000000) ||
        model_u32(id + ID_AT_RATE_US) > UINT32_C(600000000) || model_u32(id + ID_AT_BURST_US) > UINT32_C(600000000) ||
        model_u32(id + ID_AT_DEADLINE_US) > UINT32_C(1200000000))
        return false;
    if ((flags & ID_COUNTER) != 0 && (len < 2 || len > 8 || bit % 8 + len > 8 || bit / 8 >= CAN_FRAME_DATA_MAX))
        return false;
    return first <= v->signal_count && count <= v->signal_count - first &&
           name_fits(names, model_u32(id + ID_AT_NAME)) && payload_fits(payloads, model_u32(id + ID_AT_PAYLOAD));
}

static bool hash_valid(const struct vids *v)
{
    for (uint32_t i = 0; i <= v->hash_mask; i++) {
        uint32_t entry = model_u16(v->hash + 2 * i);
        if (entry != MODEL_HASH_EMPTY && entry >= v->id_count)
            return false;
    }
    return true;
}

/* Looks at nothing but the header and the CRC, byte by byte, so that the blob need not be aligned yet. */
static enum vs_err header_read(struct slice blob, uint32_t *ret_size)
{
    if (blob.len < MODEL_HEADER_SIZE)
        return VS_ERR_TRUNCATED;
    if (memcmp(blob.ptr, "VIDS", 4) != 0)
        return VS_ERR_MALFORMED;
    if (model_u16(blob.ptr + MODEL_AT_VERSION) != MODEL_VERSION ||
        model_u16(blob.ptr + MODEL_AT_HEADER_SIZE) != MODEL_HEADER_SIZE)
        return VS_ERR_VERSION;
    uint32_t size = model_u32(blob.ptr + MODEL_AT_SIZE);
    if (size > blob.len)
        return VS_ERR_TRUNCATED;
    if (size < MODEL_HEADER_SIZE || size > MODEL_SIZE_MAX || size != blob.len)
        return VS_ERR_MALFORMED;
    if (crc32c(0, slice_make(blob.ptr + MODEL_AT_CRC + 4, size - MODEL_AT_CRC - 4)) !=
        model_u32(blob.ptr + MODEL_AT_CRC))
        return VS_ERR_TAMPERED;
    *ret_size = size;
    return VS_OK;
}

static bool sections_open(struct vids *v, const uint8_t *p, uint32_t size)
{
    uint32_t bits = model_u32(p + MODEL_AT_HASH_BITS);
    uint32_t at_ids = model_u32(p + MODEL_AT_IDS), at_hash = model_u32(p + MODEL_AT_HASH);
    uint32_t at_buses = model_u32(p + MODEL_AT_BUSES), at_signals = model_u32(p + MODEL_AT_SIGNALS);
    uint32_t at_payloads = model_u32(p + MODEL_AT_PAYLOADS), at_names = model_u32(p + MODEL_AT_NAMES);

    v->id_count = model_u32(p + MODEL_AT_ID_COUNT);
    v->signal_count = model_u32(p + MODEL_AT_SIGNAL_COUNT);
    v->bus_count = model_u32(p + MODEL_AT_BUS_COUNT);
    if (bits < 1 || bits > 14 || !section_fits(size, at_ids, v->id_count, MODEL_ID_SIZE) ||
        !section_fits(size, at_hash, UINT64_C(1) << bits, 2) ||
        !section_fits(size, at_buses, v->bus_count, MODEL_BUS_SIZE) ||
        !section_fits(size, at_signals, v->signal_count, MODEL_SIGNAL_SIZE) ||
        !section_fits(size, at_payloads, model_u32(p + MODEL_AT_PAYLOADS_SIZE), 1) ||
        !section_fits(size, at_names, model_u32(p + MODEL_AT_NAMES_SIZE), 1))
        return false;
    v->hash_mask = (UINT32_C(1) << bits) - 1;
    v->hash_shift = 32 - bits;
    v->ids = p + at_ids;
    v->hash = p + at_hash;
    v->buses = p + at_buses;
    v->signals = p + at_signals;
    v->payloads = p + at_payloads;
    v->names = p + at_names;
    v->model_flags = model_u32(p + MODEL_AT_FLAGS);
    return hash_valid(v);
}

enum vs_err vids_model_open(struct vids *v, struct slice blob)
{
    uint32_t size;
    enum vs_err err = header_read(blob, &size);

    if (err != VS_OK)
        return err;
    if (((uintptr_t)blob.ptr & 7u) != 0)
        return VS_ERR_UNSUPPORTED;
    const uint8_t *p = blob.ptr;
    if (model_u32(p + MODEL_AT_ID_COUNT) > VIDS_IDS_MAX || model_u32(p + MODEL_AT_BUS_COUNT) > VIDS_BUSES_MAX)
        return VS_ERR_LIMIT;
    if (!sections_open(v, p, size))
        return VS_ERR_MALFORMED;
    struct slice names = slice_make(v->names, model_u32(p + MODEL_AT_NAMES_SIZE));
    struct slice payloads = slice_make(v->payloads, model_u32(p + MODEL_AT_PAYLOADS_SIZE));
    for (uint32_t i = 0; i < v->id_count; i++)
        if (!id_valid(v, vids_model_id(v, (int)i), names, payloads))
            return VS_ERR_MALFORMED;
    for (uint32_t i = 0; i < v->signal_count; i++)
        if (!signal_valid(v->signals + (size_t)i * MODEL_SIGNAL_SIZE, names, payloads))
            return VS_ERR_MALFORMED;
    v->model = p;
    return VS_OK;
}

int vids_model_find(const struct vids *v, uint32_t bus, uint32_t key)
{
    uint32_t place = model_hash(key, bus) >> v->hash_shift;

    for (unsigned probe = 0; probe < VIDS_PROBES_MAX; probe++) {
        uint32_t entry = model_u16(v->hash + 2 * ((place + probe) & v->hash_mask));
        if (entry == MODEL_HASH_EMPTY)
            return -1;
        const uint8_t *id = v->ids + (size_t)entry * MODEL_ID_SIZE;
        if (model_u32(id + ID_AT_ID) == key && id[ID_AT_BUS] == bus)
            return (int)entry;
    }
    return -1;
}

struct slice vids_model_name(const struct vids *v, uint32_t offset)
{
    return offset == 0 ? slice_make(NULL, 0) : slice_make(v->names + offset + 1, v->names[offset]);
}
