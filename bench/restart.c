/* A fleet in the detect process: how much memory its state takes, how long a snapshot and a
 * restart from it take. Each vehicle has sent one batch of four events (two contacts, a negative response, a SecOC
 * failure), is enrolled, and is known to all rules of content/rules. The state database is on disk, the log in memory.
 *
 * usage: bench_restart [VEHICLES] */
#include <string.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "base/compress.h"
#include "bench.h"
#include "codec/cose.h"
#include "event/batch.h"
#include "ingest/registry_store.h"
#include "ingest/vehicle_table.h"

#define EVENTS 4
#define NOW    INT64_C(1790000000000000)

static void die(const char *what)
{
    fprintf(stderr, "bench_restart: %s failed\n", what);
    exit(2);
}

static double wall_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Resident memory of this process. */
static double resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    char line[128];

    if (f == NULL || fgets(line, sizeof line, f) == NULL || strchr(line, ' ') == NULL)
        die("statm");
    fclose(f);
    unsigned long resident = strtoul(strchr(line, ' '), NULL, 10); /* the second number, in pages */
    long page = sysconf(_SC_PAGESIZE);

    return (double)resident * (double)page;
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void vid_of(uint32_t n, uint8_t vid[EV_VID_SIZE])
{
    uint64_t state = n;

    for (unsigned i = 0; i < EV_VID_SIZE; i++)
        vid[i] = (uint8_t)draw(&state);
}

static void make_event(struct event *ev, uint32_t i, uint64_t *state)
{
    int64_t at_us = NOW - 3600000000 + (int64_t)i * 600000000 + (int64_t)(draw(state) % 1000000);

    switch (i) {
    case 0:
    case 1:
        event_init(ev, EV_VEHICLE_CONTACT, at_us);
        event_set_int(ev, EV_F_LAT, 485000000 + (int64_t)(draw(state) % 1000));
        event_set_int(ev, EV_F_LON, 115000000 + (int64_t)(draw(state) % 1000));
        break;
    default: /* one failure in every thousandth vehicle */
        event_init(ev, *state % 1000 == 0 ? EV_SECOC_VERIFICATION_FAILED : EV_VEHICLE_CONTACT, at_us);
        if (ev->type == EV_SECOC_VERIFICATION_FAILED) {
            event_set_text(ev, EV_F_PDU, slice_str("EngTorque"));
            event_set_int(ev, EV_F_VALUE, (int64_t)(draw(state) % 0xFFFF));
        }
    }
    ev->ecu = slice_str("GW");
    ev->seq = i + 1;
}

static void append(struct stream *log, struct compressor *c, uint32_t n)
{
    static uint8_t plain[4096], packed[4096], envelope[4096], bytes[4096];
    struct batch b = {.epoch = 1,
                      .seq_base = 1,
                      .seq_next = EVENTS + 1,
                      .time_base_us = NOW,
                      .sent_us = NOW,
                      .count = EVENTS,
                      .encoding = BATCH_ZSTD};
    const uint8_t signature[COSE_SIGNATURE_SIZE] = {0};
    uint64_t state = n, offset;
    struct writer w;
    size_t len;

    vid_of(n, b.vid);
    writer_init(&w, plain, sizeof plain);
    batch_body_begin(&w, EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct event ev;

        make_event(&ev, i, &state);
        batch_body_add(&w, &b, &ev);
    }
    b.body_len = (uint32_t)w.len;
    if (compressor_pack(c, writer_slice(&w), packed, sizeof packed, &len) != VS_OK)
        die("compression");
    b.body = slice_make(packed, len);
    writer_init(&w, envelope, sizeof envelope);
    batch_envelope_write(&w, &b);
    struct slice payload = writer_slice(&w);
    writer_init(&w, bytes, sizeof bytes);
    cose_sign1_write(&w, COSE_ALG_EDDSA, payload, slice_make(signature, sizeof signature));
    struct stream_record rec = {.received_us = NOW + n,
                                .door = STREAM_DOOR_HTTPS,
                                .format = STREAM_FORMAT_BATCH,
                                .key = slice_make(b.vid, EV_VID_SIZE),
                                .value = writer_slice(&w)};
    if (w.full || stream_append(log, &rec, &offset) != VS_OK)
        die("append");
}

