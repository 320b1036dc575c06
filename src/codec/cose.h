/* cose: COSE_Sign1 with an attached payload (RFC 9052 section 4.2), the outer shell of a batch.
 *
 *     18([ protected bstr {1: alg}, {}, payload bstr, signature bstr ])
 *
 * What is signed is the CBOR of ["Signature1", protected, h'', payload] (section 4.4). This file only builds and takes
 * apart the structure; the signature itself comes from the caller. Unprotected headers may hold anything and are
 * ignored; a protected header with a `crit` parameter (2) is refused, as section 3.1 demands. No allocation, no copy:
 * parts are borrowed from the input. */
#ifndef CODEC_COSE_H
#define CODEC_COSE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "core/writer.h"

#define COSE_ALG_ES256      (-7)
#define COSE_ALG_EDDSA      (-8)
#define COSE_SIGNATURE_SIZE 64
#define COSE_OVERHEAD_MAX   96 /* bytes around a payload, and of the text to sign around it */

struct cose_sign1 {
    int alg;
    struct slice protected_header; /* as encoded; empty for cose_sign1_write, which makes it from alg */
    struct slice payload;
    struct slice signature;
};

/* Writes the bytes to sign for a payload under this algorithm. */
void cose_to_sign(struct writer *w, int alg, struct slice payload);
/* The same for a message that was read: uses its own protected header. */
void cose_to_verify(struct writer *w, const struct cose_sign1 *m);
void cose_sign1_write(struct writer *w, int alg, struct slice payload, struct slice signature);
/* VS_ERR_MALFORMED with the byte of the failure; VS_ERR_UNSUPPORTED for another algorithm or a critical header. */
VS_MUST_USE enum vs_err cose_sign1_read(struct slice in, struct cose_sign1 *ret, size_t *ret_byte);

#endif
