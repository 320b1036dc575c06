/* vsoc intel: threat intelligence at the command line; one verb, one file. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/intel_commands.h"
#include "app/usage.h"

static const char USAGE[] = "usage: vsoc intel VERB ...\n\n"
                            "  hunt     search the event log for what an indicator or a bundle names\n"
                            "  pull     fetch STIX objects from TAXII 2.1 servers\n"
                            "  eval     evaluate STIX patterns on observations\n\n"
                            "Bundles from files come in by: vsoc import stix FILE. vsoc intel VERB --help says more.\n";

static const struct {
    const char *verb;
    int (*run)(int argc, char **argv);
} VERB[] = {
    {"hunt", intel_hunt_command},
    {"pull", intel_pull_command},
    {"eval", intel_eval_command},
};

int cmd_intel(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof VERB / sizeof VERB[0]; i++)
        if (strcmp(argv[1], VERB[i].verb) == 0)
            return VERB[i].run(argc - 1, argv + 1);
    return usage_refuse("vsoc intel", argc, argv, USAGE);
}
