/* rule_cli: what the verbs of `vsoc rule` share: options, loading rules, and output. One verb, one file rule_<verb>.c.
 *
 * JSON lines go to standard output, everything for people to standard error. Exit codes: 0 ok, 1 findings or failed
 * checks, 2 bad usage or input. */
#ifndef APP_RULE_CLI_H
#define APP_RULE_CLI_H

#include <stdio.h>

#include "base/jsonl/json_lines.h"
#include "core/writer.h"
#include "detect/lab/junit.h"
#include "detect/sigma/plan.h"

#define RULE_PATHS_MAX        4096
#define RULE_PLACEHOLDERS_MAX 64

enum { EXIT_OK = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2 };

struct rule_options {
    const char *path[RULE_PATHS_MAX];
    unsigned path_count;
    const char *placeholders[RULE_PLACEHOLDERS_MAX];
    unsigned placeholders_count;
    const char *events, *expect, *junit, *alert, *dbc, *store, *archive, *budget, *show;
    const char *draft; /* the path after the first --rule */
    unsigned workers;
    bool strict, logsource, skip_broken, all;
};

struct rule_verb {
    const char *name;
    int (*run)(const struct rule_options *o);
    bool free_paths; /* paths may stand without an option before them */
    bool needs_rules;
};

int rule_check(const struct rule_options *o);
int rule_test(const struct rule_options *o);
int rule_versions(const struct rule_options *o);
int rule_eval(const struct rule_options *o);
int rule_backtest(const struct rule_options *o);
int rule_explain(const struct rule_options *o);
int rule_dry_run(const struct rule_options *o);

/* Says what is wrong with the call; gives EXIT_USAGE. */
int rule_usage(const char *reason);
void rule_put_line(FILE *out, const struct writer *w);
void rule_show_diag(const struct diag *d, bool json);
/* Readies a plan and points it to the placeholders that were named. */
void rule_plan_init(struct plan *p, const struct rule_options *o);
/* Loads the rules for a run. False, with the reasons said, when the run must not go on. */
bool rule_load_plan(struct plan *p, const struct rule_options *o);
/* Loads rules, opens the events and runs; the exit code. */
int rule_on_events(const struct rule_options *o,
                   int (*run)(struct plan *p, struct slice text, const struct rule_options *o));

/* False, with the reason said, when the file cannot be written. */
bool rule_write_junit(const struct junit *j, const char *suite, const char *path);

/* Counts lines that cannot be used and names the first few. */
struct bad_lines {
    const char *path;
    uint64_t count;
};
void rule_bad_line(void *ctx, uint64_t line, const char *reason);
/* Lines left out are reported; they fail the run when they must not be there, or when nothing else was. */
int rule_lines_code(const struct rule_options *o, uint64_t lines, uint64_t bad);

#endif
