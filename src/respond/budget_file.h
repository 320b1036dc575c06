/* budget_file: the alert budgets as a product team writes them.
 *
 *     default: {rule: 100, team: 300}      # alerts a day that may come to the queue
 *     rules: {can_injection: 20, geolocation_jump: unlimited}
 *     teams: {vehicle-network-security: 120}
 *
 * Every key may be left out; without a file, or without `default`, the defaults are BUDGET_RULE_DEFAULT and
 * BUDGET_TEAM_DEFAULT. A number is 0 to BUDGET_PER_DAY_MAX; 0 gathers everything that is not critical. Anything else is
 * an error with its line, and nothing is taken from a file that has one. At most BUDGET_LIMITS_MAX limits. */
#ifndef RESPOND_BUDGET_FILE_H
#define RESPOND_BUDGET_FILE_H

#include "respond/budget.h"

struct budget_file_error {
    unsigned line; /* 0 = the whole file */
    char text[200];
};

/* path NULL or "" = no file: the defaults. *ret is on the heap, to be freed with free. */
VS_MUST_USE enum vs_err budget_file_read(const char *path, struct budget_limit **ret, unsigned *ret_count,
                                         struct budget_file_error *ret_error);

#endif
