#include "gateway/qualify.h"

static const struct qualify_rule DEFAULT[] = {
    {.mode = QUALIFY_DETAILED, .aggregate_ms = 60000},
    {.mode = QUALIFY_DETAILED, .aggregate_ms = 60000, .lead = true},
};

static enum vs_err check_rule(const struct qualify_rule *r)
{
    if (r->type != 0 && ev_type_find(r->type) == NULL)
        return VS_ERR_CONFIG;
    if (r->mode > QUALIFY_BRIEF_BYPASS)
        return VS_ERR_CONFIG;
    if (r->type == 0 && (r->sample_every > 1 || r->threshold > 0))
        return VS_ERR_CONFIG;
    return r->threshold > 0 && r->threshold_ms == 0 ? VS_ERR_CONFIG : VS_OK;
}

enum vs_err qualify_init(struct qualify *q, const struct qualify_rule *rule, struct qualify_state *state,
                         uint32_t rule_count, const struct qualify_limits *limits)
{
    if (rule_count > 0 && (rule == NULL || state == NULL || rule_count > INT32_MAX))
        return VS_ERR_CONFIG;
    for (uint32_t i = 0; i < rule_count; i++) {
        enum vs_err err = check_rule(&rule[i]);

        if (err != VS_OK)
            return err;
    }
    memset(q, 0, sizeof *q);
    if (rule_count > 0)
        memset(state, 0, rule_count * sizeof *state);
    q->rule = rule;
    q->state = state;
    q->rule_count = rule_count;
    q->limits = *limits;
    return VS_OK;
}

uint32_t qualify_rule_for(const struct qualify *q, const struct event *ev)
{
    for (uint32_t i = 0; i < q->rule_count; i++) {
        const struct qualify_rule *r = &q->rule[i];

        if ((r->type == 0 || r->type == ev->type) && (r->ecu.len == 0 || slice_equal(r->ecu, ev->ecu)) &&
            (r->sensor.len == 0 || slice_equal(r->sensor, ev->sensor)))
            return i;
    }
    return q->rule_count + (ev->priority == EV_PRIORITY_CRITICAL);
}

const struct qualify_rule *qualify_rule_at(const struct qualify *q, uint32_t rule)
{
    return rule < q->rule_count ? &q->rule[rule] : &DEFAULT[rule - q->rule_count];
}

bool qualify_bypasses(const struct qualify_rule *rule)
{
    return rule->mode == QUALIFY_DETAILED_BYPASS || rule->mode == QUALIFY_BRIEF_BYPASS;
}

/* Leaves the required fields and those that the attack signature is made of. */
static void take_context_out(struct event *ev)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    unsigned kept = 0;

    for (unsigned i = 0; i < ev->field_count; i++) {
        uint8_t id = ev->field[i].id;
        bool keep = id == type->signature_subject || id == type->signature_detail;

        for (unsigned f = 0; f < type->field_count && !keep; f++)
            keep = type->field[f] == id && (type->required >> f & 1) != 0;
        if (keep)
            ev->field[kept++] = ev->field[i];
    }
    ev->field_count = (uint8_t)kept;
}

/* Passes the occurrences numbered 1, n + 1, 2n + 1, ... An event with a count passes when one of these is in it. */
static bool sample(struct qualify_state *s, uint32_t every, uint32_t count)
{
    uint64_t into = s->sampled % every; /* occurrences since the last that passed, itself included */

    s->sampled += count;
    return into == 0 || into + count > every;
}

uint8_t qualify_before(struct qualify *q, uint32_t rule, struct event *ev)
{
    const struct qualify_rule *r = qualify_rule_at(q, rule);

    if (r->mode == QUALIFY_OFF)
        return EV_FILTER_REPORTING_MODE;
    if (r->mode == QUALIFY_BRIEF || r->mode == QUALIFY_BRIEF_BYPASS)
        take_context_out(ev);
    if (qualify_bypasses(r))
        return 0;
    if ((r->blocked_states & q->vehicle_state) != 0)
        return EV_FILTER_BLOCK_STATE;
    if (r->sample_every > 1 && !sample(&q->state[rule], r->sample_every, ev->count))
        return EV_FILTER_SAMPLING;
    return 0;
}

/* True when a window of `ms` that began at *from is over at `now`, or the clock went back before it; begins the next.
 */
static bool window_over(int64_t *from_us, uint32_t ms, int64_t now_us)
{
    if (*from_us != 0 && now_us >= *from_us && now_us - *from_us < (int64_t)ms * 1000)
        return false;
    *from_us = now_us;
    return true;
}

static bool below_threshold(struct qualify_state *s, const struct qualify_rule *r, uint32_t count, int64_t now_us)
{
    if (window_over(&s->threshold_from_us, r->threshold_ms, now_us))
        s->threshold_seen = 0;
    s->threshold_seen += count;
    return s->threshold_seen < r->threshold;
}

static uint8_t over_limits(struct qualify *q, bool exempt, size_t bytes, int64_t now_us)
{
    if (q->limits.window_ms == 0)
        return 0;
    if (window_over(&q->limit_from_us, q->limits.window_ms, now_us)) {
        q->limit_events = 0;
        q->limit_bytes = 0;
    }
    if (!exempt && q->limits.events_max > 0 && q->limit_events >= q->limits.events_max)
        return EV_FILTER_RATE;
    if (!exempt && q->limits.bytes_max > 0 && q->limit_bytes + bytes > q->limits.bytes_max)
        return EV_FILTER_TRAFFIC;
    q->limit_events++;
    q->limit_bytes = bytes < UINT32_MAX - q->limit_bytes ? q->limit_bytes + (uint32_t)bytes : UINT32_MAX;
    return 0;
}

uint8_t qualify_after(struct qualify *q, uint32_t rule, const struct event *ev, size_t bytes, int64_t now_us)
{
    const struct qualify_rule *r = qualify_rule_at(q, rule);

    if (qualify_bypasses(r))
        return 0;
    if (r->threshold > 0 && below_threshold(&q->state[rule], r, ev->count, now_us))
        return EV_FILTER_THRESHOLD;
    return over_limits(q, ev->priority == EV_PRIORITY_CRITICAL, bytes, now_us);
}
