/* rule loading: every mistake is named with its line and column, and what was expected. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "detect/sigma/plan.h"
#include "detect/sigma/rule_load.h"

#define RULE "title: t\nlogsource: {product: x}\n"
#define CORR                                                                                                           \
    "title: a\nname: a\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n---\ntitle: c\ncorrelation:\n"

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *rules;
        unsigned line, column;
        const char *text; /* part of the message */
    } row[] = {
        {"a: [", 2, 1, "did not find"},
        {"a: 1\na: 2\n", 2, 1, "twice"},
        {"- x\n", 1, 1, "expected a Sigma rule"},
        {"title: t\n", 1, 1, "exactly one of detection"},
        {RULE "detection: {s: {a: 1}}\n", 3, 12, "needs a condition"},
        {RULE "detection:\n  s: {a: 1}\n  condition: s and\n", 5, 19, "expected a selection"},
        {RULE "detection:\n  s: {a: 1}\n  condition: t\n", 5, 14, "expected a selection"},
        {RULE "detection:\n  s: {a: 1}\n  condition: (s\n", 5, 16, "expected `)`"},
        {RULE "detection:\n  s: {a: 1}\n  condition: s s\n", 5, 16, "expected `and`"},
        {RULE "detection:\n  s: {a: 1}\n  condition: 2 of s*\n", 5, 14, "expected `1 of`"},
        {RULE "detection:\n  s: {a: 1}\n  condition: 1 of x*\n", 5, 19, "no selection"},
        {RULE "detection:\n  s: {a: 1}\n  condition: s | count() > 5\n", 5, 16, "obsolete"},
        {RULE "detection:\n  s:\n    a|containz: x\n  condition: s\n", 5, 5, "unknown modifier 'containz'"},
        {RULE "detection:\n  s:\n    a|re: 'x('\n  condition: s\n", 5, 11, "regular expression"},
        {RULE "detection:\n  s:\n    a|cidr: 300.1.2.3\n  condition: s\n", 5, 13, "expected a network"},
        {RULE "detection:\n  s:\n    a|gt: x\n  condition: s\n", 5, 11, "need a number"},
        {RULE "detection:\n  s:\n    a|exists: maybe\n  condition: s\n", 5, 15, "true or false"},
        {RULE "detection:\n  s:\n    a|expand: '%x%'\n  condition: s\n", 5, 15, "placeholder"},
        {RULE "detection:\n  s:\n    a|base64: 'x*'\n  condition: s\n", 5, 15, "wildcards"},
        {RULE "detection:\n  s:\n    a|i: x\n  condition: s\n", 5, 5, "flags of re"},
        {RULE "detection:\n  s:\n    a: []\n  condition: s\n", 5, 8, "empty list"},
        {RULE "detection:\n  s:\n    a: {b: 1}\n  condition: s\n", 5, 8, "expected a text"},
        {RULE "level: severe\ndetection: {s: {a: 1}, condition: s}\n", 3, 8, "level must be"},
        {CORR "  type: event_counts\n", 8, 9, "correlation needs a type"},
        {CORR "  type: event_count\n  rules: [a]\n  timespan: 10\n  condition: {gte: 1}\n", 10, 13, "timespan"},
        {CORR "  type: event_count\n  rules: [b]\n  timespan: 10s\n  condition: {gte: 1}\n", 9, 11, "no loaded rule"},
        {CORR "  type: event_count\n  rules: [a]\n  timespan: 10s\n", 8, 3, "needs a condition"},
        {CORR "  type: value_count\n  rules: [a]\n  timespan: 10s\n  condition: {gte: 1}\n", 8, 3, "needs `field`"},
        {CORR "  type: event_count\n  rules: [a]\n  timespan: 10s\n  condition: {gte: x}\n", 11, 20, "needs a number"},
        {CORR "  type: event_count\n  rules: [a]\n  timespan: 10s\n  condition: {mt: 1}\n", 11, 15, "unknown key 'mt'"},
        {CORR "  type: temporal\n  rules: [c]\n  timespan: 10s\n", 6, 1, "circle"},
        {RULE "detection: {s: {a: 1}, condition: s}\nvsoc: {r155: ['14.1']}\n", 4, 15, "no threat"},
        {RULE "detection: {s: {a: 1}, condition: s}\nvsoc: {tarra: [x]}\n", 4, 8, "unknown key 'tarra'"},
        {RULE "detection: {s: {a: 1}, condition: s}\nvsoc: {severity_steps: [{peak: 5, level: red}]}\n", 4, 25,
         "severity step"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct plan p;
        struct diag d;
        bool found = false;
        diag_init(&d);
        plan_init(&p);
        CHECK_ROW(i, plan_load_text(&p, "f.yml", slice_str(row[i].rules), &d) == VS_ERR_CONFIG);
        for (uint32_t k = 0; k < d.count; k++)
            found |= d.entry[k].level == DIAG_ERROR && d.entry[k].line == row[i].line &&
                     d.entry[k].column == row[i].column && strstr(d.entry[k].text, row[i].text) != NULL;
        if (!found)
            fail_msg("row %zu: got %u:%u %s", i, d.entry[0].line, d.entry[0].column, d.entry[0].text);
        plan_done(&p);
        diag_done(&d);
    }
}

