#include "detect/intel/stix_eval.h"

#include <stdlib.h>

#include "detect/intel/stix_compare.h"

/* ---- within one observation: a set of objects, one bit each */

struct look {
    const struct stix_pattern *p;
    const struct stix_tree *t;
    const struct stix_observation *o;
    const struct stix_node *n;
    uint32_t *work;
    bool undecided;
    bool found;
};

static bool spend(struct look *k)
{
    if (*k->work == 0) {
        k->undecided = true;
        return false;
    }
    --*k->work;
    return true;
}

static bool ends_with(struct slice s, const char *end)
{
    size_t len = strlen(end);

    return s.len >= len && memcmp(s.ptr + s.len - len, end, len) == 0;
}

static uint32_t find_member(const struct stix_tree *t, uint32_t map, struct slice key)
{
    for (uint32_t i = t->value[map].child; i != STIX_TREE_NONE; i = t->value[i].next)
        if (slice_equal(t->value[i].key, key))
            return i;
    return STIX_TREE_NONE;
}

static uint32_t find_object(const struct look *k, struct slice id)
{
    for (uint32_t i = 0; i < k->o->object_count; i++)
        if (slice_equal(k->t->value[k->o->object[i]].key, id))
            return k->o->object[i];
    return STIX_TREE_NONE;
}

static void select_from(struct look *k, uint32_t value, uint32_t step);

/* A reference stands for what it names; one that names nothing is passed over. */
static void select_referred(struct look *k, uint32_t ref, uint32_t step)
{
    if (k->t->value[ref].kind == STIX_VALUE_MAP)
        select_from(k, ref, step);
    if (k->t->value[ref].kind != STIX_VALUE_TEXT)
        return;
    uint32_t object = find_object(k, k->t->value[ref].value.s);
    if (object != STIX_TREE_NONE)
        select_from(k, object, step);
}

/* The list of a .._refs property, with an index step behind it: [n] counts the references that name something. */
static void select_list(struct look *k, uint32_t list, uint32_t step, bool refs)
{
    const struct stix_step *s = &k->p->step[k->n->step + step];
    int64_t at = 0;

    if (k->t->value[list].kind != STIX_VALUE_LIST || s->kind == STIX_STEP_KEY)
        return;
    for (uint32_t i = k->t->value[list].child; i != STIX_TREE_NONE && !k->found; i = k->t->value[i].next) {
        const struct stix_value *v = &k->t->value[i];

        if (!spend(k))
            return;
        if (refs && v->kind == STIX_VALUE_TEXT && find_object(k, v->value.s) == STIX_TREE_NONE)
            continue;
        if (s->kind == STIX_STEP_ANY || at == s->index) {
            if (refs)
                select_referred(k, i, step + 1);
            else
                select_from(k, i, step + 1);
        }
        at++;
    }
}

/* Tests every value that the path from `step` on selects below `value`; recursion is bounded by the path. */
static void select_from(struct look *k, uint32_t value, uint32_t step)
{
    if (!spend(k))
        return;
    if (step == k->n->step_count) {
        k->found = k->n->kind == STIX_EXISTS || stix_compare(k->p, k->n, &k->t->value[value], &k->undecided);
        return;
    }
    const struct stix_step *s = &k->p->step[k->n->step + step];
    struct slice key = stix_text(k->p, s->at, s->len);
    if (s->kind != STIX_STEP_KEY) {
        select_list(k, value, step, false);
        return;
    }
    if (k->t->value[value].kind != STIX_VALUE_MAP)
        return;
    uint32_t member = find_member(k->t, value, key);
    if (member == STIX_TREE_NONE)
        return;
    if (ends_with(key, "_ref"))
        select_referred(k, member, step + 1);
    else if (ends_with(key, "_refs") && step + 1 < k->n->step_count)
        select_list(k, member, step + 1, true);
    else
        select_from(k, member, step + 1);
}

static uint64_t test_objects(struct look *k, const struct stix_node *n)
{
    uint64_t roots = 0;

    k->n = n;
    for (uint32_t i = 0; i < k->o->object_count; i++) {
        if (!slice_equal(k->o->type[i], stix_text(k->p, n->type_at, n->type_len)))
            continue;
        k->found = false;
        select_from(k, k->o->object[i], 0);
        if (n->kind == STIX_EXISTS ? k->found != n->negated : k->found)
            roots |= UINT64_C(1) << i;
    }
    return roots;
}

