/* Lints, schema warnings, pipelines, scopes and hashes of rules: what is said, and what changes what. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/sigma/plan.h"
#include "detect/sigma/rule_text.h"
#include "detect/sigma/spelling.h"
#include "detect/sigma/version_range.h"

#define VEHICLE "title: t\nname: t\nlogsource: {product: vehicle}\n"
#define ONE     "title: a\nname: a\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n---\n"
#define CORR    ONE "title: c\nname: c\ncorrelation:\n"

static void load(struct plan *p, struct diag *d, const char *text)
{
    diag_init(d);
    plan_init(p);
    enum vs_err err = plan_load_text(p, "f.yml", slice_str(text), d);
    assert_int_equal(err == VS_OK, d->error_count == 0);
}

static void unload(struct plan *p, struct diag *d)
{
    plan_done(p);
    diag_done(d);
}

static bool said(const struct diag *d, enum diag_level level, unsigned line, unsigned column, const char *text)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->entry[i].level == level && d->entry[i].line == line && d->entry[i].column == column &&
            strstr(d->entry[i].text, text) != NULL)
            return true;
    return false;
}

static void what_cannot_be_meant_is_said(void **state)
{
    static const struct {
        const char *rules;
        unsigned line, column;
        const char *text;
    } row[] = {
        {VEHICLE "detection:\n  s: {type: secoc.verificaton_failed}\n  condition: s\n", 5, 7,
         "did you mean secoc.verification_failed?"},
        {VEHICLE "detection:\n  s: {nrcc: 1}\n  condition: s\n", 5, 7, "did you mean nrc?"},
        {VEHICLE "detection:\n  s: {nrc: 300}\n  condition: s\n", 5, 7, "never 300"},
        {VEHICLE "detection:\n  s: {nrc: invalid}\n  condition: s\n", 5, 7, "is a number"},
        {VEHICLE "detection:\n  s: {'time|hour': 24}\n  condition: s\n", 5, 7, "from 0 to 23"},
        {VEHICLE "detection:\n  s: {'time|month|gt': 12}\n  condition: s\n", 5, 7, "can never hold"},
        {VEHICLE "detection:\n  s: {'speed|gt': 5, 'speed|lte': 5}\n  condition: s\n", 5, 22, "can never hold"},
        {VEHICLE "detection:\n  s: {'a|fieldref': pduu}\n  condition: s\n", 5, 7, "did you mean pdu?"},
        {"title: t\nlogsource: {product: vehicle, service: secok}\ndetection: {s: {pdu: 1}, condition: s}\n", 2, 40,
         "did you mean secoc?"},
        {VEHICLE "detection:\n  s: {pdu: a}\n  u: {pdu: b}\n  condition: s\n", 6, 3, "'u' is not used"},
        {VEHICLE "detection:\n  s: {'pdu|all': a}\n  condition: s\n", 5, 7, "`all` has no effect"},
        {VEHICLE "detection:\n  s: {pdu: a}\n  timeframe: 5m\n  condition: s\n", 6, 3, "old aggregations"},
        {VEHICLE "levl: high\ndetection: {s: {pdu: a}, condition: s}\n", 4, 1, "did you mean level?"},
        {VEHICLE "date: 2026-02-30x\ndetection: {s: {pdu: a}, condition: s}\n", 4, 7, "date must be"},
        {VEHICLE "tags: [attack]\ndetection: {s: {pdu: a}, condition: s}\n", 4, 8, "a tag such as"},
        {VEHICLE "id: x\ndetection: {s: {pdu: a}, condition: s}\n", 4, 5, "UUID"},
        {VEHICLE "status: done\ndetection: {s: {pdu: a}, condition: s}\n", 4, 9, "status must be"},
        {VEHICLE "related: [{id: x, type: cousin}]\ndetection: {s: {pdu: a}, condition: s}\n", 4, 11, "derived"},
        {VEHICLE "references: x\ndetection: {s: {pdu: a}, condition: s}\n", 4, 13, "list of texts"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, group-by: [f], condition: {lt: 1}}\n", 9, 75,
         "can never hold"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, condition: {gt: 5, lt: 6}}\n", 9, 60, "can never hold"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, condition: {lt: 5}}\n", 9, 60, "first event"},
        {CORR "  {type: temporal, rules: [a], timespan: 1m, condition: {gte: 2}}\n", 9, 57, "there are 1 rules"},
        {CORR "  {type: value_count, rules: [a], timespan: 1m, group-by: [f], condition: {field: f, gte: 2}}\n", 9, 75,
         "those of group-by"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}, aliases: {x: {a: f}}}\n", 9, 80,
         "not used in group-by"},
        {ONE "title: f\nfilter: {rules: [zz], s: {f: 1}, condition: s}\n", 6, 1, "no loaded rule"},
        {ONE "title: f\nlogsource: {product: y}\nfilter: {rules: [a], s: {f: 1}, condition: s}\n", 6, 1,
         "does not cover"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct plan p;
        struct diag d;
        load(&p, &d, row[i].rules);
        if (!said(&d, DIAG_WARNING, row[i].line, row[i].column, row[i].text))
            fail_msg("row %zu: got %u:%u %s", i, d.count > 0 ? d.entry[0].line : 0, d.count > 0 ? d.entry[0].column : 0,
                     d.count > 0 ? d.entry[0].text : "nothing");
        CHECK_ROW(i, d.error_count == 0);
        unload(&p, &d);
    }
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *rules;
        unsigned line, column;
        const char *text;
    } row[] = {
        {ONE "title: t\nlogsource: {product: x}\ndetection:\n  s: {f: [1, null]}\n  condition: s\n", 9, 14,
         "null cannot"},
        {"title: t\nstatus: unsupported\ndetection: {s: {f: 1}, condition: s}\n", 2, 9, "cannot be used"},
        {"title: t\ntaxonomy: ours\ndetection: {s: {f: 1}, condition: s}\n", 2, 11, "not known here"},
        {"title: t\nlogsource: {product: x}\ndetection: {s: {'f|expand': '%a%'}, condition: s}\n", 3, 29,
         "has no value"},
        {"vars: {a: []}\n", 1, 11, "without values"},
        {"vars: {a: 1}\n---\nvars: {a: 2}\n", 3, 8, "other values"},
        {"vars: {}\nmapings: 1\n", 2, 1, "unknown key"},
        {"transformations: [{type: drop}]\n", 1, 26, "expected a transformation"},
        {"transformations: [{type: wildcard_placeholders}]\n", 1, 19, "include"},
        {"transformations: [{type: field_name_mapping, mapping: {a: [b]}}]\n", 1, 59, "one field name"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, condition: {gte: 1}, group_by: [f]}\n", 9, 70,
         "group_by"},
        {CORR "  {type: event_count, rules: [a], timespan: 1m, condition: {field: f, gte: 1}}\n", 9, 3,
         "has a meaning"},
        {CORR "  {type: value_sum, rules: [a], timespan: 1m, condition: {field: f, gte: 1, percentile: 5}}\n", 9, 89,
         "value_percentile only"},
        {CORR "  {type: temporal, rules: [a], timespan: 1m, aliases: {x: {b: f}}, group-by: [x]}\n", 9, 60,
         "does not refer"},
        {CORR "  {type: temporal, rules: [a], timespan: 1m, aliases: {x: f}, group-by: [x]}\n", 9, 59,
         "map of rule names"},
        {"title: t\naction: again\n", 2, 9, "unknown action"},
        {"title: t\naction: repeat\n", 2, 9, "repeat of what"},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {scope: {modell: [a]}}\n", 5, 16, "scope knows"},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {scope: {sw_version: '>=x.'}}\n", 0, 0, NULL},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {scope: {sw_version: '>= <2'}}\n", 5, 28,
         "bounds such as"},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {scope: {sw_version: ['>1', '<2']}}\n", 5, 28,
         "joined with or"},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {budget: {alerts: 1}}\n", 5, 17,
         "unknown key of a budget"},
        {VEHICLE "detection: {s: {pdu: a}, condition: s}\nvsoc: {budget: {cost_ns: -1}}\n", 5, 26, "whole number"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct plan p;
        struct diag d;
        load(&p, &d, row[i].rules);
        if (row[i].text == NULL)
            CHECK_ROW(i, d.error_count == 0);
        else if (!said(&d, DIAG_ERROR, row[i].line, row[i].column, row[i].text))
            fail_msg("row %zu: got %u:%u %s", i, d.count > 0 ? d.entry[0].line : 0, d.count > 0 ? d.entry[0].column : 0,
                     d.count > 0 ? d.entry[0].text : "nothing");
        unload(&p, &d);
    }
}

static void hashes_of(const char *text, uint8_t meaning[RULE_HASH_SIZE], uint8_t version[RULE_HASH_SIZE])
{
    struct plan p;
    struct diag d;

    load(&p, &d, text);
    const struct rule *r = plan_find(&p, slice_str("c"));
    assert_non_null(r);
    assert_int_equal(d.error_count, 0);
    memcpy(meaning, r->meaning, RULE_HASH_SIZE);
    memcpy(version, r->version, RULE_HASH_SIZE);
    unload(&p, &d);
}

/* A reload keeps the windows of a rule whose meaning stayed the same, so the hash must not miss a change of what it
 * counts, nor see one where there is none. */
