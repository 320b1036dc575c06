#include "app/rule_alerts.h"

#include "core/hex.h"

struct handing_on {
    const struct member_facts *facts;
    alert_member_fn *each;
    void *each_ctx;
    bool enough;
};

static void on_member(void *ctx, const struct engine_member *seen)
{
    struct handing_on *h = ctx;
    struct alert_member m = {.epoch = seen->epoch, .seq = seen->seq, .time_us = seen->time_us, .count = seen->count};

    if (h->enough || !hex_read(seen->vehicle, m.vid, sizeof m.vid))
        return;
    member_facts_fill(h->facts, seen->tag, &m);
    h->enough = !h->each(h->each_ctx, &m);
}

static void members(void *ctx, const struct alert *al, alert_member_fn *each, void *each_ctx)
{
    const struct rule_alert *ra = ctx;
    struct handing_on h = {ra->facts, each, each_ctx, false};

    engine_members(ra->engine, ra->rule, al, on_member, &h);
}

struct alert_source rule_alert_source(struct rule_alert *ra)
{
    return (struct alert_source){members, ra};
}

void rule_alert_context(const struct rule *rule, struct alert_context *ret)
{
    static const char REPEAT[] = ":on_repeat";
    const struct rule_context *c = &rule->context;

    memset(ret, 0, sizeof *ret);
    ret->rationale = c->rationale;
    ret->playbook = c->playbook;
    ret->owner = c->owner;
    ret->safety = -1;
    ret->hunt_only = rule->severity == ALERT_INFO;
    for (uint8_t i = 0; i < c->action_count && i < ALERT_ACTIONS_MAX; i++) {
        struct slice name = c->action[i];
        size_t cut = name.len - (sizeof REPEAT - 1);
        bool repeat = name.len >= sizeof REPEAT && slice_equal_str(slice_from(name, cut), REPEAT);

        ret->action[i].name = repeat ? slice_head(name, cut) : name;
        ret->action[i].on_repeat = repeat;
        ret->action_count++;
    }
}
