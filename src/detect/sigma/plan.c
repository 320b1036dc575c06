#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/sigma/plan.h"

#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/sigma/plan_files.h"
#include "detect/sigma/plan_loader.h"
#include "detect/sigma/rule_collection.h"
#include "detect/sigma/rule_text.h"

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

void plan_rule_error(struct loader *l, struct rule *r, const struct yaml_node *at, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(l->diag, DIAG_ERROR, r->path, at != NULL ? at->line : r->line, at != NULL ? at->column : r->column, "%s",
             text);
    r->broken = true;
}

struct rule_source plan_source(struct loader *l, struct rule *r)
{
    struct plan *p = l->plan;
    struct rule_source src = {&p->arena, &p->fields, l->diag, r->path, &p->regexes, &p->pipeline, r};

    return src;
}

/* Enters a name or id. Two rules with one label would make references and alerts ambiguous. */
static void enter_label(struct loader *l, struct rule *r, const char *key, struct slice label)
{
    if (label.len == 0)
        return;
    uint32_t known = intern_find(&l->labels, label);
    if (known != INTERN_NONE) {
        const struct rule *other = l->plan->rule[l->owner[known]];
        if (other != r)
            plan_rule_error(l, r, yaml_get(r->doc, key),
                            "another rule has this name or id already (%s:%u), and rules must be told apart: '%.*s'",
                            other->path, other->line, (int)label.len, (const char *)label.ptr);
        return;
    }
    known = intern_add(&l->labels, label);
    if (known >= l->owner_room) {
        l->owner_room = l->owner_room > 0 ? l->owner_room * 2 : 64;
        l->owner = mem_grow(l->owner, l->owner_room, sizeof *l->owner);
    }
    l->owner[known] = r->number;
}

struct rule *plan_new_rule(struct loader *l, const char *path, const struct yaml_node *doc)
{
    struct plan *p = l->plan;

    if (p->rule_count == PLAN_RULES_MAX) {
        diag_add(l->diag, DIAG_ERROR, path, doc->line, doc->column, "more than %d rules", PLAN_RULES_MAX);
        return NULL;
    }
    if (p->rule_count == l->rule_room) {
        l->rule_room = l->rule_room > 0 ? 2 * l->rule_room : 64;
        p->rule = mem_grow(p->rule, l->rule_room, sizeof(*p->rule));
        l->text = mem_grow(l->text, l->rule_room, sizeof *l->text);
    }
    struct rule *r = arena_alloc(&p->arena, sizeof *r);
    r->number = p->rule_count;
    r->path = path;
    r->doc = doc;
    memset(&l->text[r->number], 0, sizeof *l->text);
    p->rule[p->rule_count++] = r;
    return r;
}

/* Aliases can make a small file a huge rule; what is too long to be written down is not loaded. */
static bool fits(struct loader *l, const struct plan_document *d)
{
    char *text = mem_alloc(RULE_TEXT_MAX, 1);
    struct writer w;

    writer_init(&w, text, RULE_TEXT_MAX);
    rule_text_write(d->doc, &w);
    free(text);
    if (w.full)
        diag_add(l->diag, DIAG_ERROR, d->path, d->doc->line, d->doc->column,
                 "rule is longer than %zu bytes when its aliases are written out", RULE_TEXT_MAX);
    return !w.full;
}

static void add_rule(struct loader *l, const struct plan_document *d)
{
    struct rule *r = fits(l, d) ? plan_new_rule(l, d->path, d->doc) : NULL;

    if (r == NULL)
        return;
    struct rule_source src = plan_source(l, r);
    rule_load(&src, d->doc, r, &l->text[r->number]);
    enter_label(l, r, "name", r->name);
    enter_label(l, r, "id", r->id);
    if (r->name.len == 0 && r->id.len == 0)
        enter_label(l, r, "title", r->title);
}

static void keep_document(struct loader *l, const char *path, const struct yaml_node *doc)
{
    if (l->document_count == l->document_room) {
        l->document_room = l->document_room > 0 ? 2 * l->document_room : 64;
        l->document = mem_grow(l->document, l->document_room, sizeof *l->document);
    }
    l->document[l->document_count].path = path;
    l->document[l->document_count++].doc = doc;
}

/* Rules wait until all files are read, because pipelines of later files say what they mean. */
static void take_text(void *ctx, const char *path, struct slice text)
{
    struct loader *l = ctx;
    struct plan *p = l->plan;
    struct yaml_node *docs;

    if (p->file_count == PLAN_FILES_MAX) {
        diag_add(l->diag, DIAG_ERROR, path, 0, 0, "more than %d files", PLAN_FILES_MAX);
        return;
    }
    path = arena_str(&p->arena, path);
    p->file_count++;
    if (!yaml_read(&p->arena, l->diag, path, text, &docs))
        return;
    if (docs->child == NULL)
        diag_add(l->diag, DIAG_WARNING, path, 1, 1, "file holds no rule");
    struct rule_collection c = {.arena = &p->arena, .diag = l->diag, .path = path};
    for (const struct yaml_node *n = docs->child; n != NULL; n = n->next) {
        const struct yaml_node *doc = yaml_deref(n);
        if (l->bare || pipeline_is(doc)) {
            pipeline_add(&p->pipeline, &p->arena, l->diag, path, doc, l->bare);
            continue;
        }
        doc = rule_collection_next(&c, doc);
        if (doc != NULL)
            keep_document(l, path, doc);
    }
}

static enum vs_err finish(struct loader *l)
{
    for (uint32_t i = 0; i < l->document_count; i++)
        add_rule(l, &l->document[i]);
    plan_link(l);
    rule_text_identify(l->plan);
    intern_done(&l->labels);
    free(l->owner);
    free(l->text);
    free(l->document);
    l->plan->dispatch = dispatch_new(l->plan, l->plan->base, l->plan->base_count);
    l->plan->interest = interest_new(l->plan);
    if (l->io_failed)
        return VS_ERR_IO;
    return l->diag->error_count > 0 ? VS_ERR_CONFIG : VS_OK;
}

static void take_placeholders(struct loader *l)
{
    l->bare = true;
    for (unsigned i = 0; i < l->plan->placeholder_path_count; i++)
        l->io_failed |= !plan_files_walk(l->plan->placeholder_path[i], l->diag, take_text, l);
    l->bare = false;
}

enum vs_err plan_load(struct plan *p, const char *const *path, unsigned path_count, struct diag *d)
{
    struct loader l = {.plan = p, .diag = d};

    intern_init(&l.labels, 0);
    take_placeholders(&l);
    for (unsigned i = 0; i < path_count; i++)
        l.io_failed |= !plan_files_walk(path[i], d, take_text, &l);
    return finish(&l);
}

enum vs_err plan_load_text(struct plan *p, const char *path, struct slice text, struct diag *d)
{
    struct loader l = {.plan = p, .diag = d};

    intern_init(&l.labels, 0);
    take_placeholders(&l);
    take_text(&l, path, text);
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
