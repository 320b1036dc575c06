/* The backend without its network: signed batches of a simulated fleet are appended to segment files on disk (fdatasync
 * once per 64 batches), read back, decoded, deduplicated, enriched, matched against all rules of content/rules,
 * windowed, and their alerts and ledger written to SQLite on disk. Events per CPU second of this process, all of it
 * counted. Signatures are checked at the door, which is not part of this; bench_receive has it.
 *
 * usage: bench_pipeline [VEHICLES [DAYS [RUNS]]] */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "bench.h"
#include "ingest/registry_store.h"
#include "world.h"

#define START_US   INT64_C(1767571200000000)
#define SYNC_EVERY 64
#define RUNS_MAX   100

struct load {
    struct stream_record *rec;
    uint64_t count, events, bytes;
    struct world *world;
    uint32_t vehicles;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_pipeline: %s failed\n", what);
    exit(2);
}

static void collect(struct load *l, uint32_t vehicles, unsigned days)
{
    static const uint8_t key[32] = {5};
    struct world_config cfg = {.seed = 1,
                               .vehicles = vehicles,
                               .days = days,
                               .start_us = START_US,
                               .pseudonym_key = slice_make(key, sizeof key)};
    const struct world_upload *up;
    struct world_counters c;
    uint32_t count;

    if (world_new(&cfg, &l->world) != VS_OK)
        die("world");
    while (world_step(l->world, &up, &count) == VS_OK) {
        l->rec = realloc(l->rec, (l->count + count) * sizeof *l->rec);
        for (uint32_t i = 0; i < count; i++) {
            uint8_t *copy = malloc(up[i].body.len);

            if (copy == NULL)
                die("memory");
            memcpy(copy, up[i].body.ptr, up[i].body.len);
            l->rec[l->count++] =
                (struct stream_record){.received_us = up[i].sent_us,
                                       .door = STREAM_DOOR_HTTPS,
                                       .format = STREAM_FORMAT_BATCH,
                                       .key = slice_make(world_vehicle(l->world, up[i].vehicle)->vid, EV_VID_SIZE),
                                       .value = slice_make(copy, up[i].body.len)};
        }
    }
    world_counters(l->world, &c);
    l->events = c.records;
    l->bytes = c.bytes;
    l->vehicles = vehicles;
}

static void enrol(const struct load *l, struct store *st)
{
    if (store_begin(st) != VS_OK)
        die("store");
    for (uint32_t i = 0; i < l->vehicles; i++) {
        const struct fleet_vehicle *v = world_vehicle(l->world, i);
        struct vehicle_facts facts = {.model = slice_str(v->model->name),
                                      .hardware = slice_str(v->model->hardware),
                                      .region = slice_str(v->region),
                                      .owner = slice_str(v->owner),
                                      .enrolled_us = START_US};

        memcpy(facts.vid, v->vid, sizeof facts.vid);
        if (registry_store_put(st, &facts) != VS_OK)
            die("registry");
    }
    if (store_commit(st) != VS_OK)
        die("store");
}

static void append_all(const struct load *l, struct stream *log)
{
    uint64_t offset;

    for (uint64_t i = 0; i < l->count; i++) {
        if (stream_append(log, &l->rec[i], &offset) != VS_OK)
            die("append");
        if (i % SYNC_EVERY == SYNC_EVERY - 1 && stream_sync(log) != VS_OK)
            die("sync");
    }
    if (stream_sync(log) != VS_OK)
        die("sync");
}

static uint64_t detect_all(struct stream *log, struct store *st)
{
    struct pipeline_config cfg = {.stream = log, .store = st, .rules_path = "content/rules", .lateness_days = 30};
    struct pipeline_error error;
    struct pipeline_progress progress;
    struct log_pipeline *p;
    uint32_t count = 1;

    if (pipeline_open(&cfg, &p, &error) != VS_OK)
        die(error.text);
    while (count > 0)
        if (pipeline_read(p, 20000, &count) != VS_OK || pipeline_commit(p) != VS_OK)
            die("pipeline");
    pipeline_progress(p, &progress);
    pipeline_close(p);
    return progress.events;
}

struct result {
    double append_s, detect_s;
    uint64_t events;
};

static struct result run(const struct load *l)
{
    char dir[] = "/tmp/vsoc-bench-XXXXXX", log_address[128], store_address[128];
    struct stream_error stream_error;
    struct store_error store_error;
    struct stream *log;
    struct store *st;
    struct result r;

    if (mkdtemp(dir) == NULL)
        die("folder");
    snprintf(log_address, sizeof log_address, "segment:%s/log", dir);
    snprintf(store_address, sizeof store_address, "sqlite:%s/state.db", dir);
    if (stream_open(log_address, true, &log, &stream_error) != VS_OK ||
        store_open(store_address, &st, &store_error) != VS_OK)
        die("open");
    enrol(l, st);
    double from_s = bench_cpu_s();
    append_all(l, log);
    double appended_s = bench_cpu_s();
    r.events = detect_all(log, st);
    r.append_s = appended_s - from_s;
    r.detect_s = bench_cpu_s() - appended_s;
    store_close(st);
    stream_close(log);
    if (bench_remove_tree(dir) != 0)
        die("clean-up");
    return r;
}

int main(int argc, char **argv)
{
    struct load l = {0};
    double rate[RUNS_MAX], append_rate[RUNS_MAX];
    uint64_t events = 0;
    size_t runs = argc > 3 ? strtoul(argv[3], NULL, 10) : BENCH_RUNS;

    collect(&l, argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 500,
            argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 30);
    if (runs < 1 || runs > RUNS_MAX)
        die("RUNS");
    fprintf(stderr, "bench_pipeline: %llu batches made\n", (unsigned long long)l.count);
    for (size_t i = 0; i < runs; i++) {
        struct result r = run(&l);

        events = r.events;
        rate[i] = (double)r.events / (r.append_s + r.detect_s);
        append_rate[i] = (double)r.events / r.append_s;
    }
    qsort(rate, runs, sizeof rate[0], bench_by_value);
    qsort(append_rate, runs, sizeof append_rate[0], bench_by_value);
    printf("{\"bench\":\"pipeline\",\"unit\":\"events/"
           "cpu-s\",\"events\":%llu,\"batches\":%llu,\"bytes_per_event\":%.1f,\"append_median\":%.0f,"
           "\"median\":%.0f,\"lowest\":%.0f,\"highest\":%.0f,\"target\":2500000,\"met\":%s}\n",
           (unsigned long long)events, (unsigned long long)l.count, (double)l.bytes / (double)l.events,
           append_rate[runs / 2], rate[runs / 2], rate[0], rate[runs - 1], rate[runs / 2] >= 2.5e6 ? "true" : "false");
    return 0;
}
