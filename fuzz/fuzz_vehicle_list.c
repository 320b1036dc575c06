/* vehicle_list: CSV and JSON lines of an operator: every row that is given has a VIN that has a pseudonym. */
#include <stdint.h>
#include <stdlib.h>

#include "base/jsonl/json_reader.h"
#include "ingest/pseudonym.h"
#include "ingest/vehicle_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum vs_err on_row(const struct vehicle_row *row, void *ctx)
{
    static const uint8_t KEY[PSEUDONYM_KEY_SIZE];
    uint8_t vid[EV_VID_SIZE];

    (void)ctx;
    if (pseudonym_of_vin(KEY, row->vin, vid) != VS_OK)
        abort();
    return VS_OK;
}

static void on_fault(uint32_t line, const char *reason, struct slice at, void *ctx)
{
    uint32_t *count = ctx;

    if (reason == NULL || line == 0 || (at.len > 0 && at.ptr == NULL))
        abort();
    ++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = calloc(1, size + JSON_PADDING);
    uint32_t told = 0, faults = 0;

    if (size > 0)
        memcpy(text, data, size);
    if (vehicle_list_read(slice_make(text, size), on_row, on_fault, &told, &faults) != VS_OK || told != faults)
        abort();
    free(text);
    return 0;
}
