/* Silences: the list, one with its history, making one after a preview, approving and ending it. */
#include <stdlib.h>

#include "api/economy.h"
#include "api/filter.h"
#include "api/page.h"
#include "api/route.h"
#include "respond/settle.h"
#include "respond/silence_preview.h"

static int64_t count_of(struct store *st, const char *sql, int64_t a, int64_t b)
{
    struct store_stmt *q = store_prepare(st, sql);

    store_bind_i64(q, 1, a);
    store_bind_i64(q, 2, b);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

static json_t *policy_json(const struct call *c)
{
    struct silence_policy p;
    json_t *causes = json_array();

    silence_policy_of(c, &p);
    for (unsigned i = 0; silence_cause_code(i) != NULL; i++)
        json_array_append_new(causes, json_pack("{s:s, s:s}", "cause", silence_cause_code(i), "title",
                                                silence_cause_title(slice_str(silence_cause_code(i)))));
    return json_pack("{s:i, s:i, s:i, s:i, s:o}", "days_max", (int)p.days_max, "critical_hours_max",
                     (int)p.critical_hours_max, "junior_hours_max", SILENCE_JUNIOR_HOURS, "spread_factor",
                     SILENCE_SPREAD_FACTOR, "causes", causes);
}

/* ---- reading */

#define STATE_COUNT (SILENCE_ENDED + 1)

static int state_number(struct slice code)
{
    for (int s = 0; s < STATE_COUNT; s++)
        if (slice_equal_str(code, silence_state_code((enum silence_state)s)))
            return s;
    return -1;
}

/* ?1 = mask of states, ?2 = now. The order of the cases is that of silence_state_of. */
#define STATE_BIT                                                                                                      \
    "(CASE WHEN s.ended_us IS NOT NULL THEN 8 WHEN s.needs_second = 1 AND s.approved_us IS NULL THEN 1 WHEN "          \
    "s.starts_us > ?2 THEN 2 ELSE 4 END)"

void silence_list(struct call *c)
{
    int64_t now_us = economy_now(c), last = 0;
    uint32_t states;
    struct page page;
    enum vs_err err = filter_mask(http_query(c->rq, "state"), state_number, STATE_COUNT, &states);

    if (err != VS_OK) {
        reply_fault(c, err, "state", "not a list of: pending, scheduled, active, ended");
        return;
    }
    if (!page_read(c, "number", &page))
        return;
    json_t *rows = json_array();
    struct store_stmt *q =
        store_prepare(c->st, "SELECT " SILENCE_COLUMNS " FROM silence s WHERE (" STATE_BIT " & ?1) <> 0 "
                             "AND s.number < ?3 ORDER BY s.number DESC LIMIT ?4");
    store_bind_i64(q, 1, states);
    store_bind_i64(q, 2, now_us);
    store_bind_i64(q, 3, page.has_cursor ? page.id : INT64_MAX);
    store_bind_i64(q, 4, page.limit + 1);
    while (store_step(q) == VS_OK) {
        if ((int64_t)json_array_size(rows) == page.limit) {
            page_next(&page, last, last);
            break;
        }
        last = store_i64(q, 0);
        json_array_append_new(rows, silence_json(c->st, q, now_us));
    }
    store_done(q);
    int64_t total = count_of(c->st, "SELECT count(*) FROM silence s WHERE (" STATE_BIT " & ?1) <> 0", states, now_us);
    int64_t held = count_of(c->st, "SELECT count(*) FROM silence_alert WHERE ended_us IS NULL AND ?1 = ?2", 0, 0);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "now", json_time(now_us), "total", json_total(total), "rows",
                         rows, "next", page_next_json(&page), "held", (json_int_t)held, "policy", policy_json(c)));
}

/* The silence the path names as JSON; NULL when there is none. */
static json_t *one_json(struct call *c, int64_t number, int64_t now_us)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT " SILENCE_COLUMNS " FROM silence s WHERE s.number = ?");

    store_bind_i64(q, 1, number);
    json_t *o = store_step(q) == VS_OK ? silence_json(c->st, q, now_us) : NULL;
    store_done(q);
    return o;
}

void silence_get(struct call *c)
{
    json_t *o = one_json(c, silence_number(c->part[0]), economy_now(c));

    if (o == NULL)
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "there is no such silence");
    else
        reply_json(c, 200, o);
}

/* ---- preview */

