#include "detect/lab/expect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl/json_lines.h"
#include "core/timestamp.h"

struct side {
    struct slice text; /* JSON */
    const struct yaml_node *map;
    unsigned line;
    bool taken;
};

struct list {
    struct side *item;
    uint32_t count, room;
};

struct expect {
    struct arena arena;
    struct diag ignored; /* alerts are our own JSON and read without complaint */
    struct list want, got;
    char reason[600];
};

struct expect *expect_new(void)
{
    struct expect *e = mem_zalloc(1, sizeof *e);

    arena_init(&e->arena);
    diag_init(&e->ignored);
    return e;
}

void expect_free(struct expect *e)
{
    if (e == NULL)
        return;
    arena_done(&e->arena);
    diag_done(&e->ignored);
    free(e->want.item);
    free(e->got.item);
    free(e);
}

static void add(struct list *l, struct slice text, const struct yaml_node *map, unsigned line)
{
    if (l->count == EXPECT_ALERTS_MAX)
        return;
    if (l->count == l->room) {
        l->room = l->room > 0 ? 2 * l->room : 256;
        l->item = mem_grow(l->item, l->room, sizeof *l->item);
    }
    l->item[l->count++] = (struct side){text, map, line, false};
}

/* JSON is YAML, so one reader does for both sides. */
static const struct yaml_node *read_map(struct expect *e, struct diag *d, const char *path, struct slice text)
{
    struct yaml_node *docs;

    if (!yaml_read(&e->arena, d, path, text, &docs) || docs->child == NULL || docs->child->kind != YAML_MAP)
        return NULL;
    return docs->child;
}

static bool known_key(struct slice key)
{
    static const char *const KEY[] = {"id",    "rule", "title",    "severity", "group", "first",     "last",
                                      "count", "peak", "vehicles", "state",    "late",  "supersedes"};

    for (size_t i = 0; i < sizeof KEY / sizeof KEY[0]; i++)
        if (slice_equal_str(key, KEY[i]))
            return true;
    return false;
}

bool expect_read(struct expect *e, struct diag *d, const char *path, struct slice text)
{
    uint32_t errors = d->error_count;
    struct json_lines it;
    struct slice doc;

    json_lines_init(&it, text);
    while (json_lines_next(&it, &doc)) {
        struct slice own = arena_copy(&e->arena, doc);
        const struct yaml_node *map = read_map(e, &e->ignored, path, own);
        if (map == NULL || yaml_get(map, "rule") == NULL) {
            diag_add(d, DIAG_ERROR, path, (unsigned)it.line, 1,
                     "expected one alert as JSON with at least {\"rule\":..}, as backtest prints them");
            continue;
        }
        for (const struct yaml_node *n = map->child; n != NULL; n = n->next)
            if (!known_key(n->key->text))
                diag_add(d, DIAG_ERROR, path, (unsigned)it.line, n->key->column, "alerts have no key '%.*s'",
                         (int)n->key->text.len, (const char *)n->key->text.ptr);
        add(&e->want, own, map, (unsigned)it.line);
    }
    return d->error_count == errors;
}

void expect_take(struct expect *e, struct slice alert)
{
    struct slice own = arena_copy(&e->arena, alert);

    add(&e->got, own, read_map(e, &e->ignored, "alert", own), 0);
}

static bool same_text(struct slice a, struct slice b)
{
    int64_t x, y;

    return slice_equal(a, b) || (timestamp_parse(a, &x) && timestamp_parse(b, &y) && x == y);
}

/* Alerts are two levels deep at most. */
static bool same(const struct yaml_node *a, const struct yaml_node *b)
{
    const struct yaml_node *x = a->child;
    const struct yaml_node *y = b->child;

    if (a->kind != b->kind)
        return false;
    if (a->kind == YAML_SCALAR)
        return same_text(a->text, b->text);
    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        const struct yaml_node *other = a->kind == YAML_MAP ? yaml_get(b, (const char *)x->key->text.ptr) : y;
        if (other == NULL || x->kind != YAML_SCALAR || other->kind != YAML_SCALAR || !same_text(x->text, other->text))
            return false;
    }
    return x == NULL && y == NULL;
}

