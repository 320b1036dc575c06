/* Mapping files and what they make of lines. The mappings of real products are tested in tests/e2e/test_mapping.py. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/mapping.h"

static const char LOGINS[] = "mapping: logins\n"
                             "format: json\n"
                             "time: {field: [at, t], form: ms}\n"
                             "steps:\n"
                             "  - {field: url, as: path, patterns: ['/v/{vin}', '/v/{vin}/{op}']}\n"
                             "events:\n"
                             "  - when: {kind: [LOGIN, 'LOGIN_*']}\n"
                             "    type: backend.login\n"
                             "    fields:\n"
                             "      user: [name, id]\n"
                             "      result: {field: kind, map: {LOGIN: success}, other: failure}\n"
                             "      tenant: {text: app}\n"
                             "      token: {field: session, digest: true}\n"
                             "  - when: {kind: NOISE}\n"
                             "    ignore: true\n"
                             "  - when: {url: '*'}\n"
                             "    type: backend.api_call\n"
                             "    vin: vin\n"
                             "    fields: {endpoint: template, status: code}\n"
                             "  - when: {kind: CERT}\n"
                             "    type: backend.certificate_issued\n"
                             "    fields: {serial: no, validity_days: {days: [from, to]}}\n";

/* One line through a mapping; the text stays until the next call. */
static enum mapping_outcome one(const char *file, const char *line, const char **ret_text, const char **ret_reason)
{
    static char out[MAPPING_EVENT_MAX + 1];
    struct mapping *m = NULL;
    struct mapping_run *run = NULL;
    struct mapping_error error = {0, ""};
    struct writer w;

    if (mapping_new(slice_str(file), &m, &error) != VS_OK)
        fail_msg("line %u: %s", error.line, error.text);
    assert_int_equal(mapping_run_new(m, &run), VS_OK);
    writer_init(&w, out, sizeof out - 1);
    enum mapping_outcome outcome = mapping_run_line(run, slice_str(line), 7, &w, ret_reason);
    out[w.len] = '\0';
    *ret_text = out;
    mapping_run_free(run);
    mapping_free(m);
    return outcome;
}

static void expect(const char *file, const char *line, enum mapping_outcome outcome, const char *text)
{
    const char *got, *reason = "";

    assert_int_equal(one(file, line, &got, &reason), outcome);
    assert_string_equal(got, text);
}

static void test_events(void **state)
{
    (void)state;
    expect(LOGINS, "{\"at\":1780000000123,\"kind\":\"LOGIN\",\"id\":\"7\",\"session\":\"abc\"}", MAPPING_EVENT,
           "{\"time\":\"2026-05-28T20:26:40.123000Z\",\"type\":\"backend.login\",\"user\":\"7\",\"result\":\"success\","
           "\"tenant\":\"app\",\"token\":\"ba7816bf8f01cfea414140de5dae2223\"}\n");
    expect(LOGINS, "{\"t\":1780000000123,\"kind\":\"LOGIN_ERROR\",\"name\":\"b\\\"ob\",\"id\":\"7\"}", MAPPING_EVENT,
           "{\"time\":\"2026-05-28T20:26:40.123000Z\",\"type\":\"backend.login\",\"user\":\"b\\\"ob\",\"result\":"
           "\"failure\",\"tenant\":\"app\"}\n");
    expect(LOGINS, "{\"at\":0,\"url\":\"/v/WVWZZZ1KZAW000017/lock?q=1\",\"code\":403}", MAPPING_EVENT,
           "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"vin\":\"WVWZZZ1KZAW000017\",\"type\":\"backend.api_call\","
           "\"endpoint\":\"/v/{vin}/{op}\",\"status\":\"403\"}\n");
    expect(
        LOGINS,
        "{\"at\":0,\"kind\":\"CERT\",\"no\":\"1a\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-01-01T00:00:00Z\"}",
        MAPPING_EVENT,
        "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"type\":\"backend.certificate_issued\",\"serial\":\"1a\","
        "\"validity_days\":\"365\"}\n");
    expect(LOGINS, "{\"at\":0,\"kind\":\"NOISE\"}", MAPPING_IGNORED, "");
}

