#include "respond/budget_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_document_t *doc;
    struct budget_limit *limit;
    unsigned count;
    struct budget_file_error *error;
};

static enum vs_err fail(struct budget_file_error *e, enum vs_err err, const yaml_node_t *at, const char *what,
                        const char *name)
{
    e->line = at != NULL ? (unsigned)at->start_mark.line + 1 : 0;
    snprintf(e->text, sizeof e->text, "%s%s%.120s", what, name[0] != '\0' ? ": " : "", name);
    return err;
}

static const char *text_of(const yaml_node_t *n)
{
    return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

static bool per_day_of(const char *text, int64_t *ret)
{
    int64_t n = 0;

    if (strcmp(text, "unlimited") == 0) {
        *ret = -1;
        return true;
    }
    for (const char *s = text; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || n > BUDGET_PER_DAY_MAX)
            return false;
        n = n * 10 + (*s - '0');
    }
    *ret = n;
    return *text != '\0' && n <= BUDGET_PER_DAY_MAX;
}

/* Sets a limit; one that is set twice is an error, except that a default may be given. */
static enum vs_err set(struct reader *r, enum budget_scope scope, const char *name, const yaml_node_t *value)
{
    int64_t per_day;
    bool all = strcmp(name, "*") == 0;

    if (value->type != YAML_SCALAR_NODE || !per_day_of(text_of(value), &per_day))
        return fail(r->error, VS_ERR_CONFIG, value, "alerts a day are 0 to 1000000, or unlimited", name);
    for (unsigned i = 0; i < r->count; i++)
        if (r->limit[i].scope == scope && strcmp(r->limit[i].name, name) == 0) {
            if (!all)
                return fail(r->error, VS_ERR_CONFIG, value, "stands twice", name);
            r->limit[i].per_day = per_day;
            return VS_OK;
        }
    if (r->count == BUDGET_LIMITS_MAX || name[0] == '\0' || strlen(name) >= BUDGET_NAME_SIZE)
        return fail(r->error, VS_ERR_CONFIG, value, "too many names, or one that is empty or too long", name);
    struct budget_limit *l = &r->limit[r->count++];
    l->scope = scope;
    l->per_day = per_day;
    memcpy(l->name, name, strlen(name) + 1);
    return VS_OK;
}

static enum vs_err take_default(struct reader *r, const yaml_node_t *key, const yaml_node_t *value)
{
    if (strcmp(text_of(key), "rule") == 0)
        return set(r, BUDGET_RULE, "*", value);
    if (strcmp(text_of(key), "team") == 0)
        return set(r, BUDGET_TEAM, "*", value);
    return fail(r->error, VS_ERR_CONFIG, key, "default has the keys rule and team, not", text_of(key));
}

static enum vs_err take_section(struct reader *r, const yaml_node_t *name, const yaml_node_t *map)
{
    enum vs_err err = VS_OK;
    bool defaults = strcmp(text_of(name), "default") == 0, rules = strcmp(text_of(name), "rules") == 0;

    if (!defaults && !rules && strcmp(text_of(name), "teams") != 0)
        return fail(r->error, VS_ERR_CONFIG, name, "the keys are default, rules and teams, not", text_of(name));
    if (map->type != YAML_MAPPING_NODE)
        return fail(r->error, VS_ERR_CONFIG, map, "a mapping of names to alerts a day is wanted", text_of(name));
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top && err == VS_OK; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
        err = defaults ? take_default(r, key, value) : set(r, rules ? BUDGET_RULE : BUDGET_TEAM, text_of(key), value);
    }
    return err;
}

static enum vs_err take_document(struct reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->doc);
    enum vs_err err = VS_OK;

    if (root == NULL) /* an empty file says nothing */
        return VS_OK;
    if (root->type != YAML_MAPPING_NODE)
        return fail(r->error, VS_ERR_CONFIG, root, "budgets are a mapping with the keys default, rules and teams", "");
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top && err == VS_OK; p++)
        err = take_section(r, yaml_document_get_node(r->doc, p->key), yaml_document_get_node(r->doc, p->value));
    return err;
}

static enum vs_err read_file(struct reader *r, const char *path)
{
    FILE *f = fopen(path, "rb");
    yaml_parser_t parser;
    yaml_document_t doc;
    enum vs_err err;

    if (f == NULL)
        return fail(r->error, VS_ERR_CONFIG, NULL, "cannot open", strerror(errno));
    if (yaml_parser_initialize(&parser) != 1) {
        fclose(f);
        return VS_ERR_NO_MEMORY;
    }
    yaml_parser_set_input_file(&parser, f);
    if (yaml_parser_load(&parser, &doc) == 1) {
        r->doc = &doc;
        err = take_document(r);
        yaml_document_delete(&doc);
    } else {
        err = fail(r->error, VS_ERR_CONFIG, NULL, "not YAML", parser.problem != NULL ? parser.problem : "");
        r->error->line = (unsigned)parser.problem_mark.line + 1;
    }
    yaml_parser_delete(&parser);
    fclose(f);
    return err;
}

enum vs_err budget_file_read(const char *path, struct budget_limit **ret, unsigned *ret_count,
                             struct budget_file_error *ret_error)
{
    struct reader r = {.limit = calloc(BUDGET_LIMITS_MAX, sizeof *r.limit), .error = ret_error};
    enum vs_err err = VS_OK;

    if (r.limit == NULL)
        return VS_ERR_NO_MEMORY;
    r.limit[0] = (struct budget_limit){BUDGET_RULE, "*", BUDGET_RULE_DEFAULT};
    r.limit[1] = (struct budget_limit){BUDGET_TEAM, "*", BUDGET_TEAM_DEFAULT};
    r.count = 2;
    if (path != NULL && path[0] != '\0')
        err = read_file(&r, path);
    if (err != VS_OK) {
        free(r.limit);
        return err;
    }
    *ret = r.limit;
    *ret_count = r.count;
    return VS_OK;
}
