#include <stdio.h>
#include <string.h>

#include "api/body.h"
#include "core/utf8.h"

static const char *const TYPE_NAME[] = {"a text", "a whole number", "true or false", "an array"};

static enum vs_err fault(struct body_fault *f, enum vs_err err, const char *name, const char *text)
{
    snprintf(f->field, sizeof f->field, "%s", name);
    snprintf(f->text, sizeof f->text, "%s", text);
    return err;
}

static const struct body_field *find(const struct body_field *field, const char *name)
{
    for (; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static size_t characters(struct slice s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += (s.ptr[i] & 0xc0) != 0x80;
    return count;
}

static bool has_type(const json_t *v, enum body_type type)
{
    switch (type) {
    case BODY_TEXT:
        return json_is_string(v);
    case BODY_INTEGER:
        return json_is_integer(v);
    case BODY_BOOLEAN:
        return json_is_boolean(v);
    case BODY_ITEMS:
        return json_is_array(v);
    }
    return false;
}

/* Whole texts of people may have line breaks and tabs; other control characters have no business here. */
static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] < 0x20 && s.ptr[i] != '\n' && s.ptr[i] != '\t' && s.ptr[i] != '\r') || s.ptr[i] == 0x7f)
            return true;
    return false;
}

static enum vs_err check_value(const json_t *v, const struct body_field *f, struct body_fault *ret)
{
    char text[BODY_FAULT_SIZE];

    if (json_is_null(v) && f->nullable)
        return VS_OK;
    if (!has_type(v, f->type)) {
        snprintf(text, sizeof text, "%s must be %s%s", f->name, TYPE_NAME[f->type], f->nullable ? " or null" : "");
        return fault(ret, VS_ERR_MALFORMED, f->name, text);
    }
    if (f->type == BODY_TEXT) {
        struct slice s = slice_make(json_string_value(v), json_string_length(v));
        size_t n = characters(s);
        if (n < f->min || n > f->max) {
            snprintf(text, sizeof text, "%s has %zu characters; %zu to %zu are allowed", f->name, n, f->min, f->max);
            return fault(ret, VS_ERR_RANGE, f->name, text);
        }
        if (has_control(s)) {
            snprintf(text, sizeof text, "%s has a control character", f->name);
            return fault(ret, VS_ERR_RANGE, f->name, text);
        }
    }
    if (f->type == BODY_ITEMS && (json_array_size(v) < f->min || json_array_size(v) > f->max)) {
        snprintf(text, sizeof text, "%s has %zu items; %zu to %zu are allowed", f->name, json_array_size(v), f->min,
                 f->max);
        return fault(ret, VS_ERR_RANGE, f->name, text);
    }
    return VS_OK;
}

/* One object: no field too many, none too few. Items of arrays are checked by the caller, so that nothing recurses. */
static enum vs_err check_object(json_t *o, const struct body_field *field, struct body_fault *ret)
{
    const char *name;
    json_t *value;
    char text[BODY_FAULT_SIZE];

    json_object_foreach(o, name, value)
    {
        const struct body_field *f = find(field, name);
        if (f == NULL) {
            char shown[sizeof ret->field];
            snprintf(shown, sizeof shown, "%.40s", name);
            if (!utf8_valid(slice_str(shown))) /* the cut went through a character */
                snprintf(shown, sizeof shown, "?");
            snprintf(text, sizeof text, "there is no field \"%s\"", shown);
            return fault(ret, VS_ERR_MALFORMED, shown, text);
        }
        enum vs_err err = check_value(value, f, ret);
        if (err != VS_OK)
            return err;
    }
    for (; field->name != NULL; field++) {
        if (!field->required || json_object_get(o, field->name) != NULL)
            continue;
        snprintf(text, sizeof text, "%s is missing", field->name);
        return fault(ret, VS_ERR_MALFORMED, field->name, text);
    }
    return VS_OK;
}

static enum vs_err check_items(json_t *o, const struct body_field *field, struct body_fault *ret)
{
    char text[BODY_FAULT_SIZE], place[sizeof ret->field];

    for (; field->name != NULL; field++) {
        json_t *list = json_object_get(o, field->name);
        if (field->type != BODY_ITEMS || !json_is_array(list))
            continue;
        for (size_t i = 0; i < json_array_size(list); i++) {
            json_t *item = json_array_get(list, i);
            snprintf(place, sizeof place, "%.40s[%zu]", field->name, i);
            if (!json_is_object(item))
                return fault(ret, VS_ERR_MALFORMED, place, "an item must be an object");
            enum vs_err err = check_object(item, field->item, ret);
            if (err != VS_OK) {
                snprintf(text, sizeof text, "%.60s: %.130s", place, ret->text);
                return fault(ret, err, place, text);
            }
        }
    }
    return VS_OK;
}

enum vs_err body_parse(struct slice in, const struct body_field *field, json_t **ret, struct body_fault *ret_fault)
{
    json_error_t error;
    char text[BODY_FAULT_SIZE];
    json_t *o = json_loadb(in.len > 0 ? (const char *)in.ptr : "", in.len, JSON_REJECT_DUPLICATES, &error);

    if (o == NULL) {
        bool cut = json_error_code(&error) == json_error_premature_end_of_input;
        /* The parser quotes the bytes it stumbled over; they may be anything, so only its place is passed on when they
         * are no text. */
        const char *what = utf8_valid(slice_str(error.text)) ? error.text : "not UTF-8";
        snprintf(text, sizeof text, "line %d, column %d: %.150s", error.line, error.column, what);
        if (!utf8_valid(slice_str(text)))
            snprintf(text, sizeof text, "line %d, column %d: not JSON", error.line, error.column);
        return fault(ret_fault, cut ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, "", text);
    }
    enum vs_err err = VS_OK;
    if (!json_is_object(o))
        err = fault(ret_fault, VS_ERR_MALFORMED, "", "the body must be a JSON object");
    if (err == VS_OK)
        err = check_object(o, field, ret_fault);
    if (err == VS_OK)
        err = check_items(o, field, ret_fault);
    if (err != VS_OK) {
        json_decref(o);
        return err;
    }
    *ret = o;
    return VS_OK;
}

struct slice body_text(const json_t *body, const char *name)
{
    const json_t *v = json_object_get(body, name);

    return json_is_string(v) ? slice_make(json_string_value(v), json_string_length(v)) : slice_make(NULL, 0);
}

int64_t body_integer(const json_t *body, const char *name)
{
    return json_integer_value(json_object_get(body, name));
}

bool body_boolean(const json_t *body, const char *name)
{
    return json_is_true(json_object_get(body, name));
}

bool body_has(const json_t *body, const char *name)
{
    const json_t *v = json_object_get(body, name);

    return v != NULL && !json_is_null(v);
}