static void test_a_vin_that_is_none_leaves_an_event_about_no_vehicle(void **state)
{
    (void)state;
    expect(
        LOGINS, "{\"at\":0,\"url\":\"/v/..%2f..\",\"code\":404}", MAPPING_EVENT,
        "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"type\":\"backend.api_call\",\"endpoint\":\"/v/{vin}\",\"status\":"
        "\"404\"}\n");
}

static void test_what_is_not_understood_says_names_and_no_values(void **state)
{
    (void)state;
    expect(LOGINS, "{\"at\":0,\"kind\":\"SECRET\",\"who\":\"bob\",\"a b1\":1}", MAPPING_UNMAPPED,
           "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"type\":\"log.unmapped\",\"mapping\":\"logins\",\"line\":7,"
           "\"reason\":\"no event of the mapping fits\",\"names\":\"at kind who a?b? \"}\n");
    expect(
        LOGINS, "{\"kind\":\"LOGIN\",\"id\":\"7\"}", MAPPING_BROKEN,
        "{\"type\":\"log.unmapped\",\"mapping\":\"logins\",\"line\":7,\"reason\":\"there is no time in it\",\"names\":"
        "\"kind id \"}\n");
    expect(LOGINS, "{\"at\":0,\"url\":\"/v/x\",\"code\":\"many\"}", MAPPING_BROKEN,
           "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"type\":\"log.unmapped\",\"mapping\":\"logins\",\"line\":7,"
           "\"reason\":\"a value is not of its field's type\",\"names\":\"at url code vin template \"}\n");
}

static void test_broken_lines(void **state)
{
    static const char *const LINE[] = {
        "", "{", "[]", "no json", "{\"a\":\"\xff\"}", "{\"at\":-1,\"kind\":\"LOGIN\",\"id\":1}"};
    const char *text, *reason;

    (void)state;
    for (size_t i = 0; i < sizeof LINE / sizeof LINE[0]; i++) {
        assert_int_equal(one(LOGINS, LINE[i], &text, &reason), MAPPING_BROKEN);
        assert_non_null(strstr(text, "log.unmapped"));
        assert_true(reason[0] != '\0');
    }
    char *lengthy = malloc(70000);
    memset(lengthy, 'x', 69999);
    lengthy[69999] = '\0';
    assert_int_equal(one(LOGINS, lengthy, &text, &reason), MAPPING_BROKEN);
    assert_string_equal(reason, "the line is too long");
    free(lengthy);
}