static void fill(struct stream *log, struct store *st, uint32_t vehicles)
{
    struct compressor *c = NULL;

    if (compressor_new(3, &c) != VS_OK || store_begin(st) != VS_OK)
        die("fill");
    for (uint32_t n = 0; n < vehicles; n++) {
        struct vehicle_facts facts = {.model = slice_str("Model"),
                                      .hardware = slice_str("H1"),
                                      .region = slice_str("EU"),
                                      .owner = slice_str(""),
                                      .enrolled_us = NOW};

        vid_of(n, facts.vid);
        if (registry_store_put(st, &facts) != VS_OK)
            die("registry");
        append(log, c, n);
    }
    if (store_commit(st) != VS_OK || stream_sync(log) != VS_OK)
        die("fill");
    compressor_free(c);
}

static struct log_pipeline *open_pipeline(struct stream *log, struct store *st, const char *dir)
{
    const struct pipeline_config cfg = {
        .stream = log, .store = st, .rules_path = "content/rules", .lateness_days = 30, .snapshot_dir = dir};
    struct pipeline_error error;
    struct log_pipeline *p = NULL;

    if (pipeline_open(&cfg, &p, &error) != VS_OK)
        die(error.text);
    return p;
}

static void read_all(struct log_pipeline *p)
{
    uint32_t count = 1;

    while (count > 0)
        if (pipeline_read(p, 5000, &count) != VS_OK || pipeline_commit(p) != VS_OK)
            die("pipeline");
}

static void measure(struct stream *log, struct store *st, const char *dir, uint32_t vehicles)
{
    double before = resident_bytes(), from_s = wall_s();
    struct log_pipeline *p = open_pipeline(log, st, dir);
    double opened = resident_bytes();
    struct pipeline_progress progress;

    read_all(p);
    double read_s = wall_s() - from_s, full = resident_bytes();
    from_s = wall_s();
    if (pipeline_snapshot(p) != VS_OK)
        die("snapshot");
    double snapshot_s = wall_s() - from_s;
    from_s = wall_s();
    enum vs_err err = pipeline_snapshot_start(p);
    double pause_s = wall_s() - from_s;
    while (err == VS_OK && !pipeline_snapshot_ended(p, &err))
        usleep(10000);
    if (err != VS_OK)
        die("snapshot in the background");
    pipeline_close(p);
    from_s = wall_s();
    p = open_pipeline(log, st, dir);
    read_all(p);
    double restart_s = wall_s() - from_s;
    pipeline_progress(p, &progress);
    if (!progress.from_snapshot || progress.replayed > 0)
        die("restart");
    pipeline_close(p);
    printf("{\"bench\":\"restart\",\"vehicles\":%u,\"events\":%u,\"vehicle_record_bytes\":%d,"
           "\"registry_and_rules_bytes_per_vehicle\":%.0f,\"state_bytes_per_vehicle\":%.0f,\"first_read_s\":%.1f,"
           "\"snapshot_s\":%.2f,\"snapshot_pause_s\":%.3f,\"restart_s\":%.2f,\"target_s\":10,\"met\":%s}\n",
           vehicles, vehicles * EVENTS, VEHICLE_STATE_SIZE, (opened - before) / vehicles, (full - opened) / vehicles,
           read_s, snapshot_s, pause_s, restart_s, restart_s < 10 ? "true" : "false");
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/vsoc-bench-XXXXXX", store_address[128];
    uint32_t vehicles = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    struct stream_error stream_error;
    struct store_error store_error;
    struct stream *log;
    struct store *st;

    if (vehicles == 0 || mkdtemp(dir) == NULL)
        die("folder");
    snprintf(store_address, sizeof store_address, "sqlite:%s/state.db", dir);
    if (stream_open("memory:", true, &log, &stream_error) != VS_OK ||
        store_open(store_address, &st, &store_error) != VS_OK)
        die("open");
    fill(log, st, vehicles);
    measure(log, st, dir, vehicles);
    store_close(st);
    stream_close(log);
    return bench_remove_tree(dir) == 0 ? 0 : 2;
}
