#include "detect/lab/rule_test.h"

#include "base/jsonl/json_lines.h"
#include "core/timestamp.h"
#include "detect/lab/alert_json.h"
#include "detect/lab/backtest.h"
#include "detect/lab/rule_test_events.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define RULE_FILES_MAX 64
#define REASON_MAX     1000
#define DEPTH_MAX      16

/* The alerts of one run, as text, to compare runs byte for byte. */
struct output {
    char *text;
    size_t len, room;
    const struct yaml_node *expected; /* next alert to come; NULL when not checking */
    uint32_t number;
    char reason[REASON_MAX];
    bool checking;
};

struct suite {
    struct diag *diag;
    rule_test_report *report;
    void *ctx;
    struct rule_test_totals *totals;
    struct plan plan;
    struct arena arena;
    const char *path;
    unsigned depth;
};

__attribute__((format(printf, 2, 3))) static void disagree(struct output *o, const char *format, ...)
{
    va_list args;

    if (o->reason[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(o->reason, sizeof o->reason, format, args);
    va_end(args);
}

static struct slice number_slice(char *buf, size_t size, uint64_t v)
{
    return slice_make(buf, (size_t)snprintf(buf, size, "%llu", (unsigned long long)v));
}

/* The alert's value of a key as text; false when there is no such key. */
static bool alert_value(const struct alert *al, struct slice key, char *buf, size_t size, struct slice *ret)
{
    if (slice_equal_str(key, "rule"))
        *ret = al->rule;
    else if (slice_equal_str(key, "title"))
        *ret = al->title;
    else if (slice_equal_str(key, "severity"))
        *ret = slice_str(alert_severity_name(al->severity));
    else if (slice_equal_str(key, "state"))
        *ret = slice_str(alert_state_name(al->state));
    else if (slice_equal_str(key, "late"))
        *ret = slice_str(al->late ? "true" : "false");
    else if (slice_equal_str(key, "peak"))
        *ret = al->peak;
    else if (slice_equal_str(key, "count"))
        *ret = number_slice(buf, size, al->count);
    else if (slice_equal_str(key, "vehicles"))
        *ret = number_slice(buf, size, al->vehicles);
    else
        return false;
    return true;
}

static void check_group(struct output *o, const struct alert *al, const struct yaml_node *group)
{
    uint8_t seen = 0;

    for (const struct yaml_node *n = group->child; n != NULL; n = n->next) {
        const struct yaml_node *v = yaml_deref(n);
        uint8_t i = 0;
        while (i < al->group_count && !slice_equal(al->group[i].field, n->key->text))
            i++;
        if (i == al->group_count || !slice_equal(al->group[i].value, v->text))
            disagree(o, "alert %u: expected group %.*s to be '%.*s'", o->number, (int)n->key->text.len,
                     (const char *)n->key->text.ptr, (int)v->text.len, (const char *)v->text.ptr);
        seen++;
    }
    if (seen != al->group_count)
        disagree(o, "alert %u: group has %u fields, expected %u", o->number, al->group_count, seen);
}

static void check_key(struct output *o, const struct alert *al, struct slice key, const struct yaml_node *v)
{
    char buf[64];
    struct slice is;
    int64_t us;

    if (slice_equal_str(key, "group")) {
        check_group(o, al, v);
    } else if (slice_equal_str(key, "first") || slice_equal_str(key, "last")) {
        int64_t have = slice_equal_str(key, "first") ? al->first_us : al->last_us;
        if (!rule_test_time(v->text, &us) || us != have)
            disagree(o, "alert %u: %.*s is %+.6f s, expected %.*s", o->number, (int)key.len, (const char *)key.ptr,
                     (double)(have - TEST_BASE_US) / 1e6, (int)v->text.len, (const char *)v->text.ptr);
    } else if (!alert_value(al, key, buf, sizeof buf, &is)) {
        disagree(o, "unknown key '%.*s' in an expected alert", (int)key.len, (const char *)key.ptr);
    } else if (!slice_equal(is, v->text)) {
        disagree(o, "alert %u: %.*s is %.*s, expected %.*s", o->number, (int)key.len, (const char *)key.ptr,
                 (int)is.len, (const char *)is.ptr, (int)v->text.len, (const char *)v->text.ptr);
    }
}

static void take_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct output *o = ctx;
    struct writer w;

    (void)rule;
    if (o->room - o->len < ALERT_JSON_SIZE) {
        o->room = o->room * 2 + ALERT_JSON_SIZE;
        o->text = mem_grow(o->text, o->room, 1);
    }
    writer_init(&w, o->text + o->len, o->room - o->len);
    alert_json_write(al, &w);
    writer_u8(&w, '\n');
    o->len += w.len;
    o->number++;
    if (!o->checking)
        return;
    const struct yaml_node *want = yaml_deref(o->expected);
    if (want == NULL) {
        disagree(o, "alert %u was not expected: %.*s, count %llu", o->number, (int)al->rule.len,
                 (const char *)al->rule.ptr, (unsigned long long)al->count);
        return;
    }
    for (const struct yaml_node *n = want->child; n != NULL; n = n->next)
        check_key(o, al, n->key->text, yaml_deref(n));
    o->expected = o->expected->next;
}

static void note_bad(void *ctx, uint64_t line, const char *reason)
{
    disagree(ctx, "event %llu is no event: %s", (unsigned long long)line, reason);
}

/* Lines joined in an order, each `copies` times, with the reader's padding behind them. */
static struct slice join(struct arena *a, const struct slice *line, uint32_t count, bool reverse, unsigned copies)
{
    size_t len = 0;
    struct writer w;

    for (uint32_t i = 0; i < count; i++)
        len += (line[i].len + 1) * copies;
    uint8_t *buf = arena_alloc(a, len + JSON_PADDING);
    writer_init(&w, buf, len);
    for (unsigned c = 0; c < copies; c++) {
        for (uint32_t i = 0; i < count; i++) {
            writer_put(&w, line[reverse ? count - 1 - i : i]);
            writer_u8(&w, '\n');
        }
    }
    return writer_slice(&w);
}

static enum vs_err run_lines(struct suite *s, struct slice text, struct output *o)
{
    struct backtest_report report;
    struct backtest_options options = {.workers = 1, .horizon_us = HORIZON_US_DEFAULT, .bad_line = note_bad, .ctx = o};

    return backtest_run(&s->plan, text, &options, take_alert, o, &report);
}

static void run_case(struct suite *s, const struct yaml_node *test)
{
    const struct yaml_node *name = yaml_get(test, "name");
    const struct yaml_node *events = yaml_get(test, "events");
    const struct yaml_node *alerts = yaml_get(test, "alerts");
    struct rule_test_result result = {.path = s->path, .line = test->line, .name = "unnamed", .reason = ""};
    struct output o = {.checking = true};
    struct output again = {0};
    struct slice *line;
    uint32_t count;

    if (name != NULL && name->kind == YAML_SCALAR)
        result.name = (const char *)name->text.ptr;
    if (events == NULL || events->kind != YAML_LIST || alerts == NULL || alerts->kind != YAML_LIST) {
        diag_add(s->diag, DIAG_ERROR, s->path, test->line, test->column, "a case needs lists of events and alerts");
        return;
    }
    if (!rule_test_events(&s->arena, s->diag, s->path, events, &line, &count))
        return;
    o.expected = alerts->child;
    if (run_lines(s, join(&s->arena, line, count, false, 1), &o) != VS_OK ||
        run_lines(s, join(&s->arena, line, count, true, 2), &again) != VS_OK)
        disagree(&o, "the engine could not run");
    if (o.expected != NULL)
        disagree(&o, "%u alerts, expected more", o.number);
    if (o.len != again.len || (o.len > 0 && memcmp(o.text, again.text, o.len) != 0))
        disagree(&o, "the same events in reverse order and twice give other alerts");
    result.passed = o.reason[0] == '\0';
    result.reason = o.reason;
    s->totals->passed += result.passed;
    s->totals->failed += !result.passed;
    s->report(s->ctx, &result);
    free(o.text);
    free(again.text);
}

/* Files named in the test, beside it; or the rule file that the test is named after. */
static unsigned rule_files(struct suite *s, const struct yaml_node *doc, const char *ret[RULE_FILES_MAX])
{
    const struct yaml_node *rules = yaml_get(doc, "rules");
    const char *slash = strrchr(s->path, '/');
    int folder = slash != NULL ? (int)(slash - s->path) + 1 : 0;
    char full[4096];
    unsigned count = 0;

    if (rules == NULL) {
        snprintf(full, sizeof full, "%.*s.yml", (int)(strlen(s->path) - strlen(".test.yml")), s->path);
        ret[count++] = arena_str(&s->arena, full);
        return count;
    }
    for (const struct yaml_node *n = rules->kind == YAML_LIST ? rules->child : NULL; n != NULL; n = n->next) {
        struct slice name = yaml_deref(n)->text;
        if (count == RULE_FILES_MAX)
            break;
        snprintf(full, sizeof full, "%.*s%.*s", folder, s->path, (int)name.len, (const char *)name.ptr);
        ret[count++] = arena_str(&s->arena, full);
    }
    return count;
}

static enum vs_err run_document(struct suite *s, const struct yaml_node *doc)
{
    const char *file[RULE_FILES_MAX];
    const struct yaml_node *cases = yaml_get(doc, "cases");
    unsigned count = rule_files(s, doc, file);
    uint32_t errors = s->diag->error_count;

    if (cases == NULL || cases->kind != YAML_LIST) {
        diag_add(s->diag, DIAG_ERROR, s->path, doc->line, doc->column, "a test file needs a list of cases");
        return VS_ERR_CONFIG;
    }
    plan_init(&s->plan);
    enum vs_err err = plan_load(&s->plan, file, count, s->diag);
    if (err == VS_OK)
        for (const struct yaml_node *n = cases->child; n != NULL; n = n->next)
            run_case(s, yaml_deref(n));
    plan_done(&s->plan);
    return err != VS_OK || s->diag->error_count > errors ? VS_ERR_CONFIG : VS_OK;
}

static enum vs_err run_file(struct suite *s, const char *path)
{
    struct text_file f = {0};
    struct yaml_node *docs;
    enum vs_err err = VS_OK;

    if (text_file_open(path, &f) != VS_OK) {
        diag_add(s->diag, DIAG_ERROR, path, 0, 0, "cannot read: %s", strerror(errno));
        return VS_ERR_IO;
    }
    s->totals->files++;
    arena_init(&s->arena);
    s->path = path;
    if (!yaml_read(&s->arena, s->diag, path, f.bytes, &docs))
        err = VS_ERR_CONFIG;
    for (const struct yaml_node *n = err == VS_OK ? docs->child : NULL; n != NULL; n = n->next) {
        enum vs_err one = run_document(s, yaml_deref(n));
        err = err == VS_OK ? one : err;
    }
    arena_done(&s->arena);
    text_file_close(&f);
    return err;
}

static bool is_test_name(const char *name)
{
    size_t n = strlen(name);

    return n > 9 && strcmp(name + n - 9, ".test.yml") == 0;
}

static enum vs_err run_path(struct suite *s, const char *path);

static enum vs_err run_directory(struct suite *s, const char *path)
{
    struct dirent **entry;
    int count = s->depth < DEPTH_MAX ? scandir(path, &entry, NULL, alphasort) : -1;
    enum vs_err err = VS_OK;

    if (count < 0) {
        diag_add(s->diag, DIAG_ERROR, path, 0, 0, "cannot read this directory");
        return VS_ERR_IO;
    }
    s->depth++;
    for (int i = 0; i < count; i++) {
        char full[4096];
        struct stat st;
        const char *name = entry[i]->d_name;
        bool fits = snprintf(full, sizeof full, "%s/%s", path, name) < (int)sizeof full;
        if (name[0] != '.' && fits && stat(full, &st) == 0 && (S_ISDIR(st.st_mode) || is_test_name(name))) {
            enum vs_err one = run_path(s, full);
            err = err == VS_OK ? one : err;
        }
        free(entry[i]);
    }
    free(entry);
    s->depth--;
    return err;
}

static enum vs_err run_path(struct suite *s, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return run_directory(s, path);
    if (is_test_name(path))
        return run_file(s, path);
    /* A rule file: the test beside it. */
    char test[4096];
    size_t n = strlen(path);
    snprintf(test, sizeof test, "%.*s.test.yml", (int)(n > 4 && strcmp(path + n - 4, ".yml") == 0 ? n - 4 : n), path);
    return run_file(s, test);
}

enum vs_err rule_test_run(const char *path, struct diag *d, rule_test_report *report, void *ctx,
                          struct rule_test_totals *totals)
{
    struct suite s = {.diag = d, .report = report, .ctx = ctx, .totals = totals};

    return run_path(&s, path);
}
