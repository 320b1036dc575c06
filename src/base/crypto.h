/* crypto: the few primitives that OpenVSOC uses, over OpenSSL 3, with one name and one meaning each.
 *
 * Hash SHA-256; MAC HMAC-SHA-256; AEAD AES-256-GCM with 12-byte nonces and 16-byte tags; signatures Ed25519 and ECDSA
 * P-256 with SHA-256 (64-byte r|s form as in COSE). Keys live in struct key and are erased when freed.
 * Threads: functions are reentrant; one key may be used by many threads for verifying and signing.
 * Errors: VS_ERR_SIGNATURE (does not verify), VS_ERR_TAMPERED (AEAD tag wrong), VS_ERR_IO (library refused). */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define SHA256_SIZE     32
#define AEAD_KEY_SIZE   32
#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE   16
#define SIGNATURE_SIZE  64

void sha256(struct slice in, uint8_t ret[SHA256_SIZE]);
/* Over several parts in order, without joining them first. */
void sha256_parts(const struct slice *part, size_t count, uint8_t ret[SHA256_SIZE]);
void hmac_sha256(struct slice key, struct slice in, uint8_t ret[SHA256_SIZE]);
/* Equal, in a time that does not depend on where they differ. */
bool crypto_equal(struct slice a, struct slice b);
/* From the operating system's generator. Only for shells in app/; tests and the simulator hand in their own. */
VS_MUST_USE enum vs_err crypto_random(uint8_t *buf, size_t size);

/* out has in.len + AEAD_TAG_SIZE bytes. The nonce must never repeat under one key. */
VS_MUST_USE enum vs_err aead_seal(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                                  struct slice aad, struct slice in, uint8_t *out);
/* out has in.len - AEAD_TAG_SIZE bytes; nothing useful is in it after a failure. */
VS_MUST_USE enum vs_err aead_open(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                                  struct slice aad, struct slice in, uint8_t *out);

enum key_kind { KEY_ED25519, KEY_P256 };
struct key;

/* A private key from a seed of 32 bytes: the same seed gives the same key. Ed25519 only. */
VS_MUST_USE enum vs_err key_from_seed(const uint8_t seed[32], struct key **ret);
/* A fresh private key. */
VS_MUST_USE enum vs_err key_generate(enum key_kind kind, struct key **ret);
/* PEM private key, PEM public key, or PEM/DER certificate (its public key). */
VS_MUST_USE enum vs_err key_read_private(struct slice pem, struct key **ret);
VS_MUST_USE enum vs_err key_read_public(struct slice pem, struct key **ret);
VS_MUST_USE enum vs_err key_read_certificate(struct slice pem_or_der, struct key **ret);
void key_free(struct key *k);
enum key_kind key_kind(const struct key *k);
VS_MUST_USE enum vs_err key_sign(const struct key *k, struct slice in, uint8_t ret[SIGNATURE_SIZE]);
VS_MUST_USE enum vs_err key_verify(const struct key *k, struct slice in, const uint8_t signature[SIGNATURE_SIZE]);
/* The OpenSSL key (EVP_PKEY *), borrowed, for code that makes certificates. */
void *key_handle(const struct key *k);

#endif
