#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/sigma/plan.h"

#include "base/jsonl/json_lines.h"
#include "detect/sigma/rule_condition.h"
#include "detect/sigma/rule_context.h"
#include "detect/sigma/rule_value.h"

#include <dirent.h>
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_DEPTH_MAX 16

struct loader {
    struct plan *plan;
    struct diag *diag;
    struct correlation_text *text; /* by rule */
    uint32_t text_room;
    struct intern labels; /* names and ids */
    uint32_t *owner;      /* by label: rule number */
    uint32_t owner_room;
    bool io_failed;
    unsigned depth;
};

void plan_init(struct plan *p)
{
    memset(p, 0, sizeof *p);
    arena_init(&p->arena);
    fields_init(&p->fields);
}

void plan_done(struct plan *p)
{
    for (struct regex_list *r = p->regexes; r != NULL; r = r->next)
        pcre2_code_free(r->regex);
    dispatch_free(p->dispatch);
    interest_free(p->interest);
    fields_done(&p->fields);
    arena_done(&p->arena);
    free(p->rule);
    free(p->corr);
    free(p->base);
    memset(p, 0, sizeof *p);
}

static void rule_error(struct loader *l, struct rule *r, const struct yaml_node *at, const char *reason,
                       struct slice what)
{
    diag_add(l->diag, DIAG_ERROR, r->path, at != NULL ? at->line : r->line, at != NULL ? at->column : r->column,
             "%s: '%.*s'", reason, (int)what.len, (const char *)what.ptr);
    r->broken = true;
}

/* Enters a name or id. Two rules with one label would make references and alerts ambiguous. */
static void enter_label(struct loader *l, struct rule *r, struct slice label)
{
    if (label.len == 0)
        return;
    uint32_t known = intern_find(&l->labels, label);
    if (known != INTERN_NONE) {
        if (l->owner[known] != r->number)
            rule_error(l, r, NULL, "another rule has this name or id already", label);
        return;
    }
    known = intern_add(&l->labels, label);
    if (known >= l->owner_room) {
        l->owner_room = l->owner_room > 0 ? l->owner_room * 2 : 64;
        l->owner = mem_grow(l->owner, l->owner_room, sizeof *l->owner);
    }
    l->owner[known] = r->number;
}

static void add_rule(struct loader *l, const char *path, const struct yaml_node *doc)
{
    struct plan *p = l->plan;
    struct rule_source src = {&p->arena, &p->fields, l->diag, path, &p->regexes};

    if (p->rule_count == PLAN_RULES_MAX) {
        diag_add(l->diag, DIAG_ERROR, path, doc->line, doc->column, "more than %d rules", PLAN_RULES_MAX);
        return;
    }
    if ((p->rule_count & (p->rule_count - 1)) == 0) {
        size_t room = p->rule_count > 0 ? 2 * (size_t)p->rule_count : 1;
        p->rule = mem_grow(p->rule, room, sizeof(*p->rule));
        l->text = mem_grow(l->text, room, sizeof *l->text);
    }
    struct rule *r = arena_alloc(&p->arena, sizeof *r);
    r->number = p->rule_count;
    memset(&l->text[r->number], 0, sizeof *l->text);
    p->rule[p->rule_count++] = r;
    rule_load(&src, doc, r, &l->text[r->number]);
    enter_label(l, r, r->name);
    enter_label(l, r, r->id);
    if (r->name.len == 0 && r->id.len == 0)
        enter_label(l, r, r->title);
}

static void load_text(struct loader *l, const char *path, struct slice text)
{
    struct yaml_node *docs;

    path = arena_str(&l->plan->arena, path);
    l->plan->file_count++;
    if (!yaml_read(&l->plan->arena, l->diag, path, text, &docs))
        return;
    if (docs->child == NULL)
        diag_add(l->diag, DIAG_WARNING, path, 1, 1, "file holds no rule");
    for (const struct yaml_node *doc = docs->child; doc != NULL; doc = doc->next)
        add_rule(l, path, yaml_deref(doc));
}

static void path_failed(struct loader *l, const char *path)
{
    diag_add(l->diag, DIAG_ERROR, path, 0, 0, "cannot read: %s", strerror(errno));
    l->io_failed = true;
}

