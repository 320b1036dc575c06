/* What the door takes and what it refuses.; the same over the network is in tests/e2e/test_ingest.py. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "batch_maker.h"
#include "ingest/receive.h"
#include "ingest/vid_text.h"
#include "seed.h"

#define NOW INT64_C(1780000000000000)

struct fixture {
    struct receiver *r;
    struct key *key;
    struct batch_maker *maker;
    struct vid_text cn;
    struct received got;
    struct receive_refusal no;
};

static void begin(struct fixture *f)
{
    uint8_t seed[32] = {1};

    f->maker = calloc(1, sizeof *f->maker);
    assert_int_equal(receiver_new(&f->r), VS_OK);
    assert_int_equal(key_from_seed(seed, &f->key), VS_OK);
    batch_maker_begin(f->maker, 5, 2, NOW);
    batch_maker_add(f->maker, 1, NOW);
    batch_maker_add(f->maker, 2, NOW);
    f->cn = vid_text(f->maker->batch.vid);
}

static void end(struct fixture *f)
{
    receiver_free(f->r);
    key_free(f->key);
    free(f->maker);
}

static enum vs_err take(struct fixture *f, struct slice body)
{
    struct receive_peer peer = {f->cn.hex, f->key};

    return receive_batch(f->r, body, &peer, NOW + 7, &f->got, &f->no);
}

static void test_takes_a_good_batch_verbatim(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    struct slice body = batch_maker_finish(f.maker, f.key);
    assert_int_equal(take(&f, body), VS_OK);
    assert_int_equal(f.got.epoch, 2);
    assert_int_equal(f.got.seq_next, 3);
    assert_int_equal(f.got.count, 2);
    assert_int_equal(f.got.record.received_us, NOW + 7);
    assert_int_equal(f.got.record.door, STREAM_DOOR_HTTPS);
    assert_int_equal(f.got.record.format, STREAM_FORMAT_BATCH);
    assert_true(slice_equal(f.got.record.key, slice_make(f.maker->batch.vid, EV_VID_SIZE)));
    assert_true(slice_equal(f.got.record.value, body));
    end(&f);
}

static void test_ecdsa(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    key_free(f.key);
    assert_int_equal(key_generate(KEY_P256, &f.key), VS_OK);
    assert_int_equal(take(&f, batch_maker_finish(f.maker, f.key)), VS_OK);
    end(&f);
}

static void test_refuses_another_key_and_another_vehicle(void **state)
{
    struct fixture f;
    uint8_t seed[32] = {2};
    struct key *other;

    (void)state;
    begin(&f);
    assert_int_equal(key_from_seed(seed, &other), VS_OK);
    assert_int_equal(take(&f, batch_maker_finish(f.maker, other)), VS_ERR_SIGNATURE);
    struct slice body = batch_maker_finish(f.maker, f.key);
    f.cn.hex[0] = 'f';
    assert_int_equal(take(&f, body), VS_ERR_FORBIDDEN);
    f.cn.hex[0] = '\0';
    assert_int_equal(take(&f, body), VS_ERR_FORBIDDEN);
    key_free(other);
    end(&f);
}

/* Any single bit that is not what was signed makes it a refusal. */
static void test_every_bit_counts(void **state)
{
    struct fixture f;
    uint8_t copy[MAKER_SIZE];

    (void)state;
    begin(&f);
    struct slice body = batch_maker_finish(f.maker, f.key);
    for (size_t bit = 0; bit < body.len * 8; bit++) {
        memcpy(copy, body.ptr, body.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum vs_err err = take(&f, slice_make(copy, body.len));
        if (err != VS_ERR_MALFORMED && err != VS_ERR_SIGNATURE && err != VS_ERR_UNSUPPORTED)
            fail_msg("bit %zu: %s", bit, vs_err_text(err));
        assert_true(f.no.reason[0] != '\0');
    }
    for (size_t len = 0; len < body.len; len++)
        assert_int_equal(take(&f, slice_head(body, len)), VS_ERR_MALFORMED);
    end(&f);
}

/* The envelopes that are signed and still wrong are in tests/e2e/test_ingest.py, made by another implementation. */
static void test_refuses_what_is_too_large(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    struct slice body = batch_maker_finish(f.maker, f.key);
    assert_int_equal(take(&f, slice_make(body.ptr, (size_t)RECEIVE_BODY_MAX + 1)), VS_ERR_LIMIT);
    assert_int_equal(take(&f, body), VS_OK);
    end(&f);
}

struct records {
    unsigned count;
    char value[4][1000];
    uint8_t vid[4][EV_VID_SIZE];
};

static enum vs_err note(const struct stream_record *rec, void *ctx)
{
    struct records *r = ctx;

    assert_int_equal(rec->format, STREAM_FORMAT_JSON_LINES);
    assert_true(r->count < 4 && slice_to_str(rec->value, r->value[r->count], sizeof r->value[0]));
    memcpy(r->vid[r->count++], rec->key.ptr, EV_VID_SIZE);
    return VS_OK;
}

static void test_feed_lines_are_grouped_and_lose_the_vin(void **state)
{
    static const uint8_t KEY[PSEUDONYM_KEY_SIZE] = {7};
    static const char TEXT[] =
        "{\"vin\":\"WVWZZZ1KZAW000001\",\"type\":\"a.b\",\"n\":{\"x\":1},\"t\":\"car WVWZZZ1KZAW000001\",\"f\":1.5}\n"
        "{\"type\":\"c\",\"vin\":null,\"u\":18446744073709551615,\"q\":\"\\\"\\u00e9\"}\r\n"
        "{\"epoch\":4,\"seq\":9,\"vin\":\"wvwzzz1kzaw000001\",\"b\":true}\n";
    struct fixture f;
    struct records r = {.count = 0};
    uint8_t car[EV_VID_SIZE], feed[EV_VID_SIZE];

    (void)state;
    begin(&f);
    assert_int_equal(receive_feed(f.r, slice_make(TEXT, sizeof TEXT - 1), slice_str("ota"), KEY, NOW, note, &r, &f.no),
                     VS_OK);
    assert_int_equal(r.count, 2);
    assert_int_equal(pseudonym_of_vin(KEY, slice_str("WVWZZZ1KZAW000001"), car), VS_OK);
    pseudonym_of_feed(KEY, slice_str("ota"), feed);
    unsigned of_car = memcmp(r.vid[0], car, sizeof car) == 0 ? 0 : 1;
    assert_memory_equal(r.vid[of_car], car, sizeof car);
    assert_memory_equal(r.vid[1 - of_car], feed, sizeof feed);
    assert_null(strstr(r.value[0], "1KZAW"));
    assert_null(strstr(r.value[1], "1KZAW"));
    assert_null(strcasestr(r.value[of_car], "wvwzzz"));
    assert_non_null(strstr(r.value[of_car], "\"n.x\":1,\"f\":1.5}\n"));
    assert_non_null(strstr(r.value[of_car], "\"seq\":9,\"b\":true}\n"));
    assert_null(strstr(r.value[of_car], "\"epoch\":4"));
    assert_non_null(strstr(r.value[1 - of_car], "\"u\":18446744073709551615,\"q\":\"\\\"\xC3\xA9\"}\n"));
    end(&f);
}

/* Accounts get one pseudonym wherever they stand, so that the target of one act can be seen to be the user of the next;
 * absent ones stay absent, because rules ask for that. */
static void test_feed_lines_lose_their_accounts(void **state)
{
    static const uint8_t KEY[PSEUDONYM_KEY_SIZE] = {7};
    static const char TEXT[] =
        "{\"time\":1,\"type\":\"backend.role_changed\",\"user\":\"root\",\"target\":\"eve\",\"role\":\"admin\"}\n"
        "{\"time\":2,\"type\":\"backend.login\",\"user\":\"eve\",\"token\":null,\"result\":\"success\"}\n"
        "{\"time\":3,\"type\":\"backend.login\",\"user\":4711,\"token\":\"\",\"result\":\"success\"}\n";
    struct fixture f;
    struct records r = {.count = 0};
    uint8_t id[EV_VID_SIZE];
    char want[80];

    (void)state;
    begin(&f);
    assert_int_equal(receive_feed(f.r, slice_make(TEXT, sizeof TEXT - 1), slice_str("idp"), KEY, NOW, note, &r, &f.no),
                     VS_OK);
    assert_int_equal(r.count, 1);
    assert_null(strstr(r.value[0], "eve"));
    assert_null(strstr(r.value[0], "4711"));
    assert_non_null(strstr(r.value[0], "\"role\":\"admin\""));
    assert_non_null(strstr(r.value[0], "\"token\":null"));
    assert_non_null(strstr(r.value[0], "\"token\":\"\""));
    pseudonym_of_account(KEY, slice_str("eve"), id);
    struct vid_text hex = vid_text(id);
    snprintf(want, sizeof want, "\"target\":\"%s\"", hex.hex);
    assert_non_null(strstr(r.value[0], want));
    snprintf(want, sizeof want, "\"user\":\"%s\"", hex.hex);
    assert_non_null(strstr(r.value[0], want));
    pseudonym_of_account(KEY, slice_str("4711"), id);
    hex = vid_text(id);
    assert_non_null(strstr(r.value[0], hex.hex));
    end(&f);
}

static void test_feed_is_all_or_nothing(void **state)
{
    static const uint8_t KEY[PSEUDONYM_KEY_SIZE] = {7};
    static const struct {
        const char *text;
        size_t line;
    } ROW[] = {{"{}\n{\"a\":}\n", 2},
               {"{}\n\n[1]\n", 3},
               {"{\"vin\":\"short\"}", 1},
               {"{\"vin\":{\"x\":1}}\n{\"vin\":5}", 2},
               {"\xFF", 1}};
    struct fixture f;
    struct records r = {.count = 0};

    (void)state;
    begin(&f);
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        CHECK_ROW(i, receive_feed(f.r, slice_str(ROW[i].text), slice_str("x"), KEY, NOW, note, &r, &f.no) ==
                         VS_ERR_MALFORMED);
        CHECK_ROW(i, f.no.byte == ROW[i].line);
    }
    assert_int_equal(r.count, 0);
    assert_int_equal(receive_feed(f.r, slice_str(""), slice_str("x"), KEY, NOW, note, &r, &f.no), VS_OK);
    end(&f);
}

