/* stix_bundle: hostile bundles into an empty database. Each import runs in a transaction that is rolled back, so that
 * inputs do not see each other. Nothing may be counted that was not an object (the bundle itself counts once when it is
 * broken), and one that is refused has said why. The same bundle a second time adds nothing and updates nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonl/json_reader.h"
#include "detect/intel/intel_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_fault(void *ctx, uint64_t index, size_t byte, struct slice id, const char *reason)
{
    uint64_t *faults = ctx;

    (void)index;
    (void)byte;
    if (reason[0] == '\0' || id.len > STIX_ID_MAX)
        abort();
    ++*faults;
}

static enum vs_err import(struct store *st, struct slice text, struct intel_import_counts *ret)
{
    uint64_t faults = 0;
    struct intel_import_config cfg = {st, slice_str("fuzz"), TLP_AMBER_STRICT, on_fault, &faults};
    struct intel_import *im = NULL;

    if (intel_import_new(&cfg, &im) != VS_OK)
        abort();
    enum vs_err err = intel_import_text(im, text);
    intel_import_counts(im, ret);
    intel_import_free(im);
    if ((err != VS_OK && faults == 0) || ret->faulty > faults)
        abort();
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *st;
    struct store_error error;
    struct intel_import_counts first, again;
    uint8_t *text = calloc(1, size + JSON_PADDING);

    if (text == NULL || (st == NULL && store_open("memory:", &st, &error) != VS_OK) || store_begin(st) != VS_OK)
        abort();
    memcpy(text, data, size);
    enum vs_err err = import(st, slice_make(text, size), &first);
    if (first.indicators > first.objects || first.faulty > first.objects + (err != VS_OK))
        abort();
    if (err == VS_OK && (import(st, slice_make(text, size), &again) != VS_OK || again.added > 0 || again.updated > 0))
        abort();
    store_rollback(st);
    free(text);
    return 0;
}
