/* gauge: single figures that one process keeps and others show, such as how many rules are loaded. A figure that nobody
 * wrote is unknown, not zero. */
#ifndef STORE_GAUGE_H
#define STORE_GAUGE_H

#include "store/store.h"

/* Inside a transaction. */
VS_MUST_USE enum vs_err gauge_put(struct store *st, const char *name, int64_t value, int64_t now_us);
/* False when nobody wrote it. ret_at_us may be NULL. */
bool gauge_get(struct store *st, const char *name, int64_t *ret, int64_t *ret_at_us);

#endif
