#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/sigma/dispatch.h"

#include "detect/sigma/plan.h"
#include "detect/sigma/regex_literal.h"

#include <hs/hs.h>
#include <pcre2.h>
#include <stdlib.h>

/* A literal that must occur in a field; one of a rule's. */
struct anchor {
    uint32_t field; /* ITEM_KEYWORDS: anywhere */
    bool at_start, at_end;
    struct slice text;
};

struct anchors {
    struct anchor *item;
    uint32_t count;
};

struct target {
    uint32_t literal; /* number of the text */
    uint32_t field;
    uint32_t rule;
    uint8_t set; /* bit of the condition that this literal fulfils */
    bool at_start, at_end;
};

struct dispatch {
    struct arena arena;
    uint32_t rule_count;
    struct intern types;    /* folded */
    struct target *by_type; /* sorted by literal, here the number of the type */
    uint32_t by_type_count;
    struct intern texts;
    struct target *by_text; /* sorted by literal */
    uint32_t by_text_count;
    uint8_t *need;        /* by rule: its conditions, all of which must be fulfilled */
    uint32_t *text_first; /* by literal: first of its targets */
    uint32_t *type_first;
    uint32_t *always;
    uint32_t always_count;
    bool *scanned; /* by field: some text is looked for in it */
    uint32_t field_count;
    bool anywhere; /* some text is looked for in every value */
    hs_database_t *db;
};

struct scan_part {
    size_t end; /* offset behind the text */
    uint32_t field;
};

enum kind { KIND_TYPE, KIND_TEXT };

static bool add(struct dispatch *d, struct anchors *a, const struct anchor *one)
{
    if (a->count == DISPATCH_ANCHORS_MAX)
        return false;
    if (a->item == NULL)
        a->item = arena_alloc(&d->arena, DISPATCH_ANCHORS_MAX * sizeof *a->item);
    a->item[a->count++] = *one;
    return true;
}

static struct slice folded(struct dispatch *d, struct slice text)
{
    uint8_t *out = arena_alloc(&d->arena, text.len + 1);

    fold_text(text, out);
    return slice_make(out, text.len);
}

/* A text that every match of the expression contains, folded; empty when there is none worth looking for. */
static struct slice of_regex(struct dispatch *d, const struct test *t)
{
    uint8_t buf[REGEX_LITERAL_MAX];
    uint32_t options = 0;

    (void)pcre2_pattern_info(t->regex, PCRE2_INFO_ALLOPTIONS, &options);
    struct slice text = regex_literal(t->source, (options & PCRE2_CASELESS) != 0, buf);
    return text.len >= DISPATCH_TEXT_MIN ? folded(d, text) : slice_make("", 0);
}

/* The longest plain piece of a pattern, folded; empty when it has none worth looking for. */
static struct slice longest(struct dispatch *d, const struct pattern *p)
{
    struct slice best = slice_make("", 0);

    for (uint32_t i = 0; i < p->count; i++)
        if (p->piece[i].kind == PIECE_TEXT && p->piece[i].text.len > best.len)
            best = p->piece[i].text;
    return best.len >= DISPATCH_TEXT_MIN ? folded(d, best) : slice_make("", 0);
}

static bool add_test(struct dispatch *d, const struct plan *plan, struct anchors *a, enum kind kind,
                     const struct item *item, const struct test *t)
{
    for (; t != NULL; t = t->or_else) {
        bool number = t->op == TEST_NUMBER && item->field != ITEM_KEYWORDS && !plan->fields.numeric[item->field];
        enum pattern_shape shape = (enum pattern_shape)t->pattern.shape;
        struct anchor one = {.field = item->field};
        if (kind == KIND_TEXT && t->op == TEST_REGEX) {
            one.text = of_regex(d, t);
            if (one.text.len == 0 || !add(d, a, &one))
                return false;
            continue;
        }
        if (t->op != TEST_PATTERN && !number)
            return false;
        if (kind == KIND_TYPE) {
            one.text = folded(d, t->pattern.literal);
            if (shape != PATTERN_EQUAL || !add(d, a, &one))
                return false;
            continue;
        }
        one.text = longest(d, &t->pattern);
        one.at_start = shape == PATTERN_EQUAL || shape == PATTERN_PREFIX;
        one.at_end = shape == PATTERN_EQUAL || shape == PATTERN_SUFFIX;
        if (one.text.len == 0 || !add(d, a, &one))
            return false;
        if (number) { /* a number of the event has its decimal text, whatever the rule's spelling */
            one.text = val_canonical(&t->number, &d->arena);
            if (one.text.len < DISPATCH_TEXT_MIN || !add(d, a, &one))
                return false;
        }
    }
    return true;
}

