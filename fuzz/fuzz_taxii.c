/* taxii: hostile answers of a TAXII server. A page that is taken as an envelope says where the next one is in a text
 * that ends within its room; more pages are never claimed of what is no envelope by accident of an earlier answer. */
#include <stdlib.h>
#include <string.h>

#include "app/taxii_client.h"
#include "base/jsonl/json_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char next[TAXII_TEXT_MAX], again[TAXII_TEXT_MAX];
    bool more = false, more_again = true;
    uint8_t *text = calloc(1, size + JSON_PADDING);

    if (text == NULL)
        return 0;
    memset(next, 'n', sizeof next);
    memset(again, 'a', sizeof again);
    memcpy(text, data, size);
    bool taken = taxii_envelope(slice_make(text, size), &more, next);
    if (taken != taxii_envelope(slice_make(text, size), &more_again, again) || more != more_again)
        abort();
    if (taken && (memchr(next, '\0', sizeof next) == NULL || strcmp(next, again) != 0))
        abort();
    free(text);
    return 0;
}
