#include "detect/intel/stix_observed.h"

#include "core/hex.h"
#include "core/timestamp.h"

static bool ends_with(struct slice s, const char *end)
{
    size_t len = strlen(end);

    return s.len >= len && memcmp(s.ptr + s.len - len, end, len) == 0;
}

static int base64_digit(uint8_t c)
{
    static const char DIGIT[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(DIGIT, c);

    return at != NULL ? (int)(at - DIGIT) : -1;
}

static bool base64_bytes(struct slice in, uint8_t *out, size_t *ret_len)
{
    uint32_t bits = 0;
    size_t len = 0, pad = 0;

    while (pad < 2 && pad < in.len && in.ptr[in.len - 1 - pad] == '=')
        pad++;
    if (in.len % 4 != 0)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        int digit = i >= in.len - pad ? 0 : base64_digit(in.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 3)
            for (int k = 2; k >= 0; k--)
                out[len++] = (uint8_t)(bits >> (8 * k));
    }
    *ret_len = len - pad;
    return true;
}

/* The text of a _hex or _bin property as its bytes; false when it is neither. */
static bool set_bytes(struct stix_tree *t, struct stix_value *v, struct slice text)
{
    bool hex = ends_with(v->key, "_hex");
    size_t len = text.len / 2;
    uint8_t *out = stix_tree_copy(t, text.len + 1);

    if (out == NULL)
        return false;
    if (hex ? text.len % 2 != 0 || (len > 0 && !hex_read(text, out, len)) : !base64_bytes(text, out, &len))
        return false;
    v->kind = STIX_VALUE_BYTES;
    v->value.s = slice_make(out, len);
    return true;
}

static void set_scalar(struct stix_tree *t, uint32_t at, struct json_node n)
{
    struct stix_value *v = &t->value[at];

    switch (json_node_kind(n)) {
    case JSON_NODE_INT:
        v->kind = STIX_VALUE_INT;
        v->value.i = json_node_i64(n);
        break;
    case JSON_NODE_UINT:
    case JSON_NODE_DOUBLE:
        v->kind = STIX_VALUE_FLOAT;
        v->value.d = json_node_double(n);
        break;
    case JSON_NODE_BOOL:
        v->kind = STIX_VALUE_BOOL;
        v->b = json_node_bool(n);
        break;
    case JSON_NODE_TEXT:
        v->kind = STIX_VALUE_TEXT;
        v->value.s = json_node_text(n);
        if ((ends_with(v->key, "_hex") || ends_with(v->key, "_bin")) && !set_bytes(t, v, v->value.s))
            v->kind = STIX_VALUE_NULL;
        break;
    case JSON_NODE_NULL:
    case JSON_NODE_ARRAY:
    case JSON_NODE_OBJECT:
        break;
    }
}

/* Depth is bounded by JSON_DOC_DEPTH_MAX. */
static void add_node(struct stix_tree *t, uint32_t parent, struct slice key, struct json_node n)
{
    enum json_node_kind kind = json_node_kind(n);
    bool nested = kind == JSON_NODE_OBJECT || kind == JSON_NODE_ARRAY;
    uint32_t at = stix_tree_add(t, parent, key,
                                kind == JSON_NODE_OBJECT  ? STIX_VALUE_MAP
                                : kind == JSON_NODE_ARRAY ? STIX_VALUE_LIST
                                                          : STIX_VALUE_NULL);
    struct json_walk w;
    struct slice name;
    struct json_node item;

    if (at == STIX_TREE_NONE)
        return;
    if (!nested) {
        set_scalar(t, at, n);
        return;
    }
    json_walk_init(&w, n);
    while (json_walk_next(&w, &name, &item))
        add_node(t, at, name, item);
}

static bool text_of(struct json_node n, const char *name, struct slice *ret)
{
    struct json_node m;

    if (!json_node_find(n, name, &m) || json_node_kind(m) != JSON_NODE_TEXT)
        return false;
    *ret = json_node_text(m);
    return true;
}

static bool add_object(struct stix_tree *t, struct stix_observation *o, struct slice key, struct json_node n)
{
    struct slice id = key, type, name;
    struct json_walk w;
    struct json_node item;

    if (json_node_kind(n) != JSON_NODE_OBJECT || !text_of(n, "type", &type) || (id.len == 0 && !text_of(n, "id", &id)))
        return false;
    uint32_t at = stix_tree_object(t, o, id, type);
    if (at == STIX_TREE_NONE)
        return true; /* the tree is full, which the caller sees */
    json_walk_init(&w, n);
    while (json_walk_next(&w, &name, &item))
        if (!slice_equal_str(name, "type"))
            add_node(t, at, name, item);
    return true;
}

static bool time_of(struct json_node n, const char *name, int64_t *ret)
{
    struct slice text;

    return text_of(n, name, &text) && timestamp_parse(text, ret);
}

enum vs_err stix_observed_read(struct json_node n, struct stix_tree *t, struct stix_observation *ret,
                               const char **ret_reason)
{
    struct json_node number, objects, item;
    struct json_walk w;
    struct slice key;
    struct stix_observation o = {.number = 1};

    *ret_reason = "no first_observed and last_observed";
    if (json_node_kind(n) != JSON_NODE_OBJECT || !time_of(n, "first_observed", &o.first_us) ||
        !time_of(n, "last_observed", &o.last_us))
        return VS_ERR_MALFORMED;
    *ret_reason = "number_observed is not 1 to 999,999,999";
    if (json_node_find(n, "number_observed", &number)) {
        if (json_node_kind(number) != JSON_NODE_INT || json_node_i64(number) < 1 || json_node_i64(number) > 999999999)
            return VS_ERR_MALFORMED;
        o.number = (uint32_t)json_node_i64(number);
    }
    *ret_reason = "no objects with type and id";
    if (!json_node_find(n, "objects", &objects) ||
        (json_node_kind(objects) != JSON_NODE_ARRAY && json_node_kind(objects) != JSON_NODE_OBJECT))
        return VS_ERR_MALFORMED;
    json_walk_init(&w, objects);
    while (json_walk_next(&w, &key, &item))
        if (!add_object(t, &o, key, item))
            return VS_ERR_MALFORMED;
    *ret_reason = "too many objects or values";
    if (t->full)
        return VS_ERR_LIMIT;
    *ret = o;
    return VS_OK;
}
