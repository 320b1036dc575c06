/* rule_alerts: an alert of the engine as the alert writer wants it: its members with what the case files show of them,
 * and what its rule asks for.
 *
 * Memory: everything is borrowed. Threads: that of the engine. */
#ifndef APP_RULE_ALERTS_H
#define APP_RULE_ALERTS_H

#include "app/alert_writer.h"
#include "app/member_facts.h"
#include "detect/engine/engine.h"

struct rule_alert {
    const struct engine *engine;
    const struct member_facts *facts;
    const struct rule *rule;
};

/* The source of an alert that the engine has just handed out; *ra must live as long as the source is used. */
struct alert_source rule_alert_source(struct rule_alert *ra);
/* What respond wants to know of the rule. An action "x:on_repeat" is asked for only when the rule fires again. */
void rule_alert_context(const struct rule *rule, struct alert_context *ret);

#endif
