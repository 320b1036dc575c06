/* backtest: a file of events through the very engine that runs live, and the final alerts.
 *
 * Lines are read and matched by any number of workers, each line by itself; windows are kept by one engine. Since
 * alerts are a function of the set of events, the result does not depend on the workers or on the order of the lines.
 * A line that is no event is counted and reported with its number and the reason, and takes no part. */
#ifndef DETECT_LAB_BACKTEST_H
#define DETECT_LAB_BACKTEST_H

#include "detect/engine/engine.h"

#define BACKTEST_WORKERS_MAX 64

struct backtest_report {
    uint64_t lines; /* documents seen */
    uint64_t bad_lines;
    uint64_t quarantined;    /* dated more than FUTURE_US_MAX after receipt */
    uint64_t beyond_horizon; /* received later than the horizon */
    uint64_t geo_untrusted, geo_no_position, places_dropped, regex_undecided;
    int64_t first_us, last_us; /* of the events; 0 when there were none */
    struct engine_counters engine;
};

struct backtest_options {
    unsigned workers;                                               /* at least 1 */
    int64_t horizon_us;                                             /* 0 = none */
    void (*bad_line)(void *ctx, uint64_t line, const char *reason); /* may be NULL; not in order of lines */
    void *ctx;
    void (*settled)(void *ctx,
                    const struct engine *e); /* may be NULL; before alerts are handed out, to ask for members */
};

/* The tag of a member is the number of its line. `text` must have JSON_PADDING readable bytes behind it. Alerts are
 * handed out sorted by rule, group, first. */
VS_MUST_USE enum vs_err backtest_run(const struct plan *plan, struct slice text, const struct backtest_options *o,
                                     engine_emit *emit, void *emit_ctx, struct backtest_report *ret);

#endif
