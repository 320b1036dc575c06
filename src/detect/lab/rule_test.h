/* rule_test: the tests that sit beside the rules, run through the very engine that runs live.
 *
 * <name>.test.yml beside <name>.yml:
 *
 *     rules: [other.yml]                  optional; files beside the test, default <name>.yml
 *     cases:
 *       - name: six in a minute
 *         events:
 *           - {vin: V1, time: +0s, type: secoc.verification_failed, pdu: EngTorque, repeat: 6, step: 10s}
 *         alerts:
 *           - {rule: secoc_storm, severity: high, count: 6, first: +0s, last: +50s}
 *
 * An event is a flat JSON event with three helpers: `repeat: n` makes n of it, `step` apart in time, with {i} in texts
 * replaced by 0, 1, 2, ..; times may be written as offsets such as +48h1s. Events without `seq` are numbered through;
 * `seq: none` leaves the number out. The case passes when there are exactly these alerts, each with the values written
 * down, and when the same events in reverse order and twice give the same alerts byte for byte. */
#ifndef DETECT_LAB_RULE_TEST_H
#define DETECT_LAB_RULE_TEST_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "detect/sigma/diag.h"

struct rule_test_result {
    const char *path, *name;
    unsigned line;
    bool passed;
    const char *reason; /* empty when passed */
};

typedef void rule_test_report(void *ctx, const struct rule_test_result *result);

struct rule_test_totals {
    uint32_t files, passed, failed;
};

/* Runs a test file, or all below a directory. Problems in test files and rules go to diag. VS_ERR_IO when a path cannot
 * be read, VS_ERR_CONFIG when a file is broken; failed cases are in the totals. */
VS_MUST_USE enum vs_err rule_test_run(const char *path, struct diag *d, rule_test_report *report, void *ctx,
                                      struct rule_test_totals *totals);

#endif
