/* plan: a set of rules, loaded from Sigma files, checked, linked and ready to run.
 *
 * Loading reads files and directories (*.yml, *.yaml; *.test.yml are tests and are left out), reports every problem
 * with file, line and column, resolves correlation references by name or id over all files, applies pipelines, filters
 * and scopes, and orders the correlations so that each comes after the rules it refers to. Broken rules, and rules that
 * refer to them, take no part. Memory: the plan owns everything; immutable after plan_load, so that threads and engines
 * may share it. Bounds: PLAN_RULES_MAX rules, PLAN_FILES_MAX files. */
#ifndef DETECT_SIGMA_PLAN_H
#define DETECT_SIGMA_PLAN_H

#include "detect/sigma/dispatch.h"
#include "detect/sigma/interest.h"
#include "detect/sigma/rule.h"

#define PLAN_RULES_MAX 100000
#define PLAN_FILES_MAX 100000

struct plan {
    struct arena arena;
    struct fields fields;
    struct rule **rule; /* in the order of the files */
    uint32_t rule_count;
    uint32_t loaded_count; /* without the shadows that scopes of correlations make */
    uint32_t *corr;        /* numbers of the rules that are counted in windows, lowest level first */
    uint32_t corr_count;
    uint32_t *base; /* numbers of the rules that are matched against events */
    uint32_t base_count;
    uint32_t file_count;
    struct dispatch *dispatch;
    struct interest *interest;
    struct pipeline pipeline;
    const char *const *placeholder_path; /* files of placeholder values, set before loading; borrowed until then */
    unsigned placeholder_path_count;
    struct regex_list *regexes; /* to be freed */
    bool strict;                /* every alerting rule needs a complete vsoc block */
};

void plan_init(struct plan *p);
void plan_done(struct plan *p);
/* Loads paths into a fresh plan. VS_ERR_CONFIG when some rule is broken, VS_ERR_IO when a path cannot be read; the rest
 * of the plan is usable all the same. */
VS_MUST_USE enum vs_err plan_load(struct plan *p, const char *const *path, unsigned path_count, struct diag *d);
/* The same for rules given as text; `path` is only used in messages. */
VS_MUST_USE enum vs_err plan_load_text(struct plan *p, const char *path, struct slice text, struct diag *d);
/* The rule with that name or id; NULL when there is none. */
const struct rule *plan_find(const struct plan *p, struct slice label);

#endif
