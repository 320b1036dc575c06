#include "app/rule_cli.h"

int rule_dry_run(const struct rule_options *o)
{
    (void)o;
    return rule_usage("dry-run");
}