static bool add_item(struct dispatch *d, const struct plan *plan, struct anchors *a, enum kind kind,
                     const struct item *item)
{
    if (item->neq || item->part != PART_NONE || (kind == KIND_TYPE && item->field != FIELD_TYPE))
        return false;
    if (!item->all) {
        for (uint32_t i = 0; i < item->test_count; i++)
            if (!add_test(d, plan, a, kind, item, item->test[i]))
                return false;
        return true;
    }
    uint32_t before = a->count;
    for (uint32_t i = 0; i < item->test_count; i++) { /* any one of them will do */
        if (add_test(d, plan, a, kind, item, item->test[i]))
            return true;
        a->count = before;
    }
    return false;
}

/* How well a set of anchors narrows: the length of its shortest text, then few of them. */
static size_t worth(const struct anchors *a)
{
    size_t shortest = 64;

    for (uint32_t i = 0; i < a->count; i++)
        if (a->item[i].text.len < shortest)
            shortest = a->item[i].text.len;
    return shortest * 1024 + (a->count < 1024 ? 1024 - a->count : 0);
}

/* Collects literals of which one must occur for the expression to hold; false when there are none to name. The depth of
 * an expression is bounded when it is parsed. */
static bool collect(struct dispatch *d, const struct plan *plan, struct anchors *a, enum kind kind,
                    const struct expr *e)
{
    struct anchors best = {0};
    bool found = false;

    switch ((enum expr_kind)e->kind) {
    case EXPR_ITEM:
        return add_item(d, plan, a, kind, e->item);
    case EXPR_NOT:
        return false;
    case EXPR_OR:
        for (uint32_t i = 0; i < e->count; i++)
            if (!collect(d, plan, a, kind, e->child[i]))
                return false;
        return e->count > 0;
    case EXPR_AND:
        break;
    }
    for (uint32_t i = 0; i < e->count; i++) {
        struct anchors one = {0};
        if (!collect(d, plan, &one, kind, e->child[i]))
            continue;
        if (!found || worth(&one) > worth(&best))
            best = one;
        found = true;
    }
    for (uint32_t i = 0; found && i < best.count; i++)
        if (!add(d, a, &best.item[i]))
            return false;
    return found;
}

static int compare_target(const void *a, const void *b)
{
    const struct target *x = a;
    const struct target *y = b;

    if (x->literal != y->literal)
        return x->literal < y->literal ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void add_targets(struct intern *names, struct target **target, uint32_t *count, const struct anchors *a,
                        uint32_t rule, uint8_t set)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if ((*count & (*count - 1)) == 0)
            *target = mem_grow(*target, *count > 0 ? 2 * (size_t)*count : 1, sizeof **target);
        struct target *t = &(*target)[(*count)++];
        t->literal = intern_add(names, a->item[i].text);
        t->field = a->item[i].field;
        t->rule = rule;
        t->set = set;
        t->at_start = a->item[i].at_start;
        t->at_end = a->item[i].at_end;
    }
}

/* Sorted targets, and where those of each literal begin. */
static uint32_t *index_targets(struct target *target, uint32_t count, uint32_t literal_count)
{
    uint32_t *first = mem_zalloc((size_t)literal_count + 1, sizeof *first);

    if (count > 0)
        qsort(target, count, sizeof *target, compare_target);
    for (uint32_t i = 0; i < count; i++)
        first[target[i].literal + 1] = i + 1; /* every literal has a target, so that no entry stays 0 */
    return first;
}

static bool build_database(struct dispatch *d)
{
    uint32_t n = d->texts.count;
    const char **text = mem_alloc(n, sizeof *text);
    unsigned *flags = mem_zalloc(n, sizeof *flags);
    unsigned *id = mem_alloc(n, sizeof *id);
    size_t *len = mem_alloc(n, sizeof *len);
    hs_compile_error_t *error = NULL;

    for (uint32_t i = 0; i < n; i++) {
        text[i] = (const char *)intern_text(&d->texts, i).ptr;
        len[i] = intern_text(&d->texts, i).len;
        id[i] = i;
    }
    bool ok = n > 0 && hs_valid_platform() == HS_SUCCESS &&
              hs_compile_lit_multi(text, flags, id, len, n, HS_MODE_BLOCK, NULL, &d->db, &error) == HS_SUCCESS;
    if (error != NULL)
        hs_free_compile_error(error);
    free(text);
    free(flags);
    free(id);
    free(len);
    return ok;
}

