/* cose: COSE_Sign1 against the bytes of RFC 9052, and everything that is not one. */
#include "check.h"

#include <stdlib.h>

#include "codec/cose.h"
#include "event/cbor.h"

static const uint8_t SIGNATURE[COSE_SIGNATURE_SIZE] = {0x51, 0x52};

static size_t make(uint8_t *buf, size_t size, int alg, const char *payload)
{
    struct writer w;

    writer_init(&w, buf, size);
    cose_sign1_write(&w, alg, slice_str(payload), slice_make(SIGNATURE, sizeof SIGNATURE));
    assert_false(w.full);
    return w.len;
}

static void bytes_are_those_of_the_standard(void **state)
{
    uint8_t buf[256];
    struct writer w;
    const uint8_t start[] = {0xD2, 0x84, 0x43, 0xA1, 0x01, 0x27, 0xA0, 0x43, 'a', 'b', 'c', 0x58, 0x40, 0x51, 0x52};
    const uint8_t to_sign[] = {0x84, 0x6A, 'S',  'i',  'g',  'n',  'a',  't', 'u', 'r', 'e',
                               '1',  0x43, 0xA1, 0x01, 0x27, 0x40, 0x43, 'a', 'b', 'c'};

    (void)state;
    assert_int_equal(make(buf, sizeof buf, COSE_ALG_EDDSA, "abc"), 13 + COSE_SIGNATURE_SIZE);
    assert_memory_equal(buf, start, sizeof start);
    writer_init(&w, buf, sizeof buf);
    cose_to_sign(&w, COSE_ALG_EDDSA, slice_str("abc"));
    assert_int_equal(w.len, sizeof to_sign);
    assert_memory_equal(buf, to_sign, sizeof to_sign);
}

static void what_is_written_is_read(void **state)
{
    uint8_t buf[256], a[256], b[256];
    struct cose_sign1 m;
    struct writer wa, wb;
    size_t byte;
    const int alg[] = {COSE_ALG_EDDSA, COSE_ALG_ES256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t len = make(buf, sizeof buf, alg[i], "payload");

        assert_int_equal(cose_sign1_read(slice_make(buf, len), &m, &byte), VS_OK);
        assert_int_equal(m.alg, alg[i]);
        check_slice(m.payload, "payload");
        assert_memory_equal(m.signature.ptr, SIGNATURE, sizeof SIGNATURE);
        writer_init(&wa, a, sizeof a);
        writer_init(&wb, b, sizeof b);
        cose_to_sign(&wa, alg[i], slice_str("payload"));
        cose_to_verify(&wb, &m);
        assert_int_equal(wa.len, wb.len);
        assert_memory_equal(a, b, wa.len);
    }
}

/* Headers by hand: which are taken, which are refused, and how. */
static void headers(void **state)
{
    static const struct {
        const char *protected_header;
        size_t len;
        enum vs_err err;
    } row[] = {
        {"\xA1\x01\x27", 3, VS_OK},
        {"\xA1\x01\x26", 3, VS_OK},
        {"\xA1\x01\x28", 3, VS_ERR_UNSUPPORTED}, /* another algorithm */
        {"\xA0", 1, VS_ERR_UNSUPPORTED},         /* none */
        {"", 0, VS_ERR_MALFORMED},
        {"\xA2\x01\x27\x04\x41\x31", 6, VS_OK},              /* kid beside it */
        {"\xA2\x01\x27\x61\x78\x05", 6, VS_OK},              /* a label of text */
        {"\xA2\x01\x27\x02\x81\x04", 6, VS_ERR_UNSUPPORTED}, /* crit */
        {"\xA2\x01\x27\x01\x26", 5, VS_ERR_MALFORMED},       /* the algorithm twice */
        {"\xA1\x01\x27\x00", 4, VS_ERR_MALFORMED},           /* bytes behind the map */
        {"\xA2\x01\x27", 3, VS_ERR_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[256];
        struct writer w;
        struct cose_sign1 m = {.alg = 77};
        size_t byte = 0;

        writer_init(&w, buf, sizeof buf);
        cbor_put_tag(&w, 18);
        cbor_put_array(&w, 4);
        cbor_put_bytes(&w, slice_make(row[i].protected_header, row[i].len));
        cbor_put_map(&w, 0);
        cbor_put_bytes(&w, slice_str("p"));
        cbor_put_bytes(&w, slice_make(SIGNATURE, sizeof SIGNATURE));
        enum vs_err err = cose_sign1_read(writer_slice(&w), &m, &byte);
        CHECK_ROW(i, err == row[i].err);
        /* Outputs are written on success only. */
        CHECK_ROW(i, err == VS_OK || m.alg == 77);
    }
}

/* Every cut is refused. A flipped bit is refused, or changes what is verified: never the same text to sign under the
 * same signature, except in the unprotected header, which is nobody's business. */
static void damage(void **state)
{
    uint8_t buf[256], good[256], text[256];
    size_t len = make(buf, sizeof buf, COSE_ALG_ES256, "payload"), byte;
    struct cose_sign1 m;
    struct writer w;

    (void)state;
    writer_init(&w, good, sizeof good);
    cose_to_sign(&w, COSE_ALG_ES256, slice_str("payload"));
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);

        memcpy(copy, buf, cut);
        assert_int_equal(cose_sign1_read(slice_make(copy, cut), &m, &byte), VS_ERR_MALFORMED);
        assert_true(byte <= cut);
        free(copy);
    }
    assert_int_equal(cose_sign1_read(slice_make(buf, len + 1), &m, &byte), VS_ERR_MALFORMED);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (cose_sign1_read(slice_make(buf, len), &m, &byte) == VS_OK) {
            struct writer got;

            writer_init(&got, text, sizeof text);
            cose_to_verify(&got, &m);
            assert_false(slice_equal(writer_slice(&got), writer_slice(&w)) &&
                         memcmp(m.signature.ptr, SIGNATURE, sizeof SIGNATURE) == 0);
        }
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_standard),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(headers),
        cmocka_unit_test(damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
