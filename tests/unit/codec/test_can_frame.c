/* can_frame: the data length codes of ISO 11898-1 table 5. */
#include "check.h"

#include "codec/can_frame.h"

static void codes_and_lengths_are_those_of_the_standard(void **state)
{
    static const uint8_t fd[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};

    (void)state;
    for (uint8_t dlc = 0; dlc < 16; dlc++) {
        CHECK_ROW(dlc, can_frame_dlc_to_len(dlc, true) == fd[dlc]);
        CHECK_ROW(dlc, can_frame_dlc_to_len(dlc, false) == (dlc < 8 ? dlc : 8));
        CHECK_ROW(dlc, can_frame_len_to_dlc(fd[dlc], true) == dlc);
    }
    assert_int_equal(can_frame_dlc_to_len(200, true), 64);
}

static void a_code_is_the_smallest_that_holds_the_bytes(void **state)
{
    (void)state;
    for (unsigned len = 0; len <= 64; len++) {
        uint8_t dlc = can_frame_len_to_dlc((uint8_t)len, true);
        CHECK_ROW(len, can_frame_dlc_to_len(dlc, true) >= len);
        CHECK_ROW(len, dlc == 0 || can_frame_dlc_to_len(dlc - 1, true) < len);
        CHECK_ROW(len, can_frame_len_to_dlc((uint8_t)len, false) == (len < 8 ? len : 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_and_lengths_are_those_of_the_standard),
        cmocka_unit_test(a_code_is_the_smallest_that_holds_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
