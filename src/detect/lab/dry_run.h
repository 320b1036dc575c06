/* dry_run: what a rule would have meant for the people who answer its alerts, counted from its alerts over the past.
 *
 * Alerts count on the day (UTC) of their first event, a vehicle on every day on which it is a member of an alert. The
 * length of the past is that of the events read, also those that no rule looks at; a day that begins or ends it counts
 * as a part of a day. Budgets are compared with the average per day, except that one day may not exceed
 * DRY_RUN_PEAK_FACTOR times the budget either: an average hides the day on which nobody can work.
 * Memory: heap; one entry per vehicle and day with an alert. No clock is read: cost is handed in. */
#ifndef DETECT_LAB_DRY_RUN_H
#define DETECT_LAB_DRY_RUN_H

#include "core/writer.h"
#include "detect/sigma/rule.h"

#define DRY_RUN_PEAK_FACTOR 5
#define DRY_RUN_DAYS_MAX    36600 /* beyond a hundred years the times are wrong */

struct dry_run_day {
    int64_t day; /* since 1970 */
    uint32_t alerts, vehicles;
};

struct dry_run;

struct dry_run *dry_run_new(const struct rule *rule);
void dry_run_free(struct dry_run *d);
const struct rule *dry_run_rule(const struct dry_run *d);
/* An alert, then its members. */
void dry_run_alert(struct dry_run *d, const struct alert *al);
void dry_run_member(struct dry_run *d, struct slice vehicle, int64_t time_us);

/* What was measured besides. */
struct dry_run_past {
    int64_t first_us, last_us; /* of the events */
    uint64_t events;
    int64_t cost_ns;     /* of CPU for an event, of the whole draft; -1 = not measured */
    uint64_t memory_kib; /* more than without the draft; 0 = not measured */
};

struct dry_run_report {
    uint32_t alerts, vehicles, days_with_alerts;
    struct dry_run_day worst_alerts, worst_vehicles;
    double days, alerts_per_day, vehicles_per_day;
    bool over_alerts, over_vehicles, over_cost;
};

/* `extra` fields that are not -1 take the place of the rule's own budget. */
void dry_run_report(struct dry_run *d, const struct dry_run_past *past, const struct rule_budget *extra,
                    struct dry_run_report *ret);
/* Days with alerts, in order. Valid after dry_run_report. */
const struct dry_run_day *dry_run_days(const struct dry_run *d, uint32_t *ret_count);
/* "alerts_per_day=5,cost_ns=500". False when it is no budget. */
bool dry_run_read_budget(struct slice text, struct rule_budget *ret);

#endif
