/* From the event log to normalised events: whole path (COSE, envelope, zstd, decode, validate, dedup, clock, enrich),
 * the state per vehicle alone, and the log itself. One vehicle per batch of 100 events, vehicles in random order. */
#include <string.h>

#include "base/compress.h"
#include "bench.h"
#include "codec/cose.h"
#include "event/batch.h"
#include "ingest/normalise.h"
#include "ingest/vehicle_table.h"
#include "stream/stream.h"

#define BATCHES     2000
#define EVENTS      100
#define VEHICLES    1000000u
#define UPDATES     10000000u
#define SAMPLE_SIZE 16384
#define NOW         INT64_C(1790000000000000)

struct sample {
    struct stream_record rec;
    uint8_t key[EV_VID_SIZE];
    uint8_t bytes[SAMPLE_SIZE];
};

struct world {
    struct sample *sample;
    struct registry *registry;
    uint64_t handed_on;
    struct vehicle_table table;
    struct stream *log;
};

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
    static const char *const PDU[] = {"EngTorque", "BrakePressure", "SteerAngle", "DoorLock"};
    int64_t at_us = NOW - 1000000 + (int64_t)(draw(state) % 900000);

    switch (i % 3) {
    case 0:
        event_init(ev, EV_VEHICLE_CONTACT, at_us);
        event_set_int(ev, EV_F_LAT, 485000000 + (int64_t)(draw(state) % 1000000));
        event_set_int(ev, EV_F_LON, 115000000 + (int64_t)(draw(state) % 1000000));
        break;
    case 1:
        event_init(ev, EV_UDS_NEGATIVE_RESPONSE, at_us);
        event_set_uint(ev, EV_F_SERVICE, 0x22);
        event_set_uint(ev, EV_F_NRC, 0x31);
        event_set_uint(ev, EV_F_CLIENT, 0x0E80);
        break;
    default:
        event_init(ev, EV_SECOC_VERIFICATION_FAILED, at_us);
        event_set_text(ev, EV_F_PDU, slice_str(PDU[draw(state) % 4]));
        event_set_int(ev, EV_F_VALUE, (int64_t)(draw(state) % 0xFFFFFF));
    }
    ev->ecu = slice_str("GW");
    ev->seq = i + 1;
}

static void make_sample(struct sample *s, uint32_t n, struct compressor *c)
{
    static uint8_t plain[65536], packed[65536], envelope[65536];
    struct batch b = {.epoch = 1,
                      .seq_base = 1,
                      .seq_next = EVENTS + 1,
                      .time_base_us = NOW,
                      .sent_us = NOW,
                      .count = EVENTS,
                      .encoding = BATCH_ZSTD};
    const uint8_t signature[COSE_SIGNATURE_SIZE] = {0};
    uint64_t state = n;
    struct writer w;
    struct event ev;
    size_t len;

    vid_of(n, b.vid);
    writer_init(&w, plain, sizeof plain);
    batch_body_begin(&w, EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++) {
        make_event(&ev, i, &state);
        batch_body_add(&w, &b, &ev);
    }
    b.body_len = (uint32_t)w.len;
    if (compressor_pack(c, writer_slice(&w), packed, sizeof packed, &len) != VS_OK)
        abort();
    b.body = slice_make(packed, len);
    writer_init(&w, envelope, sizeof envelope);
    batch_envelope_write(&w, &b);
    struct slice payload = writer_slice(&w);
    writer_init(&w, s->bytes, sizeof s->bytes);
    cose_sign1_write(&w, COSE_ALG_EDDSA, payload, slice_make(signature, sizeof signature));
    if (w.full)
        abort();
    memcpy(s->key, b.vid, sizeof s->key);
    s->rec = (struct stream_record){.offset = n,
                                    .received_us = NOW,
                                    .door = 1,
                                    .format = STREAM_FORMAT_BATCH,
                                    .key = slice_make(s->key, sizeof s->key),
                                    .value = writer_slice(&w)};
}

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct world *w = ctx;

    w->handed_on += ev->count + (no->sw_version.len & 0);
}

static uint64_t run_normalise(void *ctx)
{
    struct world *w = ctx;
    struct normalise_config cfg = {.registry = w->registry, .event = on_event, .ctx = w};
    struct normalise *n;
    uint64_t before = w->handed_on;

    for (unsigned round = 0; round < 5; round++) {
        if (normalise_new(&cfg, &n) != VS_OK)
            abort();
        for (unsigned i = 0; i < BATCHES; i++)
            if (normalise_step(n, &w->sample[i].rec) != VS_OK)
                abort();
        normalise_free(n);
    }
    return w->handed_on - before;
}

