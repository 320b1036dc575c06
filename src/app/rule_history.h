/* rule_history: notes in the state database which version of its rule wrote an alert, and keeps that version's text, so
 * that years later it can be read and run again.
 *
 * Cost: two small statements per alert that changed; the text is written down once per version. */
#ifndef APP_RULE_HISTORY_H
#define APP_RULE_HISTORY_H

#include "detect/sigma/plan.h"
#include "store/store.h"

/* Inside the caller's transaction, after the alert was stored. */
VS_MUST_USE enum vs_err rule_history_note(struct store *st, const struct plan *p, const struct rule *rule,
                                          const uint8_t alert[ALERT_ID_SIZE], int64_t now_us);

#endif
