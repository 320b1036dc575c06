/* migrate: brings a database to the schema of this build.
 *
 * Each file of src/store/migrations, NNNN-name.sql, is one step, embedded in the program at build time and applied
 * once, in the order of the numbers, in a transaction of its own. The table schema_step remembers which. Several
 * processes may open one database at once: each step is looked up again under the write lock. A database with a step
 * that this build does not know was written by a newer one and is refused. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/store.h"

struct migration {
    int number;
    const char *name;
    const char *sql;
};

/* Sorted by number; made by the build from src/store/migrations. */
extern const struct migration migrations[];
extern const int migration_count;

/* VS_ERR_VERSION: the database is newer than this build. Else what the engine said; the reason is in *ret_error. */
VS_MUST_USE enum vs_err migrate(struct store *st, const struct migration *list, int count,
                                struct store_error *ret_error);

#endif
