/* fit_timing: cycle, phase jitter, arrival curve and silence deadline of each identifier.
 *
 * Cycle: the median gap gives a first guess, the gaps near it their mean. The phase-locked loop of can/slot.c is
 * then tried with several gains (a free-running timer wants a small one, a sender that counts from its last frame a
 * large one) and the gain with the least residuals is kept. An identifier is cyclic when such a loop leaves hardly any
 * frame without a slot of its own. Thresholds are generous: a wider tolerance costs the slot detector delay, not
 * detection. Everything else has an arrival curve only. */
#include <math.h>
#include <stdlib.h>

#include "edge/learn/learn.h"

#define FRAMES_MIN      9 /* fewer say nothing about a cycle */
#define CYCLE_US_MIN    500
#define CYCLE_US_MAX    60000000
#define TOLERANCE_LEAST 500   /* us */
#define TOLERANCE_SLOW  10000 /* us; a tenth of the cycle, but no more than this */
#define COST_US_MAX     90000000
#define SILENCE_LEAST   100000 /* us; a gateway or a logger may hold a whole bus for some tens of ms */
#define SPREAD_MAX      0.22   /* of the cycle; frames that come at any time have 0.29 */
#define PAGES_MAX       16
#define SETTLED         8 /* frames in step until the loop of a starting sender counts */

struct trial {
    uint32_t slots, extras, missed, restarts, pauses;
    int64_t usual_us; /* residual that one in fifty exceeds */
    double square;    /* sum of squared residuals */
};

/* The frames that a cycle is sought in: all of an identifier, or the first of each group of pages. */
struct series {
    const uint32_t *frame;
    uint32_t count;
};

static int gap_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Gaps between frames of one session, sorted; the caller frees. */
static int64_t *gaps_of(const struct learner *l, struct series id, uint32_t *ret_count)
{
    int64_t *gap = malloc((id.count + 1) * sizeof *gap);
    uint32_t n = 0;

    if (gap == NULL)
        return NULL;
    for (uint32_t i = 1; i < id.count; i++) {
        const struct learn_frame *a = &l->frame[id.frame[i - 1]], *b = &l->frame[id.frame[i]];
        if (a->session == b->session && b->time_us >= a->time_us)
            gap[n++] = b->time_us - a->time_us;
    }
    qsort(gap, n, sizeof *gap, gap_compare);
    *ret_count = n;
    return gap;
}

/* Mean of the gaps near the guess: lost frames and frames sent out of turn make none of those. */
static double cycle_mean(const int64_t *gap, uint32_t n, double guess)
{
    double time = 0;
    uint32_t slots = 0;

    for (uint32_t i = 0; i < n; i++)
        if ((double)gap[i] > 0.6 * guess && (double)gap[i] < 1.4 * guess) {
            time += (double)gap[i];
            slots++;
        }
    return slots > 0 ? time / slots : guess;
}

/* Runs the loop over the series. off[] gets the size of the residual of each frame that fills a slot, sorted. */
static struct trial loop_try(const struct learner *l, struct series id, double cycle, unsigned gain, int64_t *off)
{
    struct trial t = {0};
    double next = 0, share = 1.0 / (double)(1u << gain);
    uint32_t credit = 0, session = UINT32_MAX, settled = 0;

    for (uint32_t i = 0; i < id.count; i++) {
        const struct learn_frame *f = &l->frame[id.frame[i]];
        double now = (double)f->time_us, residual = now - next;
        if (f->session != session || residual > 64 * cycle) {
            t.pauses += f->session == session;
            session = f->session;
            next = now + cycle;
            settled = 0;
            continue;
        }
        if (residual < -cycle / 2) {
            if (settled < SETTLED) { /* senders start with a burst */
                next = now + cycle;
                settled = 0;
                t.restarts++;
            } else if (credit > 0)
                credit--;
            else
                t.extras++;
            continue;
        }
        double slots = floor(residual / cycle + 0.5);
        residual -= slots * cycle;
        credit = (uint32_t)slots;
        t.missed += slots <= 8 ? (uint32_t)slots : 0; /* longer is a pause */
        t.slots++;
        off[t.slots - 1] = (int64_t)(residual < 0 ? -residual : residual);
        t.square += residual * residual;
        settled++;
        next += (slots + 1) * cycle + (settled <= SETTLED ? residual / 2 : residual * share);
    }
    qsort(off, t.slots, sizeof *off, gap_compare);
    t.usual_us = t.slots > 0 ? off[t.slots - 1 - t.slots / 50] : 0;
    return t;
}

