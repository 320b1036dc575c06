/* Bodies: the first fault is told with its place, and what passes is what the table says. */
#include <string.h>

#include "api/body.h"
#include "check.h"
#include "core/utf8.h"
#include "seed.h"

static const struct body_field ITEM[] = {{.name = "id", .type = BODY_TEXT, .required = true, .max = 8}, {.name = NULL}};
static const struct body_field FIELDS[] = {{.name = "name", .type = BODY_TEXT, .required = true, .min = 2, .max = 4},
                                           {.name = "count", .type = BODY_INTEGER},
                                           {.name = "dry", .type = BODY_BOOLEAN},
                                           {.name = "who", .type = BODY_TEXT, .nullable = true, .max = 4},
                                           {.name = "items", .type = BODY_ITEMS, .max = 2, .item = ITEM},
                                           {.name = NULL}};

static const struct {
    const char *body;
    enum vs_err err;
    const char *field; /* at fault */
} ROWS[] = {
    {"{\"name\":\"abc\"}", VS_OK, NULL},
    {" { \"name\" : \"\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac\" } ", VS_OK, NULL}, /* four characters, nine bytes */
    {"{\"name\":\"ab\",\"count\":-5,\"dry\":true,\"who\":null,\"items\":[{\"id\":\"x\"}]}", VS_OK, NULL},
    {"{\"name\":\"ab\",\"count\":9223372036854775807}", VS_OK, NULL},
    {"{\"name\":\"ab\",\"count\":9223372036854775808}", VS_ERR_MALFORMED, ""},
    {"{\"name\":\"ab\",\"count\":1.0}", VS_ERR_MALFORMED, "count"},
    {"{\"name\":\"ab\",\"count\":\"1\"}", VS_ERR_MALFORMED, "count"},
    {"{\"name\":\"ab\",\"count\":null}", VS_ERR_MALFORMED, "count"},
    {"{\"name\":\"ab\",\"dry\":1}", VS_ERR_MALFORMED, "dry"},
    {"{\"name\":\"a\"}", VS_ERR_RANGE, "name"},
    {"{\"name\":\"abcde\"}", VS_ERR_RANGE, "name"},
    {"{\"name\":\"a\\u001b\"}", VS_ERR_RANGE, "name"},
    {"{\"name\":\"a\\u007f\"}", VS_ERR_RANGE, "name"},
    {"{\"name\":\"a\\n\"}", VS_OK, NULL},
    {"{\"name\":\"a\\u0000\"}", VS_ERR_MALFORMED, ""},
    {"{\"name\":null}", VS_ERR_MALFORMED, "name"},
    {"{}", VS_ERR_MALFORMED, "name"},
    {"{\"name\":\"ab\",\"nmae\":1}", VS_ERR_MALFORMED, "nmae"},
    {"{\"name\":\"ab\",\"name\":\"cd\"}", VS_ERR_MALFORMED, ""},
    {"{\"name\":\"ab\",\"items\":{}}", VS_ERR_MALFORMED, "items"},
    {"{\"name\":\"ab\",\"items\":[1]}", VS_ERR_MALFORMED, "items[0]"},
    {"{\"name\":\"ab\",\"items\":[{\"id\":\"x\"},{}]}", VS_ERR_MALFORMED, "items[1]"},
    {"{\"name\":\"ab\",\"items\":[{\"id\":\"x\"},{\"id\":\"y\"},{\"id\":\"z\"}]}", VS_ERR_RANGE, "items"},
    {"{\"name\":\"ab\",\"items\":[{\"id\":\"123456789\"}]}", VS_ERR_RANGE, "items[0]"},
    {"[]", VS_ERR_MALFORMED, ""},
    {"1", VS_ERR_MALFORMED, ""},
    {"{\"name\":\"ab\"} x", VS_ERR_MALFORMED, ""},
    {"{'name':'ab'}", VS_ERR_MALFORMED, ""},
    {"{\"name\":\"a\xff\"}", VS_ERR_MALFORMED, ""},
    {"{\"name\":\"\\ud800\"}", VS_ERR_MALFORMED, ""},
    {"\xef\xbb\xbf{\"name\":\"ab\"}", VS_ERR_MALFORMED, ""},
    {"", VS_ERR_TRUNCATED, ""},
};

static void each_row_is_judged_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct body_fault fault = {.field = "unset"};
        json_t *body = NULL;
        enum vs_err err = body_parse(slice_str(ROWS[i].body), FIELDS, &body, &fault);
        CHECK_ROW(i, err == ROWS[i].err || (ROWS[i].err == VS_ERR_TRUNCATED && err == VS_ERR_MALFORMED));
        CHECK_ROW(i, (body != NULL) == (err == VS_OK));
        CHECK_ROW(i, err == VS_OK || strcmp(fault.field, ROWS[i].field) == 0);
        CHECK_ROW(i, err == VS_OK || fault.text[0] != '\0');
        json_decref(body);
    }
}

static void every_cut_of_a_good_body_is_refused(void **state)
{
    const char *good = ROWS[2].body;

    (void)state;
    for (size_t len = 0; len < strlen(good); len++) {
        struct body_fault fault;
        json_t *body = NULL;
        assert_int_not_equal(body_parse(slice_make(good, len), FIELDS, &body, &fault), VS_OK);
        assert_null(body);
        assert_true(fault.text[0] != '\0');
    }
}

/* Whatever one byte becomes: an answer, and if a fault then one that can be sent as text. */
static void every_changed_byte_gets_an_answer(void **state)
{
    const char *good = ROWS[2].body;
    char text[256];
    size_t len = strlen(good);

    (void)state;
    for (size_t at = 0; at < len; at++)
        for (int byte = 0; byte < 256; byte++) {
            struct body_fault fault;
            json_t *body = NULL;
            memcpy(text, good, len);
            text[at] = (char)byte;
            if (body_parse(slice_make(text, len), FIELDS, &body, &fault) != VS_OK) {
                assert_null(body);
                assert_true(utf8_valid(slice_str(fault.text)));
                assert_true(utf8_valid(slice_str(fault.field)));
            }
            json_decref(body);
        }
}

static void a_deep_body_is_refused(void **state)
{
    static char deep[200000];
    struct body_fault fault;
    json_t *body = NULL;

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_int_not_equal(body_parse(slice_make(deep, sizeof deep), FIELDS, &body, &fault), VS_OK);
    assert_null(body);
}

static void reading_gives_what_was_there(void **state)
{
    struct body_fault fault;
    json_t *body = NULL;

    (void)state;
    assert_int_equal(body_parse(slice_str(ROWS[2].body), FIELDS, &body, &fault), VS_OK);
    check_slice(body_text(body, "name"), "ab");
    assert_int_equal(body_integer(body, "count"), -5);
    assert_true(body_boolean(body, "dry"));
    assert_false(body_has(body, "who"));
    assert_true(body_has(body, "items"));
    assert_int_equal(body_text(body, "who").len, 0);
    assert_int_equal(body_integer(body, "none"), 0);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_judged_right),          cmocka_unit_test(every_cut_of_a_good_body_is_refused),
        cmocka_unit_test(every_changed_byte_gets_an_answer), cmocka_unit_test(a_deep_body_is_refused),
        cmocka_unit_test(reading_gives_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
