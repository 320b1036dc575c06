#include "detect/sigma/rule_expand.h"

struct growing {
    const struct rule_source *src;
    const struct yaml_node *at;
    struct yaml_node *first; /* what the text so far can be */
    uint32_t count;
    bool failed;
};

/* Length of "%name%" at the start of the text, 0 when there is none. */
static size_t placeholder_length(struct slice s)
{
    size_t n = 1;

    if (s.len < 3 || s.ptr[0] != '%')
        return 0;
    while (n < s.len && s.ptr[n] != '%' && s.ptr[n] != '\\')
        n++;
    return n > 1 && n < s.len && s.ptr[n] == '%' ? n + 1 : 0;
}

static struct slice join(struct arena *a, struct slice x, struct slice y)
{
    uint8_t *out = arena_alloc(a, x.len + y.len + 1);

    if (x.len > 0)
        memcpy(out, x.ptr, x.len);
    if (y.len > 0)
        memcpy(out + x.len, y.ptr, y.len);
    return slice_make(out, x.len + y.len);
}

static struct yaml_node *node_new(const struct growing *g, struct slice text)
{
    struct yaml_node *n = arena_alloc(g->src->arena, sizeof *n);

    n->kind = YAML_SCALAR;
    n->quoted = true;
    n->line = g->at->line;
    n->column = g->at->column;
    n->text = text;
    return n;
}

static void append_text(struct growing *g, struct slice text)
{
    for (struct yaml_node *n = g->first; n != NULL; n = n->next)
        n->text = join(g->src->arena, n->text, text);
}

/* A value that ends in a backslash must not take the meaning from what follows it. */
static struct slice closed(struct arena *a, struct slice value)
{
    size_t n = 0;

    while (n < value.len && value.ptr[value.len - 1 - n] == '\\')
        n++;
    return n % 2 == 1 ? join(a, value, slice_str("\\")) : value;
}

static void note_use(const struct growing *g, struct slice name)
{
    struct used_name **tail = &g->src->rule->placeholders;

    for (; *tail != NULL; tail = &(*tail)->next)
        if (slice_equal((*tail)->name, name))
            return;
    *tail = arena_alloc(g->src->arena, sizeof **tail);
    (*tail)->name = name;
}

/* Each text so far with each value behind it. */
static void append_values(struct growing *g, const struct yaml_node *value, bool last)
{
    bool list = value != NULL && value->kind == YAML_LIST;
    struct yaml_node *made = NULL;
    struct yaml_node **tail = &made;
    uint32_t count = 0;

    for (struct yaml_node *n = g->first; n != NULL && !g->failed; n = n->next) {
        const struct yaml_node *v = list ? value->child : value;
        do {
            struct slice text = value != NULL ? yaml_deref(v)->text : slice_str("*");
            if (++count > EXPAND_VALUES_MAX) {
                diag_add(g->src->diag, DIAG_ERROR, g->src->path, g->at->line, g->at->column,
                         "placeholders make more than %d values of this", EXPAND_VALUES_MAX);
                g->failed = true;
                return;
            }
            *tail = node_new(g, join(g->src->arena, n->text, last ? text : closed(g->src->arena, text)));
            (*tail)->quoted = value == NULL || n->text.len > 0 || !last || yaml_deref(v)->quoted;
            tail = &(*tail)->next;
            v = list ? v->next : NULL;
        } while (v != NULL);
    }
    g->first = made;
    g->count = count;
}

static void append_placeholder(struct growing *g, struct slice name, bool last)
{
    const struct placeholder *p = pipeline_find(g->src->pipeline, name);

    if (p == NULL) {
        diag_add(g->src->diag, DIAG_ERROR, g->src->path, g->at->line, g->at->column,
                 "placeholder '%%%.*s%%' has no value; expected it under `vars` of a pipeline beside the rules "
                 "(*.pipeline.yml) or in a file named with --placeholders",
                 (int)name.len, (const char *)name.ptr);
        g->failed = true;
        return;
    }
    note_use(g, name);
    append_values(g, p->value, last);
}

const struct yaml_node *rule_expand(const struct rule_source *src, const struct yaml_node *at)
{
    struct growing g = {.src = src, .at = at};
    struct slice text = at->text;
    size_t start = 0;
    bool any = false;

    g.first = node_new(&g, slice_str(""));
    for (size_t i = 0; i < text.len && !g.failed;) {
        size_t len = placeholder_length(slice_from(text, i));
        bool escape = text.ptr[i] == '\\' && i + 1 < text.len;
        if (len == 0 && !escape) {
            i++;
            continue;
        }
        if (escape && text.ptr[i + 1] != '%') {
            i += 2; /* an escape that the pattern will read */
            continue;
        }
        append_text(&g, slice_make(text.ptr + start, i - start));
        if (escape)
            append_text(&g, slice_str("%"));
        else
            append_placeholder(&g, slice_make(text.ptr + i + 1, len - 2), i + len == text.len);
        any |= !escape;
        i += escape ? 2 : len;
        start = i;
    }
    if (g.failed)
        return NULL;
    append_text(&g, slice_from(text, start));
    if (!any)
        diag_add(src->diag, DIAG_WARNING, src->path, at->line, at->column,
                 "`expand` without a placeholder such as %%Servers%% in the value");
    return g.first;
}
