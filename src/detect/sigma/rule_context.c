#include "detect/sigma/rule_context.h"

#include "detect/sigma/rule_scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* UN R155 Annex 5 Part A, table A1: {group, last leaf}; 14, 22.1 and 30 do not exist. */
bool rule_is_r155(struct slice id)
{
    static const uint8_t LEAVES[33] = {0, 3, 1, 5, 2, 5, 3, 2, 2, 1, 1, 4, 4, 1, 0, 2, 3,
                                       1, 3, 3, 5, 1, 2, 1, 1, 2, 3, 1, 2, 2, 0, 1, 1};
    const uint8_t *dot = id.len > 0 ? memchr(id.ptr, '.', id.len) : NULL;
    struct val group, leaf;

    if (dot == NULL || dot[1] == '0')
        return false;
    if (!val_parse_number(slice_head(id, (size_t)(dot - id.ptr)), &group) ||
        !val_parse_number(slice_from(id, (size_t)(dot - id.ptr) + 1), &leaf) || group.kind != VAL_INT ||
        leaf.kind != VAL_INT)
        return false;
    if (group.num.i < 1 || group.num.i > 32 || leaf.num.i < 1 || (group.num.i == 22 && leaf.num.i == 1))
        return false;
    return id.ptr[0] != '0' && leaf.num.i <= LEAVES[group.num.i];
}

/* ATM-T0070, or T0070 for short. */
bool rule_is_atm(struct slice id)
{
    if (slice_starts(id, slice_str("ATM-")))
        id = slice_from(id, 4);
    if (id.len != 5 || id.ptr[0] != 'T')
        return false;
    for (size_t i = 1; i < 5; i++)
        if (id.ptr[i] < '0' || id.ptr[i] > '9')
            return false;
    return true;
}

