/* alert_writer: brings one alert into the state database and into its incident, whoever found it: a Sigma rule, the
 * campaign scan, a match of threat intelligence.
 *
 * Finders number revisions within one run, or not at all; the database goes on counting over restarts. So the stored
 * alert is looked at first: when it says the same, nothing is written; otherwise it gets the next revision, its members
 * are written, and respond is told. A replay therefore changes nothing that it does not have to.
 *
 * Threads: that of the store. Everything is borrowed for the call. Errors: of the store. */
#ifndef APP_ALERT_WRITER_H
#define APP_ALERT_WRITER_H

#include "app/alert_book.h"
#include "respond/respond.h"

/* Takes one member event; gives false when no more are wanted (an error is on its way). */
typedef bool alert_member_fn(void *ctx, const struct alert_member *m);

/* Whoever found the alert, asked for its members when they are needed. */
struct alert_source {
    /* Hands the members of `al` to `each`, in time order, each event once; at most ALERT_MEMBERS_MAX are stored. NULL
     * for an alert without member events. */
    void (*members)(void *ctx, const struct alert *al, alert_member_fn *each, void *each_ctx);
    void *ctx;
};

/* Inside the caller's transaction. `rule` says what the alert's rule asks for (owner, playbook, actions, ..).
 * *ret_changed is set when something was written. */
VS_MUST_USE enum vs_err alert_writer_put(struct store *st, const struct alert_source *source,
                                         const struct alert_context *rule, const struct alert *al, int64_t now_us,
                                         bool *ret_changed);
/* The same with the same result. With the book, members are only added to an alert that grew at its end, so that its
 * cost is that of its new members; without it (NULL), all are written each time. */
VS_MUST_USE enum vs_err alert_writer_grow(struct store *st, const struct alert_source *source,
                                          const struct alert_context *rule, const struct alert *al, int64_t now_us,
                                          struct alert_book *book, bool *ret_changed);

#endif
