/* uds: what each message says, never a bare byte. R-069: failed authentication in security access and authentication.
 */
#include "check.h"

#include <stdlib.h>

#include "codec/uds.h"
#include "core/hex.h"

static void messages_say_what_they_mean(void **state)
{
    static const struct {
        const char *hex;
        struct uds want;
        size_t rest; /* bytes of param */
    } row[] = {
        {"1083", {.sid = 0x10, .has_sub = true, .sub = 3, .suppress = true}, 0},
        {"5003003201F4", {.sid = 0x10, .is_response = true, .has_sub = true, .sub = 3}, 4},
        {"2705", {.sid = 0x27, .has_sub = true, .sub = 5}, 0},
        {"2706AABB", {.sid = 0x27, .has_sub = true, .sub = 6}, 2},
        {"7F2735", {.sid = 0x27, .is_response = true, .negative = true, .nrc = UDS_NRC_INVALID_KEY}, 0},
        {"7F2936", {.sid = 0x29, .is_response = true, .negative = true, .nrc = UDS_NRC_TOO_MANY_ATTEMPTS}, 0},
        {"7F2778FF", {.sid = 0x27, .is_response = true, .negative = true, .nrc = UDS_NRC_RESPONSE_PENDING}, 1},
        {"22F190F18C", {.sid = 0x22, .has_did = true, .did = 0xF190}, 2},
        {"62F19041", {.sid = 0x22, .is_response = true, .has_did = true, .did = 0xF190}, 1},
        {"2EF190", {.sid = 0x2E, .has_did = true, .did = 0xF190}, 0},
        {"2FD00103FF", {.sid = 0x2F, .has_did = true, .did = 0xD001}, 2},
        {"3101FF00", {.sid = 0x31, .has_sub = true, .sub = 1, .has_did = true, .did = 0xFF00}, 0},
        {"7101FF0010",
         {.sid = 0x31, .is_response = true, .has_sub = true, .sub = 1, .has_did = true, .did = 0xFF00},
         1},
        {"2C01F301", {.sid = 0x2C, .has_sub = true, .sub = 1, .has_did = true, .did = 0xF301}, 0},
        {"34004410", {.sid = 0x34}, 3},
        {"8582", {.sid = 0x85, .has_sub = true, .sub = 2, .suppress = true}, 0},
        {"C502", {.sid = 0x85, .is_response = true, .has_sub = true, .sub = 2}, 0},
        {"22F1", {.sid = 0x22}, 1},
        {"27", {.sid = 0x27}, 0},
        {"31", {.sid = 0x31}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t bytes[16];
        size_t len = strlen(row[i].hex) / 2;
        struct uds u;

        assert_true(hex_read(slice_str(row[i].hex), bytes, len));
        CHECK_ROW(i, uds_parse(slice_make(bytes, len), &u) == VS_OK);
        CHECK_ROW(i, u.sid == row[i].want.sid && u.is_response == row[i].want.is_response);
        CHECK_ROW(i, u.negative == row[i].want.negative && u.nrc == row[i].want.nrc);
        CHECK_ROW(i, u.has_sub == row[i].want.has_sub && u.sub == row[i].want.sub);
        CHECK_ROW(i, u.suppress == row[i].want.suppress);
        CHECK_ROW(i, u.has_did == row[i].want.has_did && u.did == row[i].want.did);
        CHECK_ROW(i, u.param.len == row[i].rest);
    }
}

static void what_says_nothing_is_refused(void **state)
{
    static const uint8_t bytes[] = {0x7F, 0x27};
    struct uds u;

    (void)state;
    for (size_t len = 0; len <= 2; len++)
        CHECK_ROW(len, uds_parse(slice_make(bytes, len), &u) == VS_ERR_TRUNCATED);
}

static void every_first_byte_is_parsed_with_every_length(void **state)
{
    (void)state;
    for (unsigned sid = 0; sid < 256; sid++)
        for (size_t len = 1; len < 8; len++) {
            uint8_t *bytes = malloc(len); /* exactly as long, for the sanitizer */
            struct uds u;

            assert_non_null(bytes);
            memset(bytes, 0xFF, len);
            bytes[0] = (uint8_t)sid;
            enum vs_err err = uds_parse(slice_make(bytes, len), &u);
            CHECK_ROW(sid, (err == VS_ERR_TRUNCATED) == (sid == 0x7F && len < 3));
            if (err == VS_OK && sid != 0x7F)
                CHECK_ROW(sid, (unsigned)(u.sid | (u.is_response ? 0x40 : 0)) == sid);
            free(bytes);
        }
}

static void names_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_string_equal(uds_service_name(0x27), "SecurityAccess");
    assert_string_equal(uds_service_name(0x87), "LinkControl");
    assert_null(uds_service_name(0x7F));
    assert_null(uds_service_name(0x67));
    assert_string_equal(uds_nrc_name(0x35), "invalidKey");
    assert_string_equal(uds_nrc_name(0x36), "exceedNumberOfAttempts");
    assert_string_equal(uds_nrc_name(0x88), "vehicleSpeedTooHigh");
    assert_null(uds_nrc_name(0x00));
    for (unsigned sid = 0; sid < 256; sid++)
        if (uds_has_sub((uint8_t)sid))
            CHECK_ROW(sid, uds_service_name((uint8_t)sid) != NULL);
}

static void identifiers_tell_who_asks_and_who_answers(void **state)
{
    static const struct {
        uint32_t id;
        bool extended;
        enum uds_role role;
        uint32_t peer;
    } row[] = {
        {0x7DF, false, UDS_ROLE_FUNCTIONAL, 0},
        {0x7E0, false, UDS_ROLE_REQUEST, 0x7E8},
        {0x7E7, false, UDS_ROLE_REQUEST, 0x7EF},
        {0x7E8, false, UDS_ROLE_RESPONSE, 0x7E0},
        {0x7DE, false, UDS_ROLE_NONE, 0},
        {0x7F0, false, UDS_ROLE_NONE, 0},
        {0x7E0, true, UDS_ROLE_NONE, 0},
        {0x18DB33F1, true, UDS_ROLE_FUNCTIONAL, 0},
        {0x18DA10F1, true, UDS_ROLE_REQUEST, 0x18DAF110},
        {0x18DAF110, true, UDS_ROLE_RESPONSE, 0x18DA10F1},
        {0x18DA1020, true, UDS_ROLE_NONE, 0},
        {0x18FEF100, true, UDS_ROLE_NONE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        CHECK_ROW(i, uds_can_role(row[i].id, row[i].extended) == row[i].role);
        CHECK_ROW(i, uds_can_peer(row[i].id, row[i].extended) == row[i].peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_say_what_they_mean),
        cmocka_unit_test(what_says_nothing_is_refused),
        cmocka_unit_test(every_first_byte_is_parsed_with_every_length),
        cmocka_unit_test(names_are_those_of_the_standard),
        cmocka_unit_test(identifiers_tell_who_asks_and_who_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