static void note_fields(struct dispatch *d)
{
    for (uint32_t i = 0; i < d->by_text_count; i++) {
        if (d->by_text[i].field == ITEM_KEYWORDS)
            d->anywhere = true;
        else
            d->scanned[d->by_text[i].field] = true;
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Conditions that must all hold for an expression to hold, each a set of literals; the ones that narrow most come
 * first. The depth of an expression is bounded when it is parsed. */
static void list_sets(struct dispatch *d, const struct plan *plan, const struct expr *e, struct anchors *set,
                      uint32_t *count)
{
    struct anchors one = {0};

    if (e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->count; i++)
            list_sets(d, plan, e->child[i], set, count);
        return;
    }
    if (!collect(d, plan, &one, KIND_TEXT, e))
        return;
    uint32_t at = *count;
    while (at > 0 && worth(&set[at - 1]) < worth(&one))
        at--;
    if (at == DISPATCH_SETS_MAX)
        return;
    *count += *count < DISPATCH_SETS_MAX;
    memmove(&set[at + 1], &set[at], (*count - at - 1) * sizeof *set);
    set[at] = one;
}

static bool add_texts(struct dispatch *d, const struct plan *plan, const struct rule *r)
{
    struct anchors set[DISPATCH_SETS_MAX];
    uint32_t count = 0;

    list_sets(d, plan, r->expr, set, &count);
    for (uint32_t i = 0; i < count; i++) {
        add_targets(&d->texts, &d->by_text, &d->by_text_count, &set[i], r->number, (uint8_t)(1u << i));
        d->need[r->number] |= (uint8_t)(1u << i);
    }
    return count > 0;
}

struct dispatch *dispatch_new(const struct plan *plan, const uint32_t *rule, uint32_t count)
{
    struct dispatch *d = mem_zalloc(1, sizeof *d);
    uint32_t *texty = mem_alloc(count, sizeof *texty);
    uint32_t texty_count = 0;

    arena_init(&d->arena);
    intern_init(&d->types, 0);
    intern_init(&d->texts, 0);
    d->rule_count = plan->rule_count;
    d->field_count = plan->fields.names.count;
    d->scanned = mem_zalloc(d->field_count, sizeof *d->scanned);
    d->always = mem_alloc(count, sizeof *d->always);
    d->need = mem_zalloc(d->rule_count, sizeof *d->need);
    for (uint32_t i = 0; i < count; i++) {
        const struct rule *r = plan->rule[rule[i]];
        struct anchors a = {0};
        arena_reset(&d->arena); /* literals are copied into their tables */
        if (collect(d, plan, &a, KIND_TYPE, r->expr)) {
            add_targets(&d->types, &d->by_type, &d->by_type_count, &a, r->number, 0);
        } else if (add_texts(d, plan, r)) {
            texty[texty_count++] = r->number;
        } else {
            d->always[d->always_count++] = r->number;
        }
    }
    d->type_first = index_targets(d->by_type, d->by_type_count, d->types.count);
    d->text_first = index_targets(d->by_text, d->by_text_count, d->texts.count);
    if (texty_count >= DISPATCH_RULES_MIN && build_database(d))
        note_fields(d);
    else
        for (uint32_t i = 0; i < texty_count; i++)
            d->always[d->always_count++] = texty[i];
    if (d->always_count > 1)
        qsort(d->always, d->always_count, sizeof *d->always, compare_u32);
    free(texty);
    return d;
}

void dispatch_free(struct dispatch *d)
{
    if (d == NULL)
        return;
    if (d->db != NULL)
        hs_free_database(d->db);
    arena_done(&d->arena);
    intern_done(&d->types);
    intern_done(&d->texts);
    free(d->by_type);
    free(d->by_text);
    free(d->text_first);
    free(d->type_first);
    free(d->always);
    free(d->need);
    free(d->scanned);
    free(d);
}

void scan_init(struct scan *s, const struct dispatch *d)
{
    memset(s, 0, sizeof *s);
    s->dispatch = d;
    s->candidate = mem_zalloc(d->rule_count, sizeof *s->candidate);
    s->stamp = mem_zalloc(d->rule_count, sizeof *s->stamp);
    s->have = mem_zalloc(d->rule_count, sizeof *s->have);
    if (s->dispatch->db != NULL && hs_alloc_scratch(s->dispatch->db, (hs_scratch_t **)&s->scratch) != HS_SUCCESS)
        abort(); /* only when memory is out */
}

void scan_done(struct scan *s)
{
    if (s->scratch != NULL)
        hs_free_scratch(s->scratch);
    free(s->candidate);
    free(s->stamp);
    free(s->have);
    free(s->text);
    free(s->part);
    memset(s, 0, sizeof *s);
}

static void add_candidate(struct scan *s, uint32_t rule)
{
    if (s->stamp[rule] == s->stamp_now)
        return;
    s->stamp[rule] = s->stamp_now;
    s->candidate[s->candidate_count++] = rule;
}

static void add_part(struct scan *s, struct val *v, uint32_t field, size_t *total)
{
    if (s->part_count == s->part_room) {
        s->part_room = s->part_room > 0 ? s->part_room * 2 : 64;
        s->part = mem_grow(s->part, s->part_room, sizeof *s->part);
    }
    *total += v->text.len + 1;
    s->part[s->part_count].end = *total;
    s->part[s->part_count++].field = field;
}

/* Calls for every value that is looked at, in one fixed order, so that two passes see the same. */
static void each_value(struct scan *s, struct record *r, void (*call)(struct scan *, struct val *, uint32_t, size_t *),
                       size_t *total)
{
    const struct dispatch *d = s->dispatch;

    for (uint32_t i = 0; i < r->set_count; i++) {
        uint32_t field = r->set[i];
        if (!d->anywhere && (field >= d->field_count || !d->scanned[field]))
            continue;
        for (struct val *v = &r->val[field]; v != NULL; v = record_more(r, v)) {
            (void)val_text(v, &r->scratch);
            call(s, v, field, total);
        }
    }
    for (uint32_t i = d->anywhere ? r->loose : 0; i != 0; i = r->extra[i - 1].more) {
        (void)val_text(&r->extra[i - 1], &r->scratch);
        call(s, &r->extra[i - 1], ITEM_KEYWORDS, total);
    }
}

static void fold_part(struct scan *s, struct val *v, uint32_t field, size_t *at)
{
    uint8_t *out = s->text + *at;

    (void)field;
    fold_text(v->text, out);
    out[v->text.len] = '\0'; /* no literal reaches from one value into the next: see on_match */
    v->fold = slice_make(out, v->text.len);
    v->has_fold = true;
    *at += v->text.len + 1;
}

/* One condition of a rule is fulfilled. */
static void add_condition(struct scan *s, const struct target *t)
{
    uint8_t need = s->dispatch->need[t->rule];

    if (s->stamp[t->rule] != s->stamp_now) {
        s->stamp[t->rule] = s->stamp_now;
        s->have[t->rule] = 0;
    }
    if (s->have[t->rule] == need)
        return;
    s->have[t->rule] |= t->set;
    if (s->have[t->rule] == need)
        s->candidate[s->candidate_count++] = t->rule;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
    struct scan *s = ctx;
    const struct dispatch *d = s->dispatch;

    (void)from;
    (void)flags;
    /* Matches come nearly in order of their ends. A literal inside a value ends inside it; one that reaches over a
     * border names the wrong field, which can only add a candidate. */
    if (s->part_at > 0 && s->part[s->part_at - 1].end >= to)
        s->part_at = 0;
    while (s->part[s->part_at].end < to)
        s->part_at++;
    size_t start = s->part_at > 0 ? s->part[s->part_at - 1].end : 0;
    bool at_start = to == start + intern_text(&d->texts, id).len;
    bool at_end = to + 1 == s->part[s->part_at].end;
    for (uint32_t i = d->text_first[id]; i < d->text_first[id + 1]; i++) {
        const struct target *t = &d->by_text[i];
        if ((t->field == ITEM_KEYWORDS || t->field == s->part[s->part_at].field) && (at_start || !t->at_start) &&
            (at_end || !t->at_end))
            add_condition(s, t);
    }
    return 0;
}

static void scan_texts(struct scan *s, struct record *r)
{
    size_t total = 0;
    size_t at = 0;

    s->part_count = s->part_at = 0;
    each_value(s, r, add_part, &total);
    if (total == 0)
        return;
    if (total > s->text_room) {
        s->text_room = total * 2;
        s->text = mem_grow(s->text, s->text_room, 1);
    }
    each_value(s, r, fold_part, &at);
    (void)hs_scan(s->dispatch->db, (const char *)s->text, (unsigned)total, 0, s->scratch, on_match, s);
}

void scan_record(struct scan *s, struct record *r)
{
    const struct dispatch *d = s->dispatch;

    s->candidate_count = 0;
    if (++s->stamp_now == 0) {
        memset(s->stamp, 0, d->rule_count * sizeof *s->stamp);
        s->stamp_now = 1;
    }
    for (uint32_t i = 0; i < d->always_count; i++)
        add_candidate(s, d->always[i]);
    uint32_t sorted = s->candidate_count;
    for (struct val *v = d->by_type_count > 0 ? record_get(r, FIELD_TYPE) : NULL; v != NULL; v = record_more(r, v)) {
        uint32_t type = intern_find(&d->types, val_fold(v, &r->scratch));
        for (uint32_t i = type != INTERN_NONE ? d->type_first[type] : 0;
             type != INTERN_NONE && i < d->type_first[type + 1]; i++)
            add_candidate(s, d->by_type[i].rule);
    }
    if (d->db != NULL)
        scan_texts(s, r);
    if (s->candidate_count > sorted && s->candidate_count > 1)
        qsort(s->candidate, s->candidate_count, sizeof *s->candidate, compare_u32);
}