/* One lookup, then as many numbers taken as a batch has: that is how the state is used. A vehicle drawn at random is
 * never in the cache, so the lookup costs two waits for memory, however it is done. */
static uint64_t update(struct world *w, uint32_t per_batch)
{
    uint64_t state = w->handed_on++;
    uint8_t vid[EV_VID_SIZE];

    for (uint32_t i = 0; i < UPDATES; i += per_batch) {
        struct epoch_view view;
        uint32_t number;

        vid_of((uint32_t)(draw(&state) % VEHICLES), vid);
        if (vehicle_table_get(&w->table, vid, &number) != VS_OK)
            abort();
        struct vehicle_state *v = vehicle_table_at(&w->table, number);
        if (vehicle_epoch(v, 1, &view) != EPOCH_OK)
            abort();
        for (uint32_t k = 0; k < per_batch; k++)
            if (seq_set_look(view.taken, view.taken->low + 1) != SEQ_NEW ||
                seq_set_add(view.taken, view.taken->low + 1) != SEQ_NEW)
                abort();
        *view.produced = view.taken->low;
        vehicle_table_mark(&w->table, number);
    }
    return UPDATES;
}

static uint64_t run_state_batches(void *ctx)
{
    return update(ctx, 10);
}

static uint64_t run_state(void *ctx)
{
    return update(ctx, 1);
}

static uint64_t run_append(void *ctx)
{
    struct world *w = ctx;
    uint64_t offset;

    for (unsigned i = 0; i < BATCHES; i++) {
        if (stream_append(w->log, &w->sample[i].rec, &offset) != VS_OK)
            abort();
        if (i % 50 == 49 && stream_sync(w->log) != VS_OK)
            abort();
    }
    return BATCHES * EVENTS;
}

static uint64_t run_read(void *ctx)
{
    struct world *w = ctx;
    struct stream_reader *r;
    struct stream_record rec;
    uint64_t count = 0;

    if (stream_reader_open(w->log, 0, 0, &r) != VS_OK)
        abort();
    while (stream_reader_next(r, &rec) == VS_OK)
        count += EVENTS;
    stream_reader_close(r);
    return count;
}

static void enrol(struct world *w)
{
    for (uint32_t n = 0; n < BATCHES; n++) {
        struct vehicle_facts f = {.model = slice_str("Model A"), .region = slice_str("EU")};
        struct software_period p = {slice_str(""), slice_str("4.1"), 0, 0, SOFTWARE_IMPORT};

        vid_of(n, f.vid);
        if (registry_put(w->registry, &f) != VS_OK || registry_software_put(w->registry, f.vid, &p) != VS_OK)
            abort();
    }
}

int main(void)
{
    struct world w = {.sample = calloc(BATCHES, sizeof(struct sample))};
    struct compressor *c;
    struct stream_error error;
    char dir[] = "/tmp/vsoc-bench-XXXXXX", address[64];

    if (w.sample == NULL || mkdtemp(dir) == NULL || compressor_new(3, &c) != VS_OK ||
        registry_new(&w.registry) != VS_OK || vehicle_table_init(&w.table, VEHICLES) != VS_OK)
        return 1;
    enrol(&w);
    for (uint32_t n = 0; n < BATCHES; n++)
        make_sample(&w.sample[n], n, c);
    compressor_free(c);
    bench_rate("normalise", "events/CPU-s", 3e6, run_normalise, &w);
    for (uint32_t n = 0; n < VEHICLES; n++) {
        uint8_t vid[EV_VID_SIZE];
        uint32_t number;

        vid_of(n, vid);
        if (vehicle_table_get(&w.table, vid, &number) != VS_OK)
            return 1;
    }
    printf("{\"bench\":\"vehicle_state_size\",\"unit\":\"bytes\",\"value\":%.1f,\"target\":100}\n",
           VEHICLE_STATE_SIZE + 8.0 * ((double)w.table.slot_mask + 1) / VEHICLES);
    bench_rate("vehicle_state_batches_of_10", "updates/CPU-s", 10e6, run_state_batches, &w);
    bench_rate("vehicle_state_single", "updates/CPU-s", 0, run_state, &w);
    snprintf(address, sizeof address, "segment:%s/log", dir);
    if (stream_open(address, true, &w.log, &error) != VS_OK)
        return 1;
    bench_rate("segment_append", "events/CPU-s", 20e6, run_append, &w);
    bench_rate("segment_read", "events/CPU-s", 20e6, run_read, &w);
    stream_close(w.log);
    vehicle_table_done(&w.table);
    registry_free(w.registry);
    free(w.sample);
    return bench_remove_tree(dir) == 0 ? 0 : 1;
}
