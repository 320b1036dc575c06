/* Decoding of batch bodies: events per CPU second of the zero-copy reader, with and without schema validation, and of
 * libcbor on the same bytes; and bytes per event on the uplink for batches of 100, 10 and 1. */
#include <cbor.h>
#include <string.h>

#include "base/compress.h"
#include "bench.h"
#include "codec/cose.h"
#include "event/batch.h"
#include "event/event_json.h"

#define EVENTS 100
#define ROUNDS 20000

struct sample {
    uint8_t body[65536];
    struct batch batch;
    size_t len;
    uint64_t checksum;
};

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* A vehicle's ordinary mix: positions, diagnostics, CAN findings with payload, firewall matches. Values are drawn, so
 * that nothing compresses better than it would in the field. */
static void make_event(struct event *ev, uint32_t i, uint64_t *state, int64_t base_us)
{
    static uint8_t payload[EVENTS][8];
    static const char *const PDU[] = {"EngTorque", "BrakePressure", "SteerAngle", "DoorLock"};
    int64_t at_us = base_us + (int64_t)i * 7000000 + (int64_t)(draw(state) % 5000000);

    switch (i % 4) {
    case 0:
        event_init(ev, EV_VEHICLE_CONTACT, at_us);
        event_set_int(ev, EV_F_LAT, 485000000 + (int64_t)(draw(state) % 1000000));
        event_set_int(ev, EV_F_LON, 115000000 + (int64_t)(draw(state) % 1000000));
        event_set_int(ev, EV_F_SPEED, (int64_t)(draw(state) % 3600));
        event_set_bool(ev, EV_F_IGNITION, true);
        ev->ecu = slice_str("TCU");
        break;
    case 1:
        event_init(ev, EV_UDS_NEGATIVE_RESPONSE, at_us);
        event_set_uint(ev, EV_F_SERVICE, 0x22);
        event_set_uint(ev, EV_F_NRC, 0x31);
        event_set_uint(ev, EV_F_DID, draw(state) % 65536);
        event_set_uint(ev, EV_F_CLIENT, 0x0E80);
        ev->ecu = slice_str("GW");
        break;
    case 2:
        for (int k = 0; k < 8; k++)
            payload[i][k] = (uint8_t)draw(state);
        event_init(ev, EV_CAN_CYCLE_TOO_FAST, at_us);
        event_set_uint(ev, EV_F_CAN_ID, draw(state) % 0x7FF);
        event_set_uint(ev, EV_F_GAP_US, draw(state) % 10000);
        event_set_uint(ev, EV_F_CYCLE_US, 10000);
        event_set_text(ev, EV_F_DATA, slice_make(payload[i], 8));
        event_set_text(ev, EV_F_DETECTOR, slice_str("slot_residual"));
        event_set_int(ev, EV_F_SCORE, 100 + (int64_t)(draw(state) % 900));
        ev->bus = slice_str("can0");
        break;
    default:
        event_init(ev, EV_SECOC_VERIFICATION_FAILED, at_us);
        event_set_text(ev, EV_F_PDU, slice_str(PDU[draw(state) % 4]));
        event_set_int(ev, EV_F_VALUE, (int64_t)(draw(state) % 0xFFFFFF));
        ev->ecu = slice_str("GW");
    }
    ev->seq = i + 1;
}

static void make_body(struct sample *s, uint32_t count)
{
    uint64_t state = 42;
    struct writer w;
    struct event ev;

    memset(&s->batch, 0, sizeof s->batch);
    s->batch.epoch = 1;
    s->batch.seq_base = 1;
    s->batch.seq_next = count + 1;
    s->batch.time_base_us = INT64_C(1790000000000000);
    s->batch.sent_us = s->batch.time_base_us;
    s->batch.count = count;
    for (unsigned i = 0; i < EV_VID_SIZE; i++)
        s->batch.vid[i] = (uint8_t)draw(&state);
    writer_init(&w, s->body, sizeof s->body);
    batch_body_begin(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        make_event(&ev, i, &state, s->batch.time_base_us);
        batch_body_add(&w, &s->batch, &ev);
    }
    if (w.full)
        abort();
    s->len = w.len;
    s->batch.body_len = (uint32_t)w.len;
}

