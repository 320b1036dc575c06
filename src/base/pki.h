/* pki: the small certificate authority of a fleet: enough to enrol vehicles, run a demo and test, not a product PKI.
 *
 * Certificates are X.509 v3 (RFC 5280): a CA with keyUsage keyCertSign, servers with their names in subjectAltName,
 * vehicles whose subject CN is the pseudonym in lower case hex and nothing else. Times come from the caller.
 * Memory: PEM texts are written to the caller's buffer. Threads: reentrant. */
#ifndef BASE_PKI_H
#define BASE_PKI_H

#include "base/crypto.h"

#define PKI_PEM_MAX 4096 /* bytes of one certificate or key as PEM, with its NUL */

struct pki_request {
    const char *common_name;
    const char *alt_names; /* "DNS:localhost,IP:127.0.0.1"; NULL for none */
    uint64_t serial;       /* unique per issuer */
    int64_t not_before_s;  /* seconds since 1970 */
    int64_t not_after_s;
    bool is_ca;
    bool is_server; /* else a client */
};

/* Makes a certificate for `subject`, signed by `issuer` whose own certificate is issuer_pem (NULL: self-signed). */
VS_MUST_USE enum vs_err pki_issue(const struct pki_request *req, const struct key *subject, const struct key *issuer,
                                  const char *issuer_pem, char ret_pem[PKI_PEM_MAX]);
VS_MUST_USE enum vs_err pki_private_pem(const struct key *k, char ret_pem[PKI_PEM_MAX]);

#endif