static bool better(const struct trial *a, const struct trial *b)
{
    return a->extras != b->extras ? a->extras < b->extras : a->usual_us < b->usual_us;
}

static bool convincing(const struct trial *t, double cycle, uint32_t frames)
{
    if (t->slots < FRAMES_MIN - 1 || t->slots < frames * 3 / 4 || t->extras > 1 + frames / 100 ||
        t->missed > t->slots / 2 || t->restarts > 12 + frames / 50 || t->pauses > t->slots / 16)
        return false;
    return sqrt(t->square / t->slots) <= SPREAD_MAX * cycle;
}

static bool cycle_fit(const struct learner *l, struct learn_id *id, struct series in, const int64_t *gap, uint32_t n,
                      int64_t *off)
{
    struct trial best = {.extras = UINT32_MAX};
    double cycle = 0, guess[2] = {(double)gap[n / 2], 0};

    if (guess[0] < CYCLE_US_MIN || guess[0] > CYCLE_US_MAX)
        return false;
    guess[0] = cycle_mean(gap, n, guess[0]);
    guess[1] = cycle_mean(gap, n, (double)gap[n / 4]);
    for (unsigned g = 0; g < 2; g++)
        for (unsigned gain = 0; gain <= 4 && guess[g] >= CYCLE_US_MIN; gain++) {
            struct trial t = loop_try(l, in, guess[g], gain, off);
            if (better(&t, &best)) {
                best = t;
                cycle = guess[g];
                id->gain = (uint8_t)gain;
            }
        }
    if (!convincing(&best, cycle, in.count))
        return false;
    id->cycle_us = (uint32_t)(cycle + 0.5);
    double tolerance = 2.0 * (double)best.usual_us + TOLERANCE_LEAST;
    if (tolerance < fmin(cycle / 10, TOLERANCE_SLOW))
        tolerance = fmin(cycle / 10, TOLERANCE_SLOW);
    if (in.count < 50)
        tolerance *= 1.5;
    id->tolerance_us = (uint32_t)(tolerance > 0.5 * cycle ? 0.5 * cycle : tolerance);
    return true;
}

/* Looks for pages: groups of the same number of frames, close together. Fills `first` with the first frame of each
 * group and returns how many there are; 0 when the frames do not come in pages. */
static uint32_t pages_find(const struct learner *l, struct learn_id *id, double close_us, uint32_t *first)
{
    uint32_t groups = 0, size = 0, sizes[PAGES_MAX + 1] = {0}, most = 0;
    int64_t span = 0, start = 0, last = 0;

    for (uint32_t i = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        bool joins =
            i > 0 && (double)(f->time_us - last) < close_us && l->frame[id->frame[i - 1]].session == f->session;
        last = f->time_us;
        if (joins && ++size > PAGES_MAX)
            return 0;
        if (joins) {
            span = f->time_us - start > span ? f->time_us - start : span;
            continue;
        }
        sizes[size]++;
        size = 1;
        start = f->time_us;
        first[groups++] = id->frame[i];
    }
    for (uint32_t k = 1; k <= PAGES_MAX; k++)
        most = sizes[k] > sizes[most == 0 ? 1 : most] ? k : most == 0 ? 1 : most;
    for (uint32_t k = most + 1; k <= PAGES_MAX; k++)
        if (sizes[k] > 0)
            return 0;
    if (most < 2 || sizes[most] < groups - groups / 5 - 2)
        return 0;
    id->pages = (uint8_t)most;
    id->window_us = (uint32_t)(1.5 * (double)span) + TOLERANCE_LEAST;
    return groups;
}

