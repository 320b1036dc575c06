/* See json_doc.h. A node and a walk are simdjson's own small values, carried through C as bytes; reports come by code,
 * so no exception leaves this file. */
#include "base/jsonl/json_doc.h"

#include <cassert>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <type_traits>

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

struct json_doc {
    simdjson::dom::parser parser;
};

template <typename T> static struct json_node pack(const T &value)
{
    static_assert(std::is_trivially_copyable<T>::value && sizeof(T) == sizeof(struct json_node), "does not fit");
    struct json_node n;
    memcpy(&n, &value, sizeof n);
    return n;
}

template <typename T> static T unpack(const struct json_node &n)
{
    static_assert(std::is_trivially_copyable<T>::value && sizeof(T) == sizeof(struct json_node), "does not fit");
    T value;
    memcpy(static_cast<void *>(&value), &n, sizeof n);
    return value;
}

extern "C" enum vs_err json_doc_new(struct json_doc **ret)
{
    struct json_doc *d = new (std::nothrow) json_doc;
    if (d == nullptr)
        return VS_ERR_NO_MEMORY;
    if (d->parser.allocate(1u << 14, JSON_DOC_DEPTH_MAX) != simdjson::SUCCESS) {
        delete d;
        return VS_ERR_NO_MEMORY;
    }
    *ret = d;
    return VS_OK;
}

extern "C" void json_doc_free(struct json_doc *d)
{
    delete d;
}

extern "C" enum vs_err json_doc_parse(struct json_doc *d, struct slice text, struct json_node *ret_root,
                                      const char **ret_reason)
{
    const char *reason = "document too long";
    enum vs_err result = VS_ERR_LIMIT;

    if (text.len == 0) {
        reason = "empty document";
        result = VS_ERR_MALFORMED;
    } else if (text.len <= JSON_DOC_MAX) {
        if (text.len > d->parser.capacity() && d->parser.allocate(text.len, JSON_DOC_DEPTH_MAX) != simdjson::SUCCESS)
            return VS_ERR_NO_MEMORY;
        element root;
        auto err = d->parser.parse(text.ptr, text.len, false).get(root);
        if (err == simdjson::SUCCESS) {
            *ret_root = pack(root);
            return VS_OK;
        }
        reason = simdjson::error_message(err);
        result = err == simdjson::MEMALLOC ? VS_ERR_NO_MEMORY : VS_ERR_MALFORMED;
    }
    if (ret_reason != nullptr)
        *ret_reason = reason;
    return result;
}

extern "C" enum json_node_kind json_node_kind(struct json_node n)
{
    switch (unpack<element>(n).type()) {
    case element_type::ARRAY:
        return JSON_NODE_ARRAY;
    case element_type::OBJECT:
        return JSON_NODE_OBJECT;
    case element_type::INT64:
        return JSON_NODE_INT;
    case element_type::UINT64:
        return JSON_NODE_UINT;
    case element_type::DOUBLE:
        return JSON_NODE_DOUBLE;
    case element_type::STRING:
        return JSON_NODE_TEXT;
    case element_type::BOOL:
        return JSON_NODE_BOOL;
    case element_type::NULL_VALUE:
        break;
    }
    return JSON_NODE_NULL;
}

extern "C" bool json_node_bool(struct json_node n)
{
    return unpack<element>(n).get_bool().value_unsafe();
}

extern "C" int64_t json_node_i64(struct json_node n)
{
    return unpack<element>(n).get_int64().value_unsafe();
}

extern "C" uint64_t json_node_u64(struct json_node n)
{
    return unpack<element>(n).get_uint64().value_unsafe();
}

extern "C" double json_node_double(struct json_node n)
{
    return unpack<element>(n).get_double().value_unsafe();
}

extern "C" struct slice json_node_text(struct json_node n)
{
    std::string_view s = unpack<element>(n).get_string().value_unsafe();
    return slice_make(s.data(), s.size());
}

extern "C" bool json_node_find(struct json_node n, const char *name, struct json_node *ret)
{
    element e = unpack<element>(n);
    element found;

    if (!e.is_object() || e.get_object().value_unsafe().at_key(name).get(found) != simdjson::SUCCESS)
        return false;
    *ret = pack(found);
    return true;
}

extern "C" void json_walk_init(struct json_walk *w, struct json_node n)
{
    element e = unpack<element>(n);

    w->object = e.is_object();
    assert(w->object || e.is_array());
    if (w->object) {
        object o = e.get_object().value_unsafe();
        w->at = pack(o.begin());
        w->end = pack(o.end());
    } else {
        array a = e.get_array().value_unsafe();
        w->at = pack(a.begin());
        w->end = pack(a.end());
    }
}

extern "C" bool json_walk_next(struct json_walk *w, struct slice *ret_key, struct json_node *ret)
{
    *ret_key = slice_make(nullptr, 0);
    if (w->object) {
        object::iterator at = unpack<object::iterator>(w->at);
        if (at == unpack<object::iterator>(w->end))
            return false;
        std::string_view key = at.key();
        *ret_key = slice_make(key.data(), key.size());
        *ret = pack(at.value());
        w->at = pack(++at);
        return true;
    }
    array::iterator at = unpack<array::iterator>(w->at);
    if (!(at != unpack<array::iterator>(w->end)))
        return false;
    *ret = pack(*at);
    w->at = pack(++at);
    return true;
}
