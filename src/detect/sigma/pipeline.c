#include "detect/sigma/pipeline.h"

#include "detect/sigma/rule.h"
#include "detect/sigma/rule_text.h"

bool pipeline_is(const struct yaml_node *doc)
{
    return (yaml_get(doc, "vars") != NULL || yaml_get(doc, "transformations") != NULL) &&
           yaml_get(doc, "detection") == NULL && yaml_get(doc, "correlation") == NULL &&
           yaml_get(doc, "filter") == NULL;
}

struct reader {
    struct pipeline *pipeline;
    struct arena *arena;
    struct diag *diag;
    const char *path;
};

static void complain(const struct reader *r, const struct yaml_node *at, const char *text)
{
    diag_add(r->diag, DIAG_ERROR, r->path, at->line, at->column, "%s", text);
}

const struct placeholder *pipeline_find(const struct pipeline *p, struct slice name)
{
    for (const struct placeholder *x = p->placeholder; x != NULL; x = x->next)
        if (slice_equal(x->name, name))
            return x;
    return NULL;
}

static bool check_value(const struct reader *r, const struct yaml_node *v)
{
    bool list = v->kind == YAML_LIST;
    uint32_t count = 0;

    for (const struct yaml_node *n = list ? v->child : v; n != NULL; n = list ? n->next : NULL) {
        const struct yaml_node *one = yaml_deref(n);
        if (one->kind != YAML_SCALAR || yaml_is_null(one)) {
            complain(r, one, "expected a text or a number as the value of a placeholder");
            return false;
        }
        count++;
    }
    if (count == 0 || count > PIPELINE_VALUES_MAX) {
        complain(r, v, count == 0 ? "placeholder without values: it would never match" : "more than 65536 values");
        return false;
    }
    return true;
}

static bool same_value(const struct yaml_node *a, const struct yaml_node *b)
{
    bool list_a = a->kind == YAML_LIST;
    bool list_b = b->kind == YAML_LIST;
    const struct yaml_node *x = list_a ? a->child : a;
    const struct yaml_node *y = list_b ? b->child : b;

    while (x != NULL && y != NULL) {
        if (!slice_equal(yaml_deref(x)->text, yaml_deref(y)->text) || yaml_deref(x)->quoted != yaml_deref(y)->quoted)
            return false;
        x = list_a ? x->next : NULL;
        y = list_b ? y->next : NULL;
    }
    return x == y;
}

/* `value` NULL: matches anything. */
static void define(const struct reader *r, struct slice name, const struct yaml_node *at, const struct yaml_node *value)
{
    const struct placeholder *known = pipeline_find(r->pipeline, name);

    if (value != NULL && !check_value(r, value))
        return;
    if (known != NULL) {
        bool same = known->value == NULL || value == NULL ? known->value == value : same_value(known->value, value);
        if (!same)
            diag_add(r->diag, DIAG_ERROR, r->path, at->line, at->column,
                     "placeholder '%.*s' has other values already (%s:%u)", (int)name.len, (const char *)name.ptr,
                     known->path, known->line);
        return;
    }
    if (r->pipeline->count == PIPELINE_VARS_MAX) {
        complain(r, at, "more than 4096 placeholders");
        return;
    }
    struct placeholder *x = arena_alloc(r->arena, sizeof *x);
    x->name = name;
    x->value = value;
    x->path = r->path;
    x->line = at->line;
    x->next = r->pipeline->placeholder;
    r->pipeline->placeholder = x;
    r->pipeline->count++;
}

static void read_vars(const struct reader *r, const struct yaml_node *vars)
{
    if (vars->kind != YAML_MAP) {
        complain(r, vars, "expected a map of placeholder names and their values");
        return;
    }
    for (const struct yaml_node *n = vars->child; n != NULL; n = n->next)
        define(r, n->key->text, n->key, yaml_deref(n));
}

static void read_wildcards(const struct reader *r, const struct yaml_node *at, const struct yaml_node *include)
{
    if (include == NULL || include->kind != YAML_LIST) {
        complain(r, at, "wildcard_placeholders needs `include`: a list of placeholder names");
        return;
    }
    for (const struct yaml_node *n = include->child; n != NULL; n = n->next)
        define(r, yaml_deref(n)->text, yaml_deref(n), NULL);
}

/* The one condition that makes sense here: rules of this taxonomy. */
static bool read_taxonomy(const struct reader *r, const struct yaml_node *conditions, struct slice *ret)
{
    const struct yaml_node *one = conditions != NULL && conditions->kind == YAML_LIST ? conditions->child : NULL;

    *ret = slice_str("");
    if (conditions == NULL)
        return true;
    const struct yaml_node *type = one != NULL ? yaml_get(yaml_deref(one), "type") : NULL;
    const struct yaml_node *taxonomy = one != NULL ? yaml_get(yaml_deref(one), "taxonomy") : NULL;
    if (type == NULL || !slice_equal_str(type->text, "taxonomy") || taxonomy == NULL || taxonomy->text.len == 0 ||
        one->next != NULL) {
        complain(r, conditions, "expected one condition: {type: taxonomy, taxonomy: NAME}");
        return false;
    }
    *ret = taxonomy->text;
    return true;
}

static bool same_map(const struct yaml_node *a, const struct yaml_node *b)
{
    const struct yaml_node *x = a->child;
    const struct yaml_node *y = b->child;

    for (; x != NULL && y != NULL; x = x->next, y = y->next)
        if (!slice_equal(x->key->text, y->key->text) || !slice_equal(yaml_deref(x)->text, yaml_deref(y)->text))
            return false;
    return x == y;
}

