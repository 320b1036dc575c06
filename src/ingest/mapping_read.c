/* The reading of a mapping file (docs/formats/mapping.md). Everything is checked here, with its line, so that a run has
 * nothing left to complain about but lines: unknown keys, types and fields, patterns that cannot match, bounds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/log_fields.h"
#include "ingest/mapping_internal.h"

struct loader {
    struct mapping *m;
    struct mapping_error *error;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void complain(struct loader *l, const yaml_node_t *at, const char *format,
                                                           ...)
{
    va_list args;

    if (l->failed)
        return;
    l->failed = true;
    l->error->line = at != NULL ? (unsigned)at->start_mark.line + 1 : 0;
    va_start(args, format);
    vsnprintf(l->error->text, sizeof l->error->text, format, args);
    va_end(args);
}

static struct slice text_of(const yaml_node_t *n)
{
    if (n == NULL || n->type != YAML_SCALAR_NODE)
        return slice_make(NULL, 0);
    return slice_make(n->data.scalar.value, n->data.scalar.length);
}

static struct slice need_text(struct loader *l, const yaml_node_t *n, const char *what)
{
    struct slice s = text_of(n);

    if (n->type != YAML_SCALAR_NODE || s.len == 0)
        complain(l, n, "%s must be a text", what);
    return s;
}

static void need_map(struct loader *l, const yaml_node_t *n, const char *what)
{
    if (n->type != YAML_MAPPING_NODE)
        complain(l, n, "%s must be a map", what);
}

#define QUOTE(s) (int)((s).len < 60 ? (s).len : 60), (const char *)(s).ptr

typedef void entry_fn(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx);

/* Every entry of a map, in the order of the file; a key that stands twice is an error. */
static void each_entry(struct loader *l, const yaml_node_t *map, const char *what, entry_fn *entry, void *ctx)
{
    need_map(l, map, what);
    if (l->failed)
        return;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(&l->m->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(&l->m->doc, p->value);
        struct slice name = need_text(l, key, "a key");

        for (const yaml_node_pair_t *q = map->data.mapping.pairs.start; !l->failed && q < p; q++)
            if (slice_equal(text_of(yaml_document_get_node(&l->m->doc, q->key)), name))
                complain(l, key, "%.*s stands twice", QUOTE(name));
        if (!l->failed)
            entry(l, name, key, value, ctx);
        if (l->failed)
            return;
    }
}

/* One text, or a list of them. */
static void read_choices(struct loader *l, const yaml_node_t *n, const char *what, struct choices *ret)
{
    if (n->type == YAML_SCALAR_NODE) {
        ret->text[ret->count++] = need_text(l, n, what);
        return;
    }
    if (n->type != YAML_SEQUENCE_NODE) {
        complain(l, n, "%s must be a text or a list of texts", what);
        return;
    }
    for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(&l->m->doc, *i);
        if (ret->count == MAPPING_CHOICES_MAX) {
            complain(l, item, "%s has more than %d texts", what, MAPPING_CHOICES_MAX);
            return;
        }
        ret->text[ret->count++] = need_text(l, item, what);
    }
    if (ret->count == 0)
        complain(l, n, "%s is empty", what);
}

static unsigned find_word(struct slice text, const char *const *word, unsigned count)
{
    unsigned i = 0;

    while (i < count && !slice_equal_str(text, word[i]))
        i++;
    return i;
}

static const char *const FORM[FORM_COUNT] = {"json", "pairs", "pattern", "path", "syslog", "csv"};
static const char *const CLOCK[CLOCK_COUNT] = {"rfc3339", "s", "ms", "us", "clf"};

static void read_form(struct loader *l, const yaml_node_t *n, struct mapping_step *ret)
{
    unsigned form = find_word(need_text(l, n, "the form"), FORM, FORM_COUNT);

    if (form == FORM_COUNT)
        complain(l, n, "'%.*s' is no form; known are json, pairs, pattern, path, syslog and csv", QUOTE(text_of(n)));
    ret->form = (uint8_t)form;
}

