/* rule_explain_alert: why an alert stands, line by line: the alert, what its rule counts, what each member added and in
 * which window, and where the threshold was met.
 *
 * With events at hand everything is worked out again from them (detect/lab/window_trace.h), and the last line says
 * whether that agrees with the alert. Out of the state database it is what was written then: the alert, the text of the
 * rule's version, and the members by name and place in the event log. */
#ifndef APP_RULE_EXPLAIN_ALERT_H
#define APP_RULE_EXPLAIN_ALERT_H

#include "app/rule_cli.h"
#include "codec/dbc.h"

int rule_explain_alert(struct plan *p, struct slice text, const struct rule_options *o, const struct dbc *dbc);
int rule_explain_stored(const struct rule_options *o);

#endif
