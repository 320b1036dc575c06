/* fit_load: the fullest 100 ms of each bus, and its longest pause. */
#include "edge/can/state.h"
#include "edge/learn/learn.h"

static uint32_t bits_of(const struct learn_frame *f)
{
    struct can_frame fr = {.flags = f->flags, .len = f->len};
    return vids_frame_bits(&fr);
}

static void bus_fit(struct learner *l, uint32_t bus)
{
    struct learn_bus *b = &l->bus[bus];
    uint32_t from = 0, inside = 0, bits = 0, total = 0;
    const struct learn_frame *last = NULL;

    for (uint32_t i = 0; i < l->frame_count; i++) {
        const struct learn_frame *f = &l->frame[i];
        if (f->bus != bus)
            continue;
        if (last != NULL && last->session == f->session && f->time_us - last->time_us > b->gap_us)
            b->gap_us = f->time_us - last->time_us > 5000000 ? 5000000 : (uint32_t)(f->time_us - last->time_us);
        last = f;
        for (inside++, bits += bits_of(f), total++; from < i; from++) {
            const struct learn_frame *old = &l->frame[from];
            if (old->session == f->session && f->time_us - old->time_us < VIDS_WINDOW_US)
                break;
            if (old->bus == bus) {
                inside--;
                bits -= bits_of(old);
            }
        }
        if (inside > b->frames_max)
            b->frames_max = inside;
        if (bits > b->bits_max)
            b->bits_max = bits;
    }
    b->frames_mean = l->report.trained_ms > 0 ? (uint32_t)((uint64_t)total * 100 / l->report.trained_ms) : 0;
}

void learn_fit_load(struct learner *l)
{
    for (uint32_t b = 0; b < l->bus_count; b++) {
        l->bus[b].gap_us = l->frame_count == 0 ? 500000 : 0;
        bus_fit(l, b);
    }
}
