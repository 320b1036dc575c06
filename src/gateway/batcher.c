#include "gateway/batcher.h"

#include "codec/cose.h"
#include "event/batch.h"

static uint64_t window_number(const struct outbox *o, const struct outbox_entry *e)
{
    return e->epoch == o->epoch ? e->seq : 0;
}

static bool may_go(const struct outbox *o, const struct prioritise *p, const struct outbox_entry *e)
{
    return e->state == OUTBOX_WAITING && e->block != OUTBOX_STAGED &&
           prioritise_allows(p, e->priority, window_number(o, e));
}

uint32_t batcher_due(const struct outbox *o, const struct prioritise *p)
{
    uint32_t due = 0;

    for (uint32_t i = 0; i < o->entry_count && p->bearer != BEARER_NONE; i++) {
        const struct outbox_entry *e = &o->entry[i];

        due += e->state == OUTBOX_WAITING && prioritise_allows(p, e->priority, window_number(o, e));
    }
    return due;
}

/* Marks what goes: critical first, each priority from the oldest on, all of the epoch of the first that is found. */
static void choose(struct outbox *o, const struct prioritise *p, const struct batcher_config *cfg,
                   struct batcher_summary *sum)
{
    uint32_t bytes = 0;

    for (unsigned priority = EV_PRIORITY_CRITICAL + 1; priority-- > 0;) {
        for (uint32_t i = 0; i < o->entry_count && sum->events < cfg->events_max; i++) {
            struct outbox_entry *e = &o->entry[i];

            if (e->priority != priority || (sum->events > 0 && e->epoch != sum->epoch) || !may_go(o, p, e))
                continue;
            if (bytes + e->len > cfg->bytes_max)
                return;
            bytes += e->len;
            e->state = OUTBOX_SENT;
            sum->epoch = e->epoch;
            sum->events++;
            sum->by_priority[priority]++;
        }
    }
}

/* The next number of an epoch that is over: behind everything that a record of it names. */
static void raise_seq_next(uint64_t *seq_next, const struct event *ev)
{
    if (ev->seq >= *seq_next)
        *seq_next = ev->seq + 1;
    for (unsigned i = 0; i < ev->fold_count; i++)
        if (ev->fold[i].seq_first + ev->fold[i].count > *seq_next)
            *seq_next = ev->fold[i].seq_first + ev->fold[i].count;
}

/* Encodes what was chosen, in the order of numbers. An entry whose record was broken is taken out, and the code says to
 * choose again. */
static enum vs_err encode(struct outbox *o, struct batch *b, struct writer *w)
{
    struct outbox_cache cache = {.block = OUTBOX_STAGED};
    bool first = true;

    batch_body_begin(w, b->count);
    for (uint32_t i = 0; i < o->entry_count; i++) {
        struct event ev;

        if (o->entry[i].state != OUTBOX_SENT)
            continue;
        enum vs_err err = outbox_read(o, &o->entry[i], &cache, &ev);
        if (err == VS_ERR_TAMPERED || err == VS_ERR_MALFORMED) {
            o->counters.unreadable++;
            outbox_forget(o, o->entry[i].epoch, o->entry[i].seq);
        }
        if (err != VS_OK)
            return err;
        if (first) {
            b->seq_base = ev.seq;
            b->time_base_us = ev.first_us;
            first = false;
        }
        raise_seq_next(&b->seq_next, &ev);
        batch_body_add(w, b, &ev);
    }
    return w->full ? VS_ERR_LIMIT : VS_OK;
}

struct buffers {
    uint8_t *part[3];
    size_t size;
};

/* Compresses when that makes it smaller. */
static void encode_body(struct batch *b, const struct port_pack *pack, struct slice plain, const struct buffers *buf)
{
    size_t len;

    b->body_len = (uint32_t)plain.len;
    b->encoding = BATCH_PLAIN;
    b->body = plain;
    if (pack == NULL || pack->pack(pack->ctx, plain, buf->part[1], buf->size, &len) != VS_OK || len >= plain.len)
        return;
    b->encoding = BATCH_ZSTD;
    b->body = slice_make(buf->part[1], len);
}

static enum vs_err seal(const struct batch *b, const struct port_sign *sign, const struct buffers *buf, uint8_t *out,
                        size_t size, struct batcher_summary *sum)
{
    uint8_t signature[PORT_SIGNATURE];
    struct writer envelope, text, w;

    writer_init(&envelope, buf->part[2], buf->size);
    batch_envelope_write(&envelope, b);
    /* The body is in the envelope now: its buffer is free for the text to sign. */
    writer_init(&text, buf->part[0], buf->size);
    cose_to_sign(&text, sign->alg, writer_slice(&envelope));
    if (envelope.full || text.full)
        return VS_ERR_LIMIT;
    enum vs_err err = sign->sign(sign->ctx, writer_slice(&text), signature);
    if (err != VS_OK)
        return err;
    writer_init(&w, out, size);
    cose_sign1_write(&w, sign->alg, writer_slice(&envelope), slice_make(signature, sizeof signature));
    if (w.full)
        return VS_ERR_LIMIT;
    sum->bytes = (uint32_t)w.len;
    return VS_OK;
}

enum vs_err batcher_make(struct outbox *o, const struct prioritise *p, const struct batcher_config *cfg,
                         const struct port_pack *pack, const struct port_sign *sign, uint8_t *scratch, int64_t now_us,
                         uint8_t *out, size_t size, struct batcher_summary *ret)
{
    size_t part = (size_t)cfg->bytes_max + BATCHER_OVERHEAD;
    struct buffers buf = {.part = {scratch, scratch + part, scratch + 2 * part}, .size = part};

    for (;;) {
        struct batcher_summary sum = {0};
        struct batch b = {.sent_us = now_us};
        struct writer w;

        choose(o, p, cfg, &sum);
        if (sum.events == 0)
            return VS_ERR_END;
        memcpy(b.vid, cfg->vid, sizeof b.vid);
        b.epoch = sum.epoch;
        b.count = sum.events;
        b.seq_next = sum.epoch == o->epoch ? o->seq_durable : 0;
        b.epoch_started_us = sum.epoch == o->epoch ? o->epoch_started_us : 0;
        writer_init(&w, buf.part[0], buf.size);
        enum vs_err err = encode(o, &b, &w);
        if (err == VS_OK) {
            sum.seq_next = b.seq_next;
            sum.plain_bytes = (uint32_t)w.len;
            encode_body(&b, pack, writer_slice(&w), &buf);
            err = seal(&b, sign, &buf, out, size, &sum);
        }
        if (err == VS_OK) {
            *ret = sum;
            return VS_OK;
        }
        outbox_sent_returned(o);
        if (err != VS_ERR_TAMPERED && err != VS_ERR_MALFORMED)
            return err;
    }
}
