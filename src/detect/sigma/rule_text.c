#include "detect/sigma/rule_text.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "core/utf8.h"
#include "detect/sigma/pipeline.h"
#include "detect/sigma/plan.h"

static void newline(struct writer *w, unsigned depth)
{
    writer_u8(w, '\n');
    for (unsigned i = 0; i < depth; i++)
        writer_text(w, "  ");
}

/* Words of YAML 1.1 that a reader may take for truth values; as texts they need quotes like any other. A plain scalar
 * stays as it was typed when it is null, true, false or a number, since 0x10 and 16 are different texts. */
static bool stays_plain(const struct yaml_node *n)
{
    int64_t i;
    double d;
    bool b;

    return n->text.len > 0 &&
           (yaml_is_null(n) || yaml_read_bool(n, &b) || yaml_read_i64(n, &i) || yaml_read_double(n, &d));
}

/* Characters that YAML folds, forbids or takes for a mark when they stand as themselves, though JSON allows them. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE ||
           c == 0xFFFF;
}

void rule_text_string(struct slice s, struct writer *w)
{
    writer_u8(w, '"');
    while (s.len > 0 && !w->full) {
        size_t n = utf8_length(s);
        uint32_t c = s.ptr[0];
        if (n == 2)
            c = (c & 0x1Fu) << 6 | (s.ptr[1] & 0x3Fu);
        else if (n == 3)
            c = (c & 0x0Fu) << 12 | (s.ptr[1] & 0x3Fu) << 6 | (s.ptr[2] & 0x3Fu);
        if (n == 0)
            n = 1;
        if (needs_escape(c) || c == '"' || c == '\\') {
            const uint8_t code[2] = {(uint8_t)(c >> 8), (uint8_t)c};
            writer_text(w, c == '"' ? "\\\"" : c == '\\' ? "\\\\" : "\\u");
            if (needs_escape(c))
                writer_hex(w, slice_make(code, sizeof code), false);
        } else {
            writer_bytes(w, s.ptr, n);
        }
        s = slice_from(s, n);
    }
    writer_u8(w, '"');
}

static void put_scalar(const struct yaml_node *n, struct writer *w)
{
    if (!n->quoted && n->text.len == 0)
        writer_text(w, "null");
    else if (!n->quoted && stays_plain(n))
        writer_put(w, n->text);
    else
        rule_text_string(n->text, w);
}

/* The entry with the next larger key, so that keys come out in order without sorting the tree. Maps of rules are small;
 * a map of n keys costs n * n comparisons. */
static const struct yaml_node *next_entry(const struct yaml_node *map, const struct yaml_node *after)
{
    const struct yaml_node *best = NULL;

    for (const struct yaml_node *n = map->child; n != NULL; n = n->next) {
        if (after != NULL && slice_compare(n->key->text, after->key->text) <= 0)
            continue;
        if (best == NULL || slice_compare(n->key->text, best->key->text) < 0)
            best = n;
    }
    return best;
}

/* The depth limit of yaml_read bounds the recursion; a full writer ends it early. */
static void put_node(const struct yaml_node *n, struct writer *w, unsigned depth)
{
    bool map = n->kind == YAML_MAP;
    bool first = true;

    if (n->kind == YAML_SCALAR) {
        put_scalar(n, w);
        return;
    }
    writer_u8(w, map ? '{' : '[');
    for (const struct yaml_node *c = map ? next_entry(n, NULL) : n->child; c != NULL && !w->full;
         c = map ? next_entry(n, c) : c->next) {
        if (!first)
            writer_u8(w, ',');
        first = false;
        newline(w, depth + 1);
        if (map) {
            rule_text_string(c->key->text, w);
            writer_text(w, ": ");
        }
        put_node(yaml_deref(c), w, depth + 1);
    }
    if (!first)
        newline(w, depth);
    writer_u8(w, map ? '}' : ']');
}

void rule_text_write(const struct yaml_node *doc, struct writer *w)
{
    put_node(doc, w, 0);
    writer_u8(w, '\n');
}

void rule_text_write_meaning(const struct yaml_node *doc, struct writer *w)
{
    static const char *const KEY[] = {"name", "id", "taxonomy", "logsource", "detection", "correlation", "filter"};
    static const char *const CONTEXT[] = {"scope", "episode"};
    const struct yaml_node *context = yaml_get(doc, "vsoc");

    for (size_t i = 0; i < sizeof KEY / sizeof KEY[0]; i++) {
        const struct yaml_node *n = yaml_get(doc, KEY[i]);
        if (n == NULL)
            continue;
        writer_text(w, KEY[i]);
        put_node(n, w, 0);
    }
    /* A rule without name and id is known by its title. */
    if (yaml_get(doc, "name") == NULL && yaml_get(doc, "id") == NULL && yaml_get(doc, "title") != NULL)
        put_node(yaml_get(doc, "title"), w, 0);
    for (size_t i = 0; context != NULL && i < sizeof CONTEXT / sizeof CONTEXT[0]; i++) {
        const struct yaml_node *n = yaml_get(context, CONTEXT[i]);
        if (n == NULL)
            continue;
        writer_text(w, CONTEXT[i]);
        put_node(n, w, 0);
    }
}

