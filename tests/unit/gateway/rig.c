#include "rig.h"

#include <stdlib.h>

#include "check.h"
#include "codec/cose.h"
#include "core/crc32c.h"
#include "event/batch.h"
#include "gateway/record.h"

/* ---- flash ---- */

/* Counts an operation; false when the power is gone or goes with it, or when it is the one that fails. */
static bool operate(struct flash *f)
{
    f->ops++;
    if (f->cut != 0 && f->ops >= f->cut)
        f->off = true;
    return !f->off && f->ops != f->io_fail;
}

static enum vs_err flash_read(void *ctx, uint64_t offset, uint8_t *buf, size_t len)
{
    struct flash *f = ctx;

    assert_true(offset + len <= (uint64_t)f->blocks * f->device.block_size);
    if (f->off)
        return VS_ERR_IO;
    memcpy(buf, f->view + offset, len);
    return VS_OK;
}

/* A write that power interrupts is pending like one that was not synced. */
static enum vs_err flash_write(void *ctx, uint64_t offset, const uint8_t *buf, size_t len)
{
    struct flash *f = ctx;
    bool was_off = f->off;
    bool good = operate(f);

    assert_true(offset % f->device.block_size == 0 && len % f->device.block_size == 0);
    assert_true(offset + len <= (uint64_t)f->blocks * f->device.block_size);
    if (was_off)
        return VS_ERR_IO;
    assert_true(f->pending_count < RIG_PENDING);
    f->pending[f->pending_count].offset = offset;
    f->pending[f->pending_count].len = len;
    f->pending[f->pending_count].data = malloc(len);
    memcpy(f->pending[f->pending_count].data, buf, len);
    f->pending_count++;
    if (!f->off)
        memcpy(f->view + offset, buf, len);
    return good ? VS_OK : VS_ERR_IO;
}

static void forget_pending(struct flash *f)
{
    for (unsigned i = 0; i < f->pending_count; i++)
        free(f->pending[i].data);
    f->pending_count = 0;
}

static enum vs_err flash_sync(void *ctx)
{
    struct flash *f = ctx;

    if (!operate(f))
        return VS_ERR_IO;
    for (unsigned i = 0; i < f->pending_count; i++)
        memcpy(f->bytes + f->pending[i].offset, f->pending[i].data, f->pending[i].len);
    forget_pending(f);
    return VS_OK;
}

static enum vs_err flash_anchor_read(void *ctx, struct port_anchor_value *ret)
{
    const struct flash *f = ctx;

    if (f->off)
        return VS_ERR_IO;
    if (!f->anchored)
        return VS_ERR_NOT_FOUND;
    *ret = f->anchor;
    return VS_OK;
}

static enum vs_err flash_anchor_write(void *ctx, const struct port_anchor_value *value)
{
    struct flash *f = ctx;

    if (!operate(f))
        return VS_ERR_IO;
    f->anchor = *value;
    f->anchored = true;
    return VS_OK;
}

void flash_init(struct flash *f, uint32_t block_size, uint32_t blocks)
{
    memset(f, 0, sizeof *f);
    f->bytes = calloc(blocks, block_size);
    f->view = calloc(blocks, block_size);
    f->blocks = blocks;
    f->device = (struct port_device){block_size, blocks, flash_read, flash_write, flash_sync, f};
    f->anchor_port = (struct port_anchor){flash_anchor_read, flash_anchor_write, f};
}

void flash_done(struct flash *f)
{
    forget_pending(f);
    free(f->bytes);
    free(f->view);
}