/* Children precede their parents in the tree, so a chain of ANDs and ORs is worked off left to right; only what stands
 * in brackets on the right goes one level deeper. */
static uint64_t eval_node(struct look *k, uint32_t at)
{
    const struct stix_node *n = &k->p->node[at];
    uint32_t chain[STIX_DEPTH_MAX * 2];
    uint32_t depth = 0;
    uint64_t roots;

    while (n->kind == STIX_AND || n->kind == STIX_OR) {
        if (depth == STIX_DEPTH_MAX * 2) {
            uint64_t left = eval_node(k, n->a), right = eval_node(k, n->b);
            roots = n->kind == STIX_AND ? left & right : left | right;
            goto up;
        }
        chain[depth++] = at;
        at = n->a;
        n = &k->p->node[at];
    }
    roots = test_objects(k, n);
up:
    while (depth > 0) {
        const struct stix_node *up = &k->p->node[chain[--depth]];
        uint64_t right = eval_node(k, up->b);
        roots = up->kind == STIX_AND ? roots & right : roots | right;
    }
    return roots;
}

enum stix_answer stix_eval_observation(const struct stix_pattern *p, uint32_t node, const struct stix_tree *t,
                                       const struct stix_observation *o, uint32_t *work)
{
    struct look k = {.p = p, .t = t, .o = o, .work = work};
    uint64_t roots = eval_node(&k, p->node[node].a);

    return k.undecided ? STIX_UNDECIDED : roots != 0 ? STIX_YES : STIX_NO;
}

/* ---- between observations: sets of bindings, one bit an instance of an observation */

struct bindings {
    uint64_t *set;
    uint32_t count, room;
};

struct search {
    const struct stix_pattern *p;
    const struct stix_tree *t;
    const struct stix_observation *o;
    uint32_t of[STIX_INSTANCES_MAX]; /* instance -> observation */
    uint32_t instances, count;
    uint32_t work;
    bool undecided;
};

static void put(struct search *s, struct bindings *b, uint64_t set)
{
    for (uint32_t i = b->count; i-- > 0;)
        if (b->set[i] == set)
            return;
    if (s->work == 0 || b->count == STIX_BINDINGS_MAX) {
        s->undecided = true;
        return;
    }
    s->work -= s->work < b->count ? s->work : b->count + 1;
    if (b->count == b->room) {
        uint32_t room = b->room == 0 ? 64 : b->room * 2;
        uint64_t *grown = realloc(b->set, room * sizeof *grown);
        if (grown == NULL) {
            s->undecided = true;
            return;
        }
        b->set = grown;
        b->room = room;
    }
    b->set[b->count++] = set;
}

struct span {
    int64_t first_max, first_min, last_min, last_max;
};

static struct span span_of(const struct search *s, uint64_t set)
{
    struct span r = {INT64_MIN, INT64_MAX, INT64_MAX, INT64_MIN};

    for (uint32_t i = 0; i < s->instances; i++) {
        const struct stix_observation *o = &s->o[s->of[i]];
        if ((set >> i & 1) == 0)
            continue;
        r.first_max = o->first_us > r.first_max ? o->first_us : r.first_max;
        r.first_min = o->first_us < r.first_min ? o->first_us : r.first_min;
        r.last_min = o->last_us < r.last_min ? o->last_us : r.last_min;
        r.last_max = o->last_us > r.last_max ? o->last_us : r.last_max;
    }
    return r;
}

/* Times can be chosen, one from each observation, so that all lie within the duration. */
static bool within(const struct search *s, uint64_t set, int64_t duration_us)
{
    struct span r = span_of(s, set);

    return r.first_max <= r.last_min || r.first_max - r.last_min <= duration_us;
}

/* Each observation overlaps [from, to); touching `from` counts, touching `to` does not. */
static bool in_window(const struct search *s, uint64_t set, const struct stix_node *n)
{
    for (uint32_t i = 0; i < s->instances; i++) {
        const struct stix_observation *o = &s->o[s->of[i]];
        if ((set >> i & 1) != 0 && (o->last_us < n->from_us || o->first_us >= n->to_us))
            return false;
    }
    return n->from_us < n->to_us;
}

