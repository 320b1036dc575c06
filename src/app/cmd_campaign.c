/* vsoc campaign: fleet statistics from the command line. */
#include <stdio.h>
#include <string.h>

#include "app/campaign_commands.h"
#include "app/commands.h"

static const struct {
    const char *verb;
    int (*run)(int argc, char **argv);
} VERB[] = {
    {"baseline", campaign_cmd_baseline},
    {"list", campaign_cmd_list},
    {"score", campaign_cmd_score},
};

static void usage(FILE *out)
{
    fprintf(out, "usage: vsoc campaign list     --store ADDRESS                what was found\n"
                 "       vsoc campaign baseline learn|list|arm|rollback       what is usual, by version\n"
                 "       vsoc campaign score    [options]                      how soon and how wrongly campaigns are "
                 "found in simulated fleets\n"
                 "\nEach verb has its own --help. docs/campaigns.md explains the method.\n");
}

int cmd_campaign(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (size_t i = 0; i < sizeof VERB / sizeof VERB[0]; i++)
        if (strcmp(argv[1], VERB[i].verb) == 0)
            return VERB[i].run(argc - 1, argv + 1);
    fprintf(stderr, "vsoc campaign: unknown verb %s; see vsoc campaign --help\n", argv[1]);
    return 2;
}
