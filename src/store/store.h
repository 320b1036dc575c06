/* store: the state database that people work on: vehicles, alerts, incidents, approvals, audit, ledger.
 *
 * One contract, several engines: `sqlite` (embedded, WAL with synchronous FULL), `memory` (the same SQL without a file,
 * for the simulator and tests), later PostgreSQL. SQL is written once, in the part that both engines speak (no upsert
 * but INSERT .. ON CONFLICT, no engine's own functions, ? for parameters). Schema changes are numbered files in
 * src/store/migrations, applied in order at opening, each in one transaction.
 *
 * Use: store_prepare gives a statement that is cached by its text and must be released with store_done; bind, step,
 * read. All writing happens between store_begin and store_commit; a transaction that is not committed leaves nothing
 * behind. Memory: bound slices are copied; texts read are borrowed until the next step or done on that statement.
 * Threads: one store handle belongs to one thread; several processes may open the same file.
 * Errors: VS_ERR_BUSY (another writer held the lock for STORE_BUSY_MS), VS_ERR_CONFLICT (constraint), VS_ERR_IO. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define STORE_BUSY_MS 10000

struct store;
struct store_stmt;

struct store_error {
    char text[256];
};

/* "sqlite:PATH" or "memory:". Creates and migrates what is missing. */
VS_MUST_USE enum vs_err store_open(const char *address, struct store **ret, struct store_error *ret_error);
void store_close(struct store *st);
/* Text of the last failure on this handle, for a log line. Never NULL. */
const char *store_error_text(const struct store *st);

VS_MUST_USE enum vs_err store_begin(struct store *st);
VS_MUST_USE enum vs_err store_commit(struct store *st);
void store_rollback(struct store *st);

/* `sql` must be a string that lives as long as the store (a literal). A statement that does not compile is a bug. */
struct store_stmt *store_prepare(struct store *st, const char *sql);
/* Parameters count from 1. */
void store_bind_i64(struct store_stmt *q, int at, int64_t v);
void store_bind_text(struct store_stmt *q, int at, struct slice s);
void store_bind_blob(struct store_stmt *q, int at, struct slice s);
void store_bind_null(struct store_stmt *q, int at);
/* VS_OK: a row is there. VS_ERR_END: no more rows (or the statement has none). */
VS_MUST_USE enum vs_err store_step(struct store_stmt *q);
/* Columns count from 0. */
int64_t store_i64(struct store_stmt *q, int at);
struct slice store_text(struct store_stmt *q, int at);
struct slice store_blob(struct store_stmt *q, int at);
bool store_is_null(struct store_stmt *q, int at);
/* Ends the use of a statement; NULL is fine. */
void store_done(struct store_stmt *q);
/* Runs a statement that gives no rows and has its parameters bound, then ends it. */
VS_MUST_USE enum vs_err store_run(struct store_stmt *q);
/* Rows changed by the last store_run or store_step. */
int64_t store_changes(const struct store *st);

#endif
