/* vids: the order in which a frame passes the detectors, and the work that time alone brings. */
#include "edge/vids.h"

#include "edge/can/state.h"

#include <assert.h>

#define RELOCK_PAUSE_US 1000000 /* of a whole bus: its senders may have restarted */
#define LEAP_BACK_US    1000000 /* captures interleave their buses a little out of order; more is a step of the clock */

size_t vids_storage_size(struct slice model)
{
    if (model.len < MODEL_HEADER_SIZE || memcmp(model.ptr, "VIDS", 4) != 0)
        return 0;
    return VIDS_STORAGE_SIZE(model_u32(model.ptr + MODEL_AT_ID_COUNT), model_u32(model.ptr + MODEL_AT_SIGNAL_COUNT));
}

enum vs_err vids_init(struct vids *v, void *memory, size_t size, struct slice model)
{
    assert(((uintptr_t)memory & 7u) == 0);
    memset(v, 0, sizeof *v);
    enum vs_err err = vids_model_open(v, model);
    if (err != VS_OK)
        return err;
    if (size < VIDS_STORAGE_SIZE(v->id_count, v->signal_count))
        return VS_ERR_FULL;
    memset(memory, 0, VIDS_STORAGE_SIZE(v->id_count, v->signal_count));
    v->fixed = memory;
    for (unsigned d = 0; d < VIDS_DETECTORS; d++)
        v->fixed->budget[d].tokens = VIDS_DETECTOR_TOKENS;
    v->id_state = (struct vids_id_state *)(void *)((uint8_t *)memory + VIDS_FIXED_SIZE);
    return VS_OK;
}

void vids_seek(struct vids *v, uint64_t frame_index)
{
    v->frame_index = frame_index;
}

/* A 32-bit digest of a payload; equal payloads give equal digests. */
static uint32_t payload_hash(const struct can_frame *fr)
{
    uint32_t h = fr->len, word;
    unsigned i = 0;

    for (; i + 4 <= fr->len; i += 4) {
        memcpy(&word, fr->data + i, sizeof word);
        h = (h ^ word) * UINT32_C(0x9E3779B1);
        h ^= h >> 15;
    }
    if (i == fr->len)
        return h;
    for (word = 0; i < fr->len; i++)
        word = word << 8 | fr->data[i];
    h = (h ^ word) * UINT32_C(0x9E3779B1);
    return h ^ h >> 15;
}

/* All detectors that compare times start again: used when the clock cannot be followed. */
static void relock(struct vids *v)
{
    for (uint32_t i = 0; i < v->id_count; i++) {
        v->id_state[i].flags &= (uint8_t) ~(STATE_SEEN | STATE_HELD | STATE_RATED);
        v->id_state[i].lock = 0;
        v->id_state[i].history = 0;
    }
    for (uint32_t b = 0; b < VIDS_BUSES_MAX; b++)
        v->fixed->bus[b].seen = false;
}

/* The clock did not go on as it should: the first call, a leap, or a step back. */
static void time_step(struct vids *v, int64_t now_us)
{
    if (!v->started) {
        v->started = true;
        v->origin_us = now_us;
    } else if (now_us - v->now_us > VIDS_LEAP_US || v->now_us - now_us > LEAP_BACK_US) {
        v->counters.time_steps++;
        /* Episodes and budgets go on as if no time had passed. */
        v->origin_us += now_us - v->now_us;
        relock(v);
    } else if (now_us < v->now_us) {
        return;
    }
    v->now_us = now_us;
    v->now_rel = (uint32_t)(now_us - v->origin_us);
}

static void time_set(struct vids *v, int64_t now_us)
{
    uint64_t ahead_us = (uint64_t)now_us - (uint64_t)v->now_us;

    if (!v->started || ahead_us > VIDS_LEAP_US) {
        time_step(v, now_us);
        return;
    }
    v->now_us = now_us;
    v->now_rel += (uint32_t)ahead_us;
}

static bool bus_is(const uint8_t *record, struct slice name)
{
    const char *have = (const char *)record + BUS_AT_NAME;

    return name.len <= MODEL_BUS_NAME && memcmp(have, name.ptr, name.len) == 0 &&
           (name.len == MODEL_BUS_NAME || have[name.len] == '\0');
}

/* The bus of that name, else the one called "*", else -1. */
static int bus_search(const struct vids *v, struct slice name)
{
    int any = -1;

    for (uint32_t b = 0; b < v->bus_count; b++) {
        const uint8_t *record = v->buses + (size_t)b * MODEL_BUS_SIZE;
        if (bus_is(record, name))
            return (int)b;
        if (record[BUS_AT_NAME] == '*' && record[BUS_AT_NAME + 1] == '\0')
            any = (int)b;
    }
    return any;
}

/* Frames mostly come from the bus of the frame before, so its name is tried first. */
static int bus_find(struct vids *v, struct slice name)
{
    unsigned i = 0;

    if (name.len == v->bus_name_len && name.len > 0) {
        uint32_t a, b;
        for (; i + 4 <= name.len; i += 4) {
            memcpy(&a, name.ptr + i, sizeof a);
            memcpy(&b, v->bus_name + i, sizeof b);
            if (a != b)
                break;
        }
        while (i < name.len && name.ptr[i] == v->bus_name[i])
            i++;
        if (i == name.len)
            return v->bus_last;
    }
    int bus = bus_search(v, name);
    if (bus >= 0 && name.len <= MODEL_BUS_NAME) {
        v->bus_name_len = (uint8_t)name.len;
        v->bus_last = (uint8_t)bus;
        if (name.len > 0)
            memcpy(v->bus_name, name.ptr, name.len);
    }
    return bus;
}