static void load_file(struct loader *l, const char *path)
{
    struct text_file f = {0};

    if (l->plan->file_count == PLAN_FILES_MAX) {
        diag_add(l->diag, DIAG_ERROR, path, 0, 0, "more than %d files", PLAN_FILES_MAX);
        return;
    }
    if (text_file_open(path, &f) != VS_OK) {
        path_failed(l, path);
        return;
    }
    load_text(l, path, f.bytes);
    text_file_close(&f);
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

static void load_path(struct loader *l, const char *path);

/* Names are read in byte order, so that a plan does not depend on the file system. */
static void load_directory(struct loader *l, const char *path)
{
    struct dirent **entry;
    int count = scandir(path, &entry, NULL, alphasort);

    if (count < 0) {
        path_failed(l, path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char full[4096];
        const char *name = entry[i]->d_name;
        struct stat st;
        bool fits = snprintf(full, sizeof full, "%s/%s", path, name) < (int)sizeof full;
        if (name[0] != '.' && fits && stat(full, &st) == 0) {
            bool rule = (ends_with(name, ".yml") || ends_with(name, ".yaml")) && !ends_with(name, ".test.yml");
            if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && rule))
                load_path(l, full);
        }
        free(entry[i]);
    }
    free(entry);
}

static void load_path(struct loader *l, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        path_failed(l, path);
    } else if (!S_ISDIR(st.st_mode)) {
        load_file(l, path);
    } else if (l->depth < PATH_DEPTH_MAX) {
        l->depth++;
        load_directory(l, path);
        l->depth--;
    }
}

static struct rule *find(struct loader *l, struct slice label)
{
    uint32_t n = intern_find(&l->labels, label);

    return n != INTERN_NONE ? l->plan->rule[l->owner[n]] : NULL;
}

/* The event's field that stands for a group-by name in the events of one referred rule. */
static struct slice alias_of(const struct correlation_text *t, struct slice name, const struct rule *ref)
{
    for (const struct yaml_node *a = t->aliases != NULL ? t->aliases->child : NULL; a != NULL; a = a->next) {
        const struct yaml_node *map = yaml_deref(a);
        if (!slice_equal(a->key->text, name) || map->kind != YAML_MAP)
            continue;
        for (const struct yaml_node *m = map->child; m != NULL; m = m->next)
            if (slice_equal(m->key->text, ref->name) || slice_equal(m->key->text, ref->id))
                return yaml_deref(m)->text;
    }
    return name;
}

static void resolve_groups(struct loader *l, struct rule *r, const struct correlation_text *t)
{
    struct correlation *c = r->corr;
    struct fields *f = &l->plan->fields;

    for (uint8_t i = 0; i < c->ref_count; i++) {
        for (uint8_t g = 0; g < c->group_count; g++) {
            struct slice name = alias_of(t, c->group_name[g], l->plan->rule[c->ref[i]]);
            uint32_t id = fields_add(f, name);
            if (id == FIELD_NONE)
                rule_error(l, r, NULL, "rules use too many field names", name);
            c->group_field[i][g] = id != FIELD_NONE ? id : 0;
            f->signature_used |= id == FIELD_SIGNATURE;
            f->priority_used |= id == FIELD_PRIORITY;
        }
    }
}

static void resolve_refs(struct loader *l, struct rule *r)
{
    const struct correlation_text *t = &l->text[r->number];
    struct correlation *c = r->corr;
    bool repeats = c->type == CORR_TEMPORAL_ORDERED;

    for (uint8_t i = 0; i < t->ref_count; i++) {
        struct rule *ref = find(l, t->ref[i].text);
        bool known = false;
        if (ref == NULL || ref->is_filter) {
            rule_error(l, r, t->ref[i].at, "no loaded rule has this name or id", t->ref[i].text);
            continue;
        }
        for (uint8_t k = 0; k < c->ref_count && !repeats; k++)
            known |= c->ref[k] == ref->number;
        if (!known)
            c->ref[c->ref_count++] = ref->number;
    }
    if (c->bound_count == 0) { /* temporal: every one of them */
        c->bound[0].op = BOUND_GTE;
        c->bound[0].value = (nano)c->ref_count * NANO_ONE;
        c->bound_count = 1;
    }
    if (!r->broken)
        resolve_groups(l, r, t);
}

/* Filters narrow the rules they name: the rule matches when its own condition and the filter's both hold. */
static void apply_filter(struct loader *l, struct rule *filter)
{
    for (uint32_t i = 0; i < l->plan->rule_count; i++) {
        struct rule *r = l->plan->rule[i];
        bool named = false;
        for (uint8_t k = 0; k < filter->filter_ref_count; k++)
            named |= slice_equal_str(filter->filter_ref[k], "any") || slice_equal(filter->filter_ref[k], r->name) ||
                     slice_equal(filter->filter_ref[k], r->id);
        bool source = (filter->product.len == 0 || slice_equal(filter->product, r->product)) &&
                      (filter->category.len == 0 || slice_equal(filter->category, r->category)) &&
                      (filter->service.len == 0 || slice_equal(filter->service, r->service));
        if (!named || !source || r->is_filter || r->is_correlation || r->expr == NULL)
            continue;
        struct expr *both = expr_new(&l->plan->arena, EXPR_AND);
        expr_add(&l->plan->arena, both, r->expr);
        expr_add(&l->plan->arena, both, filter->expr);
        r->expr = both;
    }
}

