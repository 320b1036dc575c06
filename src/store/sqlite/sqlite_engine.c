/* The SQLite engine, on a file and in memory.
 *
 * On a file: WAL, so that readers of other processes never wait for the writer; synchronous FULL, so that a commit that
 * returned has reached the disk; foreign keys on; a busy timeout of STORE_BUSY_MS for the single write lock. In memory
 * the same SQL runs in a private database that ends with the handle. */
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store_engine.h"

struct engine_db {
    sqlite3 *handle;
};

static enum vs_err code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
        return VS_OK;
    case SQLITE_DONE:
        return VS_ERR_END;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return VS_ERR_BUSY;
    case SQLITE_CONSTRAINT:
        return VS_ERR_CONFLICT;
    case SQLITE_NOMEM:
        return VS_ERR_NO_MEMORY;
    case SQLITE_FULL:
        return VS_ERR_FULL;
    case SQLITE_READONLY:
        return VS_ERR_FORBIDDEN;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return VS_ERR_TAMPERED;
    default:
        return VS_ERR_IO;
    }
}

static enum vs_err db_exec(struct engine_db *db, const char *script)
{
    return code_of(sqlite3_exec(db->handle, script, NULL, NULL, NULL));
}

static void db_close(struct engine_db *db)
{
    sqlite3_close(db->handle);
    free(db);
}

static enum vs_err db_open(const char *name, int flags, const char *pragmas, struct engine_db **ret,
                           struct store_error *ret_error)
{
    struct engine_db *db = calloc(1, sizeof *db);

    if (db == NULL)
        return VS_ERR_NO_MEMORY;
    int rc = sqlite3_open_v2(name, &db->handle, flags | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db->handle, STORE_BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "%s: %s", name,
                 db->handle != NULL ? sqlite3_errmsg(db->handle) : "out of memory");
        db_close(db);
        return code_of(rc);
    }
    *ret = db;
    return VS_OK;
}

static enum vs_err file_open(const char *rest, struct engine_db **ret, struct store_error *ret_error)
{
    return db_open(rest, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                   "PRAGMA cache_size=-65536", /* KiB, taken as needed: a large import must not spill */
                   ret, ret_error);
}

static enum vs_err readonly_open(const char *rest, struct engine_db **ret, struct store_error *ret_error)
{
    /* Asking for the schema version reads the header: a file that is no database is told here, not at the first use. */
    return db_open(rest, SQLITE_OPEN_READONLY, "PRAGMA foreign_keys=ON; PRAGMA schema_version", ret, ret_error);
}

static enum vs_err memory_open(const char *rest, struct engine_db **ret, struct store_error *ret_error)
{
    (void)rest;
    return db_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "PRAGMA foreign_keys=ON", ret, ret_error);
}

static const char *db_error_text(const struct engine_db *db)
{
    return sqlite3_errmsg(db->handle);
}

static int64_t db_changes(const struct engine_db *db)
{
    return sqlite3_changes64(db->handle);
}

/* A query is the SQLite statement itself behind another name. */
static sqlite3_stmt *stmt_of(struct engine_query *q)
{
    return (sqlite3_stmt *)(void *)q;
}

static struct engine_query *db_compile(struct engine_db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);

    assert(rc != SQLITE_OK || *tail == '\0'); /* one statement at a time */
    return rc == SQLITE_OK ? (struct engine_query *)(void *)stmt : NULL;
}

static void query_free(struct engine_query *q)
{
    sqlite3_finalize(stmt_of(q));
}

static void query_reset(struct engine_query *q)
{
    sqlite3_reset(stmt_of(q));
    sqlite3_clear_bindings(stmt_of(q));
}

static enum vs_err query_step(struct engine_query *q)
{
    return code_of(sqlite3_step(stmt_of(q)));
}

/* Binding fails only for an index that the statement does not have, or for want of memory: both end the program. */
static void must(int rc)
{
    assert(rc == SQLITE_OK);
    (void)rc;
}

static void query_bind_i64(struct engine_query *q, int at, int64_t v)
{
    must(sqlite3_bind_int64(stmt_of(q), at, v));
}

/* An empty slice may have a NULL pointer, which SQLite would take for NULL. */
static const void *bytes_of(struct slice s)
{
    return s.ptr != NULL ? (const void *)s.ptr : "";
}

static void query_bind_text(struct engine_query *q, int at, struct slice s)
{
    must(sqlite3_bind_text64(stmt_of(q), at, (const char *)bytes_of(s), s.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

static void query_bind_blob(struct engine_query *q, int at, struct slice s)
{
    must(sqlite3_bind_blob64(stmt_of(q), at, bytes_of(s), s.len, SQLITE_TRANSIENT));
}

static int64_t query_i64(struct engine_query *q, int at)
{
    return sqlite3_column_int64(stmt_of(q), at);
}

static struct slice query_text(struct engine_query *q, int at)
{
    const unsigned char *text = sqlite3_column_text(stmt_of(q), at);

    return slice_make(text, text == NULL ? 0 : (size_t)sqlite3_column_bytes(stmt_of(q), at));
}

static struct slice query_blob(struct engine_query *q, int at)
{
    const void *blob = sqlite3_column_blob(stmt_of(q), at);

    return slice_make(blob, blob == NULL ? 0 : (size_t)sqlite3_column_bytes(stmt_of(q), at));
}

static bool query_is_null(struct engine_query *q, int at)
{
    return sqlite3_column_type(stmt_of(q), at) == SQLITE_NULL;
}

#define SQLITE_FUNCTIONS                                                                                               \
    .close = db_close, .error_text = db_error_text, .exec = db_exec, .compile = db_compile, .free_query = query_free,  \
    .reset = query_reset, .bind_i64 = query_bind_i64, .bind_text = query_bind_text, .bind_blob = query_bind_blob,      \
    .step = query_step, .i64 = query_i64, .text = query_text, .blob = query_blob, .is_null = query_is_null,            \
    .changes = db_changes

const struct store_engine sqlite_engine = {.scheme = "sqlite", .open = file_open, SQLITE_FUNCTIONS};
const struct store_engine sqlite_readonly_engine = {
    .scheme = "sqlite-readonly", .open = readonly_open, .read_only = true, SQLITE_FUNCTIONS};
const struct store_engine memory_engine = {.scheme = "memory", .open = memory_open, SQLITE_FUNCTIONS};