static void apply_torn(struct flash *f, unsigned i, enum tear tear, struct seed *seed)
{
    uint8_t *to = f->bytes + f->pending[i].offset;
    const uint8_t *from = f->pending[i].data;
    size_t len = f->pending[i].len;
    size_t prefix = (size_t)seed_below(seed, len + 1);

    for (size_t at = 0; at < len; at += 8) {
        size_t n = len - at < 8 ? len - at : 8;
        bool taken = tear == TEAR_ALL_APPLIED || (tear == TEAR_PREFIX && at + n <= prefix) ||
                     (tear >= TEAR_OUT_OF_ORDER && seed_below(seed, 2) == 0);

        if (taken)
            memcpy(to + at, from + at, n);
        else if (tear == TEAR_GARBAGE && seed_below(seed, 2) == 0)
            for (size_t k = 0; k < n; k++)
                to[at + k] = (uint8_t)seed_next(seed);
    }
}

void flash_power_on(struct flash *f, enum tear tear, struct seed *seed)
{
    for (unsigned i = 0; i < f->pending_count; i++)
        if (tear != TEAR_NONE_APPLIED)
            apply_torn(f, i, tear, seed);
    forget_pending(f);
    memcpy(f->view, f->bytes, (size_t)f->blocks * f->device.block_size);
    f->off = false;
    f->cut = 0;
}

/* ---- toy crypto: keyed, sensitive to every bit, and nothing more ---- */

