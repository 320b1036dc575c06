/* Any text: what is read as a time is written so that it reads as the same time again. */
#include <stdlib.h>

#include "core/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t text[TIMESTAMP_TEXT_LEN];
    struct writer w;
    int64_t us, again;

    if (!timestamp_parse(slice_make(data, size), &us))
        return 0;
    writer_init(&w, text, sizeof text);
    timestamp_write(&w, us);
    if (w.full || !timestamp_parse(writer_slice(&w), &again) || again != us)
        abort();
    return 0;
}
