/* Patterns: what is refused is refused at the right byte, what is read is evaluated right, hostile text stays bounded.
 * The oracle beside it (tests/oracle/test_stix_matcher.py) has the breadth. R-244. */
#include "check.h"
#include "detect/intel/address.h"
#include "detect/intel/stix_compare.h"
#include "detect/intel/stix_eval.h"
#include "seed.h"

static void test_faults(void **state)
{
    static const struct {
        const char *text;
        uint32_t byte;
        const char *says;
    } ROW[] = {
        {"", 0, "ends"},
        {"[", 1, "object type"},
        {"[a:b = 'x'", 10, "]"},
        {"[a:b = 'x']]", 11, "the end"},
        {"[a:b = 'x", 7, "literal"},
        {"[a:b == ]", 8, "literal"},
        {"[a:b-c = 1]", 3, "quotes"},
        {"[file:hashes.SHA-256 = 'x']", 13, "quotes"},
        {"[a:b < true]", 7, "order"},
        {"[a:b LIKE 5]", 10, "text"},
        {"[a:b MATCHES '(']", 13, "expression"},
        {"[a:b IN (1, 'x')]", 12, "one type"},
        {"[a:b ISSUBSET '300.0.0.0/8']", 14, "address"},
        {"[a:b = 99999999999999999999]", 7, "63 bits"},
        {"[a:b = t'2026-13-01T00:00:00Z']", 7, "time"},
        {"[a:b = h'abc']", 7, "hex"},
        {"[a:b = b'abc']", 7, "base64"},
        {"[a:b = 1] REPEATS 0 TIMES", 18, "at least 1"},
        {"[a:b = 1] WITHIN 0 SECONDS", 17, "above 0"},
        {"[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 27, "twice"},
        {"[a:b = 1] /* no end", 10, "the end"},
        {"[a:b and 1]", 5, "comparison"},
    };
    struct stix_pattern p;
    struct stix_fault fault;

    (void)state;
    stix_pattern_init(&p);
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++) {
        CHECK_ROW(i, stix_pattern_parse(&p, slice_str(ROW[i].text), &fault) == VS_ERR_MALFORMED);
        if (fault.position != ROW[i].byte || strstr(fault.text, ROW[i].says) == NULL)
            fail_msg("%s: byte %u: %s", ROW[i].text, fault.position, fault.text);
    }
    stix_pattern_done(&p);
}

static void test_bounds(void **state)
{
    static char text[STIX_PATTERN_MAX + 16];
    struct stix_pattern p;
    struct stix_fault fault;

    (void)state;
    stix_pattern_init(&p);
    memset(text, '(', 64);
    assert_int_equal(stix_pattern_parse(&p, slice_make(text, 64), &fault), VS_ERR_LIMIT);
    memset(text, ' ', sizeof text);
    assert_int_equal(stix_pattern_parse(&p, slice_make(text, sizeof text), &fault), VS_ERR_LIMIT);
    /* A chain as long as the nodes allow is read; one more part is not. */
    size_t len = 0;
    for (unsigned i = 0; i < STIX_NODES_MAX / 2; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%sa:b=1", i == 0 ? "[" : " OR ");
    text[len++] = ']';
    assert_int_equal(stix_pattern_parse(&p, slice_make(text, len), &fault), VS_OK);
    assert_int_equal(p.node_count, STIX_NODES_MAX);
    len--;
    len += (size_t)snprintf(text + len, sizeof text - len, " OR a:b=1]");
    assert_int_equal(stix_pattern_parse(&p, slice_make(text, len), &fault), VS_ERR_LIMIT);
    stix_pattern_done(&p);
}

/* A naive LIKE: exponential, and right. */
static bool naive_like(const char *text, const char *like)
{
    if (*like == '\0')
        return *text == '\0';
    if (*like == '%')
        return naive_like(text, like + 1) || (*text != '\0' && naive_like(text + 1, like));
    return *text != '\0' && (*like == '_' || *like == *text) && naive_like(text + 1, like + 1);
}

static void test_like(void **state)
{
    struct seed s = seed_start("stix_like", 3);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char text[9] = "", like[7] = "";
        for (unsigned k = seed_next(&s) % 9; k-- > 0;)
            text[strlen(text)] = "ab."[seed_next(&s) % 3];
        for (unsigned k = seed_next(&s) % 7; k-- > 0;)
            like[strlen(like)] = "ab%_."[seed_next(&s) % 5];
        if (stix_like(slice_str(text), slice_str(like)) != naive_like(text, like))
            fail_msg("%s LIKE %s", text, like);
    }
    assert_true(stix_like(slice_str("\xC3\xBC"), slice_str("_"))); /* one character, two bytes */
    assert_false(stix_like(slice_str("\xC3\xBC"), slice_str("__")));
}

static void test_addresses(void **state)
{
    static const char *const BAD[] = {"",         "1.2.3",  "1.2.3.4.5", "01.2.3.4",  "256.1.1.1", "1.2.3.4/33",
                                      "1.2.3.4/", "::/129", "g::",       "1.2.3.4/a", " 1.2.3.4",  "1.2.3.4 "};
    struct address_block a, b;

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CHECK_ROW(i, !address_block_read(slice_str(BAD[i]), &a));
    assert_true(address_block_read(slice_str("10.1.2.3/8"), &a));
    assert_true(address_block_read(slice_str("10.255.0.1"), &b));
    assert_true(address_within(&b, &a));
    assert_false(address_within(&a, &b));
    assert_true(address_block_read(slice_str("2001:DB8::/32"), &a));
    assert_true(address_read(slice_str("2001:db8:0:0::1"), &b));
    assert_true(address_within(&b, &a));
    assert_true(address_block_read(slice_str("::/0"), &a));
    assert_true(address_read(slice_str("10.0.0.1"), &b));
    assert_false(address_within(&b, &a)); /* IPv4 is not inside IPv6 */
}

/* An expression that takes for ever is neither match nor miss. */
static void test_undecided(void **state)
{
    struct stix_pattern p;
    struct stix_fault fault;
    struct stix_tree t;
    struct stix_observation o = {.number = 1};

    (void)state;
    stix_pattern_init(&p);
    stix_tree_init(&t);
    uint32_t at = stix_tree_object(&t, &o, slice_str("x--1"), slice_str("x-thing"));
    stix_tree_text(&t, at, "v", slice_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
    assert_int_equal(stix_pattern_parse(&p, slice_str("[x-thing:v MATCHES '^(a+)+$']"), &fault), VS_OK);
    assert_int_equal(stix_eval(&p, &t, &o, 1), STIX_UNDECIDED);
    assert_int_equal(stix_pattern_parse(&p, slice_str("[x-thing:v MATCHES '^a+!$']"), &fault), VS_OK);
    assert_int_equal(stix_eval(&p, &t, &o, 1), STIX_YES);
    stix_pattern_done(&p);
    stix_tree_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_bounds),    cmocka_unit_test(test_like),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_undecided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