static uint64_t decode(struct sample *s, bool validate)
{
    struct batch_reader r;
    struct event ev;
    uint64_t n = 0;

    for (int round = 0; round < ROUNDS; round++) {
        if (batch_reader_init(&r, &s->batch, slice_make(s->body, s->len), NULL) != VS_OK)
            abort();
        while (batch_reader_next(&r, &ev, NULL) == VS_OK) {
            if (validate && event_validate(&ev, NULL) != VS_OK)
                abort();
            s->checksum += ev.seq + ev.field_count + (uint64_t)ev.first_us;
            n++;
        }
    }
    return n;
}

static uint64_t run_decode(void *ctx)
{
    return decode(ctx, false);
}

static uint64_t run_validate(void *ctx)
{
    return decode(ctx, true);
}

/* The peer: libcbor builds a tree of the same body; nothing is even read from it. */
static uint64_t run_libcbor(void *ctx)
{
    struct sample *s = ctx;

    for (int round = 0; round < ROUNDS / 50; round++) {
        struct cbor_load_result result;
        cbor_item_t *item = cbor_load(s->body, s->len, &result);

        if (item == NULL)
            abort();
        s->checksum += cbor_array_size(item);
        cbor_decref(&item);
    }
    return (uint64_t)ROUNDS / 50 * EVENTS;
}

static void print_sizes(struct sample *s, uint32_t count)
{
    static uint8_t packed[65536], envelope[70000], sealed[70000];
    static char json[EVENT_JSON_SIZE];
    struct compressor *c = NULL;
    struct writer w;
    size_t len = 0, json_len = 0;
    uint64_t state = 42;
    struct event ev;

    make_body(s, count);
    if (compressor_new(3, &c) != VS_OK ||
        compressor_pack(c, slice_make(s->body, s->len), packed, sizeof packed, &len) != VS_OK)
        abort();
    s->batch.encoding = BATCH_ZSTD;
    s->batch.body = slice_make(packed, len);
    if (len >= s->len) {
        s->batch.encoding = BATCH_PLAIN;
        s->batch.body = slice_make(s->body, s->len);
    }
    writer_init(&w, envelope, sizeof envelope);
    batch_envelope_write(&w, &s->batch);
    struct slice payload = writer_slice(&w);
    writer_init(&w, sealed, sizeof sealed);
    cose_sign1_write(&w, COSE_ALG_EDDSA, payload, slice_make(packed, COSE_SIGNATURE_SIZE));
    for (uint32_t i = 0; i < count; i++) {
        struct writer text;

        make_event(&ev, i, &state, s->batch.time_base_us);
        writer_init(&text, json, sizeof json);
        event_json_write(&ev, slice_str("0123456789abcdef0123456789abcdef"), slice_str(""), &text);
        json_len += text.len + 1;
    }
    printf("{\"bench\":\"uplink_bytes_per_event\",\"batch\":%u,\"plain\":%.1f,\"sent\":%.1f,\"json\":%.1f,\"target\":"
           "60,\"met\":%s}\n",
           count, (double)s->len / count, (double)w.len / count, (double)json_len / count,
           (double)w.len / count <= 60 || count < 100 ? "true" : "false");
    compressor_free(c);
}

int main(void)
{
    static struct sample s;

    make_body(&s, EVENTS);
    bench_rate("event_decode", "events/cpu-s", 12e6, run_decode, &s);
    bench_rate("event_decode_validate", "events/cpu-s", 0, run_validate, &s);
    bench_rate("libcbor_load_only", "events/cpu-s", 0, run_libcbor, &s);
    print_sizes(&s, 100);
    print_sizes(&s, 10);
    print_sizes(&s, 1);
    return s.checksum == 0;
}