static struct slice shown(const struct yaml_node *n)
{
    return n == NULL                ? slice_str("absent")
           : n->kind == YAML_SCALAR ? n->text
                                    : slice_str(n->kind == YAML_MAP ? "another group" : "another list");
}

/* The first key that differs; NULL when none does. */
static const struct yaml_node *difference(const struct side *want, const struct side *got)
{
    for (const struct yaml_node *n = want->map->child; n != NULL; n = n->next) {
        const struct yaml_node *is = yaml_get(got->map, (const char *)n->key->text.ptr);
        if (is == NULL || !same(n, is))
            return n;
    }
    return NULL;
}

static bool same_key(const struct side *want, const struct side *got, const char *key)
{
    const struct yaml_node *a = yaml_get(want->map, key);
    const struct yaml_node *b = yaml_get(got->map, key);

    return a == NULL || (b != NULL && same(a, b));
}

static bool is_change(const struct side *want, const struct side *got)
{
    return same_key(want, got, "rule") && same_key(want, got, "group");
}

static bool is_same(const struct side *want, const struct side *got)
{
    return difference(want, got) == NULL;
}

static struct slice rule_of(const struct side *s)
{
    const struct yaml_node *rule = yaml_get(s->map, "rule");

    return rule != NULL ? rule->text : slice_str("");
}

static void tell(struct expect *e, expect_report *report, void *ctx, enum expect_kind kind, const struct side *want,
                 const struct side *got)
{
    struct expect_result r = {.kind = kind, .expected = slice_str(""), .alert = slice_str(""), .reason = ""};

    if (want != NULL) {
        r.expected = want->text;
        r.line = want->line;
        r.rule = rule_of(want);
    }
    if (got != NULL) {
        r.alert = got->text;
        r.rule = rule_of(got);
    }
    if (kind == EXPECT_CHANGED) {
        const struct yaml_node *n = difference(want, got);
        struct slice is = shown(yaml_get(got->map, (const char *)n->key->text.ptr));
        struct slice was = shown(n);
        snprintf(e->reason, sizeof e->reason, "%.*s is %.*s, expected %.*s", (int)n->key->text.len,
                 (const char *)n->key->text.ptr, (int)is.len, (const char *)is.ptr, (int)was.len,
                 (const char *)was.ptr);
        r.reason = e->reason;
    } else if (kind != EXPECT_SAME) {
        r.reason = kind == EXPECT_MISSING ? "expected, but there is no such alert" : "not expected";
    }
    report(ctx, &r);
}

/* Pairs what is left of both sides. Both usually have one order, so the search goes on where the last one ended. */
static void pair(struct expect *e, bool (*fits)(const struct side *, const struct side *), enum expect_kind kind,
                 expect_report *report, void *ctx)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < e->want.count; i++) {
        struct side *want = &e->want.item[i];
        for (uint32_t k = 0; k < e->got.count && !want->taken; k++) {
            uint32_t n = (at + k) % e->got.count;
            struct side *got = &e->got.item[n];
            if (got->taken || !fits(want, got))
                continue;
            want->taken = got->taken = true;
            at = n + 1;
            tell(e, report, ctx, kind, want, got);
        }
    }
}

uint32_t expect_compare(struct expect *e, expect_report *report, void *ctx)
{
    uint32_t same_count = 0;
    uint32_t changed = 0;
    uint32_t left = 0;

    pair(e, is_same, EXPECT_SAME, report, ctx);
    for (uint32_t i = 0; i < e->want.count; i++)
        same_count += e->want.item[i].taken;
    pair(e, is_change, EXPECT_CHANGED, report, ctx);
    for (uint32_t i = 0; i < e->want.count; i++) {
        if (!e->want.item[i].taken) {
            tell(e, report, ctx, EXPECT_MISSING, &e->want.item[i], NULL);
            left++;
        } else {
            changed++;
        }
    }
    for (uint32_t i = 0; i < e->got.count; i++) {
        if (!e->got.item[i].taken) {
            tell(e, report, ctx, EXPECT_UNEXPECTED, NULL, &e->got.item[i]);
            left++;
        }
    }
    return changed - same_count + left;
}
