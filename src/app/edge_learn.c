/* edge_learn: `vsoc-edge learn`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/edge_commands.h"
#include "app/usage.h"

static const char usage[] =
    "usage: vsoc-edge learn TRACE... [--dbc FILE] -o MODEL\n"
    "\n"
    "Makes a model from clean recordings, from a network description, or from both.\n"
    "A recording is a candump log, Vector ASC or BLF, PEAK TRC, pcap or pcapng, plain or gzip; \"-\" is standard "
    "input.\n"
    "\n"
    "  -o, --output MODEL       where the model goes\n"
    "  --dbc FILE               network description: identifiers, lengths, cycle times, signal ranges\n"
    "  --lenient                take descriptions that do not keep to the format\n"
    "  --learn-until SECONDS    only the first part of each recording\n"
    "  --bus NAME               only this segment\n"
    "  --bitrate BITS           bit rate of the buses, for the load in events (500000)\n"
    "\n"
    "A minute suffices for identifiers and timing. Payload models arm themselves from 20 minutes on, and only when "
    "the\n"
    "second half brought nothing new. Everything armed was silent on all that it was trained on.\n"
    "exit: 0 model written, 2 bad usage or input\n";

struct learn_arguments {
    struct edge_training training;
    const char *output;
    const char *trace[256];
};

/* 0 to go on, 1 when help was asked for, 2 on bad usage. */
static int arguments_read(int argc, char **argv, struct learn_arguments *a)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
            return 1;
        if (strcmp(arg, "--lenient") == 0) {
            a->training.lenient = true;
            continue;
        }
        if (arg[0] != '-' || arg[1] == '\0') {
            if (a->training.trace_count == 256)
                return 2;
            a->trace[a->training.trace_count++] = arg;
            continue;
        }
        if (value == NULL)
            return 2;
        i++;
        if (strcmp(arg, "-o") == 0 || strcmp(arg, "--output") == 0)
            a->output = value;
        else if (strcmp(arg, "--dbc") == 0)
            a->training.dbc = value;
        else if (strcmp(arg, "--bus") == 0)
            a->training.bus = value;
        else if (strcmp(arg, "--bitrate") == 0
                     ? !edge_bitrate(value, &a->training.bitrate)
                     : strcmp(arg, "--learn-until") != 0 || !edge_seconds(value, &a->training.until_s))
            return 2;
    }
    return a->output != NULL && (a->training.trace_count > 0 || a->training.dbc != NULL) ? 0 : 2;
}

int edge_learn(int argc, char **argv)
{
    struct learn_arguments a = {.training = {.bitrate = LEARN_BITRATE}};
    uint8_t *blob;
    size_t size;

    int status = arguments_read(argc, argv, &a);
    if (status == 2)
        return usage_refuse("vsoc-edge learn", argc, argv, usage);
    if (status == 1) {
        fputs(usage, stdout);
        return 0;
    }
    a.training.trace = a.trace;
    if (edge_model_learn(&a.training, &blob, &size) != 0)
        return 2;
    FILE *f = fopen(a.output, "wb");
    bool written = f != NULL && fwrite(blob, 1, size, f) == size;
    if (f != NULL && fclose(f) != 0)
        written = false;
    free(blob);
    if (!written)
        fprintf(stderr, "vsoc-edge: %s: %s\n", a.output, strerror(errno));
    return written ? 0 : 2;
}
