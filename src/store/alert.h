/* alert: what a rule found, as an episode (docs/rules.md), and its row in the state database.
 *
 * Detection makes alerts and revises them; respond groups them into incidents; people read them. An alert's id is a
 * function of its rule, its group and the identity of its first member, so the same events give the same ids on every
 * run. When late events join two episodes, the merged alert names the ids it replaces in `supersedes`.
 * Memory: all slices are borrowed from whoever made the alert. */
#ifndef STORE_ALERT_H
#define STORE_ALERT_H

#include "store/store.h"

#define ALERT_ID_SIZE        16 /* bytes; shown as 32 hex digits */
#define ALERT_GROUP_MAX      8  /* group-by fields */
#define ALERT_SUPERSEDES_MAX 16 /* ids kept; more are counted in superseded_count only */

enum alert_severity { ALERT_INFO, ALERT_LOW, ALERT_MEDIUM, ALERT_HIGH, ALERT_CRITICAL };
enum alert_state { ALERT_OPEN, ALERT_CLOSED, ALERT_RETRACTED };

struct alert_group {
    struct slice field; /* name, as in the rule's group-by */
    struct slice value; /* text form of the value */
};

struct alert {
    uint8_t id[ALERT_ID_SIZE];
    struct slice rule; /* name, or id when the rule has no name */
    struct slice title;
    uint8_t severity; /* enum alert_severity */
    uint8_t state;    /* enum alert_state */
    bool late;
    uint8_t group_count;
    struct alert_group group[ALERT_GROUP_MAX];
    int64_t first_us, last_us;
    uint64_t count;    /* occurrences */
    uint64_t vehicles; /* distinct vehicles among the members */
    struct slice peak; /* number as text: the largest value any hit saw */
    uint32_t supersedes_count;
    uint8_t supersedes[ALERT_SUPERSEDES_MAX][ALERT_ID_SIZE];
    uint32_t revision; /* from 1, rises with every change */
};

#endif
