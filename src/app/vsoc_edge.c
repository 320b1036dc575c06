/* vsoc_edge: the program of the vehicle's Linux gateway. Finds the verb and hands on. */
#include <stdio.h>
#include <string.h>

#include "app/edge_commands.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} verbs[] = {
    {"learn", edge_learn, "make a model from clean recordings and a network description"},
    {"scan", edge_scan, "run the detectors over a recording, one JSON line per security event"},
    {"run", edge_run, "run the vehicle's gateway: sensors, sealed journal, uplink"},
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void help(FILE *f)
{
    fputs("usage: vsoc-edge VERB ...        vsoc-edge VERB --help says more\n\n", f);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(f, "  %-8s %s\n", verbs[i].name, verbs[i].text);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; argc >= 2 && i < VERB_COUNT; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    if (argc >= 2)
        fprintf(stderr, "vsoc-edge: no verb \"%s\"\n", argv[1]);
    help(stderr);
    return 2;
}
