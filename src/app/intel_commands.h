/* intel_commands: the verbs of `vsoc intel`, and `vsoc import stix`. Each gets argv from its own name on and returns
 * the exit code. */
#ifndef APP_INTEL_COMMANDS_H
#define APP_INTEL_COMMANDS_H

#include "store/store.h"

int intel_import_command(int argc, char **argv); /* argv[0] is "stix" */
int intel_eval_command(int argc, char **argv);
int intel_hunt_command(int argc, char **argv);
int intel_pull_command(int argc, char **argv);

/* The state database of --config FILE or --data DIR; prints why and returns NULL when it cannot be opened. */
struct store *intel_open_store(const char *config, const char *data);

#endif
