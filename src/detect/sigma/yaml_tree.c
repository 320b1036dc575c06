#include "detect/sigma/yaml_tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
    struct slice name;
    struct yaml_node *node;
    struct anchor *next;
};

struct reader {
    struct arena *arena;
    struct diag *diag;
    const char *path;
    yaml_parser_t parser;
    struct anchor *anchors;
    uint32_t node_count;
    unsigned depth;
};

static void complain(struct reader *r, yaml_mark_t at, const char *text)
{
    diag_add(r->diag, DIAG_ERROR, r->path, (unsigned)at.line + 1, (unsigned)at.column + 1, "%s", text);
}

static bool pull(struct reader *r, yaml_event_t *ev)
{
    if (yaml_parser_parse(&r->parser, ev))
        return true;
    yaml_mark_t at = r->parser.problem_mark;
    complain(r, at, r->parser.problem != NULL ? r->parser.problem : "this is not YAML");
    return false;
}

static struct yaml_node *new_node(struct reader *r, const yaml_event_t *ev, enum yaml_kind kind)
{
    if (r->node_count == YAML_NODES_MAX) {
        complain(r, ev->start_mark, "file has too many values");
        return NULL;
    }
    r->node_count++;
    struct yaml_node *n = arena_alloc(r->arena, sizeof *n);
    n->kind = (uint8_t)kind;
    n->line = (unsigned)ev->start_mark.line + 1;
    n->column = (unsigned)ev->start_mark.column + 1;
    return n;
}

static void remember(struct reader *r, const yaml_char_t *name, struct yaml_node *node)
{
    if (name == NULL)
        return;
    struct anchor *a = arena_alloc(r->arena, sizeof *a);
    a->name = arena_copy(r->arena, slice_str((const char *)name));
    a->node = node;
    a->next = r->anchors;
    r->anchors = a;
}

static struct yaml_node *read_alias(struct reader *r, const yaml_event_t *ev)
{
    for (struct anchor *a = r->anchors; a != NULL; a = a->next) {
        if (slice_equal_str(a->name, (const char *)ev->data.alias.anchor)) {
            struct yaml_node *n = new_node(r, ev, YAML_SCALAR);
            if (n != NULL)
                n->target = a->node;
            return n;
        }
    }
    complain(r, ev->start_mark, "alias to an anchor that is not defined above");
    return NULL;
}

static struct yaml_node *read_node(struct reader *r, const yaml_event_t *ev);

/* Reads items until the end event of the list or map; the depth limit bounds this recursion. */
static bool read_items(struct reader *r, struct yaml_node *n, bool map)
{
    struct yaml_node **tail = &n->child;
    uint32_t count = 0;

    for (;;) {
        struct yaml_node *key = NULL;
        yaml_event_t ev;
        if (!pull(r, &ev))
            return false;
        bool end = ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT;
        struct yaml_node *item = end ? NULL : read_node(r, &ev);
        yaml_event_delete(&ev);
        if (end)
            return true;
        if (item == NULL)
            return false;
        if (map) {
            key = item;
            if (count++ == YAML_KEYS_MAX) {
                diag_add(r->diag, DIAG_ERROR, r->path, key->line, key->column, "more than %d keys in one map",
                         YAML_KEYS_MAX);
                return false;
            }
            if (!pull(r, &ev))
                return false;
            item = read_node(r, &ev);
            yaml_event_delete(&ev);
            if (item == NULL)
                return false;
            while (key->target != NULL)
                key = key->target;
            for (const struct yaml_node *o = n->child; o != NULL; o = o->next) {
                if (key->kind == YAML_SCALAR && slice_equal(o->key->text, key->text)) {
                    diag_add(r->diag, DIAG_ERROR, r->path, key->line, key->column,
                             "key '%.*s' stands twice in this map (first on line %u)", (int)key->text.len,
                             (const char *)key->text.ptr, o->key->line);
                    return false;
                }
            }
        }
        item->key = key;
        *tail = item;
        tail = &item->next;
    }
}

static struct yaml_node *read_node(struct reader *r, const yaml_event_t *ev)
{
    struct yaml_node *n;

    if (ev->type == YAML_ALIAS_EVENT)
        return read_alias(r, ev);
    if (ev->type == YAML_SCALAR_EVENT) {
        n = new_node(r, ev, YAML_SCALAR);
        if (n == NULL)
            return NULL;
        n->text = arena_copy(r->arena, slice_make(ev->data.scalar.value, ev->data.scalar.length));
        n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        remember(r, ev->data.scalar.anchor, n);
        return n;
    }
    bool map = ev->type == YAML_MAPPING_START_EVENT;
    if (!map && ev->type != YAML_SEQUENCE_START_EVENT) {
        complain(r, ev->start_mark, "expected a value");
        return NULL;
    }
    if (r->depth == YAML_DEPTH_MAX) {
        complain(r, ev->start_mark, "nested too deeply");
        return NULL;
    }
    n = new_node(r, ev, map ? YAML_MAP : YAML_LIST);
    if (n == NULL)
        return NULL;
    r->depth++;
    bool ok = read_items(r, n, map);
    r->depth--;
    /* An anchor is known only after its node is complete, so that no node can contain itself. */
    remember(r, map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor, n);
    return ok ? n : NULL;
}

