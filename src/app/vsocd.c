/* vsocd: the backend. One daemon, several processes: see docs/threat-model.md for what each may do. */
#include <stdio.h>
#include <string.h>

#include "app/supervisor.h"

static const struct role ROLE[] = {
    {"ingest", role_ingest, {"log", "certs", NULL}, {NULL}},
    {"detect", role_detect, {"state", "snapshot", NULL}, {"log", NULL}},
    {"api", role_api, {"state", NULL}, {"log", NULL}},
};
#define ROLE_COUNT (sizeof ROLE / sizeof ROLE[0])

static void usage(FILE *out)
{
    fprintf(out, "usage: vsocd --config FILE [--role NAME[,NAME...]]\n\n"
                 "Runs the backend until SIGTERM. When all roles serve, one JSON line with their ports is printed.\n"
                 "SIGHUP loads the rules again; broken ones are refused and the old ones go on.\n\n"
                 "  --config FILE   YAML; check it with: vsoc config check FILE\n"
                 "  --role NAMES    ingest (faces vehicles), detect (finds), api (faces people); default all\n"
                 "  --keys          lists the configuration keys with their defaults\n");
}

/* Copies the roles named in a comma-separated list. Returns how many, 0 when a name is unknown. */
static unsigned choose_roles(const char *list, struct role chosen[ROLE_COUNT])
{
    unsigned count = 0;

    while (*list != '\0') {
        size_t len = strcspn(list, ",");
        unsigned found = ROLE_COUNT;

        for (unsigned i = 0; i < ROLE_COUNT; i++)
            if (strlen(ROLE[i].name) == len && strncmp(ROLE[i].name, list, len) == 0)
                found = i;
        if (found == ROLE_COUNT || count == ROLE_COUNT) {
            fprintf(stderr, "vsocd: unknown role in --role: %.*s (there are ingest, detect, api)\n", (int)len, list);
            return 0;
        }
        chosen[count++] = ROLE[found];
        list += len + (list[len] == ',');
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *config = NULL, *roles = "ingest,detect,api";
    struct vsocd_config cfg;
    struct role chosen[ROLE_COUNT];

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            return 0;
        }
        if (strcmp(argv[i], "--keys") == 0) {
            vsocd_config_describe();
            return 0;
        }
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            config = argv[++i];
        else if (strcmp(argv[i], "--role") == 0 && i + 1 < argc)
            roles = argv[++i];
        else {
            fprintf(stderr, "vsocd: unknown argument %s; see vsocd --help\n", argv[i]);
            return 2;
        }
    }
    if (config == NULL) {
        usage(stderr);
        return 2;
    }
    unsigned count = choose_roles(roles, chosen);
    if (count == 0 || !vsocd_config_read(config, &cfg))
        return 2;
    return supervisor_run(chosen, count, &cfg);
}