/* A broken rule does not take the others with it. */
static void the_rest_still_runs(void **state)
{
    struct plan p;
    struct diag d;

    (void)state;
    diag_init(&d);
    plan_init(&p);
    assert_int_equal(
        plan_load_text(&p, "f.yml",
                       slice_str(RULE "detection: {s: {'a|nope': 1}, condition: s}\n---\n"
                                      "title: good\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n"),
                       &d),
        VS_ERR_CONFIG);
    assert_int_equal(p.base_count, 1);
    check_slice(p.rule[p.base[0]]->label, "good");
    plan_done(&p);
    diag_done(&d);
}

static void a_product_rule_needs_its_context(void **state)
{
    struct plan p;
    struct diag d;

    (void)state;
    diag_init(&d);
    plan_init(&p);
    p.strict = true;
    assert_int_equal(
        plan_load_text(&p, "f.yml", slice_str(RULE "detection: {s: {a: 1}, condition: s}\nvsoc: {owner: me}\n"), &d),
        VS_ERR_CONFIG);
    assert_int_equal(d.error_count, 4); /* tara, r155, playbook, rationale */
    plan_done(&p);
    diag_done(&d);
}

static void r155_has_67_leaves(void **state)
{
    int leaves = 0;
    char id[24];

    (void)state;
    for (int group = 0; group < 40; group++)
        for (int leaf = 0; leaf < 12; leaf++) {
            snprintf(id, sizeof id, "%d.%d", group, leaf);
            leaves += rule_is_r155(slice_str(id));
        }
    assert_int_equal(leaves, 67);
    assert_true(rule_is_r155(slice_str("11.1")) && rule_is_r155(slice_str("32.1")) && rule_is_r155(slice_str("22.2")));
    assert_false(rule_is_r155(slice_str("22.1")) || rule_is_r155(slice_str("30.1")) || rule_is_r155(slice_str("14.1")));
    assert_false(rule_is_r155(slice_str("11")) || rule_is_r155(slice_str("11.")) || rule_is_r155(slice_str("")));
}

static void spans(void **state)
{
    int64_t us = 0;

    (void)state;
    assert_true(rule_read_span(slice_str("90m"), &us) && us == INT64_C(5400000000));
    assert_true(rule_read_span(slice_str("0s"), &us) && us == 0);
    assert_true(rule_read_span(slice_str("30d"), &us) && us == INT64_C(2592000000000));
    assert_false(rule_read_span(slice_str("m"), &us) || rule_read_span(slice_str("1w"), &us) ||
                 rule_read_span(slice_str("-1s"), &us) || rule_read_span(slice_str("1.5h"), &us) ||
                 rule_read_span(slice_str("999999999999d"), &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(the_rest_still_runs),
        cmocka_unit_test(a_product_rule_needs_its_context),
        cmocka_unit_test(r155_has_67_leaves),
        cmocka_unit_test(spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
