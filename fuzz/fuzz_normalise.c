/* normalise: any bytes as records of the event log, in every format there is a decoder for. Whatever comes in, the
 * ledger balances, what is handed on is valid, and nothing is lost without a counter. The first byte chooses the
 * format, the second how many bytes each record has. */
#include <stdlib.h>

#include "ingest/normalise.h"

static uint64_t handed_on;

static void on_event(const struct event *ev, const struct normalised *en, void *ctx)
{
    (void)ctx;
    if (event_validate(ev, NULL) != VS_OK || ev->first_us > en->received_us + NORMALISE_FUTURE_US)
        abort();
    handed_on++;
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    (void)ctx;
    if (dl->text == NULL || normalise_reason_name(dl->reason) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t vid[EV_VID_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct normalise_config cfg = {.event = on_event, .dead = on_dead};
    struct normalise_stats stats;
    struct normalise *n = NULL;
    struct ledger sum;

    if (size < 2 || normalise_new(&cfg, &n) != VS_OK)
        return 0;
    size_t piece = data[1] == 0 ? size : data[1] * 8u;
    uint8_t format = data[0] % 4;
    handed_on = 0;
    for (size_t at = 2, i = 0; at < size; at += piece, i++) {
        struct stream_record rec = {.offset = i,
                                    .received_us = INT64_C(1790000000000000) + (int64_t)i,
                                    .door = STREAM_DOOR_HTTPS,
                                    .format = format,
                                    .key = slice_make(vid, sizeof vid),
                                    .value = slice_head(slice_make(data + at, size - at), piece)};

        if (normalise_step(n, &rec) != VS_OK)
            abort();
    }
    normalise_stats(n, &stats);
    normalise_ledger(n, &sum);
    if (stats.events != handed_on || !ledger_balanced(&sum))
        abort();
    normalise_free(n);
    return 0;
}