/* The cycle of an identifier whose frames come in pages. */
static enum vs_err pages_fit(const struct learner *l, struct learn_id *id, const int64_t *gap, uint32_t n, int64_t *off,
                             bool *ret_fits)
{
    double mean = cycle_mean(gap, n, (double)gap[n - 1 - n / 10]), sum = 0;
    uint32_t *first = malloc(id->count * sizeof *first), groups;

    *ret_fits = false;
    if (first == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        sum += (double)gap[i];
    if (mean > 2 * sum / n)
        mean = sum / n;
    groups = pages_find(l, id, 0.35 * mean, first);
    if (groups >= FRAMES_MIN) {
        struct series in = {first, groups};
        uint32_t between = 0;
        int64_t *wide = gaps_of(l, in, &between);
        *ret_fits = wide != NULL && between + 1 >= FRAMES_MIN && cycle_fit(l, id, in, wide, between, off) &&
                    id->window_us < id->cycle_us / 2;
        free(wide);
    }
    if (!*ret_fits)
        id->pages = 0;
    free(first);
    return VS_OK;
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
        /* Senders on change add to their cycle. */
        cost = (id->change_permille < 500 ? 0.7 : 0.9) * id->cycle_us / (id->pages > 1 ? id->pages : 1);
        spare = id->pages > 1 ? 6 + 3 * id->pages : 8;
    } else {
        uint32_t second = busiest(l, id, 1000000), ten = busiest(l, id, 10000000);
        spare = 16;
        if (second >= 5)
            cost = 0.5e6 / second;
        else if (ten >= 5)
            cost = 0.5e7 / ten;
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

    if (deadline < SILENCE_LEAST + id->cycle_us)
        deadline = SILENCE_LEAST + id->cycle_us;
    if (deadline < 2 * gap_worst + id->cycle_us)
        deadline = 2 * gap_worst + id->cycle_us;
    if (id->count < 50)
        deadline += deadline / 2;
    if (id->count < 20 || deadline > 600000000 || stops_early(l, id, deadline))
        return;
    id->deadline_us = (uint32_t)deadline;
    id->flags |= ID_SILENCE;
}

static enum vs_err id_fit(const struct learner *l, struct learn_id *id)
{
    struct series all = {id->frame, id->count};
    uint32_t n = 0;
    int64_t *gap = gaps_of(l, all, &n);
    int64_t *off = malloc(id->count * sizeof *off);
    bool fits = false;
    enum vs_err err = gap == NULL || off == NULL ? VS_ERR_NO_MEMORY : VS_OK;

    if (err == VS_OK)
        fits = n + 1 >= FRAMES_MIN && cycle_fit(l, id, all, gap, n, off);
    if (err == VS_OK && !fits && n + 1 >= 2 * FRAMES_MIN)
        err = pages_fit(l, id, gap, n, off, &fits);
    free(off);
    if (err != VS_OK) {
        free(gap);
        return err;
    }
    if (fits) {
        id->flags |= ID_SLOT | ID_LEARNED_CYCLE;
        silence_fit(l, id, gap[n - 1]);
    } else {
        id->cycle_us = 0;
    }
    free(gap);
    rate_fit(l, id);
    return err;
}

enum vs_err learn_fit_timing(struct learner *l)
{
    for (uint32_t i = 0; i < l->id_count; i++) {
        struct learn_id *id = &l->id[i];
        if (id->count == 0)
            continue;
        id->flags |= ID_OBSERVED;
        id->flags &= ~(uint32_t)(ID_SLOT | ID_RATE | ID_SILENCE);
        id->need = 1;
        enum vs_err err = id_fit(l, id);
        if (err != VS_OK)
            return err;
    }
    return VS_OK;
}