static uint64_t mix(uint64_t h, struct slice s)
{
    h ^= s.len * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.ptr[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static void toy_tag(const uint8_t *nonce, struct slice aad, struct slice cipher, uint8_t tag[16])
{
    for (unsigned half = 0; half < 2; half++) {
        uint64_t h = mix(mix(mix(UINT64_C(0x5DEECE66D1234567) + half, slice_make(nonce, 12)), aad), cipher);

        for (unsigned i = 0; i < 8; i++)
            tag[half * 8 + i] = (uint8_t)(h >> 8 * i);
    }
}

static void toy_stream(const uint8_t *nonce, struct slice in, uint8_t *out)
{
    struct seed s = {mix(77, slice_make(nonce, 12))};

    for (size_t i = 0; i < in.len; i++)
        out[i] = in.ptr[i] ^ (uint8_t)seed_next(&s);
}

static enum vs_err toy_seal(void *ctx, const uint8_t *nonce, struct slice aad, struct slice in, uint8_t *out)
{
    (void)ctx;
    toy_stream(nonce, in, out);
    toy_tag(nonce, aad, slice_make(out, in.len), out + in.len);
    return VS_OK;
}

static enum vs_err toy_open(void *ctx, const uint8_t *nonce, struct slice aad, struct slice in, uint8_t *out)
{
    uint8_t tag[16];

    (void)ctx;
    toy_tag(nonce, aad, slice_head(in, in.len - 16), tag);
    if (memcmp(tag, in.ptr + in.len - 16, 16) != 0)
        return VS_ERR_TAMPERED;
    toy_stream(nonce, slice_head(in, in.len - 16), out);
    return VS_OK;
}

const struct port_aead *rig_aead(void)
{
    static const struct port_aead AEAD = {toy_seal, toy_open, NULL};

    return &AEAD;
}

static enum vs_err toy_sign(void *ctx, struct slice in, uint8_t ret[PORT_SIGNATURE])
{
    (void)ctx;
    for (unsigned i = 0; i < 4; i++)
        toy_tag((const uint8_t *)"abcdefghijkl" + 0, slice_make(&i, sizeof i), in, ret + 16 * i);
    return VS_OK;
}

const struct port_sign *rig_sign(void)
{
    static const struct port_sign SIGN = {COSE_ALG_EDDSA, toy_sign, NULL};

    return &SIGN;
}

/* ---- ledger ---- */

#define GIVEN_UP UINT32_C(0x80000000) /* in ledger.folded: the filter was the full journal */

void ledger_init(struct ledger *l)
{
    memset(l, 0, sizeof *l);
    l->received = calloc(LEDGER_NUMBERS, sizeof *l->received);
    l->folded = calloc(LEDGER_NUMBERS, sizeof *l->folded);
    l->seq_next = 1;
}

void ledger_done(struct ledger *l)
{
    free(l->received);
    free(l->folded);
}

/* What an event says, without where it stands in a batch. */
static uint32_t fingerprint(const struct event *ev)
{
    static uint8_t buf[8192];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    record_write(ev, &w);
    assert_false(w.full);
    return crc32c(0, writer_slice(&w)) | 1;
}

static void take_folds(struct ledger *l, const struct event *ev)
{
    for (unsigned i = 0; i < ev->fold_count; i++) {
        const struct ev_fold *f = &ev->fold[i];

        assert_true(f->seq_first >= 1 && f->seq_first + f->count <= l->seq_next);
        l->by_filter[f->filter] += f->count;
        for (uint64_t n = f->seq_first; n < f->seq_first + f->count; n++) {
            bool given_up = f->filter == EV_FILTER_JOURNAL_FULL;
            if (l->folded[n] != 0 && !given_up)
                fail_msg("number %llu is in %u and in %llu", (unsigned long long)n, l->folded[n],
                         (unsigned long long)ev->seq);
            l->folded[n] = (uint32_t)ev->seq | (given_up ? GIVEN_UP : 0);
        }
    }
}

static void take_event(struct ledger *l, const struct event *ev)
{
    uint32_t print = fingerprint(ev);

    assert_int_equal(event_validate(ev, NULL), VS_OK);
    assert_true(ev->seq < l->seq_next && ev->seq < LEDGER_NUMBERS);
    if (l->received[ev->seq] != 0) {
        assert_int_equal(l->received[ev->seq], print);
        l->duplicates++;
        return;
    }
    l->received[ev->seq] = print;
    l->count_total += ev->count;
    l->events++;
    l->of_type[ev->type & 0xFFF]++;
    take_folds(l, ev);
}

static void check_signature(const struct cose_sign1 *m)
{
    static uint8_t text[65536];
    uint8_t want[PORT_SIGNATURE];
    struct writer w;

    writer_init(&w, text, sizeof text);
    cose_to_verify(&w, m);
    assert_false(w.full);
    assert_int_equal(toy_sign(NULL, writer_slice(&w), want), VS_OK);
    assert_memory_equal(want, m->signature.ptr, sizeof want);
}

void ledger_take(struct ledger *l, struct slice cose)
{
    struct cose_sign1 m;
    struct batch b;
    struct batch_error error;
    struct batch_reader reader;
    struct event ev;
    size_t byte;

    assert_int_equal(cose_sign1_read(cose, &m, &byte), VS_OK);
    check_signature(&m);
    assert_int_equal(batch_envelope_read(m.payload, &b, &error), VS_OK);
    assert_int_equal(b.encoding, BATCH_PLAIN);
    if (b.epoch != l->epoch) {
        assert_true(b.epoch > l->epoch);
        assert_int_equal(l->events, 0);
        l->epoch = b.epoch;
    }
    if (b.seq_next > l->seq_next)
        l->seq_next = b.seq_next;
    assert_int_equal(batch_reader_init(&reader, &b, b.body, &error), VS_OK);
    uint64_t last = 0;
    for (uint32_t i = 0; i < b.count; i++) {
        assert_int_equal(batch_reader_next(&reader, &ev, &error), VS_OK);
        assert_true(ev.seq > last);
        last = ev.seq;
        take_event(l, &ev);
    }
    assert_int_equal(batch_reader_next(&reader, &ev, &error), VS_ERR_END);
    l->bytes += cose.len;
    l->plain_bytes += b.body_len;
    l->batches++;
}

uint64_t ledger_missing(const struct ledger *l)
{
    uint64_t missing = 0;

    for (uint64_t n = 1; n < l->seq_next; n++)
        missing += l->received[n] == 0 && l->folded[n] == 0;
    return missing;
}

void ledger_check_complete(const struct ledger *l)
{
    for (uint64_t n = 1; n < l->seq_next; n++) {
        if (l->received[n] == 0 && l->folded[n] == 0)
            fail_msg("number %llu of %llu is missing", (unsigned long long)n, (unsigned long long)l->seq_next);
        /* A record that arrived, whose acknowledgement was lost with the power, may be given up later for want of room.
         */
        if (l->received[n] != 0 && l->folded[n] != 0 && (l->folded[n] & GIVEN_UP) == 0)
            fail_msg("number %llu is there twice: itself and in %u", (unsigned long long)n, l->folded[n]);
    }
}

/* ---- the gateway ---- */

void rig_init(struct rig *r, uint32_t blocks)
{
    memset(r, 0, sizeof *r);
    flash_init(&r->flash, RIG_BLOCK, blocks);
    ledger_init(&r->ledger);
    r->now_us = RIG_START_US;
    r->cfg.vid[0] = 0xA5;
    r->cfg.batch_bytes_max = RIG_BATCH;
    r->cfg.commit_ms = 1000;
    r->ports = (struct gateway_ports){&r->flash.device, &r->flash.anchor_port, rig_aead(), rig_sign(), NULL};
    r->memory.entry_max = RIG_ENTRIES;
    r->memory.entry = calloc(RIG_ENTRIES, sizeof *r->memory.entry);
    r->memory.slot_count = RIG_SLOTS;
    r->memory.slot = calloc(RIG_SLOTS, sizeof *r->memory.slot);
    r->memory.state = r->state;
    r->memory.staging_size = RIG_STAGING;
    r->memory.staging = malloc(RIG_STAGING);
    r->memory.scratch_size = GATEWAY_SCRATCH_SIZE(RIG_STAGING, RIG_BLOCK, RIG_BATCH);
    r->memory.scratch = malloc(r->memory.scratch_size);
    r->out_size = GATEWAY_OUT_SIZE(RIG_BATCH);
    r->out = malloc(r->out_size);
}

enum vs_err rig_start(struct rig *r)
{
    r->cfg.rule = r->rule;
    return gateway_init(&r->gw, &r->cfg, &r->ports, &r->memory, r->now_us, &r->finding);
}

void rig_done(struct rig *r)
{
    flash_done(&r->flash);
    ledger_done(&r->ledger);
    free(r->memory.entry);
    free(r->memory.slot);
    free(r->memory.staging);
    free(r->memory.scratch);
    free(r->out);
}

void rig_deliver(struct rig *r)
{
    size_t len;

    while (gateway_due(&r->gw) > 0) {
        if (gateway_next_batch(&r->gw, r->now_us, r->out, r->out_size, &len) != VS_OK)
            return;
        ledger_take(&r->ledger, slice_make(r->out, len));
        gateway_acked(&r->gw, r->now_us);
    }
}

void rig_finish(struct rig *r)
{
    gateway_link(&r->gw, BEARER_FREE);
    assert_int_equal(gateway_flush(&r->gw, r->now_us), VS_OK);
    rig_deliver(r);
    assert_int_equal(gateway_waiting(&r->gw), 0);
}

void make_can_event(struct event *ev, int64_t time_us, uint32_t id)
{
    event_init(ev, EV_CAN_SIGNAL_OUT_OF_RANGE, time_us);
    ev->ecu = slice_str("GW");
    ev->bus = slice_str("can0");
    event_set_uint(ev, EV_F_CAN_ID, 0x123);
    event_set_text(ev, EV_F_SIGNAL, slice_str("EngTorque"));
    event_set_int(ev, EV_F_VALUE, id);
}

void make_critical_event(struct event *ev, int64_t time_us, const char *pdu)
{
    event_init(ev, EV_SECOC_VERIFICATION_FAILED, time_us);
    ev->ecu = slice_str("BRAKE");
    event_set_text(ev, EV_F_PDU, slice_str(pdu));
    event_set_int(ev, EV_F_VALUE, 0xDEAD);
}

void make_low_event(struct event *ev, int64_t time_us, const char *text)
{
    event_init(ev, EV_HOST_AUDIT, time_us);
    ev->ecu = slice_str("IVI");
    event_set_text(ev, EV_F_PROCESS, slice_str(text));
    event_set_text(ev, EV_F_TEXT, slice_str("login session opened for user root by (uid=0)"));
}
