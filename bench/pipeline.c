/* The backend without its network: signed batches of a simulated fleet are appended to segment files on disk (fdatasync
 * once per 64 batches), read back, decoded, deduplicated, enriched, matched against all rules of content/rules,
 * windowed, and their alerts and ledger written to SQLite on disk. Signatures are checked at the door, which is not
 * part of this; bench_receive has it.
 *
 * Two figures, in events per CPU second of this process. `median` is the steady part: appending, reading and
 * committing, which is what a daemon does all day. `whole_median` adds what is paid once a process: loading rules and
 * vehicles, and freeing everything. A short load makes the second one smaller, a long one makes them meet.
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

struct result {
    double append_s, open_s, read_s, close_s;
    uint64_t events;
};

static void detect_all(struct stream *log, struct store *st, struct result *r)
{
    struct pipeline_config cfg = {.stream = log, .store = st, .rules_path = "content/rules", .lateness_days = 30};
    struct pipeline_error error;
    struct pipeline_progress progress;
    struct log_pipeline *p;
    uint32_t count = 1;
    double from_s = bench_cpu_s();

    if (pipeline_open(&cfg, &p, &error) != VS_OK)
        die(error.text);
    double opened_s = bench_cpu_s();
    while (count > 0)
        if (pipeline_read(p, 20000, &count) != VS_OK || pipeline_commit(p) != VS_OK)
            die("pipeline");
    double read_s = bench_cpu_s();
    pipeline_progress(p, &progress);
    pipeline_close(p);
    r->events = progress.events;
    r->open_s = opened_s - from_s;
    r->read_s = read_s - opened_s;
    r->close_s = bench_cpu_s() - read_s;
}

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
    r.append_s = bench_cpu_s() - from_s;
    detect_all(log, st, &r);
    store_close(st);
    stream_close(log);
    if (bench_remove_tree(dir) != 0)
        die("clean-up");
    return r;
}

static double median(double *value, size_t count)
{
    qsort(value, count, sizeof value[0], bench_by_value);
    return value[count / 2];
}

static void report(const struct load *l, const struct result *r, size_t runs)
{
    double steady[RUNS_MAX], whole[RUNS_MAX], append[RUNS_MAX], open_ms[RUNS_MAX], close_ms[RUNS_MAX];

    for (size_t i = 0; i < runs; i++) {
        double n = (double)r[i].events, steady_s = r[i].append_s + r[i].read_s;

        steady[i] = n / steady_s;
        whole[i] = n / (steady_s + r[i].open_s + r[i].close_s);
        append[i] = n / r[i].append_s;
        open_ms[i] = r[i].open_s * 1e3;
        close_ms[i] = r[i].close_s * 1e3;
    }
    printf("{\"bench\":\"pipeline\",\"unit\":\"events/"
           "cpu-s\",\"events\":%llu,\"batches\":%llu,\"bytes_per_event\":%.1f,\"append_median\":%.0f,",
           (unsigned long long)r->events, (unsigned long long)l->count, (double)l->bytes / (double)l->events,
           median(append, runs));
    printf("\"open_ms\":%.1f,\"close_ms\":%.1f,\"whole_median\":%.0f,", median(open_ms, runs), median(close_ms, runs),
           median(whole, runs));
    printf("\"median\":%.0f,\"lowest\":%.0f,\"highest\":%.0f,\"target\":2500000,\"met\":%s}\n", median(steady, runs),
           steady[0], steady[runs - 1], median(steady, runs) >= 2.5e6 ? "true" : "false");
}

int main(int argc, char **argv)
{
    struct load l = {0};
    struct result r[RUNS_MAX];
    size_t runs = argc > 3 ? strtoul(argv[3], NULL, 10) : BENCH_RUNS;

    collect(&l, argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 500,
            argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 30);
    if (runs < 1 || runs > RUNS_MAX)
        die("RUNS");
    fprintf(stderr, "bench_pipeline: %llu batches made\n", (unsigned long long)l.count);
    for (size_t i = 0; i < runs; i++)
        r[i] = run(&l);
    report(&l, r, runs);
    return 0;
}
