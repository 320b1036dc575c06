/* The TLS library asks every client for a certificate but lets it pass without one, so that a vehicle with a wrong
 * certificate gets a readable answer. The check is made here, before any byte of the request is looked at. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/http/http_internal.h"

/* Chain up to the client CA, validity in time, and the purpose "TLS client" when the certificate restricts purposes. */
static bool chain_is_good(gnutls_session_t session)
{
    char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st data = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose};
    unsigned status = 0;

    return gnutls_certificate_verify_peers(session, &data, 1, &status) == 0 && status == 0;
}

/* A name with a NUL inside would compare equal to a shorter one; it counts as none. */
static void read_cn(const gnutls_datum_t *der, char cn[HTTP_CN_SIZE])
{
    gnutls_x509_crt_t crt;
    size_t size = HTTP_CN_SIZE;

    cn[0] = '\0';
    if (gnutls_x509_crt_init(&crt) != 0)
        return;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0) {
        if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, cn, &size) != 0 || strlen(cn) != size)
            cn[0] = '\0';
    }
    gnutls_x509_crt_deinit(crt);
}

void http_tls_check_peer(struct http_server *s, struct http_connection *conn, struct MHD_Connection *mc)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;

    if (conn->peer_checked || s->cfg.client_cert == HTTP_CLIENT_NONE)
        return;
    conn->peer_checked = true;
    if (info == NULL || info->tls_session == NULL)
        return;
    gnutls_session_t session = (gnutls_session_t)info->tls_session;
    const gnutls_datum_t *der = gnutls_certificate_get_peers(session, &count);
    if (der == NULL || count == 0 || !chain_is_good(session))
        return;
    conn->der = malloc(der[0].size);
    if (conn->der == NULL)
        return;
    memcpy(conn->der, der[0].data, der[0].size);
    conn->peer.der = slice_make(conn->der, der[0].size);
    read_cn(&der[0], conn->peer.cn);
    conn->peer_valid = true;
}
