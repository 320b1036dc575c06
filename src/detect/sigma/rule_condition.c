#include "detect/sigma/rule_condition.h"

struct parser {
    const struct rule_source *src;
    const struct yaml_node *at;
    struct slice text;
    size_t pos;
    struct slice word; /* the token at hand; empty at the end */
    size_t word_pos;
    struct selection *sel;
    uint32_t sel_count;
    unsigned depth;
    bool failed;
};

struct expr *expr_new(struct arena *a, enum expr_kind kind)
{
    struct expr *e = arena_alloc(a, sizeof *e);

    e->kind = (uint8_t)kind;
    e->name = slice_str("");
    return e;
}

void expr_add(struct arena *a, struct expr *e, struct expr *child)
{
    if ((e->count & (e->count - 1)) == 0) {
        struct expr **bigger = arena_alloc(a, sizeof(*bigger) * (e->count > 0 ? 2 * (size_t)e->count : 1));
        if (e->count > 0)
            memcpy(bigger, e->child, e->count * sizeof(*bigger));
        e->child = bigger;
    }
    e->child[e->count++] = child;
}

static struct expr *fail(struct parser *p, const char *text)
{
    if (!p->failed)
        diag_add(p->src->diag, DIAG_ERROR, p->src->path, p->at->line, p->at->column + (unsigned)p->word_pos,
                 "condition: %s at '%.*s'", text, p->word.len > 0 ? (int)p->word.len : 3,
                 p->word.len > 0 ? (const char *)p->word.ptr : "end");
    p->failed = true;
    return NULL;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void next(struct parser *p)
{
    while (p->pos < p->text.len && is_space(p->text.ptr[p->pos]))
        p->pos++;
    size_t start = p->pos;
    p->word_pos = start;
    while (p->pos < p->text.len && !is_space(p->text.ptr[p->pos]) && strchr("()|", p->text.ptr[p->pos]) == NULL)
        p->pos++;
    if (p->pos == start && p->pos < p->text.len)
        p->pos++; /* a bracket or bar is a token of its own */
    p->word = slice_make(p->text.ptr + start, p->pos - start);
}

static bool word_is(const struct parser *p, const char *word)
{
    size_t n = strlen(word);

    if (p->word.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p->word.ptr[i] | 32) != (uint8_t)word[i] && p->word.ptr[i] != (uint8_t)word[i])
            return false;
    return true;
}

static struct expr *parse_or(struct parser *p);

/* name against a pattern with stars; both are short. */
static bool name_matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;

    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static struct expr *parse_of(struct parser *p, bool all)
{
    struct expr *e = expr_new(p->src->arena, all ? EXPR_AND : EXPR_OR);

    next(p); /* of */
    next(p);
    if (p->word.len == 0)
        return fail(p, "expected `them` or a selection name such as selection_*");
    bool them = word_is(p, "them");
    bool hidden = p->word.ptr[0] == '_';
    for (uint32_t i = 0; i < p->sel_count; i++) {
        struct slice name = p->sel[i].name;
        bool listed = hidden || (name.len > 0 && name.ptr[0] != '_');
        if (listed && (them || name_matches(p->word, name))) {
            expr_add(p->src->arena, e, p->sel[i].expr);
            p->sel[i].used = true;
        }
    }
    if (e->count == 0)
        return fail(p, "no selection has a name like that");
    next(p);
    return e;
}

/* Whether the word after this one is "of", which makes 1, any and all quantifiers; alone they may be selection names.
 */
static bool of_follows(const struct parser *p)
{
    struct parser look = *p;

    next(&look);
    return word_is(&look, "of");
}

static struct expr *parse_atom(struct parser *p)
{
    if (word_is(p, "(")) {
        if (p->depth == EXPR_DEPTH_MAX)
            return fail(p, "nested too deeply");
        p->depth++;
        next(p);
        struct expr *e = parse_or(p);
        p->depth--;
        if (e == NULL)
            return NULL;
        if (!word_is(p, ")"))
            return fail(p, "expected `)`");
        next(p);
        return e;
    }
    bool all = word_is(p, "all");
    if ((all || word_is(p, "1") || word_is(p, "any")) && of_follows(p))
        return parse_of(p, all);
    if (of_follows(p))
        return fail(p, "expected `1 of` or `all of`");
    for (uint32_t i = 0; i < p->sel_count; i++) {
        if (slice_equal(p->sel[i].name, p->word)) {
            p->sel[i].used = true;
            next(p);
            return p->sel[i].expr;
        }
    }
    if (word_is(p, "|"))
        return fail(p, "aggregations in conditions are obsolete, write a correlation rule instead");
    return fail(p, "expected a selection of this rule, `not`, `1 of`, `all of` or `(`");
}

static struct expr *parse_not(struct parser *p)
{
    bool negate = false;

    while (word_is(p, "not")) {
        negate = !negate;
        next(p);
    }
    struct expr *e = parse_atom(p);
    if (e == NULL || !negate)
        return e;
    struct expr *n = expr_new(p->src->arena, EXPR_NOT);
    expr_add(p->src->arena, n, e);
    return n;
}

static struct expr *parse_list(struct parser *p, const char *word, enum expr_kind kind,
                               struct expr *(*part)(struct parser *))
{
    struct expr *first = part(p);

    if (first == NULL || !word_is(p, word))
        return first;
    struct expr *e = expr_new(p->src->arena, kind);
    expr_add(p->src->arena, e, first);
    while (word_is(p, word)) {
        next(p);
        struct expr *more = part(p);
        if (more == NULL)
            return NULL;
        expr_add(p->src->arena, e, more);
    }
    return e;
}

static struct expr *parse_and(struct parser *p)
{
    return parse_list(p, "and", EXPR_AND, parse_not);
}

static struct expr *parse_or(struct parser *p)
{
    return parse_list(p, "or", EXPR_OR, parse_and);
}

static struct expr *parse_one(const struct rule_source *src, const struct yaml_node *at, struct selection *sel,
                              uint32_t count)
{
    struct parser p = {.src = src, .at = at, .sel = sel, .sel_count = count};

    p.text = at->text;
    next(&p);
    struct expr *e = parse_or(&p);
    if (e != NULL && p.word.len > 0)
        return fail(&p, word_is(&p, "|") ? "aggregations in conditions are obsolete, write a correlation rule instead"
                                         : "expected `and`, `or` or the end");
    return e;
}

struct expr *rule_condition(const struct rule_source *src, const struct yaml_node *at, struct selection *sel,
                            uint32_t count)
{
    if (at->kind == YAML_SCALAR)
        return parse_one(src, at, sel, count);
    if (at->kind != YAML_LIST || at->child == NULL) {
        diag_add(src->diag, DIAG_ERROR, src->path, at->line, at->column, "condition must be text or a list of texts");
        return NULL;
    }
    struct expr *any = expr_new(src->arena, EXPR_OR);
    for (const struct yaml_node *n = at->child; n != NULL; n = n->next) {
        const struct yaml_node *one = yaml_deref(n);
        struct expr *e = one->kind == YAML_SCALAR ? parse_one(src, one, sel, count) : NULL;
        if (e == NULL)
            return NULL;
        expr_add(src->arena, any, e);
    }
    return any;
}
