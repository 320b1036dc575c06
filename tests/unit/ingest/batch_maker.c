#include "batch_maker.h"

#include <assert.h>

#include "base/compress.h"
#include "base/crypto.h"
#include "codec/cose.h"

void batch_maker_begin(struct batch_maker *m, uint32_t vehicle, uint32_t epoch, int64_t sent_us)
{
    memset(&m->batch, 0, sizeof m->batch);
    for (unsigned i = 0; i < 4; i++)
        m->batch.vid[EV_VID_SIZE - 1 - i] = (uint8_t)(vehicle >> 8 * i);
    m->batch.epoch = epoch;
    m->batch.time_base_us = sent_us;
    m->batch.sent_us = sent_us;
    m->batch.encoding = BATCH_ZSTD;
}

struct event *batch_maker_add(struct batch_maker *m, uint64_t seq, int64_t time_us)
{
    struct event *ev = &m->event[m->batch.count++];

    assert(m->batch.count <= MAKER_EVENTS_MAX);
    event_init(ev, EV_SECOC_VERIFICATION_FAILED, time_us);
    event_set_text(ev, EV_F_PDU, slice_str("EngTorque"));
    ev->seq = seq;
    if (m->batch.seq_base == 0 || seq < m->batch.seq_base)
        m->batch.seq_base = seq;
    if (seq + 1 > m->batch.seq_next)
        m->batch.seq_next = seq + 1;
    return ev;
}

static size_t pack(struct batch_maker *m, uint8_t *out, size_t size)
{
    static uint8_t plain[MAKER_SIZE];
    struct compressor *c;
    struct writer w;
    size_t len;

    writer_init(&w, plain, sizeof plain);
    batch_body_begin(&w, m->batch.count);
    for (uint32_t i = 0; i < m->batch.count; i++)
        batch_body_add(&w, &m->batch, &m->event[i]);
    assert(!w.full);
    m->batch.body_len = (uint32_t)w.len;
    if (m->batch.encoding == BATCH_PLAIN) {
        memcpy(out, plain, w.len);
        return w.len;
    }
    if (compressor_new(1, &c) != VS_OK || compressor_pack(c, writer_slice(&w), out, size, &len) != VS_OK)
        assert(!"zstd");
    compressor_free(c);
    return len;
}

struct slice batch_maker_finish(struct batch_maker *m, const struct key *key)
{
    static uint8_t body[MAKER_SIZE], envelope[MAKER_SIZE], text[MAKER_SIZE];
    uint8_t signature[SIGNATURE_SIZE] = {0};
    int alg = key != NULL && key_kind(key) == KEY_P256 ? COSE_ALG_ES256 : COSE_ALG_EDDSA;
    struct writer w, t;

    if (m->batch.seq_base == 0)
        m->batch.seq_base = m->batch.seq_next > 0 ? m->batch.seq_next : 1;
    if (m->batch.seq_next < m->batch.seq_base)
        m->batch.seq_next = m->batch.seq_base;
    m->batch.body = slice_make(body, pack(m, body, sizeof body));
    writer_init(&w, envelope, sizeof envelope);
    batch_envelope_write(&w, &m->batch);
    writer_init(&t, text, sizeof text);
    cose_to_sign(&t, alg, writer_slice(&w));
    assert(!w.full && !t.full);
    if (key != NULL && key_sign(key, writer_slice(&t), signature) != VS_OK)
        assert(!"sign");
    struct slice payload = writer_slice(&w);
    writer_init(&w, m->out, sizeof m->out);
    cose_sign1_write(&w, alg, payload, slice_make(signature, sizeof signature));
    assert(!w.full);
    m->len = w.len;
    return writer_slice(&w);
}

struct stream_record batch_maker_record(struct batch_maker *m, int64_t received_us)
{
    struct slice value = batch_maker_finish(m, NULL);

    return (struct stream_record){.received_us = received_us,
                                  .door = STREAM_DOOR_HTTPS,
                                  .format = STREAM_FORMAT_BATCH,
                                  .key = slice_make(m->batch.vid, EV_VID_SIZE),
                                  .value = value};
}
