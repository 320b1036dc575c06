/* uplink: every answer in every state, waits, jitter and clocks that jump. R-033. */
#include "check.h"

#include "gateway/uplink.h"

#define START  INT64_C(1000000000)
#define SECOND INT64_C(1000000)

static struct uplink started(void)
{
    struct uplink u;
    const struct uplink_config cfg = {0};

    uplink_init(&u, &cfg);
    assert_true(uplink_ready(&u, START));
    uplink_started(&u, START);
    assert_false(uplink_ready(&u, START));
    return u;
}

static void each_answer_has_its_verdict(void **state)
{
    static const struct {
        int status;
        uint32_t retry_after_s;
        enum uplink_verdict verdict;
        enum uplink_state state;
        int64_t wait_min_us, wait_max_us; /* with random 0 and UINT32_MAX */
    } row[] = {
        {200, 0, UPLINK_ACKED, UPLINK_IDLE, 0, 0},
        {400, 0, UPLINK_REFUSED, UPLINK_IDLE, 0, 0},
        {409, 0, UPLINK_REFUSED, UPLINK_IDLE, 0, 0},
        {413, 0, UPLINK_REFUSED, UPLINK_IDLE, 0, 0},
        {422, 0, UPLINK_REFUSED, UPLINK_IDLE, 0, 0},
        {429, 30, UPLINK_AGAIN, UPLINK_PAUSED, 30 * SECOND, 33 * SECOND},
        {503, 7, UPLINK_AGAIN, UPLINK_PAUSED, 7 * SECOND, 8 * SECOND},
        {503, 0, UPLINK_AGAIN, UPLINK_PAUSED, SECOND / 2, SECOND},
        {503, 4000000, UPLINK_AGAIN, UPLINK_PAUSED, 86400 * SECOND, 95040 * SECOND},
        {401, 0, UPLINK_AGAIN, UPLINK_PAUSED, 900 * SECOND, 900 * SECOND},
        {403, 0, UPLINK_AGAIN, UPLINK_PAUSED, 900 * SECOND, 900 * SECOND},
        {0, 0, UPLINK_AGAIN, UPLINK_BACKOFF, SECOND / 2, SECOND},
        {500, 0, UPLINK_AGAIN, UPLINK_BACKOFF, SECOND / 2, SECOND},
        {204, 0, UPLINK_AGAIN, UPLINK_BACKOFF, SECOND / 2, SECOND},
        {302, 0, UPLINK_AGAIN, UPLINK_BACKOFF, SECOND / 2, SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        for (unsigned last = 0; last < 2; last++) {
            struct uplink u = started();
            struct uplink_reply reply = {.status = row[i].status, .retry_after_s = row[i].retry_after_s};

            CHECK_ROW(i, uplink_answered(&u, &reply, last ? UINT32_MAX : 0, START) == row[i].verdict);
            CHECK_ROW(i, u.state == row[i].state);
            if (row[i].state == UPLINK_IDLE)
                continue;
            int64_t wait_us = u.wait_until_us - START;
            CHECK_ROW(i, last ? wait_us <= row[i].wait_max_us : wait_us == row[i].wait_min_us);
            CHECK_ROW(i, !uplink_ready(&u, START + wait_us - 1));
            CHECK_ROW(i, uplink_ready(&u, START + wait_us));
        }
    }
}

static void backoff_doubles_to_its_bound_and_success_resets(void **state)
{
    struct uplink u = started();
    struct uplink_reply lost = {0}, ok = {.status = 200};
    int64_t now = START, before = 0;

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(uplink_answered(&u, &lost, UINT32_MAX, now), UPLINK_AGAIN);
        int64_t wait_us = u.wait_until_us - now;
        assert_true(wait_us >= before && wait_us <= 900 * SECOND);
        before = wait_us;
        now = u.wait_until_us;
        assert_true(uplink_ready(&u, now));
        uplink_started(&u, now);
    }
    assert_true(before > 899 * SECOND);
    assert_int_equal(uplink_answered(&u, &ok, 0, now), UPLINK_ACKED);
    assert_true(uplink_ready(&u, now));
    uplink_started(&u, now);
    assert_int_equal(uplink_answered(&u, &lost, UINT32_MAX, now), UPLINK_AGAIN);
    assert_true(u.wait_until_us - now <= SECOND);
}

static void an_answer_can_be_overdue(void **state)
{
    struct uplink u = started();
    struct uplink_reply none = {0};

    (void)state;
    assert_false(uplink_overdue(&u, START + 60 * SECOND - 1));
    assert_true(uplink_overdue(&u, START + 60 * SECOND));
    assert_int_equal(uplink_answered(&u, &none, 0, START + 60 * SECOND), UPLINK_AGAIN);
    assert_int_equal(u.counters.timed_out, 1);
}

/* A clock that goes back ends every wait instead of making it endless. */
static void a_clock_that_goes_back_ends_waits(void **state)
{
    struct uplink u = started();
    struct uplink_reply busy = {.status = 503, .retry_after_s = 3600};

    (void)state;
    assert_true(uplink_overdue(&u, START - 1));
    uplink_answered(&u, &busy, 0, START);
    assert_false(uplink_ready(&u, START + 1));
    assert_true(uplink_ready(&u, START - 1));
}

static void hurry_ends_a_backoff_but_not_a_pause(void **state)
{
    struct uplink u = started();
    struct uplink_reply lost = {0}, busy = {.status = 429, .retry_after_s = 60};

    (void)state;
    uplink_answered(&u, &lost, 0, START);
    uplink_hurry(&u);
    assert_true(uplink_ready(&u, START));
    uplink_started(&u, START);
    uplink_hurry(&u);
    assert_int_equal(u.state, UPLINK_WAITING);
    uplink_answered(&u, &busy, 0, START);
    uplink_hurry(&u);
    assert_false(uplink_ready(&u, START + 59 * SECOND));
}

static void wait_ms_tells_when_to_look_again(void **state)
{
    struct uplink u = started();
    struct uplink_reply busy = {.status = 503, .retry_after_s = 2}, ok = {.status = 200};

    (void)state;
    assert_int_equal(uplink_wait_ms(&u, START, 100000), 60001);
    uplink_answered(&u, &busy, 0, START);
    assert_int_equal(uplink_wait_ms(&u, START, 100000), 2001);
    assert_int_equal(uplink_wait_ms(&u, START, 50), 50);
    assert_true(uplink_ready(&u, START + 2 * SECOND));
    uplink_started(&u, START);
    uplink_answered(&u, &ok, 0, START);
    assert_int_equal(uplink_wait_ms(&u, START, 50), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_verdict),
        cmocka_unit_test(backoff_doubles_to_its_bound_and_success_resets),
        cmocka_unit_test(an_answer_can_be_overdue),
        cmocka_unit_test(a_clock_that_goes_back_ends_waits),
        cmocka_unit_test(hurry_ends_a_backoff_but_not_a_pause),
        cmocka_unit_test(wait_ms_tells_when_to_look_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
