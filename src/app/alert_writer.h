/* alert_writer: brings one alert, as the engine has it, into the state database and into its incident.
 *
 * The engine numbers revisions within one run; the database goes on counting over restarts. So the stored alert is
 * looked at first: when it says the same, nothing is written; otherwise it gets the next revision, the members are
 * written, and respond is told. A replay therefore changes nothing that it does not have to. */
#ifndef APP_ALERT_WRITER_H
#define APP_ALERT_WRITER_H

#include "app/member_facts.h"
#include "detect/engine/engine.h"
#include "store/store.h"

/* Inside the caller's transaction. *ret_changed is set when something was written. */
VS_MUST_USE enum vs_err alert_writer_put(struct store *st, const struct engine *e, const struct member_facts *facts,
                                         const struct rule *rule, const struct alert *al, int64_t now_us,
                                         bool *ret_changed);

#endif
