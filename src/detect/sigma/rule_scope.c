#include "detect/sigma/rule_scope.h"

#include "detect/sigma/rule_condition.h"
#include "detect/sigma/version_range.h"

static const char EXPECTED[] = "scope knows model, sw_version, hw and region";

static void complain(const struct rule_source *src, const struct yaml_node *at, const char *text)
{
    diag_add(src->diag, DIAG_ERROR, src->path, at->line, at->column, "%s", text);
}

/* A test that replaces the text comparison where the value is a range. */
static bool read_range(const struct rule_source *src, const struct yaml_node *at, struct test *t)
{
    if (!version_range_is(at->text))
        return true;
    t->range = arena_alloc(src->arena, sizeof *t->range);
    if (!version_range_read(at->text, t->range)) {
        complain(src, at, "expected bounds such as '>=3.2' or '>=3.2 <4'");
        return false;
    }
    t->op = TEST_VERSION;
    return true;
}

/* A list is joined with or. A lower and an upper bound as two entries would let every version in. */
static bool check_bounds(const struct rule_source *src, const struct yaml_node *value, const struct item *item)
{
    bool up = false;
    bool down = false;

    for (uint32_t i = 0; i < item->test_count; i++) {
        const struct version_range *r = item->test[i]->range;
        if (item->test[i]->op != TEST_VERSION || r->count != 1)
            continue;
        bool less = r->bound[0].op == VERSION_LT || r->bound[0].op == VERSION_LTE;
        down |= less;
        up |= !less;
    }
    if (up && down)
        complain(src, value,
                 "entries of a list are joined with or; write bounds that belong together as one text: '>=3.2 <4'");
    return !(up && down);
}

static struct expr *load_key(const struct rule_source *src, const struct yaml_node *n)
{
    const struct yaml_node *value = yaml_deref(n);
    struct item *item = rule_value_item(src, n->key->text, n->key, value);
    bool list = value->kind == YAML_LIST;
    uint32_t i = 0;

    if (item == NULL)
        return NULL;
    for (const struct yaml_node *v = list ? value->child : value; v != NULL; v = list ? v->next : NULL) {
        if (yaml_is_null(v)) {
            complain(src, yaml_deref(v), "expected a text; vehicles of unknown kind are never in a scope");
            return NULL;
        }
        if (!read_range(src, yaml_deref(v), item->test[i++]))
            return NULL;
    }
    if (!check_bounds(src, value, item))
        return NULL;
    struct expr *e = expr_new(src->arena, EXPR_ITEM);
    e->item = item;
    e->name = slice_str("scope");
    return e;
}

struct expr *rule_scope_load(const struct rule_source *src, const struct yaml_node *n)
{
    static const char *const KEY[] = {"model", "sw_version", "hw", "region"};
    struct expr *all = expr_new(src->arena, EXPR_AND);

    if (n->kind != YAML_MAP || n->child == NULL) {
        complain(src, n, "scope must be a map such as {model: [Aurora], sw_version: '>=3.2'}");
        return NULL;
    }
    for (const struct yaml_node *c = n->child; c != NULL; c = c->next) {
        size_t i = 0;
        while (i < sizeof KEY / sizeof KEY[0] && !slice_equal_str(c->key->text, KEY[i]))
            i++;
        if (i == sizeof KEY / sizeof KEY[0]) {
            complain(src, c->key, EXPECTED);
            return NULL;
        }
        struct expr *e = load_key(src, c);
        if (e == NULL)
            return NULL;
        expr_add(src->arena, all, e);
    }
    return all;
}