static json_t *preview_json(const struct silence_preview *p)
{
    json_t *rules = json_array(), *samples = json_array(), *o = json_object();
    const struct {
        const char *name;
        int64_t value;
    } NUMBER[] = {{"looked_at", p->looked_at}, {"alerts", p->alerts},        {"open", p->open},
                  {"graver", p->graver},       {"vehicles", p->vehicles},    {"incidents", p->incidents},
                  {"malicious", p->malicious}, {"in_queue", p->now_in_queue}};

    for (unsigned i = 0; i < p->rules; i++)
        json_array_append_new(rules, json_pack("{s:o, s:I}", "rule", json_slice(slice_str(p->rule[i].rule)), "alerts",
                                               (json_int_t)p->rule[i].alerts));
    for (unsigned i = 0; i < p->samples; i++)
        json_array_append_new(samples, json_string(p->sample[i]));
    for (size_t i = 0; i < sizeof NUMBER / sizeof NUMBER[0]; i++)
        json_object_set_new(o, NUMBER[i].name, json_integer(NUMBER[i].value));
    json_object_set_new(o, "from", json_time(p->from_us));
    json_object_set_new(o, "complete", json_boolean(p->complete));
    json_object_set_new(o, "rules", rules);
    json_object_set_new(o, "samples", samples);
    return o;
}

static json_t *refusal_json(enum vs_err err, const struct silence_refusal *no)
{
    if (err == VS_OK)
        return json_null();
    return json_pack("{s:s, s:s?, s:s}", "code", vs_err_info(err)->name, "field", no->field, "detail", no->why);
}

/* A draft that would be refused is previewed all the same when it means something, so that a form can show both. */
void silence_try(struct call *c)
{
    int64_t now_us = economy_now(c);
    struct silence_request r;
    struct silence_policy policy;
    struct silence_refusal no;
    struct silence_preview *p;
    struct actor who = call_actor(c);
    bool second = false;

    silence_policy_of(c, &policy);
    if (!silence_request_read(c, now_us, &r))
        return;
    enum vs_err refused = silence_check(c->st, &policy, &r.draft, &who, now_us, &second, &no);
    if (refused != VS_OK && no.err == VS_OK) {
        reply_store_failure(c, refused);
        return;
    }
    p = calloc(1, sizeof *p);
    enum vs_err err = p == NULL ? VS_ERR_NO_MEMORY : VS_OK;
    if (err == VS_OK && r.draft.matcher_count > 0)
        err = silence_preview(c->st, &r.draft, now_us, p);
    if (err == VS_OK)
        reply_json(c, 200,
                   json_pack("{s:o, s:b, s:o, s:o}", "preview", preview_json(p), "needs_second", second, "expires",
                             json_time(r.draft.expires_us), "refusal", refusal_json(refused, &no)));
    else
        reply_store_failure(c, err);
    free(p);
}

/* ---- acts: each one transaction, answered with the silence as it is then */

static void refuse(struct call *c, enum vs_err err, const struct silence_refusal *no)
{
    if (no->err == VS_OK)
        reply_store_failure(c, err);
    else
        reply_fault(c, err, no->field, no->why);
}

static void finish(struct call *c, enum vs_err err, int64_t number, int64_t now_us, int status,
                   const struct silence_refusal *no)
{
    if (err == VS_OK)
        err = respond_settle(c->st, now_us);
    if (err == VS_OK)
        err = store_commit(c->st);
    if (err != VS_OK) {
        store_rollback(c->st);
        refuse(c, err, no);
        return;
    }
    reply_json(c, status, one_json(c, number, now_us));
}

static bool begin(struct call *c)
{
    enum vs_err err = store_begin(c->st);

    if (err != VS_OK)
        reply_store_failure(c, err);
    return err == VS_OK;
}

void silence_make(struct call *c)
{
    int64_t now_us = economy_now(c), number = 0;
    struct silence_request r;
    struct silence_policy policy;
    struct silence_refusal no = {.err = VS_OK};
    struct actor who = call_actor(c);

    silence_policy_of(c, &policy);
    if (!silence_request_read(c, now_us, &r) || !begin(c))
        return;
    enum vs_err err = silence_create(c->st, &policy, &r.draft, &who, now_us, &number, &no);
    finish(c, err, number, now_us, 200, &no);
}

void silence_judge(struct call *c)
{
    int64_t now_us = economy_now(c), number = silence_number(c->part[0]);
    struct silence_refusal no = {.err = VS_OK};
    struct actor who = call_actor(c);

    if (!begin(c))
        return;
    enum vs_err err = silence_approve(c->st, number, body_boolean(c->body, "approve"), body_text(c->body, "reason"),
                                      &who, now_us, &no);
    finish(c, err, number, now_us, 200, &no);
}

void silence_stop(struct call *c)
{
    int64_t now_us = economy_now(c), number = silence_number(c->part[0]);
    struct silence_refusal no = {.err = VS_OK};
    struct actor who = call_actor(c);

    if (!begin(c))
        return;
    enum vs_err err = silence_revoke(c->st, number, body_text(c->body, "reason"), &who, now_us, &no);
    finish(c, err, number, now_us, 200, &no);
}
