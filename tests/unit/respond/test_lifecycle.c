/* The life cycle over all pairs of stages, all dispositions and all sets of facts. */
#include <string.h>

#include "check.h"
#include "respond/lifecycle.h"

/* The table as a person would draw it, one letter per move: F forward, B back, C close, R reopen, - refused.
 * Rows: from; columns: to, both in the order triage, contain, investigate, patch, recover, closed. */
static const char *const MALICIOUS[STAGE_COUNT] = {"-F---C", "B-F--C", "BB-F-C", "BBB-FC", "BBBB-C", "R-R---"};
static const char *const OTHER[STAGE_COUNT] = {"-----C", "B----C", "BB---C", "BBB--C", "BBBB-C", "R-----"};
static const char *const NONE[STAGE_COUNT] = {"------", "B-----", "BB----", "BBB---", "BBBB--", "R-----"};

static const char *const *drawn(enum disposition d)
{
    return d == DISPOSITION_NONE ? NONE : d == DISPOSITION_MALICIOUS ? MALICIOUS : OTHER;
}

static char letter(const struct move_rule *r)
{
    static const char LETTER[] = {
        [MOVE_FORWARD] = 'F', [MOVE_BACK] = 'B', [MOVE_CLOSE] = 'C', [MOVE_REOPEN] = 'R', [MOVE_SKIP] = 'S'};

    return r->exists ? LETTER[r->kind] : '-';
}

static void every_pair_is_as_drawn(void **state)
{
    (void)state;
    for (int d = 0; d < DISPOSITION_COUNT; d++)
        for (int from = 0; from < STAGE_COUNT; from++)
            for (int to = 0; to < STAGE_COUNT; to++) {
                struct move_rule r;
                lifecycle_rule((enum stage)from, (enum stage)to, (enum disposition)d, &r);
                if (letter(&r) != drawn((enum disposition)d)[from][to])
                    fail_msg("%s to %s with disposition %d: %c", stage_code((enum stage)from),
                             stage_code((enum stage)to), d, letter(&r));
                assert_true(r.why[0] != '\0');
                assert_true(r.exists || r.needs_count == 0);
            }
}

/* Whether a set of facts is enough, written down apart from the table. */
static bool enough(enum stage from, enum stage to, enum disposition d, uint32_t f)
{
#define HAS(name) ((f & FACT_BIT(FACT_##name)) != 0)
    bool learned = HAS(RECURRENCE_CHECK) && HAS(UPDATE_DECISION);
    bool proof = HAS(ENGINEERING_ASSESSMENT) && HAS(FIX_REF) && HAS(FLEET_PROOF);

    if (to == STAGE_CLOSED && d == DISPOSITION_MALICIOUS && from == STAGE_RECOVER)
        return learned && (proof || HAS(RISK_ACCEPTANCE));
    if (to == STAGE_CLOSED && d == DISPOSITION_MALICIOUS)
        return HAS(RISK_ACCEPTANCE) && HAS(REASON);
    if (to == STAGE_CLOSED || to < from)
        return HAS(REASON);
    if (to == STAGE_INVESTIGATE)
        return HAS(CONTAINMENT);
    if (to == STAGE_PATCH)
        return HAS(ROOT_CAUSE) && HAS(COMPONENT) && HAS(TARA_SCENARIO);
    if (to == STAGE_RECOVER)
        return HAS(FIX_REF);
    return true;
#undef HAS
}

static void every_set_of_facts_is_judged_right(void **state)
{
    (void)state;
    for (int d = 0; d < DISPOSITION_COUNT; d++)
        for (int from = 0; from < STAGE_COUNT; from++)
            for (int to = 0; to < STAGE_COUNT; to++)
                for (uint32_t facts = 0; facts < 1u << FACT_COUNT; facts++) {
                    const char *why;
                    uint32_t missing;
                    bool drawn_there = drawn((enum disposition)d)[from][to] != '-';
                    bool want = drawn_there && enough((enum stage)from, (enum stage)to, (enum disposition)d, facts);
                    enum vs_err err =
                        lifecycle_check((enum stage)from, (enum stage)to, (enum disposition)d, facts, &why, &missing);
                    assert_int_equal(err, want ? VS_OK : VS_ERR_REFUSED);
                    /* What is said to be missing would be enough. */
                    if (!want && drawn_there) {
                        assert_true(missing != 0 && (missing & facts) == 0);
                        assert_true(enough((enum stage)from, (enum stage)to, (enum disposition)d, facts | missing));
                    } else {
                        assert_int_equal(missing, 0);
                    }
                }
}

static void dispositions_change_where_they_may(void **state)
{
    const char *why;

    (void)state;
    for (int at = 0; at < STAGE_COUNT; at++)
        for (int from = 0; from < DISPOSITION_COUNT; from++)
            for (int to = 0; to < DISPOSITION_COUNT; to++)
                for (int reason = 0; reason < 2; reason++) {
                    bool want =
                        at == STAGE_TRIAGE || (at != STAGE_CLOSED && to != DISPOSITION_NONE && (from == to || reason));
                    enum vs_err err = lifecycle_disposition((enum stage)at, (enum disposition)from,
                                                            (enum disposition)to, reason != 0, &why);
                    assert_int_equal(err, want ? VS_OK : VS_ERR_REFUSED);
                    assert_int_equal(why[0] == '\0', want);
                }
}

static void codes_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < STAGE_COUNT; i++)
        assert_int_equal(stage_from_code(slice_str(stage_code((enum stage)i))), i);
    for (int i = 1; i < DISPOSITION_COUNT; i++)
        assert_int_equal(disposition_from_code(slice_str(disposition_code((enum disposition)i))), i);
    for (int i = 0; i < FACT_COUNT; i++)
        assert_int_equal(fact_from_code(slice_str(fact_code((enum fact)i))), i);
    assert_int_equal(stage_from_code(slice_str("")), -1);
    assert_int_equal(disposition_from_code(slice_str("none")), -1);
    assert_int_equal(fact_from_code(slice_str("Reason")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_as_drawn),
        cmocka_unit_test(every_set_of_facts_is_judged_right),
        cmocka_unit_test(dispositions_change_where_they_may),
        cmocka_unit_test(codes_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
