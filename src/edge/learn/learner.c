/* learner: keeps the frames by identifier and runs the fits in their order. */
#include "edge/learn/learner.h"

#include <stdlib.h>

#include "edge/learn/learn.h"

#define CALIBRATION_ROUNDS 6

struct learner *learner_new(uint32_t bitrate)
{
    struct learner *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->bitrate = bitrate;
    l->id = calloc(VIDS_IDS_MAX, sizeof *l->id);
    l->lookup = malloc((1u << LEARN_LOOKUP_BITS) * sizeof *l->lookup);
    if (l->id == NULL || l->lookup == NULL) {
        learner_free(l);
        return NULL;
    }
    memset(l->lookup, 0xFF, (1u << LEARN_LOOKUP_BITS) * sizeof *l->lookup);
    return l;
}

void learner_free(struct learner *l)
{
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < l->id_count; i++) {
        for (uint32_t s = 0; s < l->id[i].signal_count; s++)
            free(l->id[i].signal[s].extra);
        free(l->id[i].signal);
        free(l->id[i].frame);
    }
    free(l->id);
    free(l->lookup);
    free(l->frame);
    free(l->data);
    free(l);
}

void learner_session(struct learner *l)
{
    if (l->frame_count > 0 && l->frame[l->frame_count - 1].session == l->session)
        l->session++;
}

void learner_dbc(struct learner *l, const struct dbc *db)
{
    l->db = db;
}

int learn_bus_get(struct learner *l, struct slice name)
{
    for (uint32_t b = 0; b < l->bus_count; b++)
        if (slice_equal_str(name, l->bus[b].name))
            return (int)b;
    if (l->bus_count == VIDS_BUSES_MAX || !slice_to_str(name, l->bus[l->bus_count].name, MODEL_BUS_NAME + 1))
        return -1;
    return (int)l->bus_count++;
}

struct learn_id *learn_id_get(struct learner *l, uint32_t bus, uint32_t key)
{
    const uint32_t mask = (1u << LEARN_LOOKUP_BITS) - 1;
    uint32_t place = model_hash(key, bus) >> (32 - LEARN_LOOKUP_BITS);

    while (l->lookup[place] != MODEL_HASH_EMPTY) {
        struct learn_id *id = &l->id[l->lookup[place]];
        if (id->key == key && id->bus == bus)
            return id;
        place = (place + 1) & mask;
    }
    if (l->id_count == VIDS_IDS_MAX)
        return NULL;
    struct learn_id *id = &l->id[l->id_count];
    l->lookup[place] = (uint16_t)l->id_count++;
    id->key = key;
    id->bus = (uint8_t)bus;
    id->need = 1;
    return id;
}

uint32_t learn_hash(struct slice data)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < data.len; i++)
        h = (h ^ data.ptr[i]) * 16777619u;
    return h;
}

/* Makes room for one more element; doubling. */
static void *grown(void *old, uint64_t need, uint64_t *room, size_t size)
{
    if (need <= *room)
        return old;
    uint64_t wanted = *room < 64 ? 64 : *room * 2;
    void *p = realloc(old, (size_t)wanted * size);
    if (p != NULL)
        *room = wanted;
    return p;
}

static bool frame_room(struct learner *l, struct learn_id *id)
{
    uint64_t room = l->frame_room;
    void *p = grown(l->frame, (uint64_t)l->frame_count + 1, &room, sizeof *l->frame);
    if (p == NULL)
        return false;
    l->frame = p;
    l->frame_room = (uint32_t)room;
    room = id->room;
    p = grown(id->frame, (uint64_t)id->count + 1, &room, sizeof *id->frame);
    if (p == NULL)
        return false;
    id->frame = p;
    id->room = (uint32_t)room;
    while (l->data_room - l->data_len < CAN_FRAME_DATA_MAX) {
        room = l->data_room;
        p = grown(l->data, room + 1, &room, 1);
        if (p == NULL)
            return false;
        l->data = p;
        l->data_room = (size_t)room;
    }
    return true;
}

enum vs_err learner_frame(struct learner *l, const struct can_frame *fr)
{
    int bus;
    struct learn_id *id;

    if ((fr->flags & (CAN_FRAME_ERR | CAN_FRAME_RTR)) != 0 || (bus = learn_bus_get(l, fr->bus)) < 0 ||
        (id = learn_id_get(l, (uint32_t)bus, model_key(fr->id, (fr->flags & CAN_FRAME_EXT) != 0))) == NULL) {
        l->report.frames_left_out++;
        return VS_OK;
    }
    if (l->frame_count == LEARN_FRAMES_MAX)
        return VS_ERR_LIMIT;
    if (!frame_room(l, id))
        return VS_ERR_NO_MEMORY;
    struct learn_frame *f = &l->frame[l->frame_count];
    f->time_us = fr->time_us;
    f->data_at = l->data_len;
    f->id = (uint16_t)(id - l->id);
    f->session = l->session;
    f->len = fr->len;
    f->dlc = fr->dlc;
    f->flags = fr->flags;
    f->bus = (uint8_t)bus;
    memcpy(l->data + l->data_len, fr->data, fr->len);
    l->data_len += fr->len;
    id->frame[id->count++] = l->frame_count++;
    return VS_OK;
}

static void report_fill(struct learner *l)
{
    struct learn_report *r = &l->report;

    r->ids = l->id_count;
    r->buses = l->bus_count;
    r->frames = l->frame_count;
    r->ids_cyclic = r->ids_sporadic = r->ids_counter = r->ids_payload = r->ids_specified = 0;
    for (uint32_t i = 0; i < l->id_count; i++) {
        uint32_t flags = l->id[i].flags;
        r->ids_cyclic += (flags & ID_SLOT) != 0;
        r->ids_sporadic += (flags & ID_SPORADIC) != 0;
        r->ids_counter += (flags & ID_COUNTER) != 0;
        r->ids_payload += (flags & ID_PAYLOAD) != 0;
        r->ids_specified += (flags & ID_SPECIFIED) != 0;
    }
}

static uint32_t trained_ms(const struct learner *l)
{
    int64_t sum = 0;

    for (uint32_t i = 0, first = 0; i < l->frame_count; i++)
        if (i + 1 == l->frame_count || l->frame[i + 1].session != l->frame[i].session) {
            sum += l->frame[i].time_us > l->frame[first].time_us ? l->frame[i].time_us - l->frame[first].time_us : 0;
            first = i + 1;
        }
    return sum / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(sum / 1000);
}

enum vs_err learner_finish(struct learner *l, uint8_t **ret_blob, size_t *ret_size, struct learn_report *ret_report)
{
    enum vs_err err;
    bool changed = true;

    if (l->bus_count == 0 && learn_bus_get(l, slice_str("*")) < 0)
        return VS_ERR_LIMIT;
    l->report.trained_ms = trained_ms(l);
    if ((err = learn_fit_spec(l)) != VS_OK || (err = learn_fit_content(l)) != VS_OK ||
        (err = learn_fit_timing(l)) != VS_OK)
        return err;
    learn_fit_load(l);
    for (unsigned round = 0; round < CALIBRATION_ROUNDS && changed; round++)
        if ((err = learn_calibrate(l, &changed, round)) != VS_OK)
            return err;
    report_fill(l);
    if ((err = learn_write(l, ret_blob, ret_size)) != VS_OK)
        return err;
    *ret_report = l->report;
    return VS_OK;
}
