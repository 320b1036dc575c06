#include "base/crypto.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>

struct key {
    EVP_PKEY *pkey;
    enum key_kind kind;
};

void sha256(struct slice in, uint8_t ret[SHA256_SIZE])
{
    sha256_parts(&in, 1, ret);
}

void sha256_parts(const struct slice *part, size_t count, uint8_t ret[SHA256_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned len = 0;

    assert(ctx != NULL);
    int ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    for (size_t i = 0; i < count; i++)
        ok &= EVP_DigestUpdate(ctx, part[i].ptr, part[i].len);
    ok &= EVP_DigestFinal_ex(ctx, ret, &len);
    /* SHA-256 over memory cannot fail unless the library itself is broken. */
    assert(ok == 1);
    assert(len == SHA256_SIZE);
    EVP_MD_CTX_free(ctx);
}

void hmac_sha256(struct slice key, struct slice in, uint8_t ret[SHA256_SIZE])
{
    unsigned len = 0;
    static const uint8_t none = 0;
    const uint8_t *p = HMAC(EVP_sha256(), key.len > 0 ? key.ptr : &none, (int)key.len, in.ptr, in.len, ret, &len);

    assert(p != NULL);
    assert(len == SHA256_SIZE);
}

bool crypto_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

enum vs_err crypto_random(uint8_t *buf, size_t size)
{
    return RAND_bytes(buf, (int)size) == 1 ? VS_OK : VS_ERR_IO;
}

enum vs_err aead_seal(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE], struct slice aad,
                      struct slice in, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, tail = 0;
    enum vs_err err = VS_ERR_IO;

    if (ctx == NULL)
        return VS_ERR_NO_MEMORY;
    if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        (aad.len == 0 || EVP_EncryptUpdate(ctx, NULL, &len, aad.ptr, (int)aad.len) == 1) &&
        EVP_EncryptUpdate(ctx, out, &len, in.ptr, (int)in.len) == 1 &&
        EVP_EncryptFinal_ex(ctx, out + in.len, &tail) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, AEAD_TAG_SIZE, out + in.len) == 1)
        err = VS_OK;
    EVP_CIPHER_CTX_free(ctx);
    return err;
}

enum vs_err aead_open(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE], struct slice aad,
                      struct slice in, uint8_t *out)
{
    uint8_t tag[AEAD_TAG_SIZE], none[AEAD_TAG_SIZE];
    int len = 0;
    enum vs_err err = VS_ERR_TAMPERED;

    if (in.len < AEAD_TAG_SIZE)
        return VS_ERR_TRUNCATED;
    size_t plain_len = in.len - AEAD_TAG_SIZE;
    memcpy(tag, in.ptr + plain_len, sizeof tag);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL)
        return VS_ERR_NO_MEMORY;
    if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        (aad.len == 0 || EVP_DecryptUpdate(ctx, NULL, &len, aad.ptr, (int)aad.len) == 1) &&
        EVP_DecryptUpdate(ctx, out, &len, in.ptr, (int)plain_len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, AEAD_TAG_SIZE, tag) == 1 &&
        EVP_DecryptFinal_ex(ctx, none, &len) == 1)
        err = VS_OK;
    EVP_CIPHER_CTX_free(ctx);
    return err;
}

/* Takes over pkey. Only the two kinds that batches are signed with are let in. */
static enum vs_err key_wrap(EVP_PKEY *pkey, struct key **ret)
{
    enum key_kind kind = KEY_ED25519;

    if (pkey == NULL)
        return VS_ERR_MALFORMED;
    if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_bits(pkey) == 256)
        kind = KEY_P256;
    else if (!EVP_PKEY_is_a(pkey, "ED25519")) {
        EVP_PKEY_free(pkey);
        return VS_ERR_UNSUPPORTED;
    }
    struct key *k = malloc(sizeof *k);
    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return VS_ERR_NO_MEMORY;
    }
    k->pkey = pkey;
    k->kind = kind;
    *ret = k;
    return VS_OK;
}

enum vs_err key_from_seed(const uint8_t seed[32], struct key **ret)
{
    return key_wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32), ret);
}

enum vs_err key_generate(enum key_kind kind, struct key **ret)
{
    EVP_PKEY *pkey = kind == KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_EC_gen("P-256");

    return pkey == NULL ? VS_ERR_IO : key_wrap(pkey, ret);
}

enum vs_err key_read_private(struct slice pem, struct key **ret)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key_wrap(pkey, ret);
}

enum vs_err key_read_public(struct slice pem, struct key **ret)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key_wrap(pkey, ret);
}

enum vs_err key_read_certificate(struct slice pem_or_der, struct key **ret)
{
    BIO *bio = BIO_new_mem_buf(pem_or_der.ptr, (int)pem_or_der.len);
    X509 *cert = NULL;

    if (bio != NULL && slice_starts(pem_or_der, slice_str("-----BEGIN")))
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    else if (bio != NULL)
        cert = d2i_X509_bio(bio, NULL);
    EVP_PKEY *pkey = cert != NULL ? X509_get_pubkey(cert) : NULL;
    X509_free(cert);
    BIO_free(bio);
    return key_wrap(pkey, ret);
}

void key_free(struct key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum key_kind key_kind(const struct key *k)
{
    return k->kind;
}

void *key_handle(const struct key *k)
{
    return k->pkey;
}

/* OpenSSL speaks DER for ECDSA; COSE (RFC 9053 section 2.1) has r and s as two 32-byte numbers. */
static enum vs_err ecdsa_to_fixed(struct slice der, uint8_t ret[SIGNATURE_SIZE])
{
    const unsigned char *p = der.ptr;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + 32, 32) == 32;

    ECDSA_SIG_free(sig);
    return ok ? VS_OK : VS_ERR_IO;
}

static int ecdsa_from_fixed(const uint8_t fixed[SIGNATURE_SIZE], unsigned char **ret_der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(fixed, 32, NULL);
    BIGNUM *s = BN_bin2bn(fixed + 32, 32, NULL);
    int len = -1;

    *ret_der = NULL;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        len = i2d_ECDSA_SIG(sig, ret_der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return len;
}

enum vs_err key_sign(const struct key *k, struct slice in, uint8_t ret[SIGNATURE_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t out[128];
    size_t len = sizeof out;
    enum vs_err err = VS_ERR_IO;

    if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, k->kind == KEY_P256 ? EVP_sha256() : NULL, NULL, k->pkey) == 1 &&
        EVP_DigestSign(ctx, out, &len, in.ptr, in.len) == 1) {
        if (k->kind == KEY_P256) {
            err = ecdsa_to_fixed(slice_make(out, len), ret);
        } else if (len == SIGNATURE_SIZE) {
            memcpy(ret, out, SIGNATURE_SIZE);
            err = VS_OK;
        }
    }
    EVP_MD_CTX_free(ctx);
    return err;
}

enum vs_err key_verify(const struct key *k, struct slice in, const uint8_t signature[SIGNATURE_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    const unsigned char *sig = signature;
    int len = SIGNATURE_SIZE;
    enum vs_err err = VS_ERR_SIGNATURE;

    if (k->kind == KEY_P256) {
        len = ecdsa_from_fixed(signature, &der);
        sig = der;
    }
    if (ctx != NULL && len > 0 &&
        EVP_DigestVerifyInit(ctx, NULL, k->kind == KEY_P256 ? EVP_sha256() : NULL, NULL, k->pkey) == 1 &&
        EVP_DigestVerify(ctx, sig, (size_t)len, in.ptr, in.len) == 1)
        err = VS_OK;
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    return err;
}