/* Each match of a plain rule counts as an event_count of one per vehicle, so that a storm is one alert that grows. */
static void give_episode(struct plan *p, struct rule *r)
{
    struct correlation *c = arena_alloc(&p->arena, sizeof *c);

    c->type = CORR_EVENT_COUNT;
    c->ref_count = 1;
    c->ref[0] = r->number;
    c->group_count = 1;
    c->group_name[0] = slice_str("vin");
    c->group_field[0][0] = FIELD_VIN;
    c->bound_count = 1;
    c->bound[0].op = BOUND_GTE;
    c->bound[0].value = NANO_ONE;
    c->span_us = r->context.episode_us >= 0 ? r->context.episode_us : EPISODE_US_DEFAULT;
    r->corr = c;
}

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* Depth first: a correlation enters the list after the rules it refers to. The chain length is bounded by
 * EXPR_DEPTH_MAX, and with it this recursion. */
static void order(struct loader *l, struct rule *r, uint8_t *mark, unsigned depth)
{
    struct plan *p = l->plan;

    mark[r->number] = MARK_OPEN;
    for (uint8_t i = 0; r->is_correlation && i < r->corr->ref_count && !r->broken; i++) {
        struct rule *ref = p->rule[r->corr->ref[i]];
        if (mark[ref->number] == MARK_OPEN || depth == EXPR_DEPTH_MAX)
            rule_error(l, r, NULL, "correlations refer to each other in a circle, or in too long a chain", ref->label);
        else if (mark[ref->number] == MARK_NEW)
            order(l, ref, mark, depth + 1);
        if (ref->broken && !r->broken)
            rule_error(l, r, NULL, "refers to a rule that has errors", ref->label);
    }
    mark[r->number] = MARK_DONE;
    if (!r->broken && r->corr != NULL)
        p->corr[p->corr_count++] = r->number;
}

static bool is_product(const struct loader *l, const struct rule *r)
{
    return l->plan->strict || strncmp(r->path, "content/", 8) == 0 || strstr(r->path, "/content/") != NULL;
}

static void link_rules(struct loader *l)
{
    struct plan *p = l->plan;
    bool *referred = mem_zalloc(p->rule_count, sizeof *referred);
    uint8_t *mark = mem_zalloc(p->rule_count, sizeof *mark);

    p->corr = mem_zalloc(p->rule_count, sizeof *p->corr);
    p->base = mem_zalloc(p->rule_count, sizeof *p->base);
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct rule *r = p->rule[i];
        if (r->is_correlation && r->corr != NULL)
            resolve_refs(l, r);
        for (uint8_t k = 0; r->is_correlation && r->corr != NULL && !r->corr->generate && k < r->corr->ref_count; k++)
            referred[r->corr->ref[k]] = true;
        if (r->is_filter && !r->broken)
            apply_filter(l, r);
    }
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct rule *r = p->rule[i];
        struct rule_source src = {&p->arena, &p->fields, l->diag, r->path, &p->regexes};
        r->alerts = !r->broken && !r->is_filter && !referred[i];
        if (r->alerts && !r->is_correlation)
            give_episode(p, r);
        if (r->alerts && is_product(l, r))
            rule_context_require(&src, r);
    }
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct rule *r = p->rule[i];
        if (!r->is_filter && mark[i] == MARK_NEW)
            order(l, r, mark, 0);
        if (!r->broken && !r->is_filter && !r->is_correlation)
            p->base[p->base_count++] = i;
        r->alerts &= !r->broken;
    }
    free(referred);
    free(mark);
}

static enum vs_err finish(struct loader *l)
{
    link_rules(l);
    intern_done(&l->labels);
    free(l->owner);
    free(l->text);
    l->plan->dispatch = dispatch_new(l->plan);
    l->plan->interest = interest_new(l->plan);
    if (l->io_failed)
        return VS_ERR_IO;
    return l->diag->error_count > 0 ? VS_ERR_CONFIG : VS_OK;
}

enum vs_err plan_load(struct plan *p, const char *const *path, unsigned path_count, struct diag *d)
{
    struct loader l = {.plan = p, .diag = d};

    intern_init(&l.labels, 0);
    for (unsigned i = 0; i < path_count; i++)
        load_path(&l, path[i]);
    return finish(&l);
}

enum vs_err plan_load_text(struct plan *p, const char *path, struct slice text, struct diag *d)
{
    struct loader l = {.plan = p, .diag = d};

    intern_init(&l.labels, 0);
    load_text(&l, path, text);
    return finish(&l);
}

const struct rule *plan_find(const struct plan *p, struct slice label)
{
    for (uint32_t i = 0; i < p->rule_count; i++) {
        const struct rule *r = p->rule[i];
        if (label.len > 0 && (slice_equal(label, r->name) || slice_equal(label, r->id) || slice_equal(label, r->label)))
            return r;
    }
    return NULL;
}
