#include "codec/cose.h"

#include "event/cbor.h"

#define COSE_TAG_SIGN1 18
#define HEADER_ALG     1
#define HEADER_CRIT    2
#define PROTECTED_LEN  3 /* {1: -7} and {1: -8} are three bytes each */

static struct slice protected_for(int alg, uint8_t buf[PROTECTED_LEN])
{
    struct writer w;

    writer_init(&w, buf, PROTECTED_LEN);
    cbor_put_map(&w, 1);
    cbor_put_uint(&w, HEADER_ALG);
    cbor_put_int(&w, alg);
    return writer_slice(&w);
}

static void put_sig_structure(struct writer *w, struct slice protected_header, struct slice payload)
{
    cbor_put_array(w, 4);
    cbor_put_text(w, slice_str("Signature1"));
    cbor_put_bytes(w, protected_header);
    cbor_put_bytes(w, slice_make(NULL, 0));
    cbor_put_bytes(w, payload);
}

void cose_to_sign(struct writer *w, int alg, struct slice payload)
{
    uint8_t buf[PROTECTED_LEN];

    put_sig_structure(w, protected_for(alg, buf), payload);
}

void cose_to_verify(struct writer *w, const struct cose_sign1 *m)
{
    put_sig_structure(w, m->protected_header, m->payload);
}

void cose_sign1_write(struct writer *w, int alg, struct slice payload, struct slice signature)
{
    uint8_t buf[PROTECTED_LEN];

    cbor_put_tag(w, COSE_TAG_SIGN1);
    cbor_put_array(w, 4);
    cbor_put_bytes(w, protected_for(alg, buf));
    cbor_put_map(w, 0);
    cbor_put_bytes(w, payload);
    cbor_put_bytes(w, signature);
}

static enum vs_err read_protected(struct slice in, int *ret_alg)
{
    struct cbor r;
    int64_t alg = 0;
    bool seen = false;

    cbor_init(&r, in);
    uint64_t pairs = cbor_map(&r);
    for (uint64_t i = 0; i < pairs && !cbor_failed(&r); i++) {
        if (cbor_peek(&r) == CBOR_TEXT) {
            cbor_skip(&r);
            cbor_skip(&r);
            continue;
        }
        int64_t key = cbor_int(&r);
        if (key == HEADER_CRIT)
            return VS_ERR_UNSUPPORTED;
        if (key != HEADER_ALG) {
            cbor_skip(&r);
            continue;
        }
        /* A label may stand there once (section 3); of two algorithms nobody can say which one was signed with. */
        if (seen)
            return VS_ERR_MALFORMED;
        seen = true;
        alg = cbor_int(&r);
    }
    if (cbor_failed(&r) || !cbor_at_end(&r))
        return VS_ERR_MALFORMED;
    if (alg != COSE_ALG_ES256 && alg != COSE_ALG_EDDSA)
        return VS_ERR_UNSUPPORTED;
    *ret_alg = (int)alg;
    return VS_OK;
}

enum vs_err cose_sign1_read(struct slice in, struct cose_sign1 *ret, size_t *ret_byte)
{
    struct cbor r;
    struct cose_sign1 m = {0};

    cbor_init(&r, in);
    uint64_t tag = cbor_tag(&r);
    uint64_t parts = cbor_array(&r);
    size_t protected_at = cbor_pos(&r);
    m.protected_header = cbor_bytes(&r);
    if (cbor_peek(&r) != CBOR_MAP)
        r.c.failed = true;
    cbor_skip(&r);
    m.payload = cbor_bytes(&r);
    m.signature = cbor_bytes(&r);
    *ret_byte = cbor_pos(&r);
    if (cbor_failed(&r) || tag != COSE_TAG_SIGN1 || parts != 4 || m.signature.len != COSE_SIGNATURE_SIZE ||
        !cbor_at_end(&r))
        return VS_ERR_MALFORMED;
    enum vs_err err = read_protected(m.protected_header, &m.alg);
    if (err != VS_OK) {
        *ret_byte = protected_at;
        return err;
    }
    *ret = m;
    return VS_OK;
}
