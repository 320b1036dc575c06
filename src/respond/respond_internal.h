/* respond_internal: what respond.c and settle.c share. Included by them only. */
#ifndef RESPOND_RESPOND_INTERNAL_H
#define RESPOND_RESPOND_INTERNAL_H

#include "respond/grouping.h"

/* Reads the alert as grouping sees it. */
enum vs_err respond_load(struct store *st, struct slice id, struct grouping_alert *ret, bool *ret_superseded);
/* Places the alert, and does what follows: merges, notes, tasks, the incident's row. */
enum vs_err respond_work_on(struct store *st, const struct grouping_alert *al, const struct alert_context *rule,
                            int64_t now_us);

#endif
