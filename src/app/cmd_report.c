/* vsoc report: figures from the state database, as JSON. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/vsocd_config.h"
#include "comply/summary.h"

static void put(void *ctx, struct slice part)
{
    fwrite(part.ptr, 1, part.len, ctx);
}

static int report(const char *what, const struct vsocd_config *cfg)
{
    char address[VSOCD_PATH_MAX];
    struct store *st = NULL;
    struct store_error error;
    enum vs_err err;

    vsocd_store_address(cfg, address);
    if (store_open(address, &st, &error) != VS_OK) {
        fprintf(stderr, "vsoc report: %s: %s\n", address, error.text);
        return 2;
    }
    if (strcmp(what, "summary") == 0) {
        err = summary_write(st, put, stdout);
        printf("\n");
    } else {
        err = summary_write_alerts(st, put, stdout);
    }
    if (err != VS_OK)
        fprintf(stderr, "vsoc report: %s\n", store_error_text(st));
    store_close(st);
    return err == VS_OK && fflush(stdout) == 0 ? 0 : 2;
}

int cmd_report(int argc, char **argv)
{
    struct vsocd_config cfg;

    if (argc == 4 && (strcmp(argv[1], "summary") == 0 || strcmp(argv[1], "alerts") == 0) &&
        strcmp(argv[2], "--config") == 0)
        return vsocd_config_read(argv[3], &cfg) ? report(argv[1], &cfg) : 2;
    FILE *out = argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr;
    if (out == stderr)
        fprintf(out, "vsoc report: cannot make sense of %s\n", argc > 1 ? argv[1] : "nothing");
    fprintf(out, "usage: vsoc report summary --config FILE\n"
                 "       vsoc report alerts  --config FILE\n\n"
                 "summary  events by type, loss ledger, alerts by rule, incidents: one JSON object\n"
                 "alerts   every alert with its vehicles and its incident: one JSON object a line\n\n"
                 "FILE is the configuration of vsocd, which names the state database; the daemon may run meanwhile.\n");
    return out == stdout ? 0 : 2;
}