/* Patterns must be good ones, columns must be there, and JSON can be read once a line. */
static void check_step(struct loader *l, const yaml_node_t *at, const struct mapping_step *step)
{
    bool patterns = step->form == FORM_PATTERN || step->form == FORM_PATH;
    const char *reason = "";
    unsigned json = 0;

    if (l->failed)
        return;
    if ((patterns || step->form == FORM_CSV) != (step->pattern.count > 0))
        complain(l, at, "%s",
                 patterns                 ? "this form needs patterns"
                 : step->form == FORM_CSV ? "csv needs its columns"
                                          : "this form takes neither patterns nor columns");
    for (unsigned i = 0; patterns && i < step->pattern.count; i++)
        if (!log_pattern_good(step->pattern.text[i], &reason))
            complain(l, at, "'%.*s': %s", QUOTE(step->pattern.text[i]), reason);
    for (unsigned i = 0; i < l->m->step_count; i++)
        json += l->m->step[i].form == FORM_JSON;
    if (json > 1)
        complain(l, at, "json can be read once in a line");
}

static void step_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping_step *step = ctx;

    if (slice_equal_str(key, "field"))
        step->field = need_text(l, value, "field");
    else if (slice_equal_str(key, "as"))
        read_form(l, value, step);
    else if (slice_equal_str(key, "patterns") || slice_equal_str(key, "columns"))
        read_choices(l, value, "patterns", &step->pattern);
    else
        complain(l, at, "unknown key '%.*s' in a step; expected field, as, patterns or columns", QUOTE(key));
}

static void read_steps(struct loader *l, const yaml_node_t *n)
{
    if (n->type != YAML_SEQUENCE_NODE) {
        complain(l, n, "steps must be a list");
        return;
    }
    for (const yaml_node_item_t *i = n->data.sequence.items.start; !l->failed && i < n->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(&l->m->doc, *i);
        struct mapping_step step = {.form = FORM_COUNT};

        each_entry(l, item, "a step", step_entry, &step);
        if (!l->failed && (step.form == FORM_COUNT || step.field.len == 0))
            complain(l, item, "a step needs field and as");
        if (l->m->step_count > MAPPING_STEPS_MAX)
            complain(l, item, "more than %d steps", MAPPING_STEPS_MAX);
        if (l->failed)
            return;
        l->m->step[l->m->step_count++] = step;
        check_step(l, item, &step);
    }
}

static void time_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping *m = ctx;

    if (slice_equal_str(key, "field")) {
        read_choices(l, value, "field", &m->time_field);
    } else if (slice_equal_str(key, "form")) {
        unsigned clock = find_word(need_text(l, value, "form"), CLOCK, CLOCK_COUNT);
        if (clock == CLOCK_COUNT)
            complain(l, value, "'%.*s' is no form of time; known are rfc3339, s, ms, us and clf",
                     QUOTE(text_of(value)));
        m->clock = (uint8_t)clock;
    } else {
        complain(l, at, "unknown key '%.*s' in time; expected field or form", QUOTE(key));
    }
}

static bool need_bool(struct loader *l, const yaml_node_t *n, const char *what)
{
    bool yes = slice_equal_str(text_of(n), "true");

    if (!yes && !slice_equal_str(text_of(n), "false"))
        complain(l, n, "%s must be true or false", what);
    return yes;
}

static void map_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    (void)key;
    (void)at;
    (void)ctx;
    (void)need_text(l, value, "a value of map");
}

static void value_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping_value *v = ctx;

    if (slice_equal_str(key, "field")) {
        read_choices(l, value, "field", &v->field);
    } else if (slice_equal_str(key, "text")) {
        v->text = need_text(l, value, "text");
    } else if (slice_equal_str(key, "map")) {
        each_entry(l, value, "map", map_entry, NULL);
        v->map = value;
    } else if (slice_equal_str(key, "other")) {
        v->has_other = true;
        v->other = need_text(l, value, "other");
    } else if (slice_equal_str(key, "digest")) {
        v->digest = need_bool(l, value, "digest");
    } else if (slice_equal_str(key, "days")) {
        v->days = true;
        read_choices(l, value, "days", &v->field);
    } else {
        complain(l, at, "unknown key '%.*s' in a value; expected field, text, map, other, digest or days", QUOTE(key));
    }
}

