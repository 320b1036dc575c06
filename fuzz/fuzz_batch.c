/* A batch as a stranger sends it: envelope, then every event, as ingest and detection read them. Whatever is read is
 * within its bounds, and what is valid is written and read back the same. */
#include <stdlib.h>

#include "event/batch.h"
#include "event/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void write_again(const struct batch *b, const struct event *ev)
{
    static uint8_t buf[1 << 16];
    static char json[EVENT_JSON_SIZE];
    struct batch own = {.seq_base = b->seq_base, .seq_next = b->seq_next, .time_base_us = b->time_base_us, .count = 1};
    struct batch_reader r;
    struct event again;
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    batch_body_begin(&w, 1);
    batch_body_add(&w, &own, ev);
    check(!w.full && batch_reader_init(&r, &own, writer_slice(&w), NULL) == VS_OK);
    check(batch_reader_next(&r, &again, NULL) == VS_OK && event_validate(&again, NULL) == VS_OK);
    check(again.seq == ev->seq && again.field_count == ev->field_count && again.fold_count == ev->fold_count);
    writer_init(&w, json, sizeof json);
    event_json_write(ev, slice_str("v"), slice_str(""), &w);
    check(!w.full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch b;
    struct batch_error e = {0};
    struct batch_reader r;
    struct event ev;

    if (batch_envelope_read(slice_make(data, size), &b, &e) != VS_OK) {
        check(e.byte <= size && e.reason != NULL);
        return 0;
    }
    if (batch_reader_init(&r, &b, b.body, &e) != VS_OK)
        return 0;
    for (uint32_t i = 0; i <= b.count && !batch_reader_broken(&r); i++) {
        enum vs_err err = batch_reader_next(&r, &ev, &e);

        if (err == VS_ERR_END)
            return 0;
        check(ev.seq == 0 || (ev.seq >= b.seq_base && ev.seq < b.seq_next));
        check(ev.field_count <= EV_FIELDS_MAX && ev.fold_count <= EV_FOLDS_MAX);
        if (err == VS_OK && event_validate(&ev, NULL) == VS_OK)
            write_again(&b, &ev);
    }
    return 0;
}
