#include "base/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <yaml.h>

#define KEY_MAX 128

struct reader {
    const struct config_option *option;
    size_t count;
    char *target;
    const char *path;
    struct config_error *error;
    bool *seen;
};

__attribute__((format(printf, 3, 4))) static enum vs_err fail(struct config_error *e, unsigned line, const char *format,
                                                              ...)
{
    va_list args;

    e->line = line;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return VS_ERR_CONFIG;
}

static bool parse_number(const char *text, uint32_t *ret)
{
    char *end = NULL;

    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool parse_bool(const char *text, bool *ret)
{
    *ret = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    return *ret || strcmp(text, "false") == 0 || strcmp(text, "no") == 0;
}

/* Puts the folder of the configuration file before a relative path. False when the result does not fit. */
static bool resolve_path(const char *file, const char *text, char *buf, size_t size)
{
    const char *slash = strrchr(file, '/');
    int n;

    if (text[0] == '/' || text[0] == '\0' || slash == NULL)
        n = snprintf(buf, size, "%s", text);
    else
        n = snprintf(buf, size, "%.*s/%s", (int)(slash - file), file, text);
    return n >= 0 && (size_t)n < size;
}

/* False when the text is not a value of the option. */
static bool store_value(const struct config_option *o, const char *file, const char *text, char *target)
{
    uint32_t number = 0;
    bool yes = false;
    char *at = target + o->offset;

    switch (o->type) {
    case CONFIG_TEXT:
        return resolve_path("", text, at, o->max);
    case CONFIG_PATH:
        return resolve_path(file, text, at, o->max);
    case CONFIG_BOOL:
        if (!parse_bool(text, &yes))
            return false;
        memcpy(at, &yes, sizeof yes);
        return true;
    case CONFIG_U16:
    case CONFIG_U32:
        if (!parse_number(text, &number) || number < o->min || number > o->max)
            return false;
        if (o->type == CONFIG_U16) {
            uint16_t small = (uint16_t)number;
            memcpy(at, &small, sizeof small);
        } else {
            memcpy(at, &number, sizeof number);
        }
        return true;
    }
    return false;
}

void config_defaults(const struct config_option *option, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++)
        (void)store_value(&option[i], "", option[i].initial, target);
}

static enum vs_err take_value(struct reader *r, const char *key, const yaml_node_t *node)
{
    unsigned line = (unsigned)node->start_mark.line + 1;

    for (size_t i = 0; i < r->count; i++) {
        const struct config_option *o = &r->option[i];

        if (strcmp(o->key, key) != 0)
            continue;
        if (r->seen[i])
            return fail(r->error, line, "%s stands twice", key);
        if (node->type != YAML_SCALAR_NODE)
            return fail(r->error, line, "%s must be one value", key);
        if (!store_value(o, r->path, (const char *)node->data.scalar.value, r->target))
            return fail(r->error, line, "%s: not a valid value: %s", key, o->text);
        r->seen[i] = true;
        return VS_OK;
    }
    return fail(r->error, line, "unknown key %s", key);
}

static enum vs_err take_mapping(struct reader *r, yaml_document_t *doc, const yaml_node_t *map, const char *section)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(doc, p->value);
        unsigned line = (unsigned)key->start_mark.line + 1;
        char name[KEY_MAX];

        if (key->type != YAML_SCALAR_NODE)
            return fail(r->error, line, "a key must be a word");
        int n = snprintf(name, sizeof name, "%s%s%s", section, section[0] != '\0' ? "." : "",
                         (const char *)key->data.scalar.value);
        if (n < 0 || (size_t)n >= sizeof name)
            return fail(r->error, line, "key too long");
        enum vs_err err = value->type == YAML_MAPPING_NODE && section[0] == '\0' ? take_mapping(r, doc, value, name)
                                                                                 : take_value(r, name, value);
        if (err != VS_OK)
            return err;
    }
    return VS_OK;
}

static enum vs_err take_document(struct reader *r, FILE *f)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    enum vs_err err = VS_OK;

    if (yaml_parser_initialize(&parser) != 1)
        return VS_ERR_NO_MEMORY;
    yaml_parser_set_input_file(&parser, f);
    if (yaml_parser_load(&parser, &doc) != 1) {
        err = fail(r->error, (unsigned)parser.problem_mark.line + 1, "not YAML: %s",
                   parser.problem != NULL ? parser.problem : "");
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&doc);

        if (root == NULL || root->type != YAML_MAPPING_NODE)
            err = fail(r->error, 1, "a configuration is a mapping of keys");
        else
            err = take_mapping(r, &doc, root, "");
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    return err;
}

static enum vs_err check_required(const struct reader *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->option[i].required && (!r->seen[i] || r->target[r->option[i].offset] == '\0'))
            return fail(r->error, 0, "%s is missing: %s", r->option[i].key, r->option[i].text);
    return VS_OK;
}

enum vs_err config_read(const char *path, const struct config_option *option, size_t count, void *target,
                        size_t target_size, struct config_error *ret_error)
{
    FILE *f = fopen(path, "rb");
    struct reader r = {option, count, malloc(target_size), path, ret_error, calloc(count, sizeof(bool))};
    enum vs_err err = VS_ERR_NO_MEMORY;

    if (f == NULL) {
        err = fail(ret_error, 0, "cannot open: %s", strerror(errno));
    } else if (r.target != NULL && r.seen != NULL) {
        memcpy(r.target, target, target_size);
        err = take_document(&r, f);
        if (err == VS_OK)
            err = check_required(&r);
        if (err == VS_OK)
            memcpy(target, r.target, target_size);
    }
    if (f != NULL)
        fclose(f);
    free(r.target);
    free(r.seen);
    return err;
}

void config_describe(FILE *out, const struct config_option *option, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-36s %-24s %s%s\n", option[i].key, option[i].initial[0] != '\0' ? option[i].initial : "-",
                option[i].text, option[i].required ? " (required)" : "");
}
