/* fit_load: the fullest 100 ms of each bus, and how long its ordinary pauses are: one in a thousand is longer, so that
 * a recording that held the bus once does not make such a hold ordinary. */
#include <math.h>

#include "edge/can/state.h"
#include "edge/learn/learn.h"

static uint32_t bits_of(const struct learn_frame *f)
{
    struct can_frame fr = {.flags = f->flags, .len = f->len};
    return vids_frame_bits(&fr);
}

#define PAUSE_BUCKETS 256 /* eight to each doubling of the pause */

static unsigned pause_bucket(int64_t gap_us)
{
    double at = 8 * log2((double)gap_us + 1);

    return at >= PAUSE_BUCKETS - 1 ? PAUSE_BUCKETS - 1 : (unsigned)at;
}

static uint32_t pause_usual(const uint32_t *pauses)
{
    uint64_t total = 0, above = 0;
    unsigned b = PAUSE_BUCKETS - 1;

    for (unsigned i = 0; i < PAUSE_BUCKETS; i++)
        total += pauses[i];
    while (b > 0 && (above += pauses[b]) <= total / 1000)
        b--;
    double us = exp2((b + 1) / 8.0);
    return us > 5e6 ? 5000000 : (uint32_t)us;
}

static void bus_fit(struct learner *l, uint32_t bus)
{
    struct learn_bus *b = &l->bus[bus];
    uint32_t from = 0, inside = 0, bits = 0, total = 0, pauses[PAUSE_BUCKETS] = {0};
    const struct learn_frame *last = NULL;

    for (uint32_t i = 0; i < l->frame_count; i++) {
        const struct learn_frame *f = &l->frame[i];
        if (f->bus != bus)
            continue;
        if (last != NULL && last->session == f->session && f->time_us >= last->time_us)
            pauses[pause_bucket(f->time_us - last->time_us)]++;
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
    b->gap_us = total > 1 ? pause_usual(pauses) : 500000;
    b->frames_mean = l->report.trained_ms > 0 ? (uint32_t)((uint64_t)total * 100 / l->report.trained_ms) : 0;
}

void learn_fit_load(struct learner *l)
{
    for (uint32_t b = 0; b < l->bus_count; b++)
        bus_fit(l, b);
}
