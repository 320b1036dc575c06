/* The life cycle of an incident as its page shows it: what the table says, narrowed to what this user may do. */
#include <stdio.h>

#include "api/call.h"
#include "api/incident_parts.h"

static json_t *stage_times(struct call *c, int64_t number)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT stage, max(entered_us), sum(coalesce(left_us, ?) - entered_us) "
                                                "FROM incident_stage WHERE incident = ? GROUP BY stage");
    int64_t entered_us[STAGE_COUNT] = {0}, spent_us[STAGE_COUNT] = {0};
    json_t *list = json_array();

    store_bind_i64(q, 1, c->now_us);
    store_bind_i64(q, 2, number);
    while (store_step(q) == VS_OK) {
        int64_t s = store_i64(q, 0);
        if (s < 0 || s >= STAGE_COUNT)
            continue;
        entered_us[s] = store_i64(q, 1);
        spent_us[s] = store_i64(q, 2) > 0 ? store_i64(q, 2) : 0;
    }
    store_done(q);
    for (int s = 0; s < STAGE_COUNT; s++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:I}", "stage", stage_code((enum stage)s), "entered",
                                              json_time_or_null(entered_us[s]), "seconds",
                                              (json_int_t)(spent_us[s] / 1000000)));
    return list;
}

static json_t *fact_names(uint32_t facts)
{
    json_t *list = json_array();

    for (int f = 0; f < FACT_COUNT; f++)
        if (facts & FACT_BIT(f))
            json_array_append_new(list, json_string(fact_code((enum fact)f)));
    return list;
}

/* Who may go this way: closing by a signed risk acceptance is for who may sign it, or for who may close once it is
 * signed; any other closing for who may close; any other move for who may move. */
static bool may_take(const struct call *c, const struct incident_state *in, enum stage to, uint32_t needs)
{
    bool signs = call_may(c, PERM_INCIDENT_ACCEPT_RISK);
    bool is_signed = (in->facts & FACT_BIT(FACT_RISK_ACCEPTANCE)) != 0;

    if (to != STAGE_CLOSED)
        return call_may(c, PERM_INCIDENT_MOVE);
    if (needs & FACT_BIT(FACT_RISK_ACCEPTANCE))
        return signs || (is_signed && call_may(c, PERM_INCIDENT_CLOSE));
    return call_may(c, PERM_INCIDENT_CLOSE);
}

static json_t *move_json(struct call *c, const struct incident_state *in, enum stage to)
{
    struct move_rule r;
    json_t *needs = json_array();
    bool allowed = false;

    lifecycle_rule(in->stage, to, in->disposition, &r);
    if (r.exists && r.needs_count == 0)
        r.needs[r.needs_count++] = 0; /* one way, for which nothing is needed */
    for (unsigned i = 0; r.exists && i < r.needs_count; i++) {
        if (!may_take(c, in, to, r.needs[i]))
            continue;
        allowed = true;
        json_array_append_new(needs, fact_names(r.needs[i]));
    }
    const char *why = r.why;
    if (r.exists && !allowed)
        why = to == STAGE_CLOSED ? "Your roles may not close incidents: Tier 2, the incident response lead, or whoever "
                                   "signs a risk acceptance can."
                                 : "Your roles may not move incidents: Tier 2 or the incident response lead can.";
    return json_pack("{s:s, s:b, s:s, s:s, s:o}", "to", stage_code(to), "allowed", allowed, "kind",
                     move_kind_code(r.kind), "why", why, "needs", needs);
}

json_t *parts_lifecycle(struct call *c, const struct incident_state *in)
{
    json_t *moves = json_array();

    for (int to = 0; to < STAGE_COUNT; to++)
        if ((enum stage)to != in->stage)
            json_array_append_new(moves, move_json(c, in, (enum stage)to));
    return json_pack("{s:s, s:o, s:o}", "stage", stage_code(in->stage), "stages", stage_times(c, in->number), "moves",
                     moves);
}

json_t *parts_dispositions(struct call *c, const struct incident_state *in)
{
    json_t *allowed = json_array();
    const char *why = "", *refused = "";

    for (int d = 1; d < DISPOSITION_COUNT; d++) {
        if (!call_may(c, PERM_INCIDENT_ACT))
            refused = "Your roles may not decide on incidents: an analyst or the incident response lead can.";
        else if (lifecycle_disposition(in->stage, in->disposition, (enum disposition)d, true, &why) != VS_OK)
            refused = why;
        else
            json_array_append_new(allowed, json_string(disposition_code((enum disposition)d)));
    }
    return json_pack("{s:o, s:s}", "allowed", allowed, "why", refused);
}
