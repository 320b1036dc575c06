/* rule_info: what each rule says of its alerts, kept in the state database.
 *
 * Detection knows its rules only while it runs; people look at them at any time, and an alert that a silence held needs
 * its rule's playbook and tasks when the silence ends, maybe days later and in another process. So what a rule says is
 * written whenever it changed. Errors: of the store. */
#ifndef RESPOND_RULE_INFO_H
#define RESPOND_RULE_INFO_H

#include "respond/respond.h"

#define RULE_INFO_ACTIONS_MAX 2048 /* bytes of all action names together */

/* What only the loader of rules can tell. Lists are texts with a comma between their items; empty = not told. */
struct rule_listing {
    struct slice rule, title, path, tara, r155, atm;
    int severity; /* enum alert_severity */
};

/* Writes what a rule that fired says, unless it stands there already. Keeps what a listing told. */
VS_MUST_USE enum vs_err rule_info_fired(struct store *st, struct slice rule, struct slice title,
                                        const struct alert_context *about, int64_t now_us);
/* The rules that run now: begin marks all as not loaded, each put marks one. Inside one transaction. */
VS_MUST_USE enum vs_err rule_info_begin(struct store *st);
VS_MUST_USE enum vs_err rule_info_put(struct store *st, const struct rule_listing *listing,
                                      const struct alert_context *about, int64_t now_us);

/* What a rule says. The slices are borrowed from the statement, to be ended with store_done (NULL is fine). A rule that
 * nobody wrote says nothing. */
VS_MUST_USE enum vs_err rule_info_find(struct store *st, struct slice rule, struct store_stmt **ret_q,
                                       struct alert_context *ret);

#endif
