/* ingest_certs: the certificates that vehicles showed, kept so that every batch can be verified offline years later.
 *
 * A certificate is written once, as DIR/<vid>-<first 8 hex digits of its SHA-256>.pem, before anything it signed is
 * acknowledged. Parsed keys are remembered for the next upload. Threads: one instance per thread; several may write to
 * one directory. Bounds: CERTS_REMEMBERED certificates. */
#ifndef APP_INGEST_CERTS_H
#define APP_INGEST_CERTS_H

#include "base/crypto.h"

#define CERTS_REMEMBERED 512

struct ingest_certs;

VS_MUST_USE enum vs_err ingest_certs_new(const char *dir, struct ingest_certs **ret);
void ingest_certs_free(struct ingest_certs *c);
/* The public key of a certificate, borrowed until CERTS_REMEMBERED others were asked for. `vid` is the file's name;
 * empty: the certificate is not kept (a feed's). VS_ERR_IO when it cannot be written, VS_ERR_AUTH when its key is of no
 * use. */
VS_MUST_USE enum vs_err ingest_certs_key(struct ingest_certs *c, struct slice der, const char *vid,
                                         const struct key **ret);

#endif
