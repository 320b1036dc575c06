#include "base/pki.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct pki_request *req)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    if (req->is_ca)
        return add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(cert, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add_extension(cert, &ctx, NID_subject_key_identifier, "hash");
    return add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, &ctx, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, &ctx, NID_ext_key_usage, req->is_server ? "serverAuth" : "clientAuth") &&
           (req->alt_names == NULL || add_extension(cert, &ctx, NID_subject_alt_name, req->alt_names));
}

static bool fill(X509 *cert, const struct pki_request *req, const struct key *subject, X509 *issuer)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_set_version(cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), req->serial) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)req->not_before_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)req->not_after_s) != NULL &&
           X509_set_pubkey(cert, key_handle(subject)) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)req->common_name, -1, -1, 0) ==
               1 &&
           X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 && add_extensions(cert, issuer, req);
}

static enum vs_err take_pem(BIO *bio, char ret_pem[PKI_PEM_MAX])
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    if (len <= 0 || len >= PKI_PEM_MAX)
        return VS_ERR_LIMIT;
    memcpy(ret_pem, text, (size_t)len);
    ret_pem[len] = '\0';
    return VS_OK;
}

enum vs_err pki_issue(const struct pki_request *req, const struct key *subject, const struct key *issuer,
                      const char *issuer_pem, char ret_pem[PKI_PEM_MAX])
{
    X509 *cert = X509_new();
    X509 *parent = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    enum vs_err err = VS_ERR_IO;

    if (issuer_pem != NULL) {
        BIO *in = BIO_new_mem_buf(issuer_pem, -1);
        parent = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
        BIO_free(in);
    }
    if (cert != NULL && bio != NULL && (issuer_pem == NULL || parent != NULL) &&
        fill(cert, req, subject, parent != NULL ? parent : cert) &&
        X509_sign(cert, key_handle(issuer), key_kind(issuer) == KEY_P256 ? EVP_sha256() : NULL) > 0 &&
        PEM_write_bio_X509(bio, cert) == 1)
        err = take_pem(bio, ret_pem);
    BIO_free(bio);
    X509_free(parent);
    X509_free(cert);
    return err;
}

enum vs_err pki_private_pem(const struct key *k, char ret_pem[PKI_PEM_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum vs_err err = VS_ERR_IO;

    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key_handle(k), NULL, NULL, 0, NULL, NULL) == 1)
        err = take_pem(bio, ret_pem);
    BIO_free(bio);
    return err;
}