/* The documents behind one rule: itself, then what it refers to, depth first, each once; then the filters that apply to
 * any of them, in the order of their texts' places in the plan. */
struct closure {
    const struct plan *plan;
    uint8_t *seen; /* by rule */
    uint32_t *member;
    uint32_t count;
};

/* Correlations refer downwards only (broken ones were taken out), and their depth is bounded by EXPR_DEPTH_MAX. A
 * shadow has the document of the rule that it narrows. */
static void enter(struct closure *c, const struct rule *r)
{
    for (uint32_t i = 0; r->is_shadow && i < c->count; i++)
        if (c->plan->rule[c->member[i]]->doc == r->doc)
            return;
    if (c->seen[r->number])
        return;
    c->seen[r->number] = 1;
    c->member[c->count++] = r->number;
    for (uint8_t i = 0; r->is_correlation && i < r->corr->ref_count; i++)
        enter(c, c->plan->rule[r->corr->ref[i]]);
}

static void enter_filters(struct closure *c)
{
    uint32_t rules = c->count;

    for (uint32_t i = 0; i < rules; i++) {
        const struct rule *r = c->plan->rule[c->member[i]];
        for (const struct filter_use *f = r->filters; f != NULL; f = f->next)
            enter(c, f->filter);
    }
}

static void leave(struct closure *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        c->seen[c->member[i]] = 0;
    c->count = 0;
}

static void gather(struct closure *c, const struct rule *r)
{
    enter(c, r);
    enter_filters(c);
}

static void closure_init(struct closure *c, const struct plan *p)
{
    c->plan = p;
    c->seen = mem_zalloc(p->rule_count + 1, sizeof *c->seen);
    c->member = mem_zalloc(p->rule_count + 1, sizeof *c->member);
    c->count = 0;
}

static void closure_done(struct closure *c)
{
    free(c->seen);
    free(c->member);
}

/* SHA-256 over the hashes of the members' texts would be shorter, but then the stored text could not be checked by
 * hashing it. */
static size_t write_documents(const struct closure *c, bool meaning, char **text, size_t *room)
{
    struct writer w;

    for (;;) {
        writer_init(&w, *text, *room);
        for (uint32_t i = 0; i < c->count && !w.full; i++) {
            const struct yaml_node *doc = c->plan->rule[c->member[i]]->doc;
            if (i > 0)
                writer_text(&w, "---\n");
            if (meaning)
                rule_text_write_meaning(doc, &w);
            else
                rule_text_write(doc, &w);
        }
        for (uint32_t i = 0; i < c->count && !w.full; i++)
            pipeline_write_used(&c->plan->pipeline, c->plan->rule[c->member[i]], &w);
        if (!w.full)
            return w.len;
        *room = *room * 2 + 4096;
        *text = mem_grow(*text, *room, 1);
    }
}

/* Scopes are part of documents that fit. */
static struct slice scope_text(const struct rule *r, char **text, size_t *room)
{
    struct writer w;

    if (*text == NULL)
        *text = mem_alloc(*room = RULE_TEXT_MAX, 1);
    writer_init(&w, *text, *room);
    rule_text_write(yaml_get(yaml_get(r->doc, "vsoc"), "scope"), &w);
    return writer_slice(&w);
}

void rule_text_identify(struct plan *p)
{
    struct closure c;
    char *text = NULL;
    char *scope = NULL;
    size_t room = 0;
    size_t scope_room = 0;

    closure_init(&c, p);
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct rule *r = p->rule[i];
        uint8_t own[RULE_HASH_SIZE] = {0};
        if (r->broken || (r->is_correlation && r->corr == NULL))
            continue;
        gather(&c, r);
        size_t len = write_documents(&c, true, &text, &room);
        sha256(slice_make(text, len), own);
        /* A shadow means what it stands for, for the correlation that it was made for. */
        const struct slice part[] = {slice_make(own, sizeof own), r->is_shadow ? r->shadow_for->label : slice_str(""),
                                     r->is_shadow ? scope_text(r->shadow_for, &scope, &scope_room) : slice_str("")};
        sha256_parts(part, r->is_shadow ? 3 : 1, r->meaning);
        len = write_documents(&c, false, &text, &room);
        sha256(slice_make(text, len), r->version);
        leave(&c);
    }
    free(text);
    free(scope);
    closure_done(&c);
}

char *rule_text_version(const struct plan *p, const struct rule *r, size_t *ret_len)
{
    struct closure c;
    char *text = NULL;
    size_t room = 0;

    closure_init(&c, p);
    gather(&c, r);
    *ret_len = write_documents(&c, false, &text, &room);
    closure_done(&c);
    return text;
}

char *rule_text_bundle(const struct plan *p, bool (*wanted)(void *ctx, const struct rule *r), void *ctx,
                       size_t *ret_len)
{
    struct closure c;
    char *text = NULL;
    size_t room = 0;

    closure_init(&c, p);
    for (uint32_t i = 0; i < p->loaded_count; i++)
        if (!p->rule[i]->broken && wanted(ctx, p->rule[i]))
            enter(&c, p->rule[i]);
    enter_filters(&c);
    *ret_len = c.count > 0 ? write_documents(&c, false, &text, &room) : 0;
    closure_done(&c);
    return text;
}
