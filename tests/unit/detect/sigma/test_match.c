/* match: the detection grammar, case by case (Sigma rules specification and modifiers appendix, 2.1.0). */
#include "detect/feed.h"

#include "detect/sigma/match.h"

struct row {
    const char *detection; /* the map under `detection:`, as flow YAML */
    const char *event;
    bool want;
};

static void run_rows(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct feed f;
        struct matcher m;
        char rule[2048];
        snprintf(rule, sizeof rule, "title: t\nlogsource: {product: x}\ndetection: %s\n", row[i].detection);
        feed_init(&f, rule);
        matcher_init(&m, &f.plan);
        feed_record(&f, row[i].event, false);
        if (match_expr(&m, f.plan.rule[0]->expr, &f.record) != row[i].want)
            fail_msg("row %zu: %s on %s should be %d", i, row[i].detection, row[i].event, row[i].want);
        matcher_done(&m);
        feed_done(&f);
    }
}
#define RUN(rows) run_rows(rows, sizeof rows / sizeof rows[0])

static void selections(void **state)
{
    static const struct row rows[] = {
        {"{s: {a: x, b: 2}, condition: s}", "{\"a\":\"X\",\"b\":2}", true},
        {"{s: {a: x, b: 2}, condition: s}", "{\"a\":\"x\",\"b\":3}", false},
        {"{s: {a: x}, condition: s}", "{\"A\":\"x\"}", false}, /* field names are exact */
        {"{s: {a: [x, y]}, condition: s}", "{\"a\":\"y\"}", true},
        {"{s: [{a: x}, {b: y}], condition: s}", "{\"b\":\"y\"}", true},
        {"{s: [{a: x}, {b: y}], condition: s}", "{\"c\":\"y\"}", false},
        {"{s: {a: x}, condition: s}", "{\"a\":[\"q\",\"x\"]}", true},
        {"{s: {a.b: x}, condition: s}", "{\"a\":{\"b\":\"x\"}}", true},
        {"{s: {a.b: x}, condition: s}", "{\"a.b\":\"x\"}", true},
        {"{s: {'a|all': [x*, '*y']}, condition: s}", "{\"a\":\"xzy\"}", true},
        {"{s: {'a|all': [x*, '*y']}, condition: s}", "{\"a\":\"xz\"}", false},
        {"{s: {a: 4625}, condition: s}", "{\"a\":4625}", true},
        {"{s: {a: 4625}, condition: s}", "{\"a\":\"4625\"}", true},
        {"{s: {a: '4625'}, condition: s}", "{\"a\":4625}", true},
        {"{s: {a: 0x17}, condition: s}", "{\"a\":23}", true},
        {"{s: {a: 0x17}, condition: s}", "{\"a\":\"0x17\"}", true},
        {"{s: {a: '0x17'}, condition: s}", "{\"a\":\"0x17\"}", true},
        {"{s: {a: '0x17'}, condition: s}", "{\"a\":23}", false},    /* text, and the schema does not know the field */
        {"{s: {nrc: '0x35'}, condition: s}", "{\"nrc\":53}", true}, /* a number in the schema */
        {"{s: {nrc: 53}, condition: s}", "{\"nrc\":\"0x35\"}", true},
        {"{s: {nrc: 0x35}, condition: s}", "{\"nrc\":\"53\"}", true},
        {"{s: {a: 1.5}, condition: s}", "{\"a\":1.50}", true},
        {"{s: {a: true}, condition: s}", "{\"a\":true}", true},
        {"{s: {a: true}, condition: s}", "{\"a\":\"True\"}", true},
        {"{s: {a: true}, condition: s}", "{\"a\":false}", false},
        {"{s: {Image: x}, condition: s}", "{\"Event\":{\"EventData\":{\"Image\":\"x\"}}}", true},
    };

    (void)state;
    RUN(rows);
}

