#include "detect/sigma/rule_collection.h"

static const struct yaml_node *entry_of(const struct yaml_node *map, struct slice key)
{
    for (const struct yaml_node *n = map->child; n != NULL; n = n->next)
        if (slice_equal(n->key->text, key))
            return n;
    return NULL;
}

/* An entry of its own that stands for the value: entries are chained and so cannot be in two maps. */
static struct yaml_node *entry_new(struct arena *a, const struct yaml_node *entry, const struct yaml_node *value)
{
    struct yaml_node *n = arena_alloc(a, sizeof *n);

    *n = *yaml_deref(value);
    n->target = (struct yaml_node *)yaml_deref(value);
    n->line = entry->line;
    n->column = entry->column;
    n->key = entry->key;
    n->next = NULL;
    return n;
}

/* Both are maps, and so bounded in depth by yaml_read. Keys of `base` come first. */
static const struct yaml_node *merge(struct arena *a, const struct yaml_node *base, const struct yaml_node *over)
{
    struct yaml_node *map = arena_alloc(a, sizeof *map);
    struct yaml_node **tail = &map->child;

    *map = *over;
    map->target = NULL;
    map->child = NULL;
    for (const struct yaml_node *n = base->child; n != NULL; n = n->next) {
        const struct yaml_node *o = entry_of(over, n->key->text);
        const struct yaml_node *value = yaml_deref(o != NULL ? o : n);
        if (slice_equal_str(n->key->text, "action"))
            continue;
        if (o != NULL && value->kind == YAML_MAP && yaml_deref(n)->kind == YAML_MAP)
            value = merge(a, yaml_deref(n), value);
        *tail = entry_new(a, o != NULL ? o : n, value);
        tail = &(*tail)->next;
    }
    for (const struct yaml_node *o = over->child; o != NULL; o = o->next) {
        if (entry_of(base, o->key->text) != NULL || slice_equal_str(o->key->text, "action"))
            continue;
        *tail = entry_new(a, o, o);
        tail = &(*tail)->next;
    }
    return map;
}

static bool stands_alone(const struct yaml_node *doc)
{
    return yaml_get(doc, "correlation") != NULL || yaml_get(doc, "filter") != NULL;
}

const struct yaml_node *rule_collection_next(struct rule_collection *c, const struct yaml_node *doc)
{
    const struct yaml_node *action = yaml_get(doc, "action");

    if (doc->kind != YAML_MAP || (action == NULL && stands_alone(doc)))
        return doc;
    if (action == NULL) {
        c->before = c->global != NULL ? merge(c->arena, c->global, doc) : doc;
        return c->before;
    }
    if (slice_equal_str(action->text, "global")) {
        c->global = c->before = doc;
    } else if (slice_equal_str(action->text, "reset")) {
        c->global = NULL;
    } else if (!slice_equal_str(action->text, "repeat")) {
        diag_add(c->diag, DIAG_ERROR, c->path, action->line, action->column,
                 "unknown action '%.*s'; expected global, repeat or reset", (int)action->text.len,
                 (const char *)action->text.ptr);
    } else if (c->before == NULL) {
        diag_add(c->diag, DIAG_ERROR, c->path, action->line, action->column,
                 "repeat of what? no document stands before");
    } else {
        c->before = merge(c->arena, c->before, doc);
        return c->before;
    }
    return NULL;
}
