/* What one CAN frame costs the detectors of the vehicle: frames per CPU second, and bytes of memory. The vehicle has 48
 * cyclic identifiers with jitter, counters and changing payloads, about 1,600 frames a second, in the proportions of a
 * real drive. Instructions per frame: bench/edge_instructions.py runs this program under callgrind and divides. */
#include <string.h>

#include "bench.h"
#include "edge/learn/learner.h"
#include "edge/vids.h"

#define IDS        48
#define LEARN_S    40
#define RUN_S      60
#define FRAMES_MAX 200000

static const uint32_t cycles_ms[] = {10, 10, 20, 20, 20, 20, 20, 20, 25, 30, 40, 40, 60, 80, 100, 120};

struct vehicle {
    struct can_frame *frame;
    size_t count;
    struct vids ids;
    void *memory;
    uint8_t *blob;
    size_t blob_size, memory_size;
    uint64_t findings;
};

static uint32_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static int by_time(const void *a, const void *b)
{
    const struct can_frame *x = a, *y = b;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static void frames_make(struct vehicle *v, int64_t from_us, int64_t until_us)
{
    uint64_t state = 20261120;

    v->count = 0;
    for (uint32_t i = 0; i < IDS; i++) {
        int64_t cycle = cycles_ms[i % 16] * 1000;
        uint32_t k = 0;
        for (int64_t t = from_us + i * 137; t < until_us && v->count < FRAMES_MAX; t += cycle, k++) {
            struct can_frame *fr = &v->frame[v->count++];
            memset(fr, 0, sizeof *fr);
            fr->time_us = t + draw(&state) % (uint32_t)(cycle / 8);
            fr->id = 0x100 + 11 * i;
            fr->bus = slice_str("can0");
            fr->dlc = fr->len = 8;
            for (unsigned b = 0; b < 8; b++)
                fr->data[b] = b < 4 ? (uint8_t)(i * 17 + b) : (uint8_t)draw(&state);
            fr->data[7] = (uint8_t)(k % 16);
        }
    }
    qsort(v->frame, v->count, sizeof *v->frame, by_time);
}

static void model_make(struct vehicle *v)
{
    struct learner *l = learner_new(LEARN_BITRATE);
    struct learn_report report;

    frames_make(v, 1000000, LEARN_S * INT64_C(1000000));
    for (size_t i = 0; i < v->count; i++)
        if (learner_frame(l, &v->frame[i]) != VS_OK)
            exit(1);
    if (learner_finish(l, &v->blob, &v->blob_size, &report) != VS_OK)
        exit(1);
    learner_free(l);
    v->memory_size = vids_storage_size(slice_make(v->blob, v->blob_size));
    v->memory = malloc(v->memory_size);
    if (v->memory == NULL || vids_init(&v->ids, v->memory, v->memory_size, slice_make(v->blob, v->blob_size)) != VS_OK)
        exit(1);
}

static uint64_t run(void *ctx)
{
    static struct vids_finding found[VIDS_FINDINGS_MAX];
    struct vehicle *v = ctx;

    if (vids_init(&v->ids, v->memory, v->memory_size, slice_make(v->blob, v->blob_size)) != VS_OK)
        exit(1);
    for (size_t i = 0; i < v->count; i++)
        v->findings += vids_step(&v->ids, &v->frame[i], v->frame[i].time_us, found, VIDS_FINDINGS_MAX);
    return v->count;
}

int main(int argc, char **argv)
{
    struct vehicle v;

    memset(&v, 0, sizeof v);
    v.frame = malloc(FRAMES_MAX * sizeof *v.frame);
    if (v.frame == NULL)
        return 1;
    model_make(&v);
    frames_make(&v, 1000000, RUN_S * INT64_C(1000000));
    if (argc == 3 && strcmp(argv[1], "--times") == 0) { /* for edge_instructions.py */
        uint64_t frames = 0;
        for (unsigned long i = strtoul(argv[2], NULL, 10); i > 0; i--)
            frames += run(&v);
        printf("{\"frames\":%llu}\n", (unsigned long long)frames);
    } else {
        bench_rate("edge_frame", "frames/CPU-s", 2000000, run, &v);
        printf("{\"bench\":\"edge_memory\",\"ids\":%d,\"state_bytes\":%zu,\"model_bytes\":%zu,\"state_bytes_256_ids\":%"
               "zu,\"findings\":%llu}\n",
               IDS, v.memory_size + sizeof v.ids, v.blob_size, VIDS_STORAGE_SIZE(256, 1024) + sizeof v.ids,
               (unsigned long long)v.findings);
    }
    free(v.frame);
    free(v.memory);
    free(v.blob);
    return 0;
}
