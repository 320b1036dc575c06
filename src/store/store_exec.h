/* store_exec: runs a script of several statements without parameters. For schema changes and tests only; everything
 * else goes through store_prepare, so that no value ever becomes part of SQL text. */
#ifndef STORE_STORE_EXEC_H
#define STORE_STORE_EXEC_H

#include "store/store.h"

VS_MUST_USE enum vs_err store_exec(struct store *st, const char *script);

#endif
