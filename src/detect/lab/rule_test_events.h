/* rule_test_events: the events of a test case, written out as JSON lines. */
#ifndef DETECT_LAB_RULE_TEST_EVENTS_H
#define DETECT_LAB_RULE_TEST_EVENTS_H

#include "detect/sigma/yaml_tree.h"

#define TEST_EVENTS_MAX 200000
#define TEST_BASE_US    INT64_C(1772323200000000) /* 2026-03-01T00:00:00Z: offset +0s */

/* One JSON line per event in the arena; *ret_line points to an array of them. False after an error in diag. */
bool rule_test_events(struct arena *a, struct diag *d, const char *path, const struct yaml_node *events,
                      struct slice **ret_line, uint32_t *ret_count);
/* "+48h1s" or RFC 3339. */
bool rule_test_time(struct slice text, int64_t *ret_us);

#endif
