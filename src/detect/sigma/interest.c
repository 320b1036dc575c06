#include "detect/sigma/interest.h"

#include <stdlib.h>

#include "detect/sigma/match.h"
#include "detect/sigma/rule_condition.h"

enum verdict { NO, YES, OPEN };

struct interest {
    struct arena arena;
    struct interest_kind kind[RECORD_KINDS];
};

/* One kind of event, as far as it is known. */
struct question {
    struct interest *in;
    const struct plan *plan;
    const struct ev_type_info *type;
    struct matcher matcher;
    struct record record;     /* an event of the kind with nothing in it */
    struct field_set *window; /* by rule: what the windows that its matches are counted in read */
};

static const struct field_set EVERY_FIELD = {.bits = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
_Static_assert(FIELD_SET_WORDS == 4, "EVERY_FIELD must name every field");

static void add_fields(struct field_set *to, const struct field_set *from)
{
    for (unsigned i = 0; i < sizeof to->bits / sizeof to->bits[0]; i++)
        to->bits[i] |= from->bits[i];
}

/* Names that only rules know are not in any struct event. */
static void add_field(struct field_set *to, uint32_t field)
{
    if (field < FIELD_KNOWN)
        to->bits[field / 64] |= UINT64_C(1) << field % 64;
}

static void add_window(struct field_set *to, const struct correlation *c)
{
    for (uint8_t i = 0; i < c->field_count; i++)
        add_field(to, c->field[i]);
    for (uint8_t i = 0; i < c->ref_count; i++)
        for (uint8_t g = 0; g < c->group_count; g++)
            add_field(to, c->group_field[i][g]);
    if (c->type == CORR_GEO_VELOCITY) {
        add_field(to, FIELD_SCHEMA + EV_F_LAT);
        add_field(to, FIELD_SCHEMA + EV_F_LON);
    }
}

/* A match enters the windows that refer to its rule, and the windows above those: from the highest level down. */
static void list_windows(struct question *q)
{
    const struct plan *p = q->plan;

    q->window = mem_zalloc(p->rule_count, sizeof *q->window);
    for (uint32_t i = p->corr_count; i-- > 0;) {
        const struct rule *r = p->rule[p->corr[i]];
        struct field_set read = q->window[r->number];
        add_window(&read, r->corr);
        for (uint8_t k = 0; k < r->corr->ref_count; k++)
            add_fields(&q->window[r->corr->ref[k]], &read);
    }
}

static void add_item(struct field_set *to, const struct item *item)
{
    if (item->field == ITEM_KEYWORDS)
        *to = EVERY_FIELD;
    else
        add_field(to, item->field);
    for (uint32_t i = 0; i < item->test_count; i++)
        for (const struct test *t = item->test[i]; t != NULL; t = t->or_else)
            if (t->op == TEST_FIELD)
                add_field(to, t->field);
}

static void add_expr(struct field_set *to, const struct expr *e)
{
    if (e->kind == EXPR_ITEM)
        add_item(to, e->item);
    for (uint32_t i = 0; i < e->count; i++)
        add_expr(to, e->child[i]);
}

enum presence { ABSENT, PRESENT, UNSURE, KNOWN };

static enum presence presence_of_field(const struct ev_type_info *type, uint8_t id)
{
    for (unsigned i = 0; i < type->field_count; i++) {
        if (type->field[i] != id)
            continue;
        uint8_t kind = ev_field_find(id)->kind;
        bool may_be_empty = kind == EV_KIND_TEXT || kind == EV_KIND_BYTES; /* and then counts as absent */
        return (type->required >> i & 1) != 0 && !may_be_empty ? PRESENT : UNSURE;
    }
    return ABSENT;
}

static enum presence presence_of(const struct question *q, uint32_t field)
{
    if (field >= FIELD_KNOWN)
        return ABSENT;
    if (field >= FIELD_SCHEMA)
        return presence_of_field(q->type, (uint8_t)(field - FIELD_SCHEMA));
    if (field == FIELD_TYPE || field == FIELD_PRIORITY)
        return KNOWN;
    bool always = field == FIELD_VIN || field == FIELD_TIME || field == FIELD_EPOCH || field == FIELD_COUNT ||
                  field == FIELD_LAST || field == FIELD_TRUST || field == FIELD_SIGNATURE;
    return always ? PRESENT : UNSURE;
}

static bool compares_fields(const struct item *item)
{
    for (uint32_t i = 0; i < item->test_count; i++)
        for (const struct test *t = item->test[i]; t != NULL; t = t->or_else)
            if (t->op == TEST_FIELD)
                return true;
    return false;
}

static enum verdict decide_test(const struct test *t, enum presence p)
{
    if (p == UNSURE)
        return OPEN;
    if (t->op == TEST_EXISTS)
        return (p != ABSENT) == t->exists ? YES : NO;
    if (p == ABSENT)
        return t->op == TEST_NULL ? YES : NO;
    return OPEN;
}

static enum verdict decide_item(struct question *q, const struct item *item)
{
    enum presence p = item->field == ITEM_KEYWORDS ? UNSURE : presence_of(q, item->field);
    enum verdict sum = item->all ? YES : NO;

    if (p == KNOWN)
        return compares_fields(item) ? OPEN : match_item(&q->matcher, item, &q->record) ? YES : NO;
    enum verdict decisive = item->all ? NO : YES;
    for (uint32_t i = 0; i < item->test_count && sum != decisive; i++) {
        enum verdict v = decide_test(item->test[i], p);
        if (v != (item->all ? YES : NO))
            sum = v;
    }
    return sum == OPEN || !item->neq ? sum : sum == YES ? NO : YES;
}

static enum verdict decide(struct question *q, const struct expr *e, const struct expr **ret_left);

/* Of several parts those that are still open are left. */
static enum verdict decide_parts(struct question *q, const struct expr *e, const struct expr **ret_left)
{
    struct arena *a = &q->in->arena;
    enum verdict neutral = e->kind == EXPR_AND ? YES : NO;
    struct expr *left = expr_new(a, (enum expr_kind)e->kind);

    for (uint32_t i = 0; i < e->count; i++) {
        const struct expr *part;
        enum verdict v = decide(q, e->child[i], &part);
        if (v == OPEN)
            expr_add(a, left, (struct expr *)part);
        else if (v != neutral)
            return v;
    }
    *ret_left = left->count == 1 ? left->child[0] : left;
    return left->count == 0 ? neutral : OPEN;
}

/* The depth of an expression is bounded when it is parsed. */
static enum verdict decide(struct question *q, const struct expr *e, const struct expr **ret_left)
{
    *ret_left = e;
    switch ((enum expr_kind)e->kind) {
    case EXPR_ITEM:
        return decide_item(q, e->item);
    case EXPR_NOT: {
        const struct expr *part;
        enum verdict v = decide(q, e->child[0], &part);
        if (v != OPEN)
            return v == YES ? NO : YES;
        struct expr *left = expr_new(&q->in->arena, EXPR_NOT);
        expr_add(&q->in->arena, left, (struct expr *)part);
        *ret_left = left;
        return OPEN;
    }
    case EXPR_AND:
    case EXPR_OR:
        break;
    }
    return decide_parts(q, e, ret_left);
}

static void ask_rule(struct question *q, const struct rule *r, struct interest_rule *list, struct interest_kind *k)
{
    const struct expr *left = r->expr;

    if (k->count > INTEREST_RULES_MAX || !match_vehicle_source(r, &q->record))
        return;
    enum verdict v = q->in->arena.bytes < INTEREST_BYTES_MAX ? decide(q, r->expr, &left) : OPEN;
    if (v == NO)
        return;
    if (k->count < INTEREST_RULES_MAX)
        list[k->count] = (struct interest_rule){r, v == YES ? NULL : left};
    k->count++;
    add_fields(&k->fields, &q->window[r->number]);
    if (v == OPEN)
        add_expr(&k->fields, left);
}

static void ask_kind(struct question *q, uint8_t priority)
{
    const struct enrichment nothing = {.received_us = 0};
    struct interest_rule list[INTEREST_RULES_MAX];
    struct event ev;

    event_init(&ev, q->type->id, 0);
    ev.priority = priority;
    record_from_event(&q->record, &ev, &nothing, &EVERY_FIELD);
    struct interest_kind *k = &q->in->kind[interest_kind(&ev)];
    for (uint32_t i = 0; i < q->plan->base_count; i++)
        ask_rule(q, q->plan->rule[q->plan->base[i]], list, k);
    if (k->count > INTEREST_RULES_MAX) {
        k->fields = EVERY_FIELD;
        return;
    }
    struct interest_rule *kept = arena_alloc(&q->in->arena, k->count * sizeof *kept);
    memcpy(kept, list, k->count * sizeof *kept);
    k->rule = kept;
}

struct interest *interest_new(const struct plan *plan)
{
    struct question q = {.in = mem_zalloc(1, sizeof *q.in), .plan = plan};

    arena_init(&q.in->arena);
    matcher_init(&q.matcher, plan);
    record_init(&q.record, &plan->fields);
    list_windows(&q);
    for (unsigned t = 0; t < EV_TYPE_COUNT; t++) {
        q.type = ev_type_at(t);
        for (unsigned p = 0; p < RECORD_PRIORITIES; p++)
            ask_kind(&q, (uint8_t)p);
    }
    free(q.window);
    record_done(&q.record);
    matcher_done(&q.matcher);
    return q.in;
}

void interest_free(struct interest *in)
{
    if (in == NULL)
        return;
    arena_done(&in->arena);
    free(in);
}

const struct interest_kind *interest_of(const struct interest *in, uint32_t kind)
{
    return &in->kind[kind];
}