/* The first mapping of a field counts. The same mapping may stand in several files. */
static void read_mapping(const struct reader *r, const struct yaml_node *at)
{
    const struct yaml_node *map = yaml_get(at, "mapping");
    struct slice taxonomy;

    if (map == NULL || map->kind != YAML_MAP) {
        complain(r, at, "field_name_mapping needs `mapping`: a map of the rules' field names to the events'");
        return;
    }
    for (const struct yaml_node *n = map->child; n != NULL; n = n->next) {
        if (yaml_deref(n)->kind != YAML_SCALAR || yaml_deref(n)->text.len == 0) {
            complain(r, yaml_deref(n), "expected one field name");
            return;
        }
    }
    if (!read_taxonomy(r, yaml_get(at, "rule_conditions"), &taxonomy))
        return;
    if (slice_equal_str(taxonomy, "sigma"))
        taxonomy = slice_str("");
    struct field_mapping **tail = &r->pipeline->mapping;
    for (; *tail != NULL; tail = &(*tail)->next)
        if (slice_equal((*tail)->taxonomy, taxonomy) && same_map((*tail)->map, map))
            return;
    *tail = arena_alloc(r->arena, sizeof **tail);
    (*tail)->taxonomy = taxonomy;
    (*tail)->map = map;
}

static void read_transformation(const struct reader *r, const struct yaml_node *n)
{
    const struct yaml_node *type = yaml_get(n, "type");

    if (type != NULL && slice_equal_str(type->text, "value_placeholders"))
        return;
    if (type != NULL && slice_equal_str(type->text, "wildcard_placeholders"))
        read_wildcards(r, n, yaml_get(n, "include"));
    else if (type != NULL && slice_equal_str(type->text, "field_name_mapping"))
        read_mapping(r, n);
    else
        complain(r, type != NULL ? type : n,
                 "expected a transformation of type value_placeholders, wildcard_placeholders or field_name_mapping; "
                 "others need a query language");
}

static void read_document(const struct reader *r, const struct yaml_node *doc, bool bare)
{
    static const char *const KNOWN[] = {"name", "priority", "vars", "transformations", "allowed_backends"};
    const struct yaml_node *list = yaml_get(doc, "transformations");

    if (bare && !pipeline_is(doc)) {
        read_vars(r, doc);
        return;
    }
    for (const struct yaml_node *n = doc->child; n != NULL; n = n->next) {
        size_t i = 0;
        while (i < sizeof KNOWN / sizeof KNOWN[0] && !slice_equal_str(n->key->text, KNOWN[i]))
            i++;
        if (i == sizeof KNOWN / sizeof KNOWN[0])
            complain(r, n->key, "unknown key of a pipeline; expected name, priority, vars or transformations");
    }
    if (yaml_get(doc, "vars") != NULL)
        read_vars(r, yaml_get(doc, "vars"));
    if (list != NULL && list->kind != YAML_LIST)
        complain(r, list, "transformations must be a list");
    else if (list != NULL)
        for (const struct yaml_node *n = list->child; n != NULL; n = n->next)
            read_transformation(r, yaml_deref(n));
}

void pipeline_add(struct pipeline *p, struct arena *a, struct diag *d, const char *path, const struct yaml_node *doc,
                  bool bare)
{
    struct reader r = {p, a, d, path};

    read_document(&r, doc, bare);
}

bool pipeline_knows_taxonomy(const struct pipeline *p, struct slice taxonomy)
{
    for (const struct field_mapping *m = p->mapping; m != NULL; m = m->next)
        if (slice_equal(m->taxonomy, taxonomy))
            return true;
    return taxonomy.len == 0;
}

struct slice pipeline_field(const struct pipeline *p, struct slice taxonomy, struct slice name)
{
    for (const struct field_mapping *m = p->mapping; m != NULL; m = m->next) {
        if (!slice_equal(m->taxonomy, taxonomy))
            continue;
        for (const struct yaml_node *n = m->map->child; n != NULL; n = n->next)
            if (slice_equal(n->key->text, name))
                return yaml_deref(n)->text;
    }
    return name;
}

static void write_placeholder(const struct placeholder *x, struct writer *w)
{
    if (x->value == NULL) {
        writer_text(w, "---\n{\"transformations\": [{\"include\": [");
        rule_text_string(x->name, w);
        writer_text(w, "], \"type\": \"wildcard_placeholders\"}]}\n");
        return;
    }
    writer_text(w, "---\n{\"vars\": {");
    rule_text_string(x->name, w);
    writer_text(w, ": ");
    rule_text_write(x->value, w);
    writer_text(w, "}}\n");
}

static void write_mapping(const struct field_mapping *m, struct writer *w)
{
    writer_text(w, "---\n{\"transformations\": [{\"type\": \"field_name_mapping\", \"mapping\": ");
    rule_text_write(m->map, w);
    if (m->taxonomy.len > 0) {
        writer_text(w, ", \"rule_conditions\": [{\"type\": \"taxonomy\", \"taxonomy\": ");
        rule_text_string(m->taxonomy, w);
        writer_text(w, "}]");
    }
    writer_text(w, "}]}\n");
}

void pipeline_write_used(const struct pipeline *p, const struct rule *r, struct writer *w)
{
    for (const struct used_name *u = r->placeholders; u != NULL; u = u->next) {
        const struct placeholder *x = pipeline_find(p, u->name);
        if (x != NULL)
            write_placeholder(x, w);
    }
    for (const struct field_mapping *m = p->mapping; m != NULL; m = m->next)
        if (slice_equal(m->taxonomy, r->taxonomy))
            write_mapping(m, w);
}
