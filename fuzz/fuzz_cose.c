/* COSE_Sign1 as a stranger sends it: parts lie within the input, and what is read can be written and read again. */
#include <stdlib.h>

#include "codec/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool within(struct slice part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.ptr >= data && part.ptr + part.len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[1 << 17];
    struct cose_sign1 m, again;
    struct writer w;
    size_t byte = 0;

    if (cose_sign1_read(slice_make(data, size), &m, &byte) != VS_OK) {
        check(byte <= size);
        return 0;
    }
    check(within(m.payload, data, size) && within(m.protected_header, data, size) &&
          m.signature.len == COSE_SIGNATURE_SIZE);
    writer_init(&w, buf, sizeof buf);
    cose_to_verify(&w, &m);
    writer_init(&w, buf, sizeof buf);
    cose_sign1_write(&w, m.alg, m.payload, m.signature);
    if (!w.full)
        check(cose_sign1_read(writer_slice(&w), &again, &byte) == VS_OK && slice_equal(again.payload, m.payload));
    return 0;
}
