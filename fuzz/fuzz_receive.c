/* receive: an upload from a hostile vehicle or feed, through the door and on through normalising. The first byte
 * chooses: raw bytes as a COSE_Sign1; bytes as an envelope, rightly signed; bytes as the body of a right envelope;
 * lines of a feed. What gets through the door must leave a ledger that balances. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/cose.h"
#include "event/batch.h"
#include "ingest/normalise.h"
#include "ingest/receive.h"
#include "ingest/vid_text.h"

#define OUT_SIZE 65536
#define NOW      INT64_C(1780000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct receiver *receiver;
static struct key *key;
static struct normalise *normaliser;
static uint64_t handed_on;

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    (void)ctx;
    if (event_validate(ev, NULL) != VS_OK || ev->last_us > no->received_us + NORMALISE_FUTURE_US)
        abort();
    handed_on++;
}

static void begin(void)
{
    static const uint8_t SEED[32] = {1};

    if (receiver_new(&receiver) != VS_OK || key_from_seed(SEED, &key) != VS_OK)
        abort();
}

static void take(const struct stream_record *rec)
{
    struct ledger l;

    if (normalise_step(normaliser, rec) != VS_OK)
        abort();
    normalise_ledger(normaliser, &l);
    if (!ledger_balanced(&l))
        abort();
}

static void take_body(struct slice body, const uint8_t vid[EV_VID_SIZE])
{
    struct vid_text cn = vid_text(vid);
    struct receive_peer peer = {cn.hex, key};
    struct receive_refusal no = {VS_OK, NULL, 0};
    struct received got;

    if (receive_batch(receiver, body, &peer, NOW, &got, &no) == VS_OK)
        take(&got.record);
    else if (no.err == VS_OK || no.reason == NULL)
        abort();
}

static void take_signed(struct slice payload, const uint8_t vid[EV_VID_SIZE])
{
    static uint8_t text[OUT_SIZE], out[OUT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    struct writer w;

    writer_init(&w, text, sizeof text);
    cose_to_sign(&w, COSE_ALG_EDDSA, payload);
    if (w.full || key_sign(key, writer_slice(&w), signature) != VS_OK)
        return;
    writer_init(&w, out, sizeof out);
    cose_sign1_write(&w, COSE_ALG_EDDSA, payload, slice_make(signature, sizeof signature));
    if (!w.full)
        take_body(writer_slice(&w), vid);
}

static enum vs_err on_record(const struct stream_record *rec, void *ctx)
{
    (void)ctx;
    take(rec);
    return VS_OK;
}

static void take_lines(struct slice lines)
{
    static const uint8_t KEY[PSEUDONYM_KEY_SIZE] = {3};
    struct receive_refusal no;

    if (receive_feed(receiver, lines, slice_str("fuzz"), KEY, NOW, on_record, NULL, &no) != VS_OK && no.reason == NULL)
        abort();
}

static void choose(const uint8_t *data, size_t size)
{
    static uint8_t envelope[OUT_SIZE];
    static const uint8_t VID[EV_VID_SIZE] = {7};
    struct slice in = slice_make(data, size);
    struct writer w;

    struct slice rest = slice_from(in, 2);
    switch (data[0] % 4) {
    case 0:
        take_body(rest, VID);
        break;
    case 1:
        take_signed(rest, VID);
        break;
    case 2: {
        struct batch b = {
            .epoch = data[1], .seq_base = 1, .seq_next = 1 + data[1], .time_base_us = NOW, .sent_us = NOW};

        memcpy(b.vid, VID, sizeof b.vid);
        b.count = data[1] % 8;
        b.body = rest;
        b.body_len = (uint32_t)rest.len;
        writer_init(&w, envelope, sizeof envelope);
        batch_envelope_write(&w, &b);
        take_signed(writer_slice(&w), VID);
        break;
    }
    default:
        take_lines(rest);
    }
}

/* Each input starts with a normaliser that has seen nothing, so that it can be repeated by itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct normalise_config cfg = {.event = on_event, .vehicles_max = 1000};

    if (receiver == NULL)
        begin();
    if (size < 3 || size > OUT_SIZE / 2)
        return 0;
    if (normalise_new(&cfg, &normaliser) != VS_OK)
        abort();
    choose(data, size);
    normalise_free(normaliser);
    return 0;
}