static void special_values(void **state)
{
    static const struct row rows[] = {
        {"{s: {a: null}, condition: s}", "{\"b\":1}", true},
        {"{s: {a: null}, condition: s}", "{\"a\":null}", true},
        {"{s: {a: null}, condition: s}", "{\"a\":\"\"}", false},
        {"{s: {a: ''}, condition: s}", "{\"a\":\"\"}", true},
        {"{s: {a: ''}, condition: s}", "{\"b\":1}", false},
        {"{s: {'a|exists': true}, condition: s}", "{\"a\":null}", true},
        {"{s: {'a|exists': true}, condition: s}", "{\"b\":1}", false},
        {"{s: {'a|exists': false}, condition: s}", "{\"b\":1}", true},
        {"{s: {a: '*'}, condition: s}", "{\"a\":\"\"}", true},
        {"{s: {a: '*'}, condition: s}", "{\"b\":1}", false},
        {"{s: {'a|neq': [x, y]}, condition: s}", "{\"a\":\"z\"}", true},
        {"{s: {'a|neq': [x, y]}, condition: s}", "{\"a\":\"y\"}", false},
        {"{s: {'a|neq': 5}, condition: s}", "{\"a\":6}", true},
    };

    (void)state;
    RUN(rows);
}

static void modifiers(void **state)
{
    static const struct row rows[] = {
        {"{s: {'a|contains': 'b*d'}, condition: s}", "{\"a\":\"xxBccDyy\"}", true},
        {"{s: {'a|startswith': ab}, condition: s}", "{\"a\":\"ABc\"}", true},
        {"{s: {'a|startswith': ab}, condition: s}", "{\"a\":\"xab\"}", false},
        {"{s: {'a|endswith': '\\cmd.exe'}, condition: s}", "{\"a\":\"C:\\\\x\\\\CMD.EXE\"}", true},
        {"{s: {'a|contains|all': [x, y]}, condition: s}", "{\"a\":\"y x\"}", true},
        {"{s: {'a|contains|all': [x, y]}, condition: s}", "{\"a\":\"x\"}", false},
        {"{s: {'a|cased': X}, condition: s}", "{\"a\":\"X\"}", true},
        {"{s: {'a|cased': X}, condition: s}", "{\"a\":\"x\"}", false},
        {"{s: {'a|contains|cased': Xy}, condition: s}", "{\"a\":\"-Xy-\"}", true},
        {"{s: {'a|re': '^a.c$'}, condition: s}", "{\"a\":\"abc\"}", true},
        {"{s: {'a|re': '^a.c$'}, condition: s}", "{\"a\":\"ABC\"}", false},
        {"{s: {'a|re|i': '^a.c$'}, condition: s}", "{\"a\":\"ABC\"}", true},
        {"{s: {'a|re': 'b+'}, condition: s}", "{\"a\":\"abbc\"}", true}, /* anywhere */
        {"{s: {'a|re': '^b'}, condition: s}", "{\"a\":\"a\\nb\"}", false},
        {"{s: {'a|re|m': '^b'}, condition: s}", "{\"a\":\"a\\nb\"}", true},
        {"{s: {'a|re': 'a.b'}, condition: s}", "{\"a\":\"a\\nb\"}", false},
        {"{s: {'a|re|s': 'a.b'}, condition: s}", "{\"a\":\"a\\nb\"}", true},
        {"{s: {'a|re|i|s': 'A.b'}, condition: s}", "{\"a\":\"a\\nB\"}", true},
        {"{s: {'a|cidr': 10.0.0.0/8}, condition: s}", "{\"a\":\"10.255.0.1\"}", true},
        {"{s: {'a|cidr': 10.0.0.0/8}, condition: s}", "{\"a\":\"11.0.0.1\"}", false},
        {"{s: {'a|cidr': 192.168.10.128/25}, condition: s}", "{\"a\":\"192.168.10.129\"}", true},
        {"{s: {'a|cidr': 192.168.10.128/25}, condition: s}", "{\"a\":\"192.168.10.127\"}", false},
        {"{s: {'a|cidr': 0.0.0.0/0}, condition: s}", "{\"a\":\"8.8.8.8\"}", true},
        {"{s: {'a|cidr': 'fd00::/8'}, condition: s}", "{\"a\":\"fdab::1\"}", true},
        {"{s: {'a|cidr': 'fd00::/8'}, condition: s}", "{\"a\":\"fe80::1\"}", false},
        {"{s: {'a|cidr': 10.0.0.0/8}, condition: s}", "{\"a\":\"no address\"}", false},
        {"{s: {'a|gt': 5}, condition: s}", "{\"a\":6}", true},
        {"{s: {'a|gt': 5}, condition: s}", "{\"a\":5}", false},
        {"{s: {'a|gte': 5}, condition: s}", "{\"a\":\"5\"}", true},
        {"{s: {'a|lt': 5.5}, condition: s}", "{\"a\":5.4}", true},
        {"{s: {'a|lte': 0x10}, condition: s}", "{\"a\":16}", true},
        {"{s: {'a|lte': 5}, condition: s}", "{\"a\":\"x\"}", false},
        {"{s: {'a|fieldref': b}, condition: s}", "{\"a\":\"X\",\"b\":\"x\"}", true},
        {"{s: {'a|fieldref': b}, condition: s}", "{\"a\":1,\"b\":1.0}", true},
        {"{s: {'a|fieldref': b}, condition: s}", "{\"a\":\"x\"}", false},
        {"{s: {'a|fieldref|neq': b}, condition: s}", "{\"a\":\"x\",\"b\":\"y\"}", true},
        {"{s: {'a|fieldref|startswith': b}, condition: s}", "{\"a\":\"xyz\",\"b\":\"XY\"}", true},
        {"{s: {'a|fieldref|endswith': b}, condition: s}", "{\"a\":\"xyz\",\"b\":\"xy\"}", false},
        {"{s: {'a|base64': 'foo'}, condition: s}", "{\"a\":\"Zm9v\"}", true},
        {"{s: {'a|base64': 'foob'}, condition: s}", "{\"a\":\"Zm9vYg==\"}", true},
        {"{s: {'a|base64offset|contains': 'http://'}, condition: s}", "{\"a\":\"aHR0cDovL2E=\"}", true}, /* http://a */
        {"{s: {'a|base64offset|contains': 'http://'}, condition: s}", "{\"a\":\"eGh0dHA6Ly9h\"}", true}, /* xhttp://a */
        {"{s: {'a|base64offset|contains': 'http://'}, condition: s}", "{\"a\":\"eHhodHRwOi8vYQ==\"}",
         true}, /* xxhttp://a */
        {"{s: {'a|base64offset|contains': 'http://'}, condition: s}", "{\"a\":\"Z29waGVyOi8v\"}", false},
        {"{s: {'a|wide|base64offset|contains': 'ping'}, condition: s}", "{\"a\":\"cABpAG4AZwAgAA==\"}", true},
        {"{s: {'a|utf16|base64': 'p'}, condition: s}", "{\"a\":\"//5wAA==\"}", true},
        {"{s: {'a|utf16be|base64': 'p'}, condition: s}", "{\"a\":\"AHA=\"}", true},
        {"{s: {'a|windash|contains': ' -enc'}, condition: s}", "{\"a\":\"x /ENC y\"}", true},
        {"{s: {'a|windash|contains|all': [' -f', ' -g']}, condition: s}", "{\"a\":\"x /f -g\"}", true},
        {"{s: {'a|hour': 22}, condition: s}", "{\"a\":\"2026-03-01T22:15:00Z\"}", true},
        {"{s: {'a|hour|gte': 22}, condition: s}", "{\"a\":\"2026-03-01T21:59:00Z\"}", false},
        {"{s: {'a|week': 9}, condition: s}", "{\"a\":\"2026-03-01T00:00:00Z\"}", true},
        {"{s: {'a|month': 3, 'a|day': 1, 'a|year': 2026, 'a|minute': 0}, condition: s}",
         "{\"a\":\"2026-03-01T00:00:00Z\"}", true},
        {"{s: {'a|month': 3}, condition: s}", "{\"a\":\"never\"}", false},
    };

    (void)state;
    RUN(rows);
}

