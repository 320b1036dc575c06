/* dispatch and route: candidates decide how fast an answer comes and never which one. Random rules and events, with and
 * without log sources, against asking every rule. */
#include "check.h"
#include "seed.h"

#include "base/jsonl/json_reader.h"
#include "detect/sigma/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES  60
#define EVENTS 400

static const char *const PRODUCT[] = {"windows", "linux", "vehicle", ""};
static const char *const CATEGORY[] = {"process", "file", ""};
static const char *const SERVICE[] = {"sshd", "uds", ""};
static const char *const FIELD[] = {"Image", "CommandLine", "nrc", "type", "a.b", "not.there"};
static const char *const MODIFIER[] = {"",    "|contains", "|startswith",   "|endswith",
                                       "|re", "|cased",    "|contains|all", "|neq"};
static const char *const WORD[] = {"ab",        "abc", "cmd.exe", "Ab",  "bc",  "53",
                                   "uds.reset", "x",   "abab",    "b?c", "a*c", "0x35"};
static const char *const REGEX[] = {"ab+c", "cmd[.]exe", "(ab|bc)abc", "x?abab", "^uds", "(?i)ABC"};

#define PICK(seed, list) list[seed_below(seed, sizeof list / sizeof list[0])]

/* Buffers have room for many pieces of at most this size. */
#define PIECE_MAX 256

__attribute__((format(printf, 3, 4))) static size_t put(char *out, size_t len, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(out + len, PIECE_MAX, format, args);
    va_end(args);
    assert_true(n >= 0 && n < PIECE_MAX);
    return len + (size_t)n;
}

static size_t draw_source(struct seed *seed, char *out, size_t len)
{
    const char *product = PICK(seed, PRODUCT);
    const char *category = PICK(seed, CATEGORY);
    const char *service = PICK(seed, SERVICE);

    len = put(out, len, "logsource:\n");
    if (*product != '\0')
        len = put(out, len, "    product: %s\n", product);
    if (*category != '\0')
        len = put(out, len, "    category: %s\n", category);
    if (*service != '\0' || (*product == '\0' && *category == '\0'))
        len = put(out, len, "    service: %s\n", *service != '\0' ? service : "sshd");
    return len;
}

static size_t draw_selection(struct seed *seed, char *out, size_t len, const char *name)
{
    unsigned items = 1 + (unsigned)seed_below(seed, 3);

    len = put(out, len, "    %s:\n", name);
    if (seed_below(seed, 8) == 0) /* keywords */
        return put(out, len, "        - '%s'\n        - '%s'\n", PICK(seed, WORD), PICK(seed, WORD));
    for (unsigned i = 0; i < items; i++) {
        const char *modifier = PICK(seed, MODIFIER);
        bool regex = strcmp(modifier, "|re") == 0;
        len = put(out, len, "        %s%s: ['%s'", FIELD[seed_below(seed, 2) + 2 * (size_t)i], modifier,
                  regex ? PICK(seed, REGEX) : PICK(seed, WORD));
        if (seed_below(seed, 2) == 0)
            len = put(out, len, ", '%s'", regex ? PICK(seed, REGEX) : PICK(seed, WORD));
        len = put(out, len, "]\n");
    }
    return len;
}

static size_t draw_rule(struct seed *seed, char *out, size_t len, unsigned n)
{
    static const char *const condition[] = {"one and two", "one or two", "one and not two",
                                            "not one",     "1 of them",  "two"};
    char name[32];

    snprintf(name, sizeof name, "rule %u", n);
    len = put(out, len, "---\ntitle: %s\n", name);
    len = draw_source(seed, out, len);
    len = put(out, len, "detection:\n");
    len = draw_selection(seed, out, len, "one");
    len = draw_selection(seed, out, len, "two");
    return put(out, len, "    condition: %s\n", PICK(seed, condition));
}