/* The first frame ever, or after a pause in which the bus may have slept. */
static void bus_resume(struct vids_bus_state *b, uint32_t now)
{
    if (!b->seen || now - b->last_us > RELOCK_PAUSE_US)
        b->relock_us = now;
    b->resume_us = now;
    b->seen = true;
}

static void bus_seen(struct vids *v, uint32_t bus)
{
    struct vids_bus_state *b = &v->fixed->bus[bus];
    uint32_t now = vids_rel(v), pause = 2 * model_u32(v->buses + (size_t)bus * MODEL_BUS_SIZE + BUS_AT_GAP_US) + 20000;

    if (!b->seen || now - b->last_us > pause)
        bus_resume(b, now);
    b->last_us = now;
}

/* One frame of a known identifier through the armed detectors, cheapest first. */
static void known_step(struct vids *v, const struct can_frame *fr, uint32_t bus, uint32_t index)
{
    struct vids_look k = {fr, vids_model_id(v, (int)index), &v->id_state[index], 0, 0, vids_rel(v), (uint8_t)bus};
    struct vids_id_state *st = k.st;

    /* Pages that a pause pushed together cannot be told apart: such a grid is set anew after any pause. */
    const struct vids_bus_state *b = &v->fixed->bus[bus];
    uint32_t since = k.id[ID_AT_PAGES] > 1 ? b->resume_us : b->relock_us;
    k.flags = model_u32(k.id + ID_AT_FLAGS);
    if ((st->flags & STATE_SEEN) == 0 || (int32_t)(st->last_us - since) < 0) {
        st->lock = 0;
        st->flags &= (uint8_t) ~(STATE_HELD | STATE_COUNTED | STATE_COUNTER_HELD);
    }
    if ((k.flags & ID_DLC) != 0 && (model_u16(k.id + ID_AT_DLC_MASK) >> (fr->dlc & 15) & 1) == 0)
        vids_spec_dlc(v, &k);
    if ((k.flags & (ID_SLOT | ID_RATE)) != 0) {
        k.hash = payload_hash(fr);
        if ((k.flags & ID_SLOT) != 0)
            vids_slot_step(v, &k);
        if ((k.flags & ID_RATE) != 0)
            vids_rate_step(v, &k);
    }
    if ((k.flags & ID_COUNTER) != 0)
        vids_counter_step(v, &k);
    if (model_u32(k.id + ID_AT_PAYLOAD) != 0)
        vids_payload_step(v, &k);
    if (model_u16(k.id + ID_AT_SIGNAL_COUNT) != 0)
        vids_signal_step(v, &k);
    st->last_us = k.now;
    st->flags = (uint8_t)((st->flags | STATE_SEEN) & ~STATE_SILENT);
}

static void data_step(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    int index = vids_model_find(v, bus, model_key(fr->id, (fr->flags & CAN_FRAME_EXT) != 0));
    bool diagnostic = vids_diag_candidate(fr) && vids_diag_step(v, fr, bus);

    if (index >= 0)
        known_step(v, fr, bus, (uint32_t)index);
    else if (!diagnostic)
        vids_spec_unknown(v, fr, bus);
}

static void sweep(struct vids *v)
{
    if (v->id_count == 0)
        return;
    if (v->sweep >= v->id_count)
        v->sweep = 0;
    vids_silence_check(v, v->sweep++);
}

size_t vids_step(struct vids *v, const struct can_frame *fr, int64_t now_us, struct vids_finding *found, size_t max)
{
    v->found = found;
    v->found_count = 0;
    v->found_max = max;
    v->frame_bus = fr->bus;
    v->counters.frames++;
    time_set(v, now_us);
    int bus = bus_find(v, fr->bus);
    if (bus < 0) {
        v->counters.frames_unknown_bus++;
    } else if ((fr->flags & CAN_FRAME_ERR) != 0) {
        vids_errors_step(v, fr, (uint32_t)bus);
    } else {
        bus_seen(v, (uint32_t)bus);
        vids_load_step(v, fr, (uint32_t)bus);
        data_step(v, fr, (uint32_t)bus);
    }
    sweep(v);
    v->frame_index++;
    v->found = NULL;
    return v->found_count;
}

size_t vids_tick(struct vids *v, int64_t now_us, struct vids_finding *found, size_t max)
{
    if (!v->started || now_us - v->now_us > VIDS_LEAP_US)
        return 0; /* the next frame will tell whether the clock leapt */
    v->found = found;
    v->found_count = 0;
    v->found_max = max;
    v->frame_bus = slice_make(NULL, 0);
    time_set(v, now_us);
    for (uint32_t b = 0; b < v->bus_count; b++)
        vids_load_tick(v, b);
    for (uint32_t i = 0; i < v->id_count; i++)
        vids_silence_check(v, i);
    v->found = NULL;
    return v->found_count;
}
