/* taxii: hostile answers of a TAXII server, as its client takes them apart. Every object lies within the answer, behind
 * the one before; a second reading says the same of the type, of more pages and of the next one's place. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonl/json_reader.h"
#include "detect/intel/stix_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum vs_err read_all(struct stix_split *s, struct slice answer)
{
    const uint8_t *at = answer.ptr;
    struct slice object;
    enum vs_err err;

    stix_split_init(s, answer);
    while ((err = stix_split_next(s, &object)) == VS_OK) {
        if (object.len == 0 || object.ptr < at || object.ptr + object.len > answer.ptr + answer.len)
            abort();
        at = object.ptr + object.len;
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stix_split first, again;
    uint8_t *text = calloc(1, size + JSON_PADDING);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    enum vs_err err = read_all(&first, slice_make(text, size));
    if (err != read_all(&again, slice_make(text, size)) || first.more != again.more ||
        !slice_equal(first.next, again.next) || !slice_equal(first.type, again.type))
        abort();
    free(text);
    return 0;
}
