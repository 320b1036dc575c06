/* vsoc config check FILE: reads a configuration the way vsocd does and says what is wrong with it, or what it means. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/vsocd_config.h"

int cmd_config(int argc, char **argv)
{
    struct vsocd_config cfg;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        printf("usage: vsoc config check FILE\n\nKeys, with their defaults:\n");
        vsocd_config_describe();
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "check") != 0) {
        fprintf(stderr, "vsoc config: cannot make sense of %s; usage: vsoc config check FILE\n",
                argc > 1 ? argv[1] : "nothing");
        return 2;
    }
    if (!vsocd_config_read(argv[2], &cfg))
        return 2;
    printf("{\"file\":\"%s\",\"ok\":true,\"simulated_clock\":%s}\n", argv[2],
           cfg.ingest.simulated_clock ? "true" : "false");
    if (cfg.ingest.simulated_clock)
        fprintf(stderr, "%s: ingest.simulated_clock is on: receive times come from the sender; never in production\n",
                argv[2]);
    return 0;
}
