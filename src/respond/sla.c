#include "respond/sla.h"
#include "core/timestamp.h"
#include "store/alert.h"

#define HOUR_US (3600 * US_PER_S)
#define DAY_US  (24 * HOUR_US)

/* Targets by clock and severity (info, low, medium, high, critical); 0 = none. Acknowledge 24 h for high and contain 72
 * h for critical are the figures that buyers ask for; remediation runs at the pace of engineering. */
static const int64_t TARGET_US[SLA_CLOCK_COUNT][5] = {
    [SLA_ACKNOWLEDGE] = {0, 7 * DAY_US, 72 * HOUR_US, 24 * HOUR_US, 1 * HOUR_US},
    [SLA_TRIAGE] = {0, 14 * DAY_US, 7 * DAY_US, 48 * HOUR_US, 4 * HOUR_US},
    [SLA_CONTAIN] = {0, 0, 30 * DAY_US, 7 * DAY_US, 72 * HOUR_US},
    [SLA_REMEDIATE] = {0, 0, 365 * DAY_US, 180 * DAY_US, 90 * DAY_US},
};
static const char *const CLOCK_CODE[] = {"detect", "acknowledge", "triage", "contain", "remediate", "close"};
static const char *const STATE_CODE[] = {"none", "running", "due_soon", "breached", "met"};

const char *sla_clock_code(enum sla_clock c)
{
    return CLOCK_CODE[c];
}

const char *sla_state_code(enum sla_state s)
{
    return STATE_CODE[s];
}

static int64_t target_us(enum sla_clock c, int severity)
{
    return severity < 0 || severity > ALERT_CRITICAL ? 0 : TARGET_US[c][severity];
}

const char *sla_basis(enum sla_clock c, int severity)
{
    return target_us(c, severity) > 0 ? "policy" : "none";
}

enum sla_state sla_judge(int64_t start_us, int64_t due_us, int64_t stopped_us, int64_t now_us)
{
    if (due_us == 0)
        return SLA_NONE;
    if (stopped_us != 0)
        return stopped_us <= due_us ? SLA_MET : SLA_BREACHED;
    if (now_us > due_us)
        return SLA_BREACHED;
    return due_us - now_us < (due_us - start_us) / 4 ? SLA_DUE_SOON : SLA_RUNNING;
}

/* Closing ends every clock that still runs. */
static int64_t stop_of(const struct sla_input *in, enum sla_clock clock)
{
    const int64_t stop[SLA_CLOCK_COUNT] = {
        [SLA_DETECT] = in->opened_us,     [SLA_ACKNOWLEDGE] = in->ack_us,      [SLA_TRIAGE] = in->triaged_us,
        [SLA_CONTAIN] = in->contained_us, [SLA_REMEDIATE] = in->remediated_us, [SLA_CLOSE] = in->closed_us};

    return stop[clock] != 0 ? stop[clock] : in->closed_us;
}

void sla_read(const struct sla_input *in, enum sla_clock clock, int64_t now_us, struct sla_reading *ret)
{
    struct sla_reading r = {.clock = clock, .started_us = in->opened_us, .stopped_us = stop_of(in, clock)};
    int64_t target = target_us(clock, in->severity);

    if (clock == SLA_DETECT)
        r.started_us = in->first_us;
    /* Nothing is to be contained or remediated until it is known to be an attack, and nothing when it is known not to
     * be. */
    bool for_attacks = clock == SLA_CONTAIN || clock == SLA_REMEDIATE;
    if (for_attacks && in->triaged_us != 0 && !in->malicious)
        target = 0;
    if (target > 0)
        r.due_us = r.started_us + target;
    r.state = sla_judge(r.started_us, r.due_us, r.stopped_us, now_us);
    *ret = r;
}

bool sla_next(const struct sla_input *in, int64_t now_us, struct sla_reading *ret)
{
    bool found = false;

    for (int c = 0; c < SLA_CLOCK_COUNT; c++) {
        struct sla_reading r;
        sla_read(in, (enum sla_clock)c, now_us, &r);
        if (r.due_us == 0 || r.stopped_us != 0 || (found && r.due_us >= ret->due_us))
            continue;
        *ret = r;
        found = true;
    }
    return found;
}
