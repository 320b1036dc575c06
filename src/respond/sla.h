/* sla: the clocks of an incident and their targets.
 *
 * Six clocks run apart, because their owners and their speeds differ: detect, acknowledge, triage, contain, remediate,
 * close. The targets here are policy defaults of OpenVSOC, not words of a regulation; UN R155 names none of them. A
 * target is by severity; detect and close have none. Pure: `now` is handed in. */
#ifndef RESPOND_SLA_H
#define RESPOND_SLA_H

#include <stdbool.h>
#include <stdint.h>

enum sla_clock { SLA_DETECT, SLA_ACKNOWLEDGE, SLA_TRIAGE, SLA_CONTAIN, SLA_REMEDIATE, SLA_CLOSE };
#define SLA_CLOCK_COUNT (SLA_CLOSE + 1)
enum sla_state { SLA_NONE, SLA_RUNNING, SLA_DUE_SOON, SLA_BREACHED, SLA_MET };

/* What is known of an incident; 0 = has not happened. */
struct sla_input {
    int severity; /* enum alert_severity */
    bool malicious;
    int64_t first_us; /* first event */
    int64_t opened_us, ack_us, triaged_us, contained_us, remediated_us, closed_us;
};

struct sla_reading {
    enum sla_clock clock;
    enum sla_state state;
    int64_t started_us, due_us, stopped_us; /* 0 = none */
};

/* Reads one clock. Due soon: less than a quarter of the time is left. */
void sla_read(const struct sla_input *in, enum sla_clock clock, int64_t now_us, struct sla_reading *ret);
/* The running clock that is due first; false when none runs. */
bool sla_next(const struct sla_input *in, int64_t now_us, struct sla_reading *ret);
/* The state of a clock of which only the target is known. start_us: when it began. */
enum sla_state sla_judge(int64_t start_us, int64_t due_us, int64_t stopped_us, int64_t now_us);

const char *sla_clock_code(enum sla_clock c);
const char *sla_state_code(enum sla_state s);
/* "policy" when the clock has a target, "none" otherwise. */
const char *sla_basis(enum sla_clock c, int severity);

#endif
