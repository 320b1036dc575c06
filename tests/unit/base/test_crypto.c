/* crypto: published vectors for each primitive, and that nothing changed passes. Vectors: FIPS 180-4 (SHA-256), RFC
 * 4231 (HMAC), the GCM specification's test case 16 (AES-256 with additional data), RFC 8032 section 7.1 (Ed25519 test
 * 2). */
#include "base/crypto.h"

#include <stdlib.h>

#include "check.h"
#include "core/hex.h"
#include "core/writer.h"

static void unhex(const char *text, uint8_t *buf, size_t size)
{
    assert_true(hex_read(slice_str(text), buf, size));
}

static void assert_bytes(const uint8_t *got, const char *want, size_t size)
{
    uint8_t expected[128];

    unhex(want, expected, size);
    assert_memory_equal(got, expected, size);
}

static void sha256_of_abc(void **state)
{
    const struct slice part[3] = {slice_str("a"), slice_str(""), slice_str("bc")};
    uint8_t hash[SHA256_SIZE];

    (void)state;
    sha256(slice_str("abc"), hash);
    assert_bytes(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sizeof hash);
    sha256_parts(part, 3, hash);
    assert_bytes(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sizeof hash);
}

static void hmac_of_rfc_4231_case_2(void **state)
{
    uint8_t mac[SHA256_SIZE];

    (void)state;
    hmac_sha256(slice_str("Jefe"), slice_str("what do ya want for nothing?"), mac);
    assert_bytes(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", sizeof mac);
}

#define GCM_LEN 60

static void gcm_of_test_case_16(void **state)
{
    uint8_t key[AEAD_KEY_SIZE], nonce[AEAD_NONCE_SIZE], aad[20], plain[GCM_LEN], out[GCM_LEN + AEAD_TAG_SIZE],
        back[GCM_LEN];

    (void)state;
    unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key, sizeof key);
    unhex("cafebabefacedbaddecaf888", nonce, sizeof nonce);
    unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof aad);
    unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d"
          "e657ba637b39",
          plain, sizeof plain);
    struct slice ad = slice_make(aad, sizeof aad);
    assert_int_equal(aead_seal(key, nonce, ad, slice_make(plain, sizeof plain), out), VS_OK);
    assert_bytes(out + GCM_LEN, "76fc6ece0f4e1768cddf8853bb2d551b", AEAD_TAG_SIZE);
    assert_int_equal(aead_open(key, nonce, ad, slice_make(out, sizeof out), back), VS_OK);
    assert_memory_equal(back, plain, sizeof plain);
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] ^= 1;
        assert_int_equal(aead_open(key, nonce, ad, slice_make(out, sizeof out), back), VS_ERR_TAMPERED);
        out[i] ^= 1;
    }
    aad[3] ^= 0x80;
    assert_int_equal(aead_open(key, nonce, ad, slice_make(out, sizeof out), back), VS_ERR_TAMPERED);
    assert_int_equal(aead_open(key, nonce, ad, slice_make(out, AEAD_TAG_SIZE - 1), back), VS_ERR_TRUNCATED);
}

static void ed25519_of_rfc_8032(void **state)
{
    uint8_t seed[32], signature[SIGNATURE_SIZE], message[1] = {0x72};
    struct key *key = NULL;

    (void)state;
    unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, sizeof seed);
    assert_int_equal(key_from_seed(seed, &key), VS_OK);
    assert_int_equal(key_sign(key, slice_make(message, 1), signature), VS_OK);
    assert_bytes(signature,
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2"
                 "eaeb4302aeeb00d291612bb0c00",
                 sizeof signature);
    key_free(key);
}

static void every_changed_bit_fails_to_verify(void **state)
{
    static const enum key_kind KIND[] = {KEY_ED25519, KEY_P256};
    uint8_t signature[SIGNATURE_SIZE], message[40] = "a batch as the vehicle signed it";

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct key *key = NULL, *other = NULL;

        assert_int_equal(key_generate(KIND[k], &key), VS_OK);
        assert_int_equal(key_generate(KIND[k], &other), VS_OK);
        assert_int_equal(key_kind(key), KIND[k]);
        assert_int_equal(key_sign(key, slice_make(message, sizeof message), signature), VS_OK);
        assert_int_equal(key_verify(key, slice_make(message, sizeof message), signature), VS_OK);
        assert_int_equal(key_verify(other, slice_make(message, sizeof message), signature), VS_ERR_SIGNATURE);
        for (size_t i = 0; i < SIGNATURE_SIZE * 8; i += 7) {
            signature[i / 8] ^= (uint8_t)(1u << i % 8);
            assert_int_equal(key_verify(key, slice_make(message, sizeof message), signature), VS_ERR_SIGNATURE);
            signature[i / 8] ^= (uint8_t)(1u << i % 8);
        }
        message[5] ^= 4;
        assert_int_equal(key_verify(key, slice_make(message, sizeof message), signature), VS_ERR_SIGNATURE);
        message[5] ^= 4;
        key_free(key);
        key_free(other);
    }
}

static void hostile_keys_are_refused(void **state)
{
    static const char *const BAD[] = {
        "", "-----BEGIN", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "\x30\x03\x02\x01\x01"};
    struct key *key = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_int_not_equal(key_read_private(slice_str(BAD[i]), &key), VS_OK);
        assert_int_not_equal(key_read_public(slice_str(BAD[i]), &key), VS_OK);
        assert_int_not_equal(key_read_certificate(slice_str(BAD[i]), &key), VS_OK);
        assert_null(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_abc),
        cmocka_unit_test(hmac_of_rfc_4231_case_2),
        cmocka_unit_test(gcm_of_test_case_16),
        cmocka_unit_test(ed25519_of_rfc_8032),
        cmocka_unit_test(every_changed_bit_fails_to_verify),
        cmocka_unit_test(hostile_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
