/* yaml_tree: YAML text as a tree of nodes that know their line and column.
 *
 * A thin layer over libyaml's event parser. Scalars keep their text and whether they were quoted; what a plain scalar
 * means (number, true, null) is asked for with the yaml_is_* and yaml_read_* functions, which follow the YAML 1.2 core
 * schema plus 0x numbers. Aliases share the node they name. Duplicate keys of a map are an error.
 * Memory: nodes live in the caller's arena. Bounds: YAML_NODES_MAX nodes, YAML_DEPTH_MAX levels, YAML_KEYS_MAX keys of
 * one map, YAML_TEXT_MAX bytes.
 */
#ifndef DETECT_SIGMA_YAML_TREE_H
#define DETECT_SIGMA_YAML_TREE_H

#include "detect/sigma/diag.h"

#define YAML_NODES_MAX 200000
#define YAML_DEPTH_MAX 32
#define YAML_KEYS_MAX  4096
#define YAML_TEXT_MAX  (8u << 20)

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    uint8_t kind; /* enum yaml_kind */
    bool quoted;  /* a scalar that is text whatever it looks like */
    unsigned line, column;
    struct slice text;        /* scalar */
    struct yaml_node *key;    /* of an entry of a map */
    struct yaml_node *child;  /* first item of a list or map */
    struct yaml_node *next;   /* next sibling */
    struct yaml_node *target; /* of an alias: the node itself; NULL otherwise */
};

/* Reads all documents of a file; *ret_docs is a list node whose items are the documents (empty ones left out). False
 * when the text is not YAML, with the reason in diag. */
bool yaml_read(struct arena *a, struct diag *d, const char *path, struct slice text, struct yaml_node **ret_docs);

/* The node behind an alias, or the node itself; NULL stays NULL. */
const struct yaml_node *yaml_deref(const struct yaml_node *n);
/* Value of a key of a map; NULL when the node is no map or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

bool yaml_is_null(const struct yaml_node *n);
bool yaml_read_bool(const struct yaml_node *n, bool *ret);
/* Plain integers, decimal, 0x or 0o. */
bool yaml_read_i64(const struct yaml_node *n, int64_t *ret);
/* Plain integers and decimals, no infinities. */
bool yaml_read_double(const struct yaml_node *n, double *ret);

#endif
