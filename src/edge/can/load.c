/* load: how full a bus is, in windows of 100 ms, against the fullest window of training.
 *
 * Told when one window holds more than half again as many frames as any in training (and 16 more), or five in a row
 * hold a quarter more. Bits per frame are the mean with stuff bits: 47 + 8n and one in ten of the stuffed part for
 * classic frames, 20 more for long identifiers; an FD frame counts its data phase at a quarter. Without a baseline only
 * a bus that is practically full is told. */
#include "edge/can/state.h"

#define WINDOWS_IN_A_ROW 5
#define FULL_PERMILLE    950

static uint32_t load_permille(const uint8_t *record, uint32_t bits)
{
    uint32_t rate = model_u32(record + BUS_AT_BITRATE);
    uint64_t permille = rate == 0 ? 0 : (uint64_t)bits * 10000 / rate; /* ten windows a second, 1000 parts */

    return permille > UINT16_MAX ? UINT16_MAX : (uint32_t)permille;
}

static void window_judge(struct vids *v, uint32_t bus)
{
    struct vids_bus_state *b = &v->fixed->bus[bus];
    const uint8_t *record = v->buses + (size_t)bus * MODEL_BUS_SIZE;
    uint32_t most = model_u32(record + BUS_AT_FRAMES_MAX), permille = load_permille(record, b->window_bits);
    bool over, far;

    if (most != 0) {
        over = b->window_frames > most + most / 4 + 8;
        far = b->window_frames > most + most / 2 + 16;
    } else {
        over = permille > FULL_PERMILLE;
        far = false;
    }
    b->over_count = (uint8_t)(over ? b->over_count + (b->over_count < WINDOWS_IN_A_ROW) : 0);
    if (!far && b->over_count < WINDOWS_IN_A_ROW)
        return;
    struct vids_finding *f =
        vids_raise(v, &b->episode, VIDS_BUS_LOAD, EV_CAN_BUS_LOAD, most != 0 ? b->window_frames * 100 / most : 100);
    if (f == NULL)
        return;
    f->learned = most != 0;
    f->bus = vids_bus_name(v, bus);
    vids_finding_uint(f, EV_F_LOAD_PERMILLE, permille);
    vids_finding_uint(f, EV_F_FRAMES, b->window_frames);
    if (most != 0)
        vids_finding_uint(f, EV_F_FRAMES_EXPECTED, most);
}

static void window_start(struct vids_bus_state *b, uint32_t now)
{
    b->window_us = now;
    b->window_frames = 0;
    b->window_bits = 0;
}

void vids_load_tick(struct vids *v, uint32_t bus)
{
    struct vids_bus_state *b = &v->fixed->bus[bus];
    uint32_t now = vids_rel(v);

    if (!b->seen || now - b->window_us < VIDS_WINDOW_US)
        return;
    window_judge(v, bus);
    /* Windows stay on their raster; after a pause the raster starts anew. */
    window_start(b, now - b->window_us < 2 * VIDS_WINDOW_US ? b->window_us + VIDS_WINDOW_US : now);
}

void vids_load_step(struct vids *v, const struct can_frame *fr, uint32_t bus)
{
    struct vids_bus_state *b = &v->fixed->bus[bus];

    if (b->resume_us == b->last_us)
        window_start(b, b->last_us);
    else if (vids_rel(v) - b->window_us >= VIDS_WINDOW_US)
        vids_load_tick(v, bus);
    b->window_frames++;
    b->window_bits += vids_frame_bits(fr);
}
