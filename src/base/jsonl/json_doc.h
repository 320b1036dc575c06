/* json_doc: one JSON document as a tree that C code walks, for documents that are more than a flat object.
 *
 * A second thin C face over simdjson beside json_reader.h: the text is checked and parsed once, then nodes are looked
 * at in place. A node is a small value, borrowed from its document until the next call of json_doc_parse on it; texts
 * are unescaped UTF-8, borrowed the same way. Cost: json_node_find is linear in the members of the object; walking all
 * members once is better. Repeated keys are handed out as they stand; json_node_find gives the first.
 *
 * Memory: the document owns its buffers and reuses them. Threads: one document per thread.
 * Bounds: JSON_DOC_MAX bytes, JSON_DOC_DEPTH_MAX levels. JSON_PADDING bytes behind the text must be readable. */
#ifndef BASE_JSONL_JSON_DOC_H
#define BASE_JSONL_JSON_DOC_H

#include "base/jsonl/json_reader.h"

#define JSON_DOC_MAX       (64u << 20)
#define JSON_DOC_DEPTH_MAX 64

#ifdef __cplusplus
extern "C" {
#endif

enum json_node_kind {
    JSON_NODE_NULL,
    JSON_NODE_BOOL,
    JSON_NODE_INT,
    JSON_NODE_UINT, /* only above INT64_MAX */
    JSON_NODE_DOUBLE,
    JSON_NODE_TEXT,
    JSON_NODE_ARRAY,
    JSON_NODE_OBJECT
};

struct json_doc;

struct json_node {
    const void *part[2]; /* private */
};

/* Walks the members of an object or the items of an array. */
struct json_walk {
    struct json_node at, end; /* private */
    bool object;
};

VS_MUST_USE enum vs_err json_doc_new(struct json_doc **ret);
void json_doc_free(struct json_doc *d);

/* Parses `text`. On failure *ret_reason (may be NULL) says in a few words what is wrong. VS_ERR_MALFORMED,
 * VS_ERR_LIMIT, VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err json_doc_parse(struct json_doc *d, struct slice text, struct json_node *ret_root,
                                       const char **ret_reason);

enum json_node_kind json_node_kind(struct json_node n);
/* The value of a node of that kind; anything else is a bug. json_node_double also takes the two integer kinds. */
bool json_node_bool(struct json_node n);
int64_t json_node_i64(struct json_node n);
uint64_t json_node_u64(struct json_node n);
double json_node_double(struct json_node n);
struct slice json_node_text(struct json_node n);
/* The first member of that name; false when there is none, or n is no object. */
bool json_node_find(struct json_node n, const char *name, struct json_node *ret);

/* n must be an object or an array. */
void json_walk_init(struct json_walk *w, struct json_node n);
/* The next member or item; ret_key is empty in an array. False at the end. */
bool json_walk_next(struct json_walk *w, struct slice *ret_key, struct json_node *ret);

#ifdef __cplusplus
}
#endif

#endif