static void keywords(void **state)
{
    static const struct row rows[] = {
        {"{k: [evil, bad], condition: k}", "{\"x\":\"so BAD it is\"}", true},
        {"{k: [evil, bad], condition: k}", "{\"evil\":\"name of a field\"}", false},
        {"{k: ['|all'], condition: k}", "{\"x\":\"|all\"}", true},
        {"{k: {'|all': [a1, b2]}, condition: k}", "{\"x\":\"a1\",\"y\":\"b2\"}", true},
        {"{k: {'|all': [a1, b2]}, condition: k}", "{\"x\":\"a1\"}", false},
        {"{k: {'|re': 'a.c'}, condition: k}", "{\"x\":[\"q\",\"abc\"]}", true},
        {"{k: ev*l, condition: k}", "{\"deep\":{\"x\":\"an evvvl\"}}", true},
        {"{k: [4625], condition: k}", "{\"x\":4625}", true},
    };

    (void)state;
    RUN(rows);
}

static void conditions(void **state)
{
#define SEL "{s1: {a: 1}, s2: {b: 1}, _s3: {c: 1}, filter_x: {f: 1}, condition: "
    static const struct row rows[] = {
        {SEL "s1 and s2}", "{\"a\":1,\"b\":1}", true},
        {SEL "s1 or s2}", "{\"b\":1}", true},
        {SEL "not s1}", "{\"b\":1}", true},
        {SEL "not not s1}", "{\"a\":1}", true},
        {SEL "s1 or s2 and filter_x}", "{\"a\":1}", true}, /* and binds closer than or */
        {SEL "(s1 or s2) and filter_x}", "{\"a\":1}", false},
        {SEL "not s1 and s2}", "{\"b\":1}", true}, /* not binds closest */
        {SEL "1 of s*}", "{\"b\":1}", true},
        {SEL "any of s*}", "{\"b\":1}", true},
        {SEL "all of s*}", "{\"a\":1}", false},
        {SEL "all of s*}", "{\"a\":1,\"b\":1}", true},
        {SEL "1 of s* and not 1 of filter_*}", "{\"a\":1,\"f\":1}", false},
        {SEL "1 of them}", "{\"c\":1}", false}, /* names with an underscore before them are not of them */
        {SEL "1 of them}", "{\"f\":1}", true},
        {SEL "1 of _s*}", "{\"c\":1}", true},
        {SEL "all of them}", "{\"a\":1,\"b\":1,\"f\":1}", true},
        {SEL "s1 AND NOT filter_x}", "{\"a\":1}", true},
        {SEL "[s1, s2]}", "{\"b\":1}", true},
        {SEL "((((s1))))}", "{\"a\":1}", true},
        {"{all: {a: 1}, condition: all}", "{\"a\":1}", true},
        {"{1: {a: 1}, condition: 1}", "{\"a\":1}", true},
    };

    (void)state;
    RUN(rows);
}

/* A regular expression that would take for ever is given up and counted, not waited for. */
static void hostile_regex_is_undecided(void **state)
{
    struct feed f;
    struct matcher m;
    char event[400];

    (void)state;
    feed_init(&f, "title: t\nlogsource: {product: x}\ndetection: {s: {'a|re': '^(a+)+$'}, condition: s}\n");
    matcher_init(&m, &f.plan);
    snprintf(event, sizeof event, "{\"a\":\"%.*s!\"}", 60,
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    feed_record(&f, event, false);
    assert_false(match_expr(&m, f.plan.rule[0]->expr, &f.record));
    assert_int_equal(m.undecided_count, 1);
    matcher_done(&m);
    feed_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selections), cmocka_unit_test(special_values), cmocka_unit_test(modifiers),
        cmocka_unit_test(keywords),   cmocka_unit_test(conditions),     cmocka_unit_test(hostile_regex_is_undecided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
