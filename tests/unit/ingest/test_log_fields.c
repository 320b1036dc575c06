/* How lines of logs come apart: pairs, patterns, syslog; and what broken ones do. */
#include "check.h"

#include <stdlib.h>

#include "ingest/log_fields.h"
#include "seed.h"

static struct log_fields *F;

static int begin(void **state)
{
    (void)state;
    F = malloc(sizeof *F);
    log_fields_reset(F);
    return F != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(F);
    return 0;
}

static void expect(const char *name, const char *value)
{
    const struct log_field *f = log_fields_find(F, slice_str(name));

    if (value == NULL) {
        assert_null(f);
        return;
    }
    if (f == NULL)
        fail_msg("no field %s", name);
    if (!slice_equal_str(f->value, value))
        fail_msg("%s is '%.*s', expected '%s'", name, (int)f->value.len, (const char *)f->value.ptr, value);
}

static enum vs_err pairs(const char *text)
{
    const char *reason = NULL;

    log_fields_reset(F);
    enum vs_err err = log_read_pairs(F, slice_str(text), &reason);
    assert_true(err == VS_OK || reason != NULL);
    return err;
}

static void test_pairs(void **state)
{
    (void)state;
    assert_int_equal(
        pairs("type=\"LOGIN_ERROR\", realmId=\"r 1\", userId=null, ip=1.2.3.4;port=7 odd 'x'='y z' e=\"\""), VS_OK);
    expect("type", "LOGIN_ERROR");
    expect("realmId", "r 1");
    expect("userId", NULL);
    expect("ip", "1.2.3.4");
    expect("port", "7");
    expect("'x'", "y z");
    expect("e", "");
    assert_int_equal(pairs("a=\"q \\\"in\\\" \\\\ out\" b=2"), VS_OK);
    expect("a", "q \"in\" \\ out");
    expect("b", "2");
    assert_int_equal(pairs("a=\"never closed"), VS_ERR_MALFORMED);
    assert_int_equal(pairs("no pair here"), VS_ERR_MALFORMED);
    assert_int_equal(pairs("=1 ="), VS_ERR_MALFORMED);
    assert_int_equal(pairs(""), VS_ERR_MALFORMED);
    assert_int_equal(pairs("a=1 a=2"), VS_OK);
    expect("a", "1");
}

static void test_fields_have_a_ceiling_and_a_counter(void **state)
{
    char text[LOG_FIELDS_MAX * 8 + 64];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < LOG_FIELDS_MAX + 3; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "k%u=%u ", i, i);
    assert_int_equal(pairs(text), VS_OK);
    assert_int_equal(F->count, LOG_FIELDS_MAX);
    assert_int_equal(F->left_out_count, 3);
}

static bool match(const char *pattern, bool path, const char *text)
{
    const char *reason = NULL;

    log_fields_reset(F);
    assert_true(log_pattern_good(slice_str(pattern), &reason));
    return log_pattern_match(F, slice_str(pattern), path, slice_str(text));
}

static void test_patterns(void **state)
{
    (void)state;
    assert_true(match("{ip} - {user} [{time}] \"{request}\" {status}", false,
                      "1.2.3.4 - bob [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200"));
    expect("ip", "1.2.3.4");
    expect("user", "bob");
    expect("time", "20/Nov/2026:10:00:00 +0000");
    expect("request", "GET / HTTP/1.1");
    expect("status", "200");
    assert_false(match("{ip} - {user} [{time}]", false, "1.2.3.4 - bob [20/Nov"));
    assert_int_equal(F->count, 0);
    assert_true(match("{time} {level} --- [{thread}] {logger} : {text}", false,
                      "2026-11-20T10:00:00.1Z  INFO --- [   http-1] o.e.X      : hello : world"));
    expect("level", "INFO");
    expect("thread", "http-1");
    expect("logger", "o.e.X");
    expect("text", "hello : world");
    assert_true(match("a{}b{x}c", false, "a--bvalc"));
    expect("x", "val");
    assert_false(match("a{x}c", false, "abcd"));
    assert_false(match("a{x}", false, ""));
}

static void test_paths(void **state)
{
    (void)state;
    assert_true(match("/v1/vehicles/{vin}/commands/{op}", true, "/v1/vehicles/WVW1/commands/unlock?x=/y"));
    expect("vin", "WVW1");
    expect("op", "unlock");
    assert_false(match("/v1/vehicles/{vin}", true, "/v1/vehicles/WVW1/commands/unlock"));
    assert_false(match("/v1/vehicles/{vin}", true, "/v1/vehicles/"));
    assert_false(match("/v1/vehicles/{vin}/a", true, "/v1/vehicles/x/b/a"));
}

