/* budget: how many alerts a day a rule, and a team, may bring to the queue.
 *
 * A day is a UTC day of the event log's time. Every alert that asks for attention for the first time is counted under
 * its rule (budget_day): it came to the queue, or a silence held it, or it was over budget. Over budget means: the rule
 * or its owner's team has brought as many alerts to the queue this day as its limit says. Such an alert
 *  - comes to the queue all the same when it is critical, or its rule's safety impact is S2 or S3;
 *  - joins the incident that it belongs to when there is an open one;
 *  - else is gathered in the one incident of this rule and day, whose page says why it exists, what its alerts have in
 *    common, and carries a task for the owner.
 * It is never dropped. An alert gathered there that turns critical leaves for the queue. The incident keeps its day:
 * when people close it, further alerts of the day are still listed in it.
 *
 * Counters are rows that change in the transaction of the alerts that they count. Days without a row had none.
 * Errors: of the store. */
#ifndef RESPOND_BUDGET_H
#define RESPOND_BUDGET_H

#include "respond/grouping.h"

#define BUDGET_DAY_US       INT64_C(86400000000)
#define BUDGET_RULE_DEFAULT 100 /* alerts a day of a rule that no budget names */
#define BUDGET_TEAM_DEFAULT 300
#define BUDGET_PER_DAY_MAX  1000000
#define BUDGET_LIMITS_MAX   4096
#define BUDGET_NAME_SIZE    256
#define BUDGET_TOP_MAX      5
#define BUDGET_REFRESH_US   INT64_C(10000000) /* the row of an over-budget incident lags by so much at most */

enum budget_outcome { BUDGET_QUEUED, BUDGET_THROUGH, BUDGET_JOINED, BUDGET_OVER, BUDGET_SILENCED };
#define BUDGET_OUTCOME_COUNT (BUDGET_SILENCED + 1)

enum budget_scope { BUDGET_RULE, BUDGET_TEAM };

struct budget_limit {
    enum budget_scope scope;
    char name[BUDGET_NAME_SIZE]; /* "*" = all without a limit of their own */
    int64_t per_day;             /* -1 = no limit */
};

const char *budget_scope_code(enum budget_scope s);
const char *budget_outcome_code(enum budget_outcome o);

/* Makes these the limits. Inside a transaction. */
VS_MUST_USE enum vs_err budget_limits_put(struct store *st, const struct budget_limit *limit, unsigned count);
/* The limit of a rule or team: its own, else that of "*", else -1 = none. *ret_own tells which; may be NULL. */
int64_t budget_limit_of(struct store *st, enum budget_scope scope, struct slice name, bool *ret_own);

struct budget_verdict {
    bool over;
    enum budget_scope scope; /* whose limit it is */
    char name[BUDGET_NAME_SIZE];
    int64_t per_day, used;
};

/* Whether one more alert of the rule would be over budget now. owner empty = nobody's. */
VS_MUST_USE enum vs_err budget_judge(struct store *st, struct slice rule, struct slice owner, int64_t now_us,
                                     struct budget_verdict *ret);
/* Notes what became of the alert; counts it unless that is what it was already. */
VS_MUST_USE enum vs_err budget_note(struct store *st, const struct grouping_alert *al, struct slice owner,
                                    enum budget_outcome outcome, int64_t now_us);
/* Takes the alert into the incident of its rule and the day of now, opening that when it is the first. */
VS_MUST_USE enum vs_err budget_gather(struct store *st, const struct grouping_alert *al,
                                      const struct budget_verdict *verdict, int64_t now_us);
/* Works out the rows, descriptions and tasks of the incidents that budget_gather or a leaving alert touched: at once
 * when their number of alerts changed by a sixteenth, else BUDGET_REFRESH_US after the last time. */
VS_MUST_USE enum vs_err budget_settle(struct store *st, int64_t now_us);

/* What an incident's alerts have most in common. */
enum budget_aspect {
    BUDGET_BY_GROUP,
    BUDGET_BY_VID,
    BUDGET_BY_MODEL,
    BUDGET_BY_SW,
    BUDGET_BY_REGION,
    BUDGET_BY_SIGNATURE
};
#define BUDGET_ASPECT_COUNT (BUDGET_BY_SIGNATURE + 1)
const char *budget_aspect_code(enum budget_aspect a); /* as a matcher of a silence names it; "group" for groups */

struct budget_top {
    char value[INCIDENT_TEXT_SIZE];
    int64_t alerts;
};
/* The values that most of its alerts have, most first; at most BUDGET_TOP_MAX. */
VS_MUST_USE enum vs_err budget_tops(struct store *st, int64_t incident, enum budget_aspect aspect,
                                    struct budget_top ret[BUDGET_TOP_MAX], unsigned *ret_count);

#endif
