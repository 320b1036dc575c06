/* See json_reader.h. The only C++ in the tree; simdjson reports by code, so no exception leaves this file. */
#include "base/jsonl/json_reader.h"

#include <new>
#include <simdjson.h>

/* Names of nested fields are joined here. A fixed block, so that slices into it stay valid while it fills. */
static const size_t NAMES_SIZE = 256 * 1024;

struct json_reader {
    simdjson::dom::parser parser;
    struct json_field field[JSON_FIELDS_MAX];
    uint32_t field_count;
    const char *reason;
    size_t names_len;
    uint8_t names[NAMES_SIZE];
};

static bool refuse(struct json_reader *r, const char *reason)
{
    r->reason = reason;
    return false;
}

/* "prefix.key" in the names block, or the key itself at the top level. */
static bool join(struct json_reader *r, struct slice prefix, struct slice key, struct slice *ret)
{
    if (prefix.len == 0) {
        *ret = key;
        return true;
    }
    size_t len = prefix.len + 1 + key.len;
    if (len > JSON_NAME_MAX || len > NAMES_SIZE - r->names_len)
        return refuse(r, "names of nested fields too long");
    uint8_t *at = r->names + r->names_len;
    memcpy(at, prefix.ptr, prefix.len);
    at[prefix.len] = '.';
    if (key.len > 0)
        memcpy(at + prefix.len + 1, key.ptr, key.len);
    r->names_len += len;
    *ret = slice_make(at, len);
    return true;
}

static struct json_field *add(struct json_reader *r, struct slice name, enum json_kind kind, bool element)
{
    if (r->field_count == JSON_FIELDS_MAX) {
        r->reason = "too many fields";
        return nullptr;
    }
    struct json_field *f = &r->field[r->field_count++];
    f->name = name;
    f->kind = static_cast<uint8_t>(kind);
    f->element = element;
    f->value.u = 0;
    return f;
}

static bool take_scalar(struct json_reader *r, struct slice name, simdjson::dom::element e, bool element)
{
    struct json_field *f = add(r, name, JSON_NULL, element);
    if (f == nullptr)
        return false;
    switch (e.type()) {
    case simdjson::dom::element_type::STRING: {
        std::string_view s = e.get_string().value_unsafe();
        f->kind = JSON_TEXT;
        f->value.s = slice_make(s.data(), s.size());
        return true;
    }
    case simdjson::dom::element_type::INT64:
        f->kind = JSON_INT;
        f->value.i = e.get_int64().value_unsafe();
        return true;
    case simdjson::dom::element_type::UINT64:
        f->kind = JSON_UINT;
        f->value.u = e.get_uint64().value_unsafe();
        return true;
    case simdjson::dom::element_type::DOUBLE:
        f->kind = JSON_DOUBLE;
        f->value.d = e.get_double().value_unsafe();
        return true;
    case simdjson::dom::element_type::BOOL:
        f->kind = JSON_BOOL;
        f->value.b = e.get_bool().value_unsafe();
        return true;
    case simdjson::dom::element_type::NULL_VALUE:
    case simdjson::dom::element_type::ARRAY:
    case simdjson::dom::element_type::OBJECT:
        break;
    }
    return true;
}

static bool take_object(struct json_reader *r, struct slice prefix, simdjson::dom::object o, bool element);

/* The parser has refused anything deeper than JSON_DEPTH_MAX, which bounds this recursion. */
static bool take(struct json_reader *r, struct slice name, simdjson::dom::element e, bool element)
{
    if (e.is_object()) {
        simdjson::dom::object o = e.get_object().value_unsafe();
        if (o.begin() == o.end())
            return add(r, name, JSON_NULL, element) != nullptr;
        return take_object(r, name, o, element);
    }
    if (e.is_array()) {
        simdjson::dom::array a = e.get_array().value_unsafe();
        if (a.begin() == a.end())
            return add(r, name, JSON_NULL, true) != nullptr;
        for (simdjson::dom::element item : a)
            if (!take(r, name, item, true))
                return false;
        return true;
    }
    return take_scalar(r, name, e, element);
}

static bool take_object(struct json_reader *r, struct slice prefix, simdjson::dom::object o, bool element)
{
    for (simdjson::dom::key_value_pair kv : o) {
        struct slice name;
        if (!join(r, prefix, slice_make(kv.key.data(), kv.key.size()), &name) || !take(r, name, kv.value, element))
            return false;
    }
    return true;
}

extern "C" enum vs_err json_reader_new(struct json_reader **ret)
{
    struct json_reader *r = new (std::nothrow) json_reader;
    if (r == nullptr)
        return VS_ERR_NO_MEMORY;
    if (r->parser.allocate(1u << 16, JSON_DEPTH_MAX) != simdjson::SUCCESS) {
        delete r;
        return VS_ERR_NO_MEMORY;
    }
    *ret = r;
    return VS_OK;
}

extern "C" void json_reader_free(struct json_reader *r)
{
    delete r;
}

extern "C" enum vs_err json_reader_object(struct json_reader *r, struct slice text, struct json_object *ret,
                                          const char **ret_reason)
{
    r->field_count = 0;
    r->names_len = 0;
    r->reason = "not a JSON object";
    bool ok = false;
    if (text.len > JSON_OBJECT_MAX) {
        r->reason = "object too long";
    } else if (text.len > 0) {
        simdjson::dom::element doc;
        if (text.len > r->parser.capacity() && r->parser.allocate(text.len, JSON_DEPTH_MAX) != simdjson::SUCCESS)
            return VS_ERR_NO_MEMORY;
        auto err = r->parser.parse(text.ptr, text.len, false).get(doc);
        if (err != simdjson::SUCCESS)
            r->reason = simdjson::error_message(err);
        else if (doc.is_object())
            ok = take_object(r, slice_make(nullptr, 0), doc.get_object().value_unsafe(), false);
    }
    if (!ok) {
        if (ret_reason != nullptr)
            *ret_reason = r->reason;
        return VS_ERR_MALFORMED;
    }
    ret->field = r->field;
    ret->field_count = r->field_count;
    return VS_OK;
}
