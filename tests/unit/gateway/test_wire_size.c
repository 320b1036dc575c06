/* What an event costs on the way to the backend: batches of 100 as they leave the gateway, envelope, compression and
 * signature included, against the same events as JSON lines. R-090; the goal is 60 bytes. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/compress.h"
#include "event/event_json.h"
#include "rig.h"

#define EVENTS 1000u

static enum vs_err pack(void *ctx, struct slice in, uint8_t *out, size_t size, size_t *ret_len)
{
    return compressor_pack(ctx, in, out, size, ret_len);
}

/* A bad day of one vehicle: injected frames, failed authentications, a diagnostic scan and ordinary audit records, with
 * the values that such events have: raw payloads, gaps and process ids are noise that nothing compresses. */
static void make_event(struct event *ev, int64_t time_us, struct seed *s, uint8_t data[8], char text[64])
{
    static const char *const ecu[] = {"CGW", "BCM", "ADAS", "IVI"};
    static const char *const signal[] = {"EngTorque", "BrakePressure", "SteerAngle", "WheelSpeedFL"};
    unsigned kind = (unsigned)seed_below(s, 6);

    for (unsigned i = 0; i < 8; i++)
        data[i] = (uint8_t)seed_next(s);
    if (kind <= 1) {
        event_init(ev, EV_CAN_CYCLE_TOO_FAST, time_us);
        event_set_uint(ev, EV_F_CAN_ID, 0x100 + seed_below(s, 40));
        event_set_uint(ev, EV_F_GAP_US, seed_below(s, 10000));
        event_set_uint(ev, EV_F_CYCLE_US, 10000);
        event_set_text(ev, EV_F_DATA, slice_make(data, 8));
        event_set_text(ev, EV_F_DETECTOR, slice_str("slot_residual"));
        event_set_int(ev, EV_F_SCORE, 100 + (int64_t)seed_below(s, 900));
        ev->bus = slice_str("can0");
    } else if (kind == 2) {
        event_init(ev, EV_SECOC_VERIFICATION_FAILED, time_us);
        event_set_text(ev, EV_F_PDU, slice_str(signal[seed_below(s, 4)]));
        event_set_int(ev, EV_F_VALUE, (int64_t)seed_below(s, 65536));
        event_set_uint(ev, EV_F_FRESHNESS, 1000000 + seed_below(s, 1000));
    } else if (kind == 3) {
        event_init(ev, EV_UDS_NEGATIVE_RESPONSE, time_us);
        event_set_uint(ev, EV_F_SERVICE, 0x27);
        event_set_uint(ev, EV_F_NRC, 0x35 + seed_below(s, 2));
        event_set_uint(ev, EV_F_CLIENT, 0xE80);
    } else if (kind == 4) {
        event_init(ev, EV_CAN_SIGNAL_OUT_OF_RANGE, time_us);
        event_set_uint(ev, EV_F_CAN_ID, 0x100 + seed_below(s, 40));
        event_set_text(ev, EV_F_SIGNAL, slice_str(signal[seed_below(s, 4)]));
        event_set_int(ev, EV_F_VALUE, (int64_t)seed_below(s, 100000));
        event_set_text(ev, EV_F_DATA, slice_make(data, 8));
        ev->bus = slice_str("can1");
    } else {
        event_init(ev, EV_HOST_AUDIT, time_us);
        snprintf(text, 64, "session %u opened for user %u", (unsigned)seed_below(s, 100000),
                 (unsigned)seed_below(s, 30));
        event_set_text(ev, EV_F_TEXT, slice_str(text));
        event_set_text(ev, EV_F_PROCESS, slice_str("/usr/sbin/sshd"));
        event_set_uint(ev, EV_F_UID, seed_below(s, 2000));
    }
    ev->ecu = slice_str(ecu[seed_below(s, 4)]);
}

static size_t json_size(const struct event *ev)
{
    static char text[EVENT_JSON_SIZE];
    struct writer w;

    writer_init(&w, text, sizeof text);
    event_json_write(ev, slice_str("0123456789abcdef0123456789abcdef"), slice_str(""), &w);
    return w.len + 1;
}

/* Bytes on the wire of EVENTS events in batches of 100. */
static uint64_t wire_size(bool packed, uint64_t *ret_json)
{
    static struct rig r;
    static uint8_t memory[1u << 20];
    struct compressor *c = NULL;
    struct seed s = {42};
    uint64_t bytes = 0;
    size_t len;

    assert_int_equal(compressor_new(3, &c), VS_OK);
    struct port_pack port = {pack, c};
    rig_init(&r, 16384);
    r.memory.entry = realloc(r.memory.entry, 2000 * sizeof *r.memory.entry);
    r.memory.entry_max = 2000;
    r.ports.pack = packed ? &port : NULL;
    r.rule[0] = (struct qualify_rule){.mode = QUALIFY_DETAILED_BYPASS};
    r.cfg.rule_count = 1;
    r.cfg.batch_bytes_max = 32768;
    free(r.memory.scratch);
    r.memory.scratch = memory;
    r.memory.scratch_size = sizeof memory;
    assert_int_equal(rig_start(&r), VS_OK);
    *ret_json = 0;
    for (unsigned i = 0; i < EVENTS; i++) {
        struct event ev;
        uint8_t data[8];
        char text[64];

        r.now_us += (int64_t)seed_below(&s, 3000000);
        make_event(&ev, r.now_us, &s, data, text);
        assert_int_equal(gateway_report(&r.gw, &ev, r.now_us), VS_OK);
        ev.seq = i + 1;
        ev.epoch = 1;
        *ret_json += json_size(&ev);
    }
    assert_int_equal(gateway_flush(&r.gw, r.now_us), VS_OK);
    gateway_link(&r.gw, BEARER_FREE);
    r.memory.scratch = NULL;
    uint8_t *out = malloc(GATEWAY_OUT_SIZE(32768));
    while (gateway_next_batch(&r.gw, r.now_us, out, GATEWAY_OUT_SIZE(32768), &len) == VS_OK) {
        assert_int_equal(gateway_under_way(&r.gw)->events, 100);
        bytes += len;
        gateway_acked(&r.gw, r.now_us);
    }
    free(out);
    rig_done(&r);
    compressor_free(c);
    return bytes;
}

static void bytes_per_event(void **state)
{
    uint64_t json, plain = wire_size(false, &json), packed = wire_size(true, &json);

    (void)state;
    printf("bytes per event in batches of 100: CBOR %.1f, CBOR and zstd %.1f, JSON lines %.1f\n",
           (double)plain / EVENTS, (double)packed / EVENTS, (double)json / EVENTS);
    assert_true(packed <= 60 * EVENTS);
    assert_true(packed < plain && plain * 2 < json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_per_event)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