/* `{field: x}` or, for short, the name of the field or a list of names. */
static void read_value(struct loader *l, const yaml_node_t *n, struct mapping_value *ret)
{
    ret->set = true;
    if (n->type != YAML_MAPPING_NODE) {
        read_choices(l, n, "a value", &ret->field);
        return;
    }
    each_entry(l, n, "a value", value_entry, ret);
    if (l->failed)
        return;
    if ((ret->field.count > 0) == (ret->text.len > 0))
        complain(l, n, "a value needs either field (or days) or text");
    else if (ret->days && ret->field.count != 2)
        complain(l, n, "days needs two fields, [from, to]");
    else if (ret->has_other && ret->map == NULL)
        complain(l, n, "other goes with map");
}

static void when_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping_case *c = ctx;

    if (c->when_count == MAPPING_WHEN_MAX) {
        complain(l, at, "more than %d conditions", MAPPING_WHEN_MAX);
        return;
    }
    c->when_field[c->when_count] = key;
    read_choices(l, value, "a condition", &c->when[c->when_count++]);
}

static const struct ev_type_info *find_type(struct slice name)
{
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        if (slice_equal_str(name, ev_type_at(i)->name))
            return ev_type_at(i);
    return NULL;
}

static int find_field(const struct ev_type_info *type, struct slice name)
{
    for (unsigned i = 0; i < type->field_count; i++)
        if (slice_equal_str(name, ev_field_find(type->field[i])->name))
            return type->field[i];
    return -1;
}

static void field_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping_case *c = ctx;
    int id = find_field(c->type, key);

    if (id < 0 || c->value_count == EV_FIELDS_MAX) {
        complain(l, at, "%s has no field '%.*s'; see docs/reference/events.md", c->type->name, QUOTE(key));
        return;
    }
    c->field[c->value_count] = (uint8_t)id;
    read_value(l, value, &c->value[c->value_count++]);
}

struct case_nodes {
    struct mapping_case *c;
    const yaml_node_t *fields;
};

static void case_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct case_nodes *n = ctx;

    if (slice_equal_str(key, "when")) {
        each_entry(l, value, "when", when_entry, n->c);
    } else if (slice_equal_str(key, "ignore")) {
        n->c->ignore = need_bool(l, value, "ignore");
    } else if (slice_equal_str(key, "type")) {
        n->c->type = find_type(need_text(l, value, "type"));
        if (n->c->type == NULL)
            complain(l, value, "'%.*s' is no event type; see docs/reference/events.md", QUOTE(text_of(value)));
    } else if (slice_equal_str(key, "vin")) {
        read_value(l, value, &n->c->vin);
    } else if (slice_equal_str(key, "fields")) {
        n->fields = value;
    } else {
        complain(l, at, "unknown key '%.*s' in an event; expected when, ignore, type, vin or fields", QUOTE(key));
    }
}

/* A required field of the type that no value gives would make every line a dead letter. */
static void check_required(struct loader *l, const yaml_node_t *at, const struct mapping_case *c)
{
    for (unsigned i = 0; !l->failed && i < c->type->field_count; i++) {
        bool given = (c->type->required >> i & 1) == 0;
        for (unsigned k = 0; k < c->value_count; k++)
            given |= c->field[k] == c->type->field[i];
        if (!given)
            complain(l, at, "%s must have the field %s", c->type->name, ev_field_find(c->type->field[i])->name);
    }
}

static void read_case(struct loader *l, const yaml_node_t *n, struct mapping_case *c)
{
    struct case_nodes nodes = {.c = c};

    each_entry(l, n, "an event", case_entry, &nodes);
    if (l->failed)
        return;
    if (c->ignore == (c->type != NULL)) {
        complain(l, n, "an event needs either type or ignore: true");
        return;
    }
    if (nodes.fields != NULL && c->type != NULL)
        each_entry(l, nodes.fields, "fields", field_entry, c);
    if (c->type != NULL)
        check_required(l, n, c);
}

