/* json_reader: one JSON object at a time, flattened into named, typed values, for bulk JSON lines.
 *
 * A thin C face over simdjson, the only place where C++ is used. Nested objects give dotted names ("a.b"); each element
 * of an array gives its own field of the array's name with `element` set; an empty array or object gives one null.
 * The whole text is checked (UTF-8, numbers, structure) before the first field is handed out: no partial results.
 *
 * Memory: the reader owns its buffers and reuses them, nothing is allocated per object in steady state. Names and texts
 * are borrowed until the next call on the same reader. Threads: one reader per thread.
 * Bounds: JSON_FIELDS_MAX fields, JSON_DEPTH_MAX levels, JSON_OBJECT_MAX bytes, JSON_NAME_MAX bytes of a dotted name.
 */
#ifndef BASE_JSONL_JSON_READER_H
#define BASE_JSONL_JSON_READER_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define JSON_FIELDS_MAX 4096
#define JSON_DEPTH_MAX  32
#define JSON_OBJECT_MAX (16u << 20)
#define JSON_NAME_MAX   1024
#define JSON_PADDING    64 /* bytes that must be readable behind a text */

#ifdef __cplusplus
extern "C" {
#endif

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_UINT, JSON_DOUBLE, JSON_TEXT };

struct json_field {
    struct slice name; /* dotted path from the top */
    uint8_t kind;      /* enum json_kind; JSON_UINT only above INT64_MAX */
    bool element;      /* one of the values of an array */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        struct slice s;
    } value;
};

struct json_object {
    const struct json_field *field; /* in the order of the text */
    uint32_t field_count;
};

struct json_reader;

VS_MUST_USE enum vs_err json_reader_new(struct json_reader **ret);
void json_reader_free(struct json_reader *r);

/* Reads the object that `text` holds, white space around it allowed. JSON_PADDING bytes behind the text must be
 * readable; their content does not matter. On failure *ret_reason (may be NULL) says in a few words what is wrong. */
VS_MUST_USE enum vs_err json_reader_object(struct json_reader *r, struct slice text, struct json_object *ret,
                                           const char **ret_reason);

#ifdef __cplusplus
}
#endif

#endif
