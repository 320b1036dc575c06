/* What people do: versions, undo, and that an act and its record are one. */
#include <stdlib.h>

#include "respond/scene.h"
#include "seed.h"

static const struct actor OTTO = {
    .name = SLICE_LIT("otto"), .permissions = PERM_BIT(PERM_INCIDENT_CLOSE), .source = SLICE_LIT("test")};

static void one_incident(struct scene *s)
{
    scene_put(s, (struct scene_alert){.id = 1, .vid = 1, .rule = "a", .signature = "x", .severity = ALERT_HIGH});
}

static void detection_is_no_conflict_and_people_are(void **state)
{
    struct scene *s = *state;
    struct act_refusal refusal;
    struct scene_alert a = {.id = 1, .vid = 1, .rule = "a", .signature = "x", .severity = ALERT_HIGH};

    scene_put(s, a);
    int64_t seen = scene_incident(s, 1).version;
    a.revision = 2;
    a.last_h = 1;
    scene_put(s, a);
    assert_true(scene_incident(s, 1).version > seen);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(act_disposition(s->st, 1, seen, DISPOSITION_MALICIOUS, slice_make(NULL, 0), slice_make(NULL, 0),
                                     &SCENE_LEAD, NULL, s->now_us, &refusal),
                     VS_OK);
    assert_int_equal(act_disposition(s->st, 1, seen, DISPOSITION_NONE, slice_make(NULL, 0), slice_make(NULL, 0),
                                     &SCENE_LEAD, NULL, s->now_us, &refusal),
                     VS_ERR_CONFLICT);
    assert_int_equal(refusal.version, scene_incident(s, 1).version);
    assert_int_equal(act_disposition(s->st, 1, refusal.version + 1, DISPOSITION_NONE, slice_make(NULL, 0),
                                     slice_make(NULL, 0), &SCENE_LEAD, NULL, s->now_us, &refusal),
                     VS_ERR_CONFLICT);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static void a_risk_is_not_accepted_by_who_may_not(void **state)
{
    struct scene *s = *state;
    struct act_refusal refusal;
    struct act_facts facts;

    one_incident(s);
    memset(&facts, 0, sizeof facts);
    facts.text[FACT_RISK_ACCEPTANCE] = slice_str("me");
    facts.text[FACT_REASON] = slice_str("why not");
    assert_int_equal(scene_decide(s, 1, DISPOSITION_MALICIOUS), VS_OK);
    assert_int_equal(store_begin(s->st), VS_OK);
    int64_t version = scene_incident(s, 1).version;
    assert_int_equal(act_move(s->st, 1, version, STAGE_CLOSED, &facts, &OTTO, NULL, s->now_us, &refusal),
                     VS_ERR_FORBIDDEN);
    assert_int_equal(refusal.needs_permission, PERM_INCIDENT_ACCEPT_RISK);
    assert_int_equal(act_facts(s->st, 1, version, &facts, &OTTO, s->now_us, &refusal), VS_ERR_FORBIDDEN);
    store_rollback(s->st);
}

static void a_refused_act_leaves_nothing(void **state)
{
    struct scene *s = *state;

    one_incident(s);
    int64_t timeline = scene_number(s, "SELECT count(*) FROM timeline"),
            audit = scene_number(s, "SELECT count(*) FROM audit");
    struct act_refusal refusal;
    struct act_facts facts;
    memset(&facts, 0, sizeof facts);
    facts.text[FACT_ROOT_CAUSE] = slice_str("known");
    /* Committed on purpose: bulk acts commit what others did beside a refused one. */
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(
        act_move(s->st, 1, scene_incident(s, 1).version, STAGE_PATCH, &facts, &SCENE_LEAD, NULL, s->now_us, &refusal),
        VS_ERR_REFUSED);
    assert_int_equal(store_commit(s->st), VS_OK);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM timeline"), timeline);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM audit"), audit);
    assert_int_equal(scene_incident(s, 1).facts, 0);
}

/* ---- undo */

static void open_token(struct scene *s, uint8_t n, char token[2 * ACT_TOKEN_SIZE + 1])
{
    uint8_t random[ACT_TOKEN_SIZE];

    memset(random, n, sizeof random);
    assert_int_equal(act_undo_open(s->st, &SCENE_LEAD, random, s->now_us, token), VS_OK);
}