/* a keyed pseudonym; the key matters, the case of the VIN does not, and what is no VIN has none. */
static void test_pseudonym(void **state)
{
    static const uint8_t A[PSEUDONYM_KEY_SIZE] = {1}, B[PSEUDONYM_KEY_SIZE] = {2};
    static const char *const NO_VIN[] = {"",
                                         "WVWZZZ1KZAW00000",
                                         "WVWZZZ1KZAW0000012",
                                         "WVWZZZ1KZAI000001",
                                         "WVWZZZ1KZAO000001",
                                         "WVWZZZ1KZAQ000001",
                                         "WVWZZZ1KZA-000001"};
    uint8_t a[EV_VID_SIZE], b[EV_VID_SIZE], c[EV_VID_SIZE];

    (void)state;
    assert_int_equal(pseudonym_of_vin(A, slice_str("WVWZZZ1KZAW000001"), a), VS_OK);
    assert_int_equal(pseudonym_of_vin(A, slice_str("wvwzzz1kzaw000001"), b), VS_OK);
    assert_int_equal(pseudonym_of_vin(B, slice_str("WVWZZZ1KZAW000001"), c), VS_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    for (size_t i = 0; i < sizeof NO_VIN / sizeof NO_VIN[0]; i++)
        CHECK_ROW(i, pseudonym_of_vin(A, slice_str(NO_VIN[i]), a) == VS_ERR_MALFORMED);
    assert_true(pseudonym_feed_epoch(slice_str("ota")) >= UINT32_C(1) << 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_a_good_batch_verbatim),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_refuses_another_key_and_another_vehicle),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_refuses_what_is_too_large),
        cmocka_unit_test(test_feed_lines_are_grouped_and_lose_the_vin),
        cmocka_unit_test(test_feed_lines_lose_their_accounts),
        cmocka_unit_test(test_feed_is_all_or_nothing),
        cmocka_unit_test(test_pseudonym),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
