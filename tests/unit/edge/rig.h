/* rig: a vehicle on the bench. Frames go into a learner or into the detectors; findings are kept for the test to ask.
 */
#ifndef TESTS_EDGE_RIG_H
#define TESTS_EDGE_RIG_H

#include <stdlib.h>

#include "check.h"
#include "edge/learn/learner.h"
#include "edge/vids.h"

#define RIG_FOUND_MAX 512

struct rig {
    struct learner *learner;
    uint8_t *blob;
    size_t blob_size;
    struct learn_report report;
    void *memory;
    struct vids ids;
    struct vids_finding found[RIG_FOUND_MAX];
    size_t found_count;
};

static inline struct can_frame rig_frame(int64_t time_us, uint32_t id, const char *bus, uint8_t len, uint64_t data)
{
    struct can_frame fr = {.time_us = time_us, .id = id, .bus = slice_str(bus), .dlc = len, .len = len};
    for (unsigned i = 0; i < len && i < 8; i++)
        fr.data[i] = (uint8_t)(data >> 8 * i);
    return fr;
}

static inline void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->learner = learner_new(LEARN_BITRATE);
    assert_non_null(r->learner);
}

static inline void rig_done(struct rig *r)
{
    learner_free(r->learner);
    free(r->blob);
    free(r->memory);
}

static inline void rig_learn(struct rig *r, struct can_frame fr)
{
    assert_int_equal(learner_frame(r->learner, &fr), VS_OK);
}

/* The model is made from what was learned so far, and the detectors start on it. */
static inline void rig_arm(struct rig *r)
{
    assert_int_equal(learner_finish(r->learner, &r->blob, &r->blob_size, &r->report), VS_OK);
    size_t need = vids_storage_size(slice_make(r->blob, r->blob_size));
    r->memory = malloc(need);
    assert_int_equal(vids_init(&r->ids, r->memory, need, slice_make(r->blob, r->blob_size)), VS_OK);
}

static inline void rig_keep(struct rig *r, const struct vids_finding *found, size_t n)
{
    for (size_t i = 0; i < n && r->found_count < RIG_FOUND_MAX; i++)
        r->found[r->found_count++] = found[i];
}

static inline void rig_step(struct rig *r, struct can_frame fr)
{
    struct vids_finding found[VIDS_FINDINGS_MAX];

    rig_keep(r, found, vids_step(&r->ids, &fr, fr.time_us, found, VIDS_FINDINGS_MAX));
}

static inline void rig_tick(struct rig *r, int64_t now_us)
{
    struct vids_finding found[VIDS_FINDINGS_MAX];

    rig_keep(r, found, vids_tick(&r->ids, now_us, found, VIDS_FINDINGS_MAX));
}

static inline size_t rig_count(const struct rig *r, uint16_t type)
{
    size_t n = 0;

    for (size_t i = 0; i < r->found_count; i++)
        n += r->found[i].type == type;
    return n;
}

/* First finding of that type, NULL when there is none. */
static inline const struct vids_finding *rig_first(const struct rig *r, uint16_t type)
{
    for (size_t i = 0; i < r->found_count; i++)
        if (r->found[i].type == type)
            return &r->found[i];
    return NULL;
}

/* A small generator of its own, so that a seed means the same everywhere. */
static inline uint32_t rig_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Time of frame k of a cycle with uniform jitter of plus or minus `jitter`. */
static inline int64_t rig_due(int64_t k, int64_t cycle_us, int64_t jitter_us, uint64_t *seed)
{
    return 1000000 + k * cycle_us +
           (jitter_us > 0 ? (int64_t)(rig_random(seed) % (uint32_t)(2 * jitter_us + 1)) - jitter_us : 0);
}

/* 40 s of one cyclic identifier 0x100 whose payload counts, with 0x200 as steady company. */
static inline void rig_learn_cycle(struct rig *r, int64_t cycle_us, int64_t jitter_us, uint64_t *seed)
{
    int64_t other = 0;

    for (int64_t k = 0; k * cycle_us < 40000000; k++) {
        int64_t at = rig_due(k, cycle_us, jitter_us, seed);
        for (; 1000000 + other * 7000 <= at; other++)
            rig_learn(r, rig_frame(1000000 + other * 7000, 0x200, "can0", 2, 0x55AA));
        rig_learn(r, rig_frame(at, 0x100, "can0", 8, (uint64_t)k * UINT64_C(0x9E3779B97F4A7C15)));
    }
}

#endif