static void what_is_taken_back_is_as_it_was(void **state)
{
    struct scene *s = *state;
    struct act_refusal refusal;
    struct act_facts facts;
    char token[2 * ACT_TOKEN_SIZE + 1];

    one_incident(s);
    assert_int_equal(scene_decide(s, 1, DISPOSITION_MALICIOUS), VS_OK);
    assert_int_equal(scene_move(s, 1, STAGE_CONTAIN, 0), VS_OK);
    struct incident_state before = scene_incident(s, 1);
    memset(&facts, 0, sizeof facts);
    facts.text[FACT_CONTAINMENT] = slice_str("blocked");
    assert_int_equal(store_begin(s->st), VS_OK);
    open_token(s, 7, token);
    assert_int_equal(
        act_move(s->st, 1, before.version, STAGE_INVESTIGATE, &facts, &SCENE_LEAD, token, s->now_us, &refusal), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    assert_true(scene_incident(s, 1).contained_us != 0);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(act_undo(s->st, slice_str(token), &OTTO, s->now_us, &refusal, NULL, NULL), VS_ERR_NOT_FOUND);
    assert_int_equal(act_undo(s->st, slice_str(token), &SCENE_LEAD, s->now_us + ACT_UNDO_US, &refusal, NULL, NULL),
                     VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    struct incident_state after = scene_incident(s, 1);
    assert_int_equal(after.stage, before.stage);
    assert_int_equal(after.contained_us, before.contained_us);
    assert_int_equal(after.facts, before.facts);
    assert_true(after.version > before.version); /* taking back is an act of its own */
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_stage WHERE incident = 1 AND left_us IS NULL"), 1);
    assert_int_equal(scene_number(s, "SELECT stage FROM incident_stage WHERE incident = 1 AND left_us IS NULL"),
                     STAGE_CONTAIN);
}

static void too_late_or_built_upon_it_stays(void **state)
{
    struct scene *s = *state;
    struct act_refusal refusal;
    char token[2 * ACT_TOKEN_SIZE + 1];

    one_incident(s);
    assert_int_equal(store_begin(s->st), VS_OK);
    open_token(s, 1, token);
    assert_int_equal(act_disposition(s->st, 1, 2, DISPOSITION_MALICIOUS, slice_make(NULL, 0), slice_make(NULL, 0),
                                     &SCENE_LEAD, token, s->now_us, &refusal),
                     VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(act_undo(s->st, slice_str(token), &SCENE_LEAD, s->now_us + ACT_UNDO_US + 1, &refusal, NULL, NULL),
                     VS_ERR_REFUSED);
    store_rollback(s->st);
    assert_int_equal(scene_move(s, 1, STAGE_CONTAIN, 0), VS_OK);
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(act_undo(s->st, slice_str(token), &SCENE_LEAD, s->now_us, &refusal, NULL, NULL), VS_ERR_REFUSED);
    store_rollback(s->st);
    assert_int_equal(scene_incident(s, 1).disposition, DISPOSITION_MALICIOUS);
}

/* Random moves, dispositions and undos: the stage is always the one that the life cycle allows, each stage period ends
 * where the next begins, and the audit chain holds. */
static void whatever_people_do_the_record_holds(void **state)
{
    struct scene *s = *state;
    struct seed rng = seed_start("act", 4711);
    struct audit_verdict v;
    unsigned done = 0, refused = 0;

    one_incident(s);
    for (int i = 0; i < 400; i++) {
        struct incident_state in = scene_incident(s, 1);
        if (seed_next(&rng) % 4 == 0) {
            uint64_t d = seed_next(&rng) % 2 ? DISPOSITION_MALICIOUS : seed_next(&rng) % DISPOSITION_COUNT;
            (void)scene_decide(s, 1, (enum disposition)d);
            continue;
        }
        enum stage to = (enum stage)(seed_next(&rng) % STAGE_COUNT);
        uint32_t facts = (uint32_t)(seed_next(&rng) | seed_next(&rng)) & ((1u << FACT_COUNT) - 1), missing;
        const char *why;
        enum vs_err want = lifecycle_check(in.stage, to, in.disposition, in.facts | facts, &why, &missing);
        assert_int_equal(scene_move(s, 1, to, facts), want);
        assert_int_equal(scene_incident(s, 1).stage, want == VS_OK ? to : in.stage);
        if (want == VS_OK)
            done++;
        else
            refused++;
    }
    assert_true(done > 40 && refused > 40);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_stage WHERE left_us IS NULL"), 1);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM incident_stage a JOIN incident_stage b ON b.id = a.id + 1 "
                                     "WHERE a.left_us <> b.entered_us"),
                     0);
    assert_int_equal(audit_verify(s->st, &v), VS_OK);
    assert_true(v.ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(detection_is_no_conflict_and_people_are),
        SCENE_TEST(a_risk_is_not_accepted_by_who_may_not),
        SCENE_TEST(a_refused_act_leaves_nothing),
        SCENE_TEST(what_is_taken_back_is_as_it_was),
        SCENE_TEST(too_late_or_built_upon_it_stays),
        SCENE_TEST(whatever_people_do_the_record_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