struct context {
    const struct rule_source *src;
    struct rule_context *ret;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void complain(struct context *c, const struct yaml_node *at,
                                                           const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(c->src->diag, DIAG_ERROR, c->src->path, at->line, at->column, "%s", text);
    c->failed = true;
}

static uint8_t read_list(struct context *c, const struct yaml_node *n, const char *key, struct slice *ret)
{
    uint8_t count = 0;

    if (n->kind != YAML_LIST) {
        complain(c, n, "%s must be a list", key);
        return 0;
    }
    for (const struct yaml_node *i = n->child; i != NULL; i = i->next) {
        const struct yaml_node *v = yaml_deref(i);
        if (v->kind != YAML_SCALAR || v->text.len == 0 || count == RULE_LIST_MAX) {
            complain(c, v, "%s must be a list of at most %d texts", key, RULE_LIST_MAX);
            return 0;
        }
        if (slice_equal_str(slice_str(key), "r155") && !rule_is_r155(v->text))
            complain(c, v, "'%.*s' is no threat of UN R155 Annex 5 Part A (1.1 to 32.1)", (int)v->text.len,
                     (const char *)v->text.ptr);
        if (slice_equal_str(slice_str(key), "atm") && !rule_is_atm(v->text))
            complain(c, v, "'%.*s' is no Auto-ISAC ATM technique such as T0070", (int)v->text.len,
                     (const char *)v->text.ptr);
        ret[count++] = v->text;
    }
    return count;
}

static void read_steps(struct context *c, const struct yaml_node *n)
{
    if (n->kind != YAML_LIST) {
        complain(c, n, "severity_steps must be a list such as [{peak: 100, level: critical}]");
        return;
    }
    for (const struct yaml_node *i = n->child; i != NULL; i = i->next) {
        const struct yaml_node *v = yaml_deref(i);
        const struct yaml_node *level = yaml_get(v, "level");
        struct severity_step *step = &c->ret->step[c->ret->step_count];
        int64_t peak = 0;
        if (c->ret->step_count == RULE_STEPS_MAX) {
            complain(c, v, "more than %d severity steps", RULE_STEPS_MAX);
            return;
        }
        if (!yaml_read_i64(yaml_get(v, "peak"), &peak) || peak < 1 || level == NULL || level->kind != YAML_SCALAR ||
            !rule_read_severity(level->text, &step->severity)) {
            complain(c, v, "a severity step needs {peak: NUMBER, level: low|medium|high|critical}");
            return;
        }
        step->peak = (uint64_t)peak;
        if (c->ret->step_count > 0 && step->peak <= step[-1].peak)
            complain(c, v, "severity steps must rise");
        c->ret->step_count++;
    }
}

static struct slice read_text(struct context *c, const struct yaml_node *n, const char *key)
{
    if (n->kind == YAML_SCALAR && n->text.len > 0)
        return n->text;
    complain(c, n, "%s must be text", key);
    return slice_str("");
}

/* budget: {alerts_per_day: 5, vehicles_per_day: 20, cost_ns: 500} */
static void read_budget(struct context *c, const struct yaml_node *n)
{
    struct rule_budget *b = &c->ret->budget;

    if (n->kind != YAML_MAP)
        complain(c, n, "budget must be a map such as {alerts_per_day: 5, vehicles_per_day: 20, cost_ns: 500}");
    for (const struct yaml_node *i = n->kind == YAML_MAP ? n->child : NULL; i != NULL; i = i->next) {
        int64_t *to = slice_equal_str(i->key->text, "alerts_per_day")     ? &b->alerts_per_day
                      : slice_equal_str(i->key->text, "vehicles_per_day") ? &b->vehicles_per_day
                      : slice_equal_str(i->key->text, "cost_ns")          ? &b->cost_ns
                                                                          : NULL;
        if (to == NULL)
            complain(c, i->key, "unknown key of a budget; expected alerts_per_day, vehicles_per_day or cost_ns");
        else if (!yaml_read_i64(i, to) || *to < 0)
            complain(c, yaml_deref(i), "expected a whole number, 0 or more");
    }
}

static void read_key(struct context *c, struct slice key, const struct yaml_node *at, const struct yaml_node *v)
{
    struct rule_context *r = c->ret;

    if (slice_equal_str(key, "scope")) {
        c->src->rule->scope = rule_scope_load(c->src, v);
        c->failed |= c->src->rule->scope == NULL;
    } else if (slice_equal_str(key, "budget"))
        read_budget(c, v);
    else if (slice_equal_str(key, "tara"))
        r->tara_count = read_list(c, v, "tara", r->tara);
    else if (slice_equal_str(key, "r155"))
        r->r155_count = read_list(c, v, "r155", r->r155);
    else if (slice_equal_str(key, "atm"))
        r->atm_count = read_list(c, v, "atm", r->atm);
    else if (slice_equal_str(key, "actions"))
        r->action_count = read_list(c, v, "actions", r->action);
    else if (slice_equal_str(key, "severity_steps"))
        read_steps(c, v);
    else if (slice_equal_str(key, "playbook"))
        r->playbook = read_text(c, v, "playbook");
    else if (slice_equal_str(key, "rationale"))
        r->rationale = read_text(c, v, "rationale");
    else if (slice_equal_str(key, "owner"))
        r->owner = read_text(c, v, "owner");
    else if (slice_equal_str(key, "episode")) {
        if (v->kind != YAML_SCALAR || !rule_read_span(v->text, &r->episode_us))
            complain(c, v, "episode must be a time such as 10m");
    } else
        complain(c, at,
                 "unknown key '%.*s' in vsoc; expected tara, r155, atm, severity_steps, playbook, rationale, owner, "
                 "actions, scope, budget or episode",
                 (int)key.len, (const char *)key.ptr);
}

bool rule_context_load(const struct rule_source *src, const struct yaml_node *n, struct rule_context *ret)
{
    struct context c = {.src = src, .ret = ret};

    if (n->kind != YAML_MAP) {
        complain(&c, n, "vsoc must be a map");
        return false;
    }
    ret->present = true;
    for (const struct yaml_node *i = n->child; i != NULL; i = i->next)
        read_key(&c, i->key->text, i->key, yaml_deref(i));
    return !c.failed;
}

void rule_context_require(const struct rule_source *src, struct rule *r)
{
    const struct rule_context *v = &r->context;
    const struct {
        bool there;
        const char *name;
    } NEED[] = {{v->tara_count > 0, "tara"},
                {v->r155_count > 0, "r155"},
                {v->playbook.len > 0, "playbook"},
                {v->rationale.len > 0, "rationale"},
                {v->owner.len > 0, "owner"}};

    for (size_t i = 0; i < sizeof NEED / sizeof NEED[0]; i++)
        if (!NEED[i].there)
            diag_add(src->diag, DIAG_ERROR, r->path, r->line, r->column,
                     "rule '%.*s' is part of the product and needs `%s` in its vsoc block", (int)r->label.len,
                     (const char *)r->label.ptr, NEED[i].name);
}
