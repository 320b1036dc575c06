/* rule_list: tells the state database which rules run, and what each says of itself, for people to see. */
#ifndef APP_RULE_LIST_H
#define APP_RULE_LIST_H

#include "detect/sigma/plan.h"
#include "store/store.h"

/* Writes the rules of the plan that make alerts; those that were there before are marked as not loaded. Inside the
 * caller's transaction, once per plan. */
VS_MUST_USE enum vs_err rule_list_write(struct store *st, const struct plan *plan, int64_t now_us);

#endif
