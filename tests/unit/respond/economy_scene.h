/* economy_scene: silences and budgets in a scene, for the tests of what they do. */
#ifndef ECONOMY_SCENE_H
#define ECONOMY_SCENE_H

#include "respond/budget.h"
#include "respond/scene.h"
#include "respond/settle.h"
#include "respond/silence.h"

#define DAY_US (24 * SCENE_HOUR)

static const struct actor LENA = {.name = SLICE_LIT("lena"), .permissions = UINT32_MAX, .source = SLICE_LIT("test")};
static const struct actor OTTO = {.name = SLICE_LIT("otto"), .permissions = UINT32_MAX, .source = SLICE_LIT("test")};

static inline void settle(struct scene *s)
{
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(respond_settle(s->st, s->now_us), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static inline struct silence_matcher matcher(const char *field, const char *op, const char *value)
{
    struct silence_matcher m;
    const char *why = NULL;

    assert_true(silence_matcher_parse(slice_str(field), slice_str(op), slice_str(value), &m, &why));
    return m;
}

static inline struct silence_draft draft(const struct silence_matcher *m, unsigned count, int64_t expires_us)
{
    struct silence_draft d = {.cause = SLICE_LIT("maintenance"),
                              .reason = SLICE_LIT("new brakes are run in"),
                              .expires_us = expires_us,
                              .matcher_count = count,
                              .matcher = m};
    return d;
}

static inline int64_t silence_rule(struct scene *s, const char *rule, int64_t hours, uint32_t severities)
{
    struct silence_matcher m = matcher("rule", "is", rule);
    struct silence_draft d = draft(&m, 1, s->now_us + hours * SCENE_HOUR);
    struct silence_refusal no;
    int64_t number = 0;

    d.severities = severities;
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_create(s->st, &SILENCE_POLICY_DEFAULT, &d, &LENA, s->now_us, &number, &no), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
    return number;
}

static inline void lift(struct scene *s, int64_t number)
{
    struct silence_refusal no;

    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(silence_revoke(s->st, number, slice_str("over"), &LENA, s->now_us, &no), VS_OK);
    assert_int_equal(respond_settle(s->st, s->now_us), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
}

static inline void budget(struct scene *s, int64_t rule, int64_t team)
{
    struct budget_limit limit[2] = {{BUDGET_RULE, "*", rule}, {BUDGET_TEAM, "*", team}};

    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(budget_limits_put(s->st, limit, 2), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
}

static inline struct scene_alert one(uint8_t id, uint8_t vid, const char *rule)
{
    return (struct scene_alert){
        .id = id, .vid = vid, .rule = rule, .signature = rule, .first_h = id, .last_h = id, .severity = ALERT_MEDIUM};
}

static inline int64_t held_now(struct scene *s)
{
    return scene_number(s, "SELECT count(*) FROM silence_alert WHERE ended_us IS NULL");
}

#endif
