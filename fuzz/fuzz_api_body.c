/* Bodies and query texts of the HTTP interface: whatever the bytes, an answer; a fault is text with a place; what
 * passes the table of a route really has the types that its handler reads without looking. */
#include <stdlib.h>
#include <string.h>

#include "api/filter.h"
#include "api/route.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_body(const json_t *body, const struct body_field *field)
{
    for (; field->name != NULL; field++) {
        const json_t *v = json_object_get(body, field->name);
        if (v == NULL ? field->required : json_is_null(v) ? !field->nullable : false)
            abort();
        if (v == NULL || json_is_null(v))
            continue;
        if (field->type == BODY_TEXT && (!json_is_string(v) || json_string_length(v) > 4 * field->max))
            abort();
        if (field->type == BODY_INTEGER && !json_is_integer(v))
            abort();
        if (field->type == BODY_ITEMS && json_array_size(v) > field->max)
            abort();
    }
}

static void try_body(struct slice in, const struct body_field *field)
{
    struct body_fault fault;
    json_t *body = NULL;

    if (body_parse(in, field, &body, &fault) == VS_OK)
        check_body(body, field);
    else if (body != NULL || !utf8_valid(slice_str(fault.text)) || !utf8_valid(slice_str(fault.field)))
        abort();
    json_decref(body);
}

static int any_code(struct slice code)
{
    return (int)(code.len % 9) - 1;
}

static void try_query(const char *text)
{
    struct filter_list list;
    struct slice word[FILTER_WORDS_MAX];
    char buf[FILTER_TEXT_SIZE], pattern[FILTER_PATTERN_SIZE];
    uint32_t mask;
    int64_t us;
    unsigned words = 0;

    if (filter_list_parse(text, &list) == VS_OK && list.include_count + list.exclude_count > 2 * FILTER_ITEMS_MAX)
        abort();
    (void)!filter_mask(text, any_code, 8, &mask);
    (void)!filter_time(text, INT64_C(1700000000000000), &us);
    if (filter_words(text, buf, sizeof buf, word, &words) != VS_OK)
        return;
    for (unsigned i = 0; i < words; i++)
        filter_like(word[i], true, pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    try_query(text);
    for (unsigned i = 0; i < route_count; i++)
        if (routes[i].body != NULL)
            try_body(slice_make(data, size), routes[i].body);
    free(text);
    return 0;
}