static bool read_stream(struct reader *r, struct yaml_node *docs)
{
    struct yaml_node **tail = &docs->child;

    for (;;) {
        yaml_event_t ev;
        if (!pull(r, &ev))
            return false;
        int type = (int)ev.type;
        struct yaml_node *doc = NULL;
        bool node = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                    type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT;
        if (node)
            doc = read_node(r, &ev);
        yaml_event_delete(&ev);
        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (node && doc == NULL)
            return false;
        if (type == YAML_DOCUMENT_START_EVENT)
            r->anchors = NULL;
        if (doc != NULL && !yaml_is_null(doc)) {
            *tail = doc;
            tail = &doc->next;
        }
    }
}

bool yaml_read(struct arena *a, struct diag *d, const char *path, struct slice text, struct yaml_node **ret_docs)
{
    struct reader r = {.arena = a, .diag = d, .path = path};
    struct yaml_node *docs = arena_alloc(a, sizeof *docs);

    docs->kind = YAML_LIST;
    if (text.len > YAML_TEXT_MAX) {
        diag_add(d, DIAG_ERROR, path, 1, 1, "file is larger than %u bytes", YAML_TEXT_MAX);
        return false;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        diag_add(d, DIAG_ERROR, path, 1, 1, "no memory to read it");
        return false;
    }
    yaml_parser_set_input_string(&r.parser, text.ptr, text.len);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    bool ok = read_stream(&r, docs);
    yaml_parser_delete(&r.parser);
    if (ok)
        *ret_docs = docs;
    return ok;
}

const struct yaml_node *yaml_deref(const struct yaml_node *n)
{
    while (n != NULL && n->target != NULL)
        n = n->target;
    return n;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    map = yaml_deref(map);
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *n = map->child; n != NULL; n = n->next)
        if (slice_equal_str(n->key->text, key))
            return yaml_deref(n);
    return NULL;
}

static bool is_plain(const struct yaml_node *n)
{
    return n != NULL && n->kind == YAML_SCALAR && !n->quoted;
}

static bool plain_is(const struct yaml_node *n, const char *a, const char *b, const char *c)
{
    return slice_equal_str(n->text, a) || slice_equal_str(n->text, b) || slice_equal_str(n->text, c);
}

bool yaml_is_null(const struct yaml_node *n)
{
    n = yaml_deref(n);
    return is_plain(n) && (n->text.len == 0 || slice_equal_str(n->text, "~") || plain_is(n, "null", "Null", "NULL"));
}

bool yaml_read_bool(const struct yaml_node *n, bool *ret)
{
    n = yaml_deref(n);
    if (!is_plain(n))
        return false;
    bool yes = plain_is(n, "true", "True", "TRUE");
    if (!yes && !plain_is(n, "false", "False", "FALSE"))
        return false;
    *ret = yes;
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool yaml_read_i64(const struct yaml_node *n, int64_t *ret)
{
    n = yaml_deref(n);
    if (!is_plain(n) || n->text.len == 0)
        return false;
    const char *text = (const char *)n->text.ptr; /* the arena put a NUL behind it */
    size_t sign = text[0] == '-' || text[0] == '+';
    int base = 10;
    const char *digits = text + sign;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o')) {
        base = digits[1] == 'x' ? 16 : 8;
        digits += 2;
    }
    if (base == 10 ? !is_digit((uint8_t)digits[0]) : digits[0] == '\0' || digits[0] == '-' || digits[0] == '+')
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(digits, &end, base);
    if (end != text + n->text.len || errno != 0)
        return false;
    *ret = text[0] == '-' ? -v : v;
    return true;
}

bool yaml_read_double(const struct yaml_node *n, double *ret)
{
    int64_t i;

    n = yaml_deref(n);
    if (yaml_read_i64(n, &i)) {
        *ret = (double)i;
        return true;
    }
    if (!is_plain(n) || n->text.len == 0)
        return false;
    const char *text = (const char *)n->text.ptr;
    size_t at = text[0] == '-' || text[0] == '+';
    if (!is_digit((uint8_t)text[at]) && !(text[at] == '.' && is_digit((uint8_t)text[at + 1])))
        return false;
    for (size_t i2 = at; i2 < n->text.len; i2++)
        if (!is_digit((uint8_t)text[i2]) && strchr(".eE+-", text[i2]) == NULL)
            return false;
    char *end;
    double v = strtod(text, &end);
    if (end != text + n->text.len || !isfinite(v))
        return false;
    *ret = v;
    return true;
}
