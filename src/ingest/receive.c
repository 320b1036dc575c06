#include "ingest/receive.h"

#include <stdlib.h>

#include "base/compress.h"
#include "codec/cose.h"
#include "event/cbor.h"
#include "ingest/normalise.h"
#include "ingest/receive_internal.h"
#include "ingest/vid_text.h"

enum vs_err receiver_new(struct receiver **ret)
{
    struct receiver *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    enum vs_err err = compressor_new(1, &r->compressor);
    if (err == VS_OK)
        err = json_reader_new(&r->json);
    if (err != VS_OK) {
        receiver_free(r);
        return err;
    }
    *ret = r;
    return VS_OK;
}

void receiver_free(struct receiver *r)
{
    if (r == NULL)
        return;
    compressor_free(r->compressor);
    json_reader_free(r->json);
    free(r->scratch);
    free(r->line);
    free(r);
}

uint8_t *receiver_scratch(struct receiver *r, size_t size)
{
    if (size > r->scratch_size) {
        size_t grown = r->scratch_size > 0 ? r->scratch_size : 64u << 10;

        while (grown < size)
            grown *= 2;
        uint8_t *scratch = realloc(r->scratch, grown);
        if (scratch == NULL)
            return NULL;
        r->scratch = scratch;
        r->scratch_size = grown;
    }
    return r->scratch;
}

enum vs_err receive_refuse(struct receive_refusal *ret, enum vs_err err, const char *reason, size_t byte)
{
    *ret = (struct receive_refusal){err, reason, byte};
    return err;
}

/* The signature covers a text that is built around the payload, so it needs room for a copy of it. */
static enum vs_err verify(struct receiver *r, const struct cose_sign1 *m, const struct key *key,
                          struct receive_refusal *ret)
{
    size_t size = m->payload.len + m->protected_header.len + COSE_OVERHEAD_MAX;
    uint8_t *text = receiver_scratch(r, size);
    struct writer w;

    if (text == NULL)
        return receive_refuse(ret, VS_ERR_NO_MEMORY, "out of memory", 0);
    if ((m->alg == COSE_ALG_EDDSA) != (key_kind(key) == KEY_ED25519))
        return receive_refuse(ret, VS_ERR_SIGNATURE, "algorithm is not that of the certificate's key", 0);
    writer_init(&w, text, size);
    cose_to_verify(&w, m);
    if (w.full || key_verify(key, writer_slice(&w), m->signature.ptr) != VS_OK)
        return receive_refuse(ret, VS_ERR_SIGNATURE, "signature does not verify with the certificate's key", 0);
    return VS_OK;
}

static enum vs_err read_envelope(const struct cose_sign1 *m, struct batch *b, struct receive_refusal *ret)
{
    struct batch_error at = {0, "envelope is broken"};

    enum vs_err err = batch_envelope_read(m->payload, b, &at);
    if (err != VS_OK)
        return receive_refuse(ret, err, at.reason, at.byte);
    if (b->seq_next > NORMALISE_SEQ_MAX)
        return receive_refuse(ret, VS_ERR_RANGE, "seq_next is beyond any number a gateway can reach", 0);
    return VS_OK;
}

/* Well-formed and nothing behind it; each event is looked at when it is normalised. */
static enum vs_err check_body(struct receiver *r, const struct batch *b, struct receive_refusal *ret)
{
    struct slice plain = b->body;
    struct cbor c;

    if (b->encoding == BATCH_ZSTD) {
        uint8_t *out = receiver_scratch(r, b->body_len > 0 ? b->body_len : 1);
        if (out == NULL)
            return receive_refuse(ret, VS_ERR_NO_MEMORY, "out of memory", 0);
        if (compressor_unpack(r->compressor, b->body, out, b->body_len) != VS_OK)
            return receive_refuse(ret, VS_ERR_MALFORMED, "body does not decompress to body_len bytes", 0);
        plain = slice_make(out, b->body_len);
    }
    cbor_init(&c, plain);
    if (cbor_array(&c) != b->count || cbor_failed(&c))
        return receive_refuse(ret, VS_ERR_MALFORMED, "body does not hold the number of events told", 0);
    for (uint32_t i = 0; i < b->count; i++)
        cbor_skip(&c);
    if (cbor_failed(&c))
        return receive_refuse(ret, VS_ERR_MALFORMED, "body is not well-formed", cbor_pos(&c));
    if (!cbor_at_end(&c))
        return receive_refuse(ret, VS_ERR_MALFORMED, "bytes after the last event", cbor_pos(&c));
    return VS_OK;
}

enum vs_err receive_batch(struct receiver *r, struct slice body, const struct receive_peer *peer, int64_t received_us,
                          struct received *ret, struct receive_refusal *ret_refusal)
{
    struct cose_sign1 m;
    struct batch b;
    size_t byte = 0;

    if (body.len > RECEIVE_BODY_MAX)
        return receive_refuse(ret_refusal, VS_ERR_LIMIT, "upload is larger than any batch", RECEIVE_BODY_MAX);
    enum vs_err err = cose_sign1_read(body, &m, &byte);
    if (err != VS_OK)
        return receive_refuse(ret_refusal, err, "not a COSE_Sign1 with EdDSA or ES256", byte);
    err = verify(r, &m, peer->key, ret_refusal);
    if (err == VS_OK)
        err = read_envelope(&m, &b, ret_refusal);
    if (err != VS_OK)
        return err;
    struct vid_text vid = vid_text(b.vid);
    if (strcmp(vid.hex, peer->cn) != 0)
        return receive_refuse(ret_refusal, VS_ERR_FORBIDDEN, "the batch is of another vehicle than the certificate", 0);
    err = check_body(r, &b, ret_refusal);
    if (err != VS_OK)
        return err;
    memset(ret, 0, sizeof *ret);
    memcpy(ret->vid, b.vid, sizeof ret->vid);
    memcpy(r->key, b.vid, sizeof r->key);
    ret->epoch = b.epoch;
    ret->seq_next = b.seq_next;
    ret->count = b.count;
    ret->record = (struct stream_record){.received_us = received_us,
                                         .door = STREAM_DOOR_HTTPS,
                                         .format = STREAM_FORMAT_BATCH,
                                         .key = slice_make(r->key, sizeof r->key),
                                         .value = body};
    return VS_OK;
}
