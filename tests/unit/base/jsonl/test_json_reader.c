/* json_reader, json_lines: objects become flat fields, everything else is refused with a reason. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl/json_lines.h"

/* Writes the fields as name=value; texts in quotes, array elements with a + before them. */
static void flatten(const struct json_object *o, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < o->field_count && n < size; i++) {
        const struct json_field *f = &o->field[i];
        n += (size_t)snprintf(out + n, size - n, "%s%s%.*s=", i > 0 ? " " : "", f->element ? "+" : "", (int)f->name.len,
                              (const char *)f->name.ptr);
        switch ((enum json_kind)f->kind) {
        case JSON_NULL:
            n += (size_t)snprintf(out + n, size - n, "null");
            break;
        case JSON_BOOL:
            n += (size_t)snprintf(out + n, size - n, "%s", f->value.b ? "true" : "false");
            break;
        case JSON_INT:
            n += (size_t)snprintf(out + n, size - n, "%lld", (long long)f->value.i);
            break;
        case JSON_UINT:
            n += (size_t)snprintf(out + n, size - n, "%lluu", (unsigned long long)f->value.u);
            break;
        case JSON_DOUBLE:
            n += (size_t)snprintf(out + n, size - n, "%gd", f->value.d);
            break;
        case JSON_TEXT:
            n += (size_t)snprintf(out + n, size - n, "\"%.*s\"", (int)f->value.s.len, (const char *)f->value.s.ptr);
            break;
        }
    }
}

static void objects_become_flat(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } row[] = {
        {"{}", ""},
        {"{\"a\":1,\"b\":-2,\"c\":1.5,\"d\":\"x\",\"e\":true,\"f\":null}", "a=1 b=-2 c=1.5d d=\"x\" e=true f=null"},
        {"{\"a\":18446744073709551615}", "a=18446744073709551615u"},
        {"{\"a\":9223372036854775807}", "a=9223372036854775807"},
        {"{\"a\":{\"b\":{\"c\":1}},\"d\":2}", "a.b.c=1 d=2"},
        {"{\"a\":[1,\"x\"]}", "+a=1 +a=\"x\""},
        {"{\"a\":[{\"b\":1},{\"b\":2}]}", "+a.b=1 +a.b=2"},
        {"{\"a\":[],\"b\":{}}", "+a=null b=null"},
        {"{\"a\":\"\\u00e9\\n\"}", "a=\"\xC3\xA9\n\""},
        {"{\"\":1}", "=1"},
        {" {\"a\":1} ", "a=1"},
        {"", NULL},
        {"1", NULL},
        {"[1]", NULL},
        {"{\"a\":1", NULL},
        {"{\"a\":1}}", NULL},
        {"{\"a\":1} {\"a\":2}", NULL},
        {"{\"a\":01}", NULL},
        {"{\"a\":\"\xFF\"}", NULL},
        {"{\"a\":99999999999999999999}", NULL},
        {"{a:1}", NULL},
        {"nonsense", NULL},
    };
    struct json_reader *r;

    (void)state;
    assert_int_equal(json_reader_new(&r), VS_OK);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char padded[512] = {0};
        char got[512];
        struct json_object o;
        const char *reason = NULL;
        snprintf(padded, sizeof padded - JSON_PADDING, "%s", row[i].text);
        enum vs_err err = json_reader_object(r, slice_make(padded, strlen(row[i].text)), &o, &reason);
        CHECK_ROW(i, (err == VS_OK) == (row[i].want != NULL));
        if (err == VS_OK) {
            flatten(&o, got, sizeof got);
            assert_string_equal(got, row[i].want);
        } else {
            CHECK_ROW(i, reason != NULL && reason[0] != '\0');
        }
    }
    json_reader_free(r);
}

static enum vs_err read_nested(struct json_reader *r, int depth)
{
    char text[4096 + JSON_PADDING] = {0};
    size_t n = 0;
    struct json_object o;

    for (int i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{\"a\":");
    n += (size_t)snprintf(text + n, sizeof text - n, "1");
    for (int i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "}");
    return json_reader_object(r, slice_make(text, n), &o, NULL);
}

static void bounds_hold(void **state)
{
    struct json_reader *r;
    size_t size = JSON_FIELDS_MAX * 16;
    char *text = calloc(1, size + 100 + JSON_PADDING);
    size_t n = 1;
    struct json_object o;

    (void)state;
    assert_int_equal(json_reader_new(&r), VS_OK);
    assert_int_equal(read_nested(r, JSON_DEPTH_MAX - 1), VS_OK);
    assert_int_equal(read_nested(r, 200), VS_ERR_MALFORMED);
    text[0] = '{';
    for (int i = 0; i <= JSON_FIELDS_MAX; i++)
        n += (size_t)snprintf(text + n, size - n, "%s\"k%d\":1", i > 0 ? "," : "", i);
    text[n++] = '}';
    assert_int_equal(json_reader_object(r, slice_make(text, n), &o, NULL), VS_ERR_MALFORMED);
    assert_int_equal(read_nested(r, 3), VS_OK); /* and it still works */
    json_reader_free(r);
    free(text);
}

static void lines_keep_their_numbers(void **state)
{
    struct json_lines it;
    struct slice doc;

    (void)state;
    json_lines_init(&it, slice_str("{\"a\":1}\n\n  {\"b\":2}\r\n{\n \"c\": {\n  \"d\": \"}\\\"\"\n }\n}\n{\"e\":3}"));
    assert_true(json_lines_next(&it, &doc));
    check_slice(doc, "{\"a\":1}");
    assert_int_equal(it.line, 1);
    assert_true(json_lines_next(&it, &doc));
    check_slice(doc, "{\"b\":2}");
    assert_int_equal(it.line, 3);
    assert_true(json_lines_next(&it, &doc));
    check_slice(doc, "{\n \"c\": {\n  \"d\": \"}\\\"\"\n }\n}");
    assert_int_equal(it.line, 4);
    assert_true(json_lines_next(&it, &doc));
    check_slice(doc, "{\"e\":3}");
    assert_int_equal(it.line, 9);
    assert_false(json_lines_next(&it, &doc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_flat),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(lines_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
