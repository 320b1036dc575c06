/* settle: where the alerts of a transaction go, when silences and budgets have a say.
 *
 * respond_on_alert leaves such alerts waiting. respond_settle, called once at the end of the transaction, first ends
 * the silences whose time is over at `now_us` (the event log's time; no clock), then places what waits, sorted by
 * (first, id), so that the order in which alerts came within the transaction makes no difference:
 *  1. An alert that is in an incident already stays with it. One gathered over budget stays there until it is critical.
 *  2. A silence that means the alert holds it: stored, listed, counted, not in the queue, no clock runs. Of several the
 *     one with the lowest number holds. A held alert comes out when no silence means it any longer, when its severity
 *     has risen since it was held first, or when it is seen on more than spread_factor times the vehicles it was seen
 *     on then; these last two come to the queue whatever the budget says.
 *  3. Critical alerts, and those of rules with a safety impact of S2 or S3, come to the queue.
 *  4. Else the budget decides (respond/budget.h).
 * An alert that superseded held ones is compared with what the first of them was.
 *
 * Cost: a dozen statements per waiting alert plus the silences that may mean it. Memory: the silences that hold now. */
#ifndef RESPOND_SETTLE_H
#define RESPOND_SETTLE_H

#include "store/store.h"

VS_MUST_USE enum vs_err respond_settle(struct store *st, int64_t now_us);

#endif
