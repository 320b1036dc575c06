/* store_engine: what a database engine has to offer so that store.h works on it. Only store.c and the engines include
 * it.
 *
 * An engine is a const struct of functions with a scheme name; store_open picks it by the address. It sees the SQL of
 * the house as it is written (store.h says which SQL that is) and turns it into its own where they differ: SQLite takes
 * it verbatim; PostgreSQL would number the ? parameters and define BLOB as a domain over bytea. */
#ifndef STORE_STORE_ENGINE_H
#define STORE_STORE_ENGINE_H

#include "store/store.h"

struct engine_db;    /* a connection; each engine has its own */
struct engine_query; /* a compiled statement */

struct store_engine {
    const char *scheme;
    /* `rest` is the address after the colon. On failure the reason is in *ret_error. */
    enum vs_err (*open)(const char *rest, struct engine_db **ret, struct store_error *ret_error);
    void (*close)(struct engine_db *db);
    const char *(*error_text)(const struct engine_db *db);
    /* Runs a script of several statements without parameters. */
    enum vs_err (*exec)(struct engine_db *db, const char *script);
    /* NULL when the statement does not compile. */
    struct engine_query *(*compile)(struct engine_db *db, const char *sql);
    void (*free_query)(struct engine_query *q);
    /* Ends a run: no bound values, no open cursor. */
    void (*reset)(struct engine_query *q);
    void (*bind_i64)(struct engine_query *q, int at, int64_t v);
    void (*bind_text)(struct engine_query *q, int at, struct slice s);
    void (*bind_blob)(struct engine_query *q, int at, struct slice s);
    enum vs_err (*step)(struct engine_query *q);
    int64_t (*i64)(struct engine_query *q, int at);
    struct slice (*text)(struct engine_query *q, int at);
    struct slice (*blob)(struct engine_query *q, int at);
    bool (*is_null)(struct engine_query *q, int at);
    int64_t (*changes)(const struct engine_db *db);
    bool read_only; /* opened for looking only: nothing is migrated */
};

extern const struct store_engine sqlite_engine;          /* "sqlite:PATH" */
extern const struct store_engine sqlite_readonly_engine; /* "sqlite-readonly:PATH" */
extern const struct store_engine memory_engine;          /* "memory:" */

#endif
