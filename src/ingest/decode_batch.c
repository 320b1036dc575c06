/* The project's own batch (docs/formats/batch.md). Its signature was checked at the door; the log keeps it verbatim. */
#include "base/compress.h"
#include "codec/cose.h"
#include "ingest/decoder.h"

static enum vs_err fail(struct batch_error *e, enum vs_err err, size_t byte, const char *reason)
{
    e->byte = byte;
    e->reason = reason;
    return err;
}

static enum vs_err unpack(struct decoding *d, struct batch_error *ret_error)
{
    const struct batch *b = &d->batch;

    if (b->encoding == BATCH_PLAIN) {
        d->plain = b->body;
        return VS_OK;
    }
    uint8_t *out = decoding_scratch(d, b->body_len);
    if (out == NULL)
        return VS_ERR_NO_MEMORY;
    if (compressor_unpack(d->compressor, b->body, out, b->body_len) != VS_OK)
        return fail(ret_error, VS_ERR_MALFORMED, 0, "body does not decompress to body_len bytes");
    d->plain = slice_make(out, b->body_len);
    return VS_OK;
}

static enum vs_err begin(struct decoding *d, const struct stream_record *rec, struct decoded_head *ret,
                         struct batch_error *ret_error)
{
    struct cose_sign1 m;
    size_t byte;

    enum vs_err err = cose_sign1_read(rec->value, &m, &byte);
    if (err != VS_OK)
        return fail(ret_error, err, byte, "not a COSE_Sign1 with an algorithm that is used here");
    err = batch_envelope_read(m.payload, &d->batch, ret_error);
    if (err == VS_OK)
        err = unpack(d, ret_error);
    if (err == VS_OK)
        err = batch_reader_init(&d->reader, &d->batch, d->plain, ret_error);
    if (err != VS_OK)
        return err;
    memcpy(ret->vid, d->batch.vid, sizeof ret->vid);
    ret->numbered = true;
    ret->epoch = d->batch.epoch;
    ret->seq_next = d->batch.seq_next;
    ret->sent_us = d->batch.sent_us;
    return VS_OK;
}

static enum vs_err next(struct decoding *d, struct event *ret, struct slice *ret_sample, struct batch_error *ret_error,
                        bool *ret_broken)
{
    size_t from = cbor_pos(&d->reader.cbor);
    enum vs_err err = batch_reader_next(&d->reader, ret, ret_error);

    *ret_broken = batch_reader_broken(&d->reader);
    *ret_sample = slice_head(slice_from(d->plain, from), cbor_pos(&d->reader.cbor) - from);
    return err;
}

const struct decoder decoder_batch = {STREAM_FORMAT_BATCH, begin, next};
