/* rule: what one Sigma document says, checked and ready to run: a detection (an expression over field tests) or a
 * correlation (a window over the matches of other rules), and the `vsoc:` block that ties it to the security case.
 *
 * Memory: everything is in the plan's arena and does not change after loading; any number of threads may read it. */
#ifndef DETECT_SIGMA_RULE_H
#define DETECT_SIGMA_RULE_H

#include "core/timestamp.h"
#include "detect/sigma/pattern.h"
#include "detect/sigma/pipeline.h"
#include "detect/sigma/record.h"
#include "detect/sigma/yaml_tree.h"
#include "store/alert.h"

__extension__ typedef __int128 nano; /* a number in units of 10^-9, so that sums and means are exact in any order */
__extension__ typedef unsigned __int128 unano;
#define NANO_ONE INT64_C(1000000000)

#define RULE_HASH_SIZE 32 /* SHA-256 */
#define RULE_REFS_MAX  64 /* rules one correlation may refer to */
#define RULE_STEPS_MAX 8
#define RULE_LIST_MAX  64
#define EXPR_DEPTH_MAX 64

enum test_op {
    TEST_PATTERN,
    TEST_NUMBER,
    TEST_NULL,
    TEST_EXISTS,
    TEST_LT,
    TEST_LTE,
    TEST_GT,
    TEST_GTE,
    TEST_REGEX,
    TEST_CIDR,
    TEST_FIELD,
    TEST_VERSION
};

/* Part of a date that a time modifier compares instead of the value. */
enum time_part { PART_NONE, PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

/* One value of a rule, compared with one value of the event. */
struct test {
    uint8_t op; /* enum test_op */
    bool exists, field_start, field_end, cased;
    uint8_t cidr_bits;
    uint8_t cidr_family; /* AF_INET, AF_INET6 */
    uint8_t cidr[16];
    uint32_t field; /* TEST_FIELD: the other field */
    struct val number;
    struct pattern pattern;
    struct version_range *range; /* TEST_VERSION */
    void *regex;                 /* pcre2_code */
    struct slice source;         /* as written, for explanations */
    struct test *or_else;        /* a further form of the same value (base64offset) */
};

#define ITEM_KEYWORDS UINT32_MAX /* field: every value of the event */

struct item {
    uint32_t field;
    bool all;     /* every test must hold, not just one */
    bool neq;     /* the result is negated */
    uint8_t part; /* enum time_part */
    uint32_t test_count;
    struct test **test;
    struct slice source; /* the key as written */
    unsigned line, column;
};

enum expr_kind { EXPR_ITEM, EXPR_AND, EXPR_OR, EXPR_NOT };

struct expr {
    uint8_t kind; /* enum expr_kind */
    uint32_t count;
    struct expr **child;
    const struct item *item;
    struct slice name; /* of a selection, for explanations; empty otherwise */
};

enum correlation_type {
    CORR_EVENT_COUNT,
    CORR_VALUE_COUNT,
    CORR_TEMPORAL,
    CORR_TEMPORAL_ORDERED,
    CORR_VALUE_SUM,
    CORR_VALUE_AVG,
    CORR_VALUE_PERCENTILE,
    CORR_GEO_VELOCITY
};

enum bound_op { BOUND_GT, BOUND_GTE, BOUND_LT, BOUND_LTE, BOUND_EQ, BOUND_NEQ };

struct bound {
    uint8_t op; /* enum bound_op */
    nano value;
};

struct correlation {
    uint8_t type; /* enum correlation_type */
    uint8_t ref_count;
    uint8_t group_count;
    uint8_t field_count; /* value fields of the condition */
    uint8_t bound_count;
    uint8_t percentile;
    bool generate;
    uint32_t ref[RULE_REFS_MAX]; /* rule numbers, as listed (a rule may stand twice in temporal_ordered) */
    struct slice group_name[ALERT_GROUP_MAX];
    uint32_t group_field[RULE_REFS_MAX][ALERT_GROUP_MAX]; /* by ref: aliases resolved */
    uint32_t field[ALERT_GROUP_MAX];
    struct bound bound[6];
    int64_t span_us;
};

struct severity_step {
    uint64_t peak;
    uint8_t severity;
};

/* What a rule may cost before it is enabled, checked by dry-run; -1 = no limit. */
struct rule_budget {
    int64_t alerts_per_day, vehicles_per_day;
    int64_t cost_ns; /* of CPU per event of the archive */
};

/* The `vsoc:` block. */
struct rule_context {
    bool present;
    struct slice tara[RULE_LIST_MAX], r155[RULE_LIST_MAX], atm[RULE_LIST_MAX], action[RULE_LIST_MAX];
    uint8_t tara_count, r155_count, atm_count, action_count;
    struct slice playbook, rationale, owner;
    struct severity_step step[RULE_STEPS_MAX];
    uint8_t step_count;
    struct rule_budget budget;
    int64_t episode_us; /* of a rule without correlation: matches this close are one alert; -1 = not said */
};

/* A filter that was joined to a rule. */
struct filter_use {
    struct filter_use *next;
    const struct rule *filter;
};

#define EPISODE_US_DEFAULT (INT64_C(3600) * US_PER_S)

struct rule {
    const char *path;
    unsigned line, column;
    uint32_t number;    /* index in the plan */
    struct slice label; /* name, or id, or title: what alerts and correlations call it */
    struct slice name, id, title, status, description;
    uint8_t severity; /* enum alert_severity */
    bool broken;      /* had an error; takes no part */
    bool alerts;      /* its hits become alerts of its own */
    bool is_correlation, is_filter;
    bool has_logsource;
    struct slice product, category, service;
    struct expr *expr;        /* of a detection */
    struct correlation *corr; /* of a correlation; for a detection that alerts, the episode it is counted in */
    struct rule_context context;
    struct slice filter_ref[RULE_LIST_MAX];
    uint8_t filter_ref_count;
    struct filter_use *filters;
    struct slice taxonomy; /* empty: sigma */
    struct used_name *placeholders;
    const struct expr *scope; /* of the vsoc block: vehicles that count; NULL: all. Part of expr already */
    /* A copy of a rule that a correlation with a scope refers to, narrowed to that scope. It is matched and counted
     * like any other, never alerts, and outputs that name rules leave it out. */
    bool is_shadow;
    const struct rule *shadow_for;   /* the correlation */
    const struct yaml_node *doc;     /* in the plan's arena */
    uint8_t meaning[RULE_HASH_SIZE]; /* what matches and how it is counted, with all it refers to (rule_text.h) */
    uint8_t version[RULE_HASH_SIZE]; /* all that was written */
};

/* Severity of an episode with this peak. */
uint8_t rule_severity(const struct rule *r, nano peak);
/* Whether the window's value meets the condition. */
bool correlation_holds(const struct correlation *c, nano value);

#endif
