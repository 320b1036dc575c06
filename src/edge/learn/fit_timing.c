/* fit_timing: cycle, phase jitter, arrival curve and silence deadline of each identifier.
 *
 * Cycle: the median gap gives a first guess, slots counted with it give the mean. The phase-locked loop of can/slot.c is
 * then tried with several gains (a free-running timer wants a small one, a sender that counts from its last frame a large
 * one) and the gain with the least worst residual is kept. An identifier is cyclic when such a loop leaves hardly any
 * frame without a slot of its own. Thresholds are generous: a wider tolerance costs the slot detector delay, not
 * detection. Everything else has an arrival curve only. */
#include <math.h>
#include <stdlib.h>

#include "edge/learn/learn.h"

#define FRAMES_MIN      9       /* fewer say nothing about a cycle */
#define CYCLE_US_MIN    500
#define CYCLE_US_MAX    60000000
#define TOLERANCE_LEAST 500     /* us */
#define COST_US_MAX     90000000

struct trial {
    uint32_t slots, extras, missed;
    int64_t worst_us;
};

static int gap_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Gaps between frames of one session, sorted; the caller frees. */
static int64_t *gaps_of(const struct learner *l, const struct learn_id *id, uint32_t *ret_count)
{
    int64_t *gap = malloc((id->count + 1) * sizeof *gap);
    uint32_t n = 0;

    if (gap == NULL)
        return NULL;
    for (uint32_t i = 1; i < id->count; i++) {
        const struct learn_frame *a = &l->frame[id->frame[i - 1]], *b = &l->frame[id->frame[i]];
        if (a->session == b->session && b->time_us >= a->time_us)
            gap[n++] = b->time_us - a->time_us;
    }
    qsort(gap, n, sizeof *gap, gap_compare);
    *ret_count = n;
    return gap;
}

/* Mean cycle: time over slots, slots counted with the guess. */
static double cycle_mean(const int64_t *gap, uint32_t n, double guess)
{
    double time = 0, slots = 0;

    for (uint32_t i = 0; i < n; i++) {
        double s = floor((double)gap[i] / guess + 0.5);
        if (s > 8)
            continue; /* pauses of the sender are no slots */
        time += (double)gap[i];
        slots += s;
    }
    return slots > 0 ? time / slots : guess;
}

static struct trial loop_try(const struct learner *l, const struct learn_id *id, double cycle, unsigned gain)
{
    struct trial t = {0, 0, 0, 0};
    double next = 0, share = 1.0 / (double)(1u << gain);
    uint32_t credit = 0, session = UINT32_MAX, settled = 0;

    for (uint32_t i = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        double now = (double)f->time_us, residual = now - next;
        if (f->session != session || residual > 64 * cycle) {
            session = f->session;
            next = now + cycle;
            settled = 0;
            continue;
        }
        if (residual < -cycle / 2) {
            if (credit > 0)
                credit--;
            else
                t.extras++;
            continue;
        }
        double slots = floor(residual / cycle + 0.5);
        residual -= slots * cycle;
        credit = (uint32_t)slots;
        t.missed += (uint32_t)slots;
        t.slots++;
        int64_t off = (int64_t)(residual < 0 ? -residual : residual);
        if (++settled > 4 && off > t.worst_us)
            t.worst_us = off;
        next += (slots + 1) * cycle + (settled <= 4 ? residual / 2 : residual * share);
    }
    return t;
}

static bool better(const struct trial *a, const struct trial *b)
{
    return a->extras != b->extras ? a->extras < b->extras : a->worst_us < b->worst_us;
}

static bool cycle_fit(const struct learner *l, struct learn_id *id, const int64_t *gap, uint32_t n)
{
    struct trial best = {0, UINT32_MAX, 0, 0};
    double cycle = 0, guess[2] = {(double)gap[n / 2], 0};

    if (guess[0] < CYCLE_US_MIN || guess[0] > CYCLE_US_MAX)
        return false;
    guess[0] = cycle_mean(gap, n, guess[0]);
    guess[1] = cycle_mean(gap, n, (double)gap[n / 4]);
    for (unsigned g = 0; g < 2; g++)
        for (unsigned gain = 1; gain <= 4 && guess[g] >= CYCLE_US_MIN; gain++) {
            struct trial t = loop_try(l, id, guess[g], gain);
            if (better(&t, &best)) {
                best = t;
                cycle = guess[g];
                id->gain = (uint8_t)gain;
            }
        }
    if (best.slots < FRAMES_MIN - 1 || best.extras > 1 + id->count / 100 || best.missed > best.slots / 2)
        return false;
    id->cycle_us = (uint32_t)(cycle + 0.5);
    double tolerance = 1.5 * (double)best.worst_us + TOLERANCE_LEAST;
    if (tolerance < cycle / 10)
        tolerance = cycle / 10;
    if (id->count < 50)
        tolerance *= 1.5;
    id->tolerance_us = (uint32_t)(tolerance > 0.5 * cycle ? 0.5 * cycle : tolerance);
    return true;
}

