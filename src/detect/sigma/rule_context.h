/* rule_context: the `vsoc:` block, which ties a rule to the security case.
 *
 *     vsoc:
 *         tara: [TS-BRAKE-003]            threat scenarios of the TARA
 *         r155: ['11.1']                  leaves of UN R155 Annex 5 Part A
 *         atm: [T0070]                    Auto-ISAC Automotive Threat Matrix techniques
 *         playbook: can_injection         what respond runs
 *         rationale: why this threshold   owner: who answers for it
 *         severity_steps: [{peak: 100, level: critical}]    rising with the episode's peak
 *         actions: [psirt_indicator_report]                 asked for besides the playbook
 *         episode: 10m                    plain rules: matches of one vehicle this close are one alert
 *         scope: {model: [Aurora]}        which vehicles it is about (rule_scope.h)
 *         budget: {alerts_per_day: 5, vehicles_per_day: 20, cost_ns: 500}    what it may cost (lab/dry_run.h) */
#ifndef DETECT_SIGMA_RULE_CONTEXT_H
#define DETECT_SIGMA_RULE_CONTEXT_H

#include "detect/sigma/rule_load.h"

/* False after an error. */
bool rule_context_load(const struct rule_source *src, const struct yaml_node *n, struct rule_context *ret);
/* Complains about what a rule that is part of the product must say and does not. */
void rule_context_require(const struct rule_source *src, struct rule *r);

#endif
