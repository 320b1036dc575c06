/* scene: a store in memory and short ways to bring alerts into it, for the tests of respond. */
#ifndef SCENE_H
#define SCENE_H

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "respond/act.h"
#include "respond/audit.h"
#include "respond/grouping.h"
#include "respond/respond.h"
#include "respond/roles.h"

#define SCENE_HOUR INT64_C(3600000000)
#define SCENE_T0   INT64_C(1700000000000000)

struct scene {
    struct store *st;
    int64_t now_us;
};

/* What a test says of an alert. vid 0 = a campaign over the vehicles 1 to `fleet`. */
struct scene_alert {
    uint8_t id, vid, fleet;
    const char *rule, *signature;
    int64_t first_h, last_h; /* hours after SCENE_T0 */
    uint8_t severity, state;
    uint32_t revision;
    uint8_t supersedes[4];
};

static inline int scene_open(void **state)
{
    static struct scene s;
    struct store_error error;

    s.now_us = SCENE_T0;
    assert_int_equal(store_open("memory:", &s.st, &error), VS_OK);
    *state = &s;
    return 0;
}

static inline int scene_close(void **state)
{
    struct scene *s = *state;

    store_close(s->st);
    return 0;
}

static inline void scene_vid(uint8_t n, char text[VID_TEXT_SIZE])
{
    uint8_t vid[EV_VID_SIZE];

    memset(vid, n, sizeof vid);
    alert_vid_text(vid, text);
}

static inline struct slice scene_id(uint8_t n)
{
    static char text[4][ALERT_ID_TEXT_SIZE];
    static unsigned next;
    uint8_t id[ALERT_ID_SIZE];

    memset(id, n, sizeof id);
    next = (next + 1) % 4;
    alert_id_text(id, text[next]);
    return slice_str(text[next]);
}

static inline void scene_members(struct scene *s, const struct alert *al, const struct scene_alert *a)
{
    int count = a->vid != 0 ? 1 : a->fleet;

    for (int i = 0; i < count; i++) {
        struct alert_member m[2] = {{.epoch = 1,
                                     .seq = (uint64_t)a->id * 100,
                                     .time_us = al->first_us,
                                     .count = 1,
                                     .type = SLICE_LIT("secoc.verification_failed"),
                                     .signature = slice_str(a->signature),
                                     .ecu = SLICE_LIT("GW")}};
        memset(m[0].vid, a->vid != 0 ? a->vid : i + 1, sizeof m[0].vid);
        m[1] = m[0];
        m[1].seq++;
        m[1].time_us = al->last_us;
        assert_int_equal(alert_store_add_members(s->st, al->id, m, 2, false), VS_OK);
    }
}

/* Puts the alert and hands it to respond, in one transaction. */
static inline void scene_put_with(struct scene *s, const struct scene_alert *a, const struct alert_context *context)
{
    char vid[VID_TEXT_SIZE];
    struct alert al = {.rule = slice_str(a->rule),
                       .title = slice_str(a->rule),
                       .severity = a->severity,
                       .state = a->state,
                       .group_count = 1,
                       .first_us = SCENE_T0 + a->first_h * SCENE_HOUR,
                       .last_us = SCENE_T0 + a->last_h * SCENE_HOUR,
                       .count = 2,
                       .vehicles = a->vid != 0 ? 1 : a->fleet,
                       .peak = SLICE_LIT("2"),
                       .revision = a->revision != 0 ? a->revision : 1};

    memset(al.id, a->id, sizeof al.id);
    scene_vid(a->vid, vid);
    al.group[0].field = slice_str(a->vid != 0 ? "vin" : "signature");
    al.group[0].value = slice_str(a->vid != 0 ? vid : a->signature);
    while (al.supersedes_count < 4 && a->supersedes[al.supersedes_count] != 0) {
        memset(al.supersedes[al.supersedes_count], a->supersedes[al.supersedes_count], ALERT_ID_SIZE);
        al.supersedes_count++;
    }
    assert_int_equal(store_begin(s->st), VS_OK);
    assert_int_equal(alert_store_put(s->st, &al, "test", s->now_us, NULL), VS_OK);
    scene_members(s, &al, a);
    assert_int_equal(respond_on_alert(s->st, &al, context, s->now_us), VS_OK);
    assert_int_equal(store_commit(s->st), VS_OK);
    s->now_us += 1000;
}

static inline void scene_put(struct scene *s, struct scene_alert a)
{
    const struct alert_context context = {.rationale = SLICE_LIT("because"), .safety = -1};

    scene_put_with(s, &a, &context);
}

static inline int64_t scene_number(struct scene *s, const char *sql)
{
    struct store_stmt *q = store_prepare(s->st, sql);
    enum vs_err err = store_step(q);
    int64_t n = err == VS_OK ? store_i64(q, 0) : -1;

    store_done(q);
    return n;
}

/* The incident where the alert is at home; 0 when none. */
static inline int64_t scene_home(struct scene *s, uint8_t id)
{
    struct store_stmt *q = store_prepare(s->st, "SELECT incident FROM alert WHERE id = ?");

    store_bind_text(q, 1, scene_id(id));
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

static inline struct incident_state scene_incident(struct scene *s, int64_t number)
{
    struct incident_state in;

    assert_int_equal(incident_load(s->st, number, &in), VS_OK);
    return in;
}

static const struct actor SCENE_LEAD = {
    .name = SLICE_LIT("lena"), .permissions = UINT32_MAX, .source = SLICE_LIT("test")};

/* Makes one move with these facts; returns what came of it. The version is the present one. */
static inline enum vs_err scene_move(struct scene *s, int64_t number, enum stage to, uint32_t facts)
{
    struct act_facts given;
    struct act_refusal refusal;

    memset(&given, 0, sizeof given);
    for (int f = 0; f < FACT_COUNT; f++)
        if (facts & FACT_BIT(f))
            given.text[f] = slice_str("known");
    assert_int_equal(store_begin(s->st), VS_OK);
    enum vs_err err =
        act_move(s->st, number, scene_incident(s, number).version, to, &given, &SCENE_LEAD, NULL, s->now_us, &refusal);
    if (err == VS_OK)
        assert_int_equal(store_commit(s->st), VS_OK);
    else
        store_rollback(s->st);
    s->now_us += 1000;
    return err;
}

static inline enum vs_err scene_decide(struct scene *s, int64_t number, enum disposition d)
{
    struct act_refusal refusal;

    assert_int_equal(store_begin(s->st), VS_OK);
    enum vs_err err = act_disposition(s->st, number, scene_incident(s, number).version, d, slice_str("seen"),
                                      slice_make(NULL, 0), &SCENE_LEAD, NULL, s->now_us, &refusal);
    if (err == VS_OK)
        assert_int_equal(store_commit(s->st), VS_OK);
    else
        store_rollback(s->st);
    s->now_us += 1000;
    return err;
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)

#endif
