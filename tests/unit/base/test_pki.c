/* pki: a chain that OpenSSL itself accepts for its purpose, and refuses for the other one. */
#include "base/pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "check.h"

#define NOW_S INT64_C(1790000000)

static struct key *ca_key;
static char ca_pem[PKI_PEM_MAX];

static int setup(void **state)
{
    struct pki_request ca = {"CA", NULL, 1, NOW_S - 10, NOW_S + 1000, true, false};

    (void)state;
    return key_generate(KEY_P256, &ca_key) == VS_OK && pki_issue(&ca, ca_key, ca_key, NULL, ca_pem) == VS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    key_free(ca_key);
    return 0;
}

static X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static bool holds(const char *pem, int purpose, int64_t at_s)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *cert = parse(pem), *ca = parse(ca_pem);

    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)at_s);
    bool ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(cert);
    X509_free(ca);
    return ok;
}

static void a_vehicle_is_a_client_and_nothing_else(void **state)
{
    struct pki_request req = {"00112233445566778899aabbccddeeff", NULL, 5, NOW_S - 10, NOW_S + 100, false, false};
    struct key *key = NULL, *read_back = NULL;
    char pem[PKI_PEM_MAX];
    uint8_t signature[SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(key_generate(KEY_ED25519, &key), VS_OK);
    assert_int_equal(pki_issue(&req, key, ca_key, ca_pem, pem), VS_OK);
    assert_true(holds(pem, X509_PURPOSE_SSL_CLIENT, NOW_S));
    assert_false(holds(pem, X509_PURPOSE_SSL_SERVER, NOW_S));
    assert_false(holds(pem, X509_PURPOSE_SSL_CLIENT, NOW_S + 101));
    assert_int_equal(key_read_certificate(slice_str(pem), &read_back), VS_OK);
    assert_int_equal(key_sign(key, slice_str("x"), signature), VS_OK);
    assert_int_equal(key_verify(read_back, slice_str("x"), signature), VS_OK);
    key_free(key);
    key_free(read_back);
}

static void a_server_has_its_names(void **state)
{
    struct pki_request req = {"localhost", "DNS:localhost,IP:127.0.0.1", 6, NOW_S - 10, NOW_S + 100, false, true};
    struct key *key = NULL;
    char pem[PKI_PEM_MAX];

    (void)state;
    assert_int_equal(key_generate(KEY_P256, &key), VS_OK);
    assert_int_equal(pki_issue(&req, key, ca_key, ca_pem, pem), VS_OK);
    assert_true(holds(pem, X509_PURPOSE_SSL_SERVER, NOW_S));
    X509 *cert = parse(pem);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_host(cert, "elsewhere", 0, 0, NULL), 0);
    X509_free(cert);
    key_free(key);
}

static void private_keys_read_back(void **state)
{
    struct key *key = NULL, *again = NULL;
    char pem[PKI_PEM_MAX];
    uint8_t signature[SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(key_generate(KEY_P256, &key), VS_OK);
    assert_int_equal(pki_private_pem(key, pem), VS_OK);
    assert_int_equal(key_read_private(slice_str(pem), &again), VS_OK);
    assert_int_equal(key_sign(again, slice_str("x"), signature), VS_OK);
    assert_int_equal(key_verify(key, slice_str("x"), signature), VS_OK);
    key_free(key);
    key_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vehicle_is_a_client_and_nothing_else),
        cmocka_unit_test(a_server_has_its_names),
        cmocka_unit_test(private_keys_read_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