static void read_cases(struct loader *l, const yaml_node_t *n)
{
    if (n->type != YAML_SEQUENCE_NODE || n->data.sequence.items.start == n->data.sequence.items.top) {
        complain(l, n, "events must be a list of at least one");
        return;
    }
    l->m->cases = calloc(MAPPING_CASES_MAX, sizeof *l->m->cases);
    if (l->m->cases == NULL) {
        complain(l, NULL, "out of memory");
        return;
    }
    for (const yaml_node_item_t *i = n->data.sequence.items.start; !l->failed && i < n->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(&l->m->doc, *i);
        if (l->m->case_count == MAPPING_CASES_MAX)
            complain(l, item, "more than %d events", MAPPING_CASES_MAX);
        else
            read_case(l, item, &l->m->cases[l->m->case_count++]);
    }
}

static void top_entry(struct loader *l, struct slice key, const yaml_node_t *at, const yaml_node_t *value, void *ctx)
{
    struct mapping *m = l->m;

    (void)ctx;
    if (slice_equal_str(key, "mapping"))
        m->name = need_text(l, value, "mapping");
    else if (slice_equal_str(key, "about"))
        (void)need_text(l, value, "about");
    else if (slice_equal_str(key, "format"))
        read_form(l, value, &m->step[0]);
    else if (slice_equal_str(key, "patterns") || slice_equal_str(key, "columns"))
        read_choices(l, value, "patterns", &m->step[0].pattern);
    else if (slice_equal_str(key, "time"))
        each_entry(l, value, "time", time_entry, m);
    else if (slice_equal_str(key, "steps"))
        read_steps(l, value);
    else if (slice_equal_str(key, "events"))
        read_cases(l, value);
    else
        complain(l, at, "unknown key '%.*s'; expected mapping, about, format, patterns, columns, time, steps or events",
                 QUOTE(key));
}

static void read_top(struct loader *l, const yaml_node_t *root)
{
    struct mapping *m = l->m;

    m->step[0].form = FORM_COUNT;
    m->step_count = 1;
    each_entry(l, root, "a mapping file", top_entry, NULL);
    if (l->failed)
        return;
    if (m->name.len == 0 || m->step[0].form == FORM_COUNT || m->time_field.count == 0 || m->case_count == 0)
        complain(l, root, "a mapping needs mapping (its name), format, time and events");
    else
        check_step(l, root, &m->step[0]);
}

static void load(struct loader *l, yaml_parser_t *parser)
{
    if (!yaml_parser_load(parser, &l->m->doc)) {
        l->failed = true;
        l->error->line = (unsigned)parser->problem_mark.line + 1;
        snprintf(l->error->text, sizeof l->error->text, "no YAML: %s", parser->problem != NULL ? parser->problem : "");
        memset(&l->m->doc, 0, sizeof l->m->doc);
        return;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&l->m->doc);
    if (root == NULL)
        complain(l, NULL, "the file is empty");
    else
        read_top(l, root);
}

enum vs_err mapping_new(struct slice text, struct mapping **ret, struct mapping_error *ret_error)
{
    struct loader l = {.error = ret_error};
    yaml_parser_t parser;

    if (text.len > MAPPING_FILE_MAX) {
        complain(&l, NULL, "a mapping file has at most %u bytes", MAPPING_FILE_MAX);
        return VS_ERR_CONFIG;
    }
    l.m = calloc(1, sizeof *l.m);
    if (l.m == NULL || !yaml_parser_initialize(&parser)) {
        free(l.m);
        return VS_ERR_NO_MEMORY;
    }
    yaml_parser_set_input_string(&parser, text.len > 0 ? text.ptr : (const unsigned char *)"", text.len);
    load(&l, &parser);
    yaml_parser_delete(&parser);
    if (l.failed) {
        mapping_free(l.m);
        return VS_ERR_CONFIG;
    }
    *ret = l.m;
    return VS_OK;
}

void mapping_free(struct mapping *m)
{
    if (m == NULL)
        return;
    yaml_document_delete(&m->doc);
    free(m->cases);
    free(m);
}

struct slice mapping_name(const struct mapping *m)
{
    return m->name;
}