static void bind_observation(struct search *s, uint32_t node, struct bindings *ret)
{
    enum stix_answer answer = STIX_NO;

    for (uint32_t i = 0; i < s->instances; i++) {
        if (i == 0 || s->of[i] != s->of[i - 1])
            answer = stix_eval_observation(s->p, node, s->t, &s->o[s->of[i]], &s->work);
        if (answer == STIX_UNDECIDED)
            s->undecided = true;
        else if (answer == STIX_YES)
            put(s, ret, UINT64_C(1) << i);
    }
}

static void join(struct search *s, const struct stix_node *n, const struct bindings *a, const struct bindings *b,
                 struct bindings *ret)
{
    for (uint32_t i = 0; i < a->count && !s->undecided; i++)
        for (uint32_t k = 0; k < b->count && !s->undecided; k++) {
            if ((a->set[i] & b->set[k]) != 0)
                continue;
            if (n->kind == STIX_FOLLOWED_BY && span_of(s, a->set[i]).first_max > span_of(s, b->set[k]).last_min)
                continue;
            put(s, ret, a->set[i] | b->set[k]);
        }
}

/* Unions of `times` bindings that share no observation. */
static void repeat(struct search *s, const struct bindings *a, uint32_t times, struct bindings *ret)
{
    struct bindings now = {NULL, 0, 0};

    for (uint32_t i = 0; i < a->count; i++)
        put(s, &now, a->set[i]);
    for (uint32_t round = 1; round < times && now.count > 0 && !s->undecided; round++) {
        struct bindings next = {NULL, 0, 0};
        for (uint32_t i = 0; i < now.count && !s->undecided; i++)
            for (uint32_t k = 0; k < a->count && !s->undecided; k++)
                if ((now.set[i] & a->set[k]) == 0)
                    put(s, &next, now.set[i] | a->set[k]);
        free(now.set);
        now = next;
    }
    *ret = now;
}

static void bind_node(struct search *s, uint32_t at, struct bindings *ret);

static void bind_qualified(struct search *s, const struct stix_node *n, struct bindings *ret)
{
    struct bindings inner = {NULL, 0, 0};

    bind_node(s, n->a, &inner);
    if (n->kind == STIX_REPEATS)
        repeat(s, &inner, n->times, ret);
    else
        for (uint32_t i = 0; i < inner.count; i++)
            if (n->kind == STIX_WITHIN ? within(s, inner.set[i], n->within_us) : in_window(s, inner.set[i], n))
                put(s, ret, inner.set[i]);
    free(inner.set);
}

/* Recursion is as deep as the tree, which STIX_NODES_MAX bounds. */
static void bind_node(struct search *s, uint32_t at, struct bindings *ret)
{
    const struct stix_node *n = &s->p->node[at];
    struct bindings a = {NULL, 0, 0}, b = {NULL, 0, 0};

    if (n->kind == STIX_OBSERVATION) {
        bind_observation(s, at, ret);
        return;
    }
    if (n->kind == STIX_START_STOP || n->kind == STIX_WITHIN || n->kind == STIX_REPEATS) {
        bind_qualified(s, n, ret);
        return;
    }
    bind_node(s, n->a, &a);
    bind_node(s, n->b, &b);
    if (n->kind == STIX_OBSERVED_OR) {
        for (uint32_t i = 0; i < a.count; i++)
            put(s, ret, a.set[i]);
        for (uint32_t i = 0; i < b.count; i++)
            put(s, ret, b.set[i]);
    } else {
        join(s, n, &a, &b, ret);
    }
    free(a.set);
    free(b.set);
}

enum stix_answer stix_eval(const struct stix_pattern *p, const struct stix_tree *t, const struct stix_observation *o,
                           uint32_t count)
{
    struct search s = {.p = p, .t = t, .o = o, .count = count, .work = STIX_WORK_MAX};
    struct bindings found = {NULL, 0, 0};

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < o[i].number; k++) {
            if (s.instances == STIX_INSTANCES_MAX)
                return STIX_UNDECIDED;
            s.of[s.instances++] = i;
        }
    bind_node(&s, p->root, &found);
    bool any = found.count > 0;
    free(found.set);
    return s.undecided ? STIX_UNDECIDED : any ? STIX_YES : STIX_NO;
}
