/* The part of the store that is the same on every engine: choosing one by its address, transactions, and the cache of
 * compiled statements.
 *
 * The cache is an array searched by the address of the SQL text first and its bytes second: a program has some dozens
 * of statements, and a literal is found by its address at once. A statement that is asked for while it is in use (a
 * query inside the loop over another run of itself) is compiled a second time and cached as well. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/migrate.h"
#include "store/store_engine.h"
#include "store/store_exec.h"

#define STORE_STATEMENTS_MAX 512

struct store_stmt {
    struct store *st;
    const char *sql;
    struct engine_query *query;
    bool in_use;
};

struct store {
    const struct store_engine *engine;
    struct engine_db *db;
    bool in_transaction;
    int64_t changes;
    int stmt_count;
    struct store_stmt *stmt[STORE_STATEMENTS_MAX];
};

static const struct store_engine *const ENGINES[] = {&sqlite_engine, &sqlite_readonly_engine, &memory_engine};

/* The engine whose scheme stands before the colon, and the rest of the address. */
static const struct store_engine *engine_find(const char *address, const char **ret_rest)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++) {
        size_t len = strlen(ENGINES[i]->scheme);
        if (strncmp(address, ENGINES[i]->scheme, len) == 0 && address[len] == ':') {
            *ret_rest = address + len + 1;
            return ENGINES[i];
        }
    }
    return NULL;
}

enum vs_err store_open(const char *address, struct store **ret, struct store_error *ret_error)
{
    const char *rest;
    const struct store_engine *engine = engine_find(address, &rest);

    if (engine == NULL) {
        snprintf(ret_error->text, sizeof ret_error->text,
                 "store address \"%s\" is none of sqlite:PATH, sqlite-readonly:PATH, memory:", address);
        return VS_ERR_CONFIG;
    }
    struct store *st = calloc(1, sizeof *st);
    if (st == NULL)
        return VS_ERR_NO_MEMORY;
    st->engine = engine;
    enum vs_err err = engine->open(rest, &st->db, ret_error);
    if (err == VS_OK && !engine->read_only)
        err = migrate(st, migrations, migration_count, ret_error);
    if (err != VS_OK) {
        store_close(st);
        return err;
    }
    *ret = st;
    return VS_OK;
}

void store_close(struct store *st)
{
    if (st == NULL)
        return;
    if (st->in_transaction)
        store_rollback(st);
    for (int i = 0; i < st->stmt_count; i++) {
        st->engine->free_query(st->stmt[i]->query);
        free(st->stmt[i]);
    }
    if (st->db != NULL)
        st->engine->close(st->db);
    free(st);
}

const char *store_error_text(const struct store *st)
{
    return st->engine->error_text(st->db);
}

enum vs_err store_exec(struct store *st, const char *script)
{
    return st->engine->exec(st->db, script);
}

enum vs_err store_begin(struct store *st)
{
    assert(!st->in_transaction);
    enum vs_err err = st->engine->exec(st->db, "BEGIN IMMEDIATE");
    st->in_transaction = err == VS_OK;
    return err;
}

enum vs_err store_commit(struct store *st)
{
    assert(st->in_transaction);
    enum vs_err err = st->engine->exec(st->db, "COMMIT");
    if (err == VS_OK)
        st->in_transaction = false;
    return err;
}

void store_rollback(struct store *st)
{
    if (!st->in_transaction)
        return;
    st->in_transaction = false;
    /* An engine that has rolled back by itself answers with an error, which is what was wanted. */
    (void)!st->engine->exec(st->db, "ROLLBACK");
}

static struct store_stmt *cached(struct store *st, const char *sql)
{
    for (int i = 0; i < st->stmt_count; i++)
        if (st->stmt[i]->sql == sql && !st->stmt[i]->in_use)
            return st->stmt[i];
    for (int i = 0; i < st->stmt_count; i++)
        if (!st->stmt[i]->in_use && strcmp(st->stmt[i]->sql, sql) == 0)
            return st->stmt[i];
    return NULL;
}

struct store_stmt *store_prepare(struct store *st, const char *sql)
{
    struct store_stmt *q = cached(st, sql);

    if (q == NULL) {
        assert(st->stmt_count < STORE_STATEMENTS_MAX);
        q = calloc(1, sizeof *q);
        assert(q != NULL);
        q->st = st;
        q->sql = sql;
        q->query = st->engine->compile(st->db, sql);
        assert(q->query != NULL); /* The SQL does not compile: a bug; store_error_text names the place. */
        st->stmt[st->stmt_count++] = q;
    }
    q->in_use = true;
    return q;
}

void store_done(struct store_stmt *q)
{
    if (q == NULL)
        return;
    q->st->engine->reset(q->query);
    q->in_use = false;
}

enum vs_err store_step(struct store_stmt *q)
{
    enum vs_err err = q->st->engine->step(q->query);

    q->st->changes = q->st->engine->changes(q->st->db);
    return err;
}

enum vs_err store_run(struct store_stmt *q)
{
    enum vs_err err = store_step(q);

    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

int64_t store_changes(const struct store *st)
{
    return st->changes;
}

void store_bind_i64(struct store_stmt *q, int at, int64_t v)
{
    q->st->engine->bind_i64(q->query, at, v);
}

void store_bind_text(struct store_stmt *q, int at, struct slice s)
{
    q->st->engine->bind_text(q->query, at, s);
}

void store_bind_blob(struct store_stmt *q, int at, struct slice s)
{
    q->st->engine->bind_blob(q->query, at, s);
}

/* After a reset every parameter is null, so there is nothing to do but to say it. */
void store_bind_null(struct store_stmt *q, int at)
{
    (void)q;
    (void)at;
}

int64_t store_i64(struct store_stmt *q, int at)
{
    return q->st->engine->i64(q->query, at);
}

struct slice store_text(struct store_stmt *q, int at)
{
    return q->st->engine->text(q->query, at);
}

struct slice store_blob(struct store_stmt *q, int at)
{
    return q->st->engine->blob(q->query, at);
}

bool store_is_null(struct store_stmt *q, int at)
{
    return q->st->engine->is_null(q->query, at);
}
