/* body: a JSON body checked against a table of fields before a handler sees it.
 *
 * A body is one JSON object, UTF-8, without repeated keys. Every field must be in the table, have its type, and be
 * within its bounds; required ones must be there. The first fault found is told with its place: line and column when it
 * is no JSON, the name of the field when it is. A handler then reads without checking. Pure: bytes in, value or fault
 * out. */
#ifndef API_BODY_H
#define API_BODY_H

#include <jansson.h>

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define BODY_FIELDS_MAX 16
#define BODY_FAULT_SIZE 200

enum body_type { BODY_TEXT, BODY_INTEGER, BODY_BOOLEAN, BODY_ITEMS };

struct body_field {
    const char *name;
    enum body_type type;
    bool required;
    bool nullable;
    size_t min, max;               /* characters of a text, items of an array */
    const struct body_field *item; /* BODY_ITEMS: fields of each object in the array; ends with a name of NULL */
};

struct body_fault {
    char field[64];             /* "" when it is about the whole */
    char text[BODY_FAULT_SIZE]; /* for a person */
};

/* `field` ends with an entry whose name is NULL. The value is the caller's. */
VS_MUST_USE enum vs_err body_parse(struct slice in, const struct body_field *field, json_t **ret,
                                   struct body_fault *ret_fault);

/* Reading a checked body; absent and null give empty, 0, false. Borrowed. */
struct slice body_text(const json_t *body, const char *name);
int64_t body_integer(const json_t *body, const char *name);
bool body_boolean(const json_t *body, const char *name);
bool body_has(const json_t *body, const char *name); /* present and not null */

#endif
