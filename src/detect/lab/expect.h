/* expect: alerts as they came, against alerts as they were expected.
 *
 * Expected alerts are JSON lines as `backtest` prints them, or only those keys that matter: one line
 *
 *     {"rule":"storm","group":{"vin":"V1"},"first":"2026-03-01T12:00:00Z","count":6}
 *
 * stands for one alert with these values. `group` and `supersedes` are compared whole, times by what they mean. Order
 * does not matter: lines are first matched to alerts that have all their values; what is left of one rule (and group,
 * if the line names one) is shown as changed, then as missing or unexpected.
 * Memory: heap. Bounds: EXPECT_ALERTS_MAX on either side. Cost: O(n) when both sides have the same order. */
#ifndef DETECT_LAB_EXPECT_H
#define DETECT_LAB_EXPECT_H

#include "core/must_use.h"
#include "detect/sigma/yaml_tree.h"

#define EXPECT_ALERTS_MAX 1000000

struct expect;

struct expect *expect_new(void);
void expect_free(struct expect *e);
/* Reads the file of expected alerts. False after an error in diag. */
VS_MUST_USE bool expect_read(struct expect *e, struct diag *d, const char *path, struct slice text);
/* Takes an alert that came, as JSON. */
void expect_take(struct expect *e, struct slice alert);

enum expect_kind { EXPECT_SAME, EXPECT_CHANGED, EXPECT_MISSING, EXPECT_UNEXPECTED };

struct expect_result {
    enum expect_kind kind;
    struct slice expected, alert; /* JSON; empty when there is none */
    struct slice rule;
    unsigned line;      /* of the expected alert */
    const char *reason; /* for a person: "count is 5, expected 6" */
};
typedef void expect_report(void *ctx, const struct expect_result *r);

/* Hands out one result per alert and per expected line without one; the number of differences. */
uint32_t expect_compare(struct expect *e, expect_report *report, void *ctx);

#endif
