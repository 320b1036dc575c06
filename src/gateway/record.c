#include "gateway/record.h"

#include "event/batch.h"

static const struct batch BASE = {.seq_base = 1, .seq_next = INT64_MAX, .count = 1};

void record_write(const struct event *ev, struct writer *w)
{
    batch_body_begin(w, 1);
    batch_body_add(w, &BASE, ev);
}

enum vs_err record_read(struct slice bytes, uint32_t epoch, struct event *ret)
{
    struct batch_reader r;

    enum vs_err err = batch_reader_init(&r, &BASE, bytes, NULL);
    if (err == VS_OK)
        err = batch_reader_next(&r, ret, NULL);
    if (err == VS_OK && !cbor_at_end(&r.cbor))
        err = VS_ERR_MALFORMED;
    ret->epoch = epoch;
    return err;
}

size_t record_size_max(const struct event *ev)
{
    /* Array and map heads, and the keys of type, number, times, count, priority, trust and folds with full-length
     * values. */
    size_t size = 64 + ev->ecu.len + ev->sensor.len + ev->bus.len + 3u * 4u + ev->fold_count * 17u;

    for (unsigned i = 0; i < ev->field_count; i++) {
        const struct ev_field_info *info = ev_field_find(ev->field[i].id);
        bool text = info != NULL && info->kind >= EV_KIND_TEXT;

        size += text ? 5 + ev->field[i].value.s.len : 11;
    }
    return size;
}