static void test_forms_of_time(void **state)
{
    static const struct {
        const char *form, *text, *time;
    } CASE[] = {
        {"rfc3339", "2020-09-22 14:49:22+02:00", "2020-09-22T12:49:22.000000Z"},
        {"clf", "20/Nov/2026:10:00:00 +0100", "2026-11-20T09:00:00.000000Z"},
        {"s", "1780000000", "2026-05-28T20:26:40.000000Z"},
        {"s", "1780000000.1239", "2026-05-28T20:26:40.123900Z"},
        {"us", "1780000000000001", "2026-05-28T20:26:40.000001Z"},
        {"clf", "20/Foo/2026:10:00:00 +0100", NULL},
        {"clf", "20/Nov/2026", NULL},
        {"ms", "12x", NULL},
        {"ms", "99999999999999999999", NULL},
        {"s", "1.x", NULL},
        {"rfc3339", "yesterday", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        char file[300], line[100];
        const char *text, *reason = "";

        snprintf(file, sizeof file,
                 "mapping: t\nformat: pattern\npatterns: 'at <{t}>'\ntime: {field: t, form: %s}\n"
                 "events: [{type: host.audit}]\n",
                 CASE[i].form);
        snprintf(line, sizeof line, "at <%s>", CASE[i].text);
        enum mapping_outcome outcome = one(file, line, &text, &reason);
        assert_int_equal(outcome, CASE[i].time != NULL ? MAPPING_EVENT : MAPPING_BROKEN);
        if (CASE[i].time != NULL && strstr(text, CASE[i].time) == NULL)
            fail_msg("%s: %s", CASE[i].text, text);
    }
}

static void test_csv_and_syslog(void **state)
{
    (void)state;
    expect("mapping: c\nformat: csv\ncolumns: [t, who, how]\ntime: {field: t, form: s}\n"
           "events: [{type: backend.login, fields: {user: who, result: how}}]\n",
           "5,\"b,ob\",success", MAPPING_EVENT,
           "{\"time\":\"1970-01-01T00:00:05.000000Z\",\"type\":\"backend.login\",\"user\":\"b,ob\",\"result\":"
           "\"success\"}\n");
    expect(
        "mapping: s\nformat: syslog\ntime: {field: timestamp, form: rfc3339}\nsteps: [{field: message, as: json}]\n"
        "events: [{when: {app: sshd, ok: 'true'}, type: backend.login, fields: {user: u, result: {text: success}}}]\n",
        "<34>1 2026-01-01T00:00:00Z h sshd 1 - - {\"u\":\"x\",\"ok\":true}", MAPPING_EVENT,
        "{\"time\":\"2026-01-01T00:00:00.000000Z\",\"type\":\"backend.login\",\"user\":\"x\",\"result\":\"success\"}"
        "\n");
}

static void test_errors_name_their_line(void **state)
{
    static const struct {
        const char *file;
        unsigned line;
        const char *text;
    } CASE[] = {
        {"", 0, "the file is empty"},
        {"- a\n", 1, "a mapping file must be a map"},
        {"mapping: x\nformat: xml\n", 2, "'xml' is no form"},
        {"mapping: x\nfromat: json\n", 2, "unknown key 'fromat'"},
        {"mapping: x\nformat: json\ntime: {field: t, form: unix}\n", 3, "'unix' is no form of time"},
        {"mapping: x\nmapping: y\n", 2, "mapping stands twice"},
        {"mapping: x\nformat: json\n", 1, "a mapping needs"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents:\n  - type: backend.lgoin\n", 5,
         "'backend.lgoin' is no event type"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents:\n  - type: backend.login\n    fields:\n      usr: u\n", 7,
         "backend.login has no field 'usr'"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents:\n  - type: backend.login\n    fields: {user: u}\n", 5,
         "must have the field result"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents:\n  - when: {a: b}\n", 5, "either type or ignore"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents:\n  - {type: host.audit, ignore: true}\n", 5,
         "either type or ignore"},
        {"mapping: x\nformat: pattern\ntime: {field: t}\nevents: [{type: host.audit}]\n", 1, "needs patterns"},
        {"mapping: x\nformat: pattern\npatterns: '{a}{b}'\ntime: {field: t}\nevents: [{type: host.audit}]\n", 1,
         "need text between"},
        {"mapping: x\nformat: json\ntime: {field: t}\nsteps:\n  - {field: a, as: json}\nevents: [{type: host.audit}]\n",
         5, "json can be read once"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents: [{type: host.audit, fields: {text: {field: a, text: "
         "b}}}]\n",
         4, "either field"},
        {"mapping: x\nformat: json\ntime: {field: t}\nevents: [{type: host.audit, fields: {text: {field: a, other: "
         "b}}}]\n",
         4, "other goes with map"},
        {"mapping: x\n  bad: [\n", 2, "no YAML"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        struct mapping *m = NULL;
        struct mapping_error error = {99, ""};

        assert_int_equal(mapping_new(slice_str(CASE[i].file), &m, &error), VS_ERR_CONFIG);
        assert_null(m);
        if (error.line != CASE[i].line || strstr(error.text, CASE[i].text) == NULL)
            fail_msg("case %zu: %u: %s", i, error.line, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_a_vin_that_is_none_leaves_an_event_about_no_vehicle),
        cmocka_unit_test(test_what_is_not_understood_says_names_and_no_values),
        cmocka_unit_test(test_broken_lines),
        cmocka_unit_test(test_forms_of_time),
        cmocka_unit_test(test_csv_and_syslog),
        cmocka_unit_test(test_errors_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
