/* vsoc: the command line. One noun, one file: cmd_<noun>.c has the work's thin shell, the layers have the work. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"

struct command {
    const char *noun;
    const char *text;
    int (*run)(int argc, char **argv); /* argv[0] is the noun */
};

static const struct command COMMAND[] = {
    {"campaign", "fleet statistics: baselines, campaigns, and how good they are", cmd_campaign},
    {"config", "check a configuration file of vsocd", cmd_config},
    {"dbc", "read CAN frames with a network description", cmd_dbc},
    {"eth", "read Ethernet captures: ARP, SOME/IP, service discovery, DoIP, gPTP", cmd_eth},
    {"import", "take vehicles into the registry", cmd_import},
    {"mapping", "turn the logs of other systems into events", cmd_mapping},
    {"intel", "threat intelligence: hunt, pull from TAXII, export", cmd_intel},
    {"pki", "make the certificates and keys of a fleet", cmd_pki},
    {"report", "figures from the state database", cmd_report},
    {"rule", "check, test, run and explain detection rules", cmd_rule},
    {"sim", "a simulated fleet with planted attacks and ground truth", cmd_sim},
    {"verify", "is a batch or a journal what was written", cmd_verify},
    {"user", "the people who may log in", cmd_user},
};
#define COMMAND_COUNT (sizeof COMMAND / sizeof COMMAND[0])

static void usage(FILE *out)
{
    fprintf(out, "usage: vsoc NOUN [VERB] ...\n\nJSON lines on stdout, progress on stderr; exit 0 ok, 1 findings or "
                 "failed checks, "
                 "2 bad usage or bad input.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", COMMAND[i].noun, COMMAND[i].text);
    fprintf(out, "\nvsoc NOUN --help says more.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], COMMAND[i].noun) == 0)
            return COMMAND[i].run(argc - 1, argv + 1);
    fprintf(stderr, "vsoc: unknown noun %s; see vsoc --help\n", argv[1]);
    return 2;
}