static void meaning_and_version_change_with_what_they_are_of(void **state)
{
#define REF  "title: a\nname: a\nlogsource: {product: x}\ndetection: {s: {'f|expand': '%v%'}, condition: s}\n---\n"
#define VARS "vars: {v: [b]}\n---\n"
#define MORE "title: c\nname: c\ncorrelation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}}\n"
    static const struct {
        const char *text;
        bool same_meaning, same_version;
    } row[] = {
        {VARS REF MORE, true, true},
        {MORE "---\n" REF "vars: {v: [b]}\n", true, true}, /* other order of documents */
        {"# said aside\n" VARS REF "correlation: {rules: [a], type: event_count, timespan: 1m, condition: {gte: 2}}\n"
         "name: 'c'\ntitle: c\n",
         true, true},
        {VARS REF MORE "level: high\n", true, false},
        {VARS REF MORE "description: better said\n", true, false},
        {VARS REF MORE "vsoc: {owner: me}\n", true, false},
        {VARS REF MORE "vsoc: {scope: {model: A}}\n", false, false},
        {VARS REF
         "title: c\nname: c\ncorrelation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}}\n",
         false, false},
        {"vars: {v: [b, c]}\n---\n" REF MORE, false, false},
        {VARS
         "title: a\nname: a\nlogsource: {product: x}\ndetection: {s: {'f|expand': 'x%v%'}, condition: s}\n---\n" MORE,
         false, false},
        {VARS REF MORE "---\ntitle: f\nlogsource: {product: x}\nfilter: {rules: [a], s: {g: 1}, condition: not s}\n",
         false, false},
        {VARS REF MORE "---\ntitle: z\nname: z\nlogsource: {product: x}\ndetection: {s: {g: 1}, condition: s}\n", true,
         true},
    };
    uint8_t meaning[RULE_HASH_SIZE], version[RULE_HASH_SIZE], m[RULE_HASH_SIZE], v[RULE_HASH_SIZE];

    (void)state;
    hashes_of(row[0].text, meaning, version);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        hashes_of(row[i].text, m, v);
        CHECK_ROW(i, (memcmp(m, meaning, sizeof m) == 0) == row[i].same_meaning);
        CHECK_ROW(i, (memcmp(v, version, sizeof v) == 0) == row[i].same_version);
    }
}

