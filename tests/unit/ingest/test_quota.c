/* One storming car is held back, the others are not. R-047. */
#include "check.h"

#include "ingest/quota.h"
#include "seed.h"

#define S INT64_C(1000000)

static void vid_of(uint32_t n, uint8_t vid[EV_VID_SIZE])
{
    memset(vid, 0, EV_VID_SIZE);
    memcpy(vid, &n, sizeof n);
}

static void test_holds_back_and_refills(void **state)
{
    struct quota *q;
    uint8_t stormy[EV_VID_SIZE], quiet[EV_VID_SIZE];
    uint32_t retry = 0;
    int64_t now = 1000 * S;

    (void)state;
    vid_of(1, stormy);
    vid_of(2, quiet);
    assert_int_equal(quota_new(3600, 100, &q), VS_OK);
    assert_true(quota_take(q, stormy, 3000, now, &retry));
    assert_true(quota_take(q, stormy, 600, now, &retry));
    assert_false(quota_take(q, stormy, 10, now, &retry));
    assert_int_equal(retry, 10);
    assert_true(quota_take(q, quiet, 3600, now, &retry));
    assert_false(quota_take(q, stormy, 10, now + 9 * S, &retry));
    assert_int_equal(retry, 1);
    assert_true(quota_take(q, stormy, 10, now + 10 * S, &retry));
    assert_false(quota_take(q, stormy, 1, now + 10 * S, &retry));
    assert_true(quota_take(q, stormy, 3600, now + 3610 * S, &retry));
    assert_false(quota_take(q, stormy, 1, now, &retry)); /* a clock that goes back gives nothing */
    quota_free(q);
}

static void test_what_is_larger_than_the_bucket_passes_when_it_is_full(void **state)
{
    struct quota *q;
    uint8_t vid[EV_VID_SIZE];
    uint32_t retry = 0;

    (void)state;
    vid_of(1, vid);
    assert_int_equal(quota_new(100, 8, &q), VS_OK);
    assert_true(quota_take(q, vid, 5000, S, &retry));
    assert_false(quota_take(q, vid, 5000, S, &retry));
    assert_int_equal(retry, 3600);
    quota_free(q);
}

/* Many small steps must not give more than one long wait: fractions of a second are not lost and not counted twice. */
static void test_small_steps_add_up(void **state)
{
    struct quota *q;
    uint8_t vid[EV_VID_SIZE];
    uint32_t retry, taken = 0;

    (void)state;
    vid_of(1, vid);
    assert_int_equal(quota_new(3600, 8, &q), VS_OK);
    assert_true(quota_take(q, vid, 3600, S, &retry));
    for (int64_t now = S; now <= 101 * S; now += S / 7)
        taken += quota_take(q, vid, 1, now, &retry);
    assert_in_range(taken, 99, 101);
    quota_free(q);
}

static void test_more_vehicles_than_buckets(void **state)
{
    struct quota *q;
    uint8_t vid[EV_VID_SIZE], stormy[EV_VID_SIZE];
    uint32_t retry;

    (void)state;
    vid_of(0, stormy);
    assert_int_equal(quota_new(1000, 8, &q), VS_OK);
    assert_true(quota_take(q, stormy, 1000, S, &retry));
    for (uint32_t i = 1; i < 1000; i++) {
        vid_of(i, vid);
        assert_true(quota_take(q, vid, 10, S, &retry));
        assert_false(quota_take(q, stormy, 10, S, &retry)); /* the emptiest bucket is the last to be forgotten */
    }
    quota_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_back_and_refills),
        cmocka_unit_test(test_what_is_larger_than_the_bucket_passes_when_it_is_full),
        cmocka_unit_test(test_small_steps_add_up),
        cmocka_unit_test(test_more_vehicles_than_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