static size_t draw_event(struct seed *seed, char *out)
{
    size_t len = put(out, 0, "{\"type\":\"%s\"", PICK(seed, WORD));

    if (seed_below(seed, 4) != 0)
        len = put(out, len, ",\"product\":\"%s\",\"category\":\"%s\"", PICK(seed, PRODUCT), PICK(seed, CATEGORY));
    if (seed_below(seed, 3) == 0)
        len = put(out, len, ",\"logsource\":{\"service\":\"%s\",\"product\":\"%s\"}", PICK(seed, SERVICE),
                  PICK(seed, PRODUCT));
    else if (seed_below(seed, 2) == 0)
        len = put(out, len, ",\"service\":\"%s\"", seed_below(seed, 4) == 0 ? "none" : PICK(seed, SERVICE));
    if (seed_below(seed, 5) != 0)
        len = put(out, len, ",\"Image\":\"%s%s%s\"", PICK(seed, WORD), PICK(seed, WORD), PICK(seed, WORD));
    if (seed_below(seed, 5) != 0)
        len = put(out, len, ",\"CommandLine\":[\"%s\",\"%s%s\"]", PICK(seed, WORD), PICK(seed, WORD), PICK(seed, WORD));
    if (seed_below(seed, 2) == 0)
        len = put(out, len, ",\"nrc\":%s", seed_below(seed, 2) == 0 ? "53" : "35");
    return put(out, len, ",\"a\":{\"b\":\"%s%s\"}}", PICK(seed, WORD), PICK(seed, WORD));
}

/* Whether a rule is among the candidates and matches. */
static bool answered(struct matcher *m, struct record *r, const uint32_t *candidate, uint32_t count, uint32_t rule)
{
    for (uint32_t i = 0; i < count; i++)
        if (candidate[i] == rule)
            return match_expr(m, m->plan->rule[rule]->expr, r);
    return false;
}

static unsigned compare(struct plan *p, struct matcher *m, struct router *rt, struct record *r, const char *event)
{
    const uint32_t *candidate;
    unsigned hits = 0;

    for (unsigned routed = 0; routed < 2; routed++) {
        uint32_t count = routed != 0 ? router_candidates(rt, m, r, &candidate) : match_candidates(m, r, &candidate);
        for (uint32_t i = 0; i < p->base_count; i++) {
            const struct rule *rule = p->rule[p->base[i]];
            bool covered = routed == 0 || match_source(rule, r, rt->field);
            bool want = covered && match_expr(m, rule->expr, r);
            bool got = covered && answered(m, r, candidate, count, p->base[i]);
            if (want != got)
                fail_msg("%s: %.*s: %d, not %d%s", event, (int)rule->title.len, (const char *)rule->title.ptr, got,
                         want, routed != 0 ? " (by log source)" : "");
            hits += want;
        }
        for (uint32_t i = 1; i < count; i++)
            assert_true(candidate[i - 1] < candidate[i]);
    }
    return hits;
}

static void candidates_lose_no_match(void **state)
{
    static char rules[256 * 1024];
    struct seed seed = seed_start("candidates_lose_no_match", 11);
    unsigned hits = 0;

    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        struct plan p;
        struct diag d;
        struct matcher m;
        struct router rt;
        struct record r;
        struct json_reader *reader;
        size_t len = 0;
        for (unsigned i = 0; i < RULES; i++)
            len = draw_rule(&seed, rules, len, i);
        diag_init(&d);
        plan_init(&p);
        assert_int_equal(plan_load_text(&p, "drawn.yml", slice_make(rules, len), &d), VS_OK);
        router_fields(&p.fields);
        router_init(&rt, &p);
        record_init(&r, &p.fields);
        matcher_init(&m, &p);
        assert_int_equal(json_reader_new(&reader), VS_OK);
        for (unsigned i = 0; i < EVENTS; i++) {
            char event[1024 + JSON_PADDING];
            const char *reason;
            struct json_object o;
            size_t n = draw_event(&seed, event);
            assert_int_equal(json_reader_object(reader, slice_make(event, n), &o, &reason), VS_OK);
            if (record_from_json(&r, &o, false, &reason) == VS_OK) /* a drawn key may stand twice */
                hits += compare(&p, &m, &rt, &r, event);
        }
        json_reader_free(reader);
        matcher_done(&m);
        record_done(&r);
        router_done(&rt);
        plan_done(&p);
        diag_done(&d);
    }
    assert_true(hits > 10000); /* the generator still makes what is to be tested */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(candidates_lose_no_match)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