/* What is stored under a version is all it takes to have the rule again, with the same version. */
static void the_text_of_a_version_is_the_rule(void **state)
{
    static const char TEXT[] =
        VARS REF MORE "vsoc: {scope: {model: [A, 'B*']}}\n---\ntitle: f\nlogsource: {product: x}\n"
                      "filter: {rules: any, s: {g: 1}, condition: not s}\n---\ntitle: o\nname: o\n"
                      "logsource: {product: x}\ndetection: {s: {h: 1}, condition: s}\n";
    struct plan p, again;
    struct diag d, d2;
    size_t len;

    (void)state;
    load(&p, &d, TEXT);
    const struct rule *r = plan_find(&p, slice_str("c"));
    char *text = rule_text_version(&p, r, &len);
    diag_init(&d2);
    plan_init(&again);
    assert_int_equal(plan_load_text(&again, "v.yml", slice_make(text, len), &d2), VS_OK);
    assert_memory_equal(plan_find(&again, slice_str("c"))->version, r->version, RULE_HASH_SIZE);
    assert_null(plan_find(&again, slice_str("o")));
    free(text);
    unload(&p, &d);
    unload(&again, &d2);
}

/* A small file of aliases of aliases that would be gigabytes of rule. */
static void aliases_cannot_explode(void **state)
{
    char text[4000] = "title: t\nlogsource: {product: x}\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n";
    struct plan p;
    struct diag d;

    (void)state;
    for (int i = 1; i < 12; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "x%d: &x%d [*x%d, *x%d, *x%d, *x%d, *x%d, *x%d, *x%d, *x%d]\n", i, i, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    size_t end = strlen(text);
    snprintf(text + end, sizeof text - end, "detection: {s: {f: 1}, condition: s}\n");
    load(&p, &d, text);
    assert_int_equal(d.error_count, 1);
    assert_non_null(strstr(d.entry[0].text, "aliases"));
    unload(&p, &d);
}

static void versions_compare_part_by_part(void **state)
{
    static const char *const RISING[] = {"1",    "1.0",      "1.0-rc1",  "1.0.1",    "1.2",
                                         "1.10", "1.10.0.2", "2026.04a", "2026.04b", "99999999999999999999.1"};
    struct version_range r;

    (void)state;
    for (size_t i = 0; i < sizeof RISING / sizeof RISING[0]; i++)
        for (size_t k = 0; k < sizeof RISING / sizeof RISING[0]; k++) {
            int want = i < k ? -1 : i > k;
            if (version_compare(slice_str(RISING[i]), slice_str(RISING[k])) != want)
                fail_msg("%s and %s", RISING[i], RISING[k]);
        }
    assert_int_equal(version_compare(slice_str("V1-02"), slice_str("v1.2")), 0);
    assert_true(version_range_read(slice_str(">=3.2 < 4"), &r) && r.count == 2);
    assert_true(version_range_holds(&r, slice_str("3.2")) && version_range_holds(&r, slice_str("3.99-x")));
    assert_false(version_range_holds(&r, slice_str("4")) || version_range_holds(&r, slice_str("3.1.9")) ||
                 version_range_holds(&r, slice_str("")));
    assert_false(version_range_read(slice_str("3.2"), &r) || version_range_read(slice_str(">="), &r) ||
                 version_range_read(slice_str(">1 2"), &r) || version_range_read(slice_str(">1 >1 >1 >1 >1"), &r) ||
                 version_range_read(slice_str(""), &r));
}

static void near_words(void **state)
{
    static const char *const KNOWN[] = {"level", "status", "nrc"};

    (void)state;
    assert_string_equal(spelling_near(slice_str("levle"), KNOWN, 3), "level");
    assert_string_equal(spelling_near(slice_str("Statu"), KNOWN, 3), "status");
    assert_null(spelling_near(slice_str("level"), KNOWN, 3));
    assert_null(spelling_near(slice_str("xyz"), KNOWN, 3));
    assert_null(spelling_near(slice_str(""), KNOWN, 3));
    assert_int_equal(spelling_distance(slice_str("kitten"), slice_str("sitting"), 5), 3);
    assert_int_equal(spelling_distance(slice_str("ab"), slice_str("ba"), 5), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_meant_is_said),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(meaning_and_version_change_with_what_they_are_of),
        cmocka_unit_test(the_text_of_a_version_is_the_rule),
        cmocka_unit_test(aliases_cannot_explode),
        cmocka_unit_test(versions_compare_part_by_part),
        cmocka_unit_test(near_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
