/* respond: takes an alert that detection made or changed and sees to it that it is worked on.
 *
 * Detection calls respond_on_alert once per change, inside the same store transaction as alert_store_put and
 * alert_store_add_members and after them. It finds the incident the alert belongs to (respond/grouping.h), opens one
 * when there is none, merges two when the alert shows that they are one, works out the incident's row again, and opens
 * the tasks the rule asks for. Nothing here acts on a vehicle.
 *
 * Which alerts share an incident does not depend on the order in which they came. An alert, once in an incident, stays
 * listed there for good; a retracted alert leaves a note. An alert that is seen for the first time as retracted, or
 * whose context says `hunt_only` (rules that still learn, severity info), stays an alert and opens no incident.
 *
 * Where a silence or a budget has a say (respond/silence.h, respond/budget.h), the alert waits until the caller ends
 * the transaction with respond_settle (respond/settle.h), which places all that wait in an order of its own; so the
 * order of calls within a transaction makes no difference there either.
 *
 * Memory: all slices are borrowed for the call. Errors: what the store says; roll the transaction back then.
 * Cost: a dozen statements plus O(vehicles of the incident); hand in one call per alert and tick, not per event. */
#ifndef RESPOND_RESPOND_H
#define RESPOND_RESPOND_H

#include "store/alert_store.h"

#define ALERT_ACTIONS_MAX 16

/* What the `vsoc:` block of a rule asks for. Names known here (respond/task.h gives them titles):
 * psirt_indicator_report, share_auto_isac, evaluate_ota_countermeasure, analyst_review, key_rotation,
 * owner_notification, isolate_analysis. Others become tasks by their name. */
struct alert_action {
    struct slice name;
    bool on_repeat; /* only when the rule fires again in the same incident */
};

/* What the rule says about the alert, beyond the alert itself. Slices may be empty. */
struct alert_context {
    struct slice rationale; /* why the rule exists, plain text: the incident's description */
    struct slice playbook;
    struct slice owner;
    int safety; /* TARA safety impact 0 to 3; -1 = not assessed */
    bool hunt_only;
    uint8_t action_count;
    struct alert_action action[ALERT_ACTIONS_MAX];
};

VS_MUST_USE enum vs_err respond_on_alert(struct store *st, const struct alert *al, const struct alert_context *rule,
                                         int64_t now_us);

#endif