/* The worst overdraft that the recordings cause on an account with this price (can/rate.c). */
static int64_t overdraft_worst(const struct learner *l, const struct learn_id *id, int64_t cost)
{
    int64_t even = 0, worst = 0;
    uint32_t session = UINT32_MAX;

    for (uint32_t i = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        if (f->session != session || even < f->time_us)
            even = f->time_us;
        session = f->session;
        if (even - f->time_us > worst)
            worst = even - f->time_us;
        even += cost;
    }
    return worst;
}

/* Most frames in any window of that length. */
static uint32_t busiest(const struct learner *l, const struct learn_id *id, int64_t window_us)
{
    uint32_t most = 0;

    for (uint32_t i = 0, from = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        while (l->frame[id->frame[from]].session != f->session ||
               f->time_us - l->frame[id->frame[from]].time_us > window_us)
            from++;
        if (i - from + 1 > most)
            most = i - from + 1;
    }
    return most;
}

static void rate_fit(const struct learner *l, struct learn_id *id)
{
    double cost, spare;

    if ((id->flags & ID_SLOT) != 0) {
        cost = 0.95 * id->cycle_us;
        spare = 6;
    } else {
        uint32_t second = busiest(l, id, 1000000), ten = busiest(l, id, 10000000);
        spare = 8;
        if (second >= 5)
            cost = 0.7e6 / second;
        else if (ten >= 5)
            cost = 0.7e7 / ten;
        else {
            cost = 250.0 * l->report.trained_ms / (id->count + 1);
            spare = 6;
            id->flags |= ID_SPORADIC;
        }
    }
    if (cost > COST_US_MAX)
        cost = COST_US_MAX;
    if (cost < 1)
        return;
    id->rate_us = (uint32_t)cost;
    int64_t worst = overdraft_worst(l, id, (int64_t)cost);
    double burst = 1.5 * (double)worst + spare * cost;
    id->burst_us = (uint32_t)(burst > 6e8 ? 6e8 : burst);
    id->flags |= ID_RATE;
}

/* A sender that stopped before its recording did is one that stops. */
static bool stops_early(const struct learner *l, const struct learn_id *id, int64_t deadline)
{
    const struct learn_frame *last = &l->frame[id->frame[id->count - 1]];

    return last->session != l->frame[l->frame_count - 1].session ||
           l->frame[l->frame_count - 1].time_us - last->time_us > deadline;
}

static void silence_fit(const struct learner *l, struct learn_id *id, int64_t gap_worst)
{
    int64_t deadline = 4 * (int64_t)id->cycle_us;

    if (deadline < 2 * gap_worst + id->cycle_us)
        deadline = 2 * gap_worst + id->cycle_us;
    if (id->count < 50)
        deadline += deadline / 2;
    if (id->count < 20 || deadline > 600000000 || stops_early(l, id, deadline))
        return;
    id->deadline_us = (uint32_t)deadline;
    id->flags |= ID_SILENCE;
}

enum vs_err learn_fit_timing(struct learner *l)
{
    for (uint32_t i = 0; i < l->id_count; i++) {
        struct learn_id *id = &l->id[i];
        if (id->count == 0)
            continue;
        id->flags |= ID_OBSERVED;
        id->flags &= ~(uint32_t)(ID_SLOT | ID_RATE | ID_SILENCE);
        uint32_t n = 0;
        int64_t *gap = gaps_of(l, id, &n);
        if (gap == NULL)
            return VS_ERR_NO_MEMORY;
        id->need = 1;
        if (n + 1 >= FRAMES_MIN && cycle_fit(l, id, gap, n)) {
            id->flags |= ID_SLOT | ID_LEARNED_CYCLE;
            silence_fit(l, id, gap[n - 1]);
        } else {
            id->cycle_us = 0;
        }
        free(gap);
        rate_fit(l, id);
    }
    return VS_OK;
}