static void test_bad_patterns_are_named(void **state)
{
    const char *reason = NULL;

    (void)state;
    assert_false(log_pattern_good(slice_str("no placeholder"), &reason));
    assert_string_equal(reason, "there is no {placeholder} in it");
    assert_false(log_pattern_good(slice_str("{a}{b}"), &reason));
    assert_string_equal(reason, "two placeholders need text between them");
    assert_false(log_pattern_good(slice_str("x {a"), &reason));
    assert_string_equal(reason, "a brace does not close");
    assert_false(log_pattern_good(slice_str("x} {a}"), &reason));
    assert_string_equal(reason, "a brace closes that was not opened");
}

static enum vs_err syslog(const char *text)
{
    const char *reason = NULL;

    log_fields_reset(F);
    return log_read_syslog(F, slice_str(text), &reason);
}

static void test_syslog_of_rfc_5424(void **state)
{
    (void)state;
    /* Example 3 of RFC 5424, section 6.5, with an escaped quote. */
    assert_int_equal(syslog("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
                            "[exampleSDID@32473 iut=\"3\" eventSource=\"App\\\"l\"][b c=\"d\"] \xEF\xBB\xBF"
                            "An event"),
                     VS_OK);
    expect("priority", "165");
    expect("timestamp", "2003-10-11T22:14:15.003Z");
    expect("host", "mymachine.example.com");
    expect("procid", NULL);
    expect("msgid", "ID47");
    expect("exampleSDID@32473.iut", "3");
    expect("exampleSDID@32473.eventSource", "App\"l");
    expect("b.c", "d");
    expect("message", "An event");
    assert_int_equal(syslog("<34>1 2003-10-11T22:14:15.003Z h su - ID47 -"), VS_OK);
    expect("message", "");
    assert_int_equal(syslog("<34>Oct 11 22:14:15 mymachine su: old form"), VS_ERR_MALFORMED);
    assert_int_equal(syslog("<34>1 t h a p"), VS_ERR_MALFORMED);
    assert_int_equal(syslog("<34>1 t h a p m [x y=\"z\""), VS_ERR_MALFORMED);
    assert_int_equal(syslog("<34>1 t h a p m [x y=z] m"), VS_ERR_MALFORMED);
    assert_int_equal(syslog(""), VS_ERR_MALFORMED);
}

/* Random bytes of the alphabet that matters go nowhere they should not; the sanitizers are the judge. */
static void test_noise(void **state)
{
    static const char ALPHABET[] = "ab=\"' ,;\\[]<>1{}/?-";
    struct seed s = seed_start("log_fields", 11);

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char text[48], pattern[16];
        const char *reason = NULL;
        size_t len = seed_below(&s, sizeof text), plen = seed_below(&s, sizeof pattern);

        for (size_t i = 0; i < len; i++)
            text[i] = ALPHABET[seed_below(&s, sizeof ALPHABET - 1)];
        for (size_t i = 0; i < plen; i++)
            pattern[i] = ALPHABET[seed_below(&s, sizeof ALPHABET - 1)];
        log_fields_reset(F);
        bool pairs_read = log_read_pairs(F, slice_make(text, len), &reason) == VS_OK;
        assert_true(!pairs_read || F->count > 0);
        assert_true(log_read_syslog(F, slice_make(text, len), &reason) == VS_OK || reason != NULL);
        if (log_pattern_good(slice_make(pattern, plen), &reason))
            (void)log_pattern_match(F, slice_make(pattern, plen), round % 2 == 0, slice_make(text, len));
        for (uint32_t i = 0; i < F->count; i++)
            assert_true(F->field[i].name.len <= sizeof text && F->field[i].value.len <= sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pairs, begin, end),
        cmocka_unit_test_setup_teardown(test_fields_have_a_ceiling_and_a_counter, begin, end),
        cmocka_unit_test_setup_teardown(test_patterns, begin, end),
        cmocka_unit_test_setup_teardown(test_paths, begin, end),
        cmocka_unit_test(test_bad_patterns_are_named),
        cmocka_unit_test_setup_teardown(test_syslog_of_rfc_5424, begin, end),
        cmocka_unit_test_setup_teardown(test_noise, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
