/* sim_options: what `vsoc sim` was told, shared by its verbs. */
#ifndef APP_SIM_OPTIONS_H
#define APP_SIM_OPTIONS_H

#include <stdio.h>

#include "world.h"

struct sim_options {
    struct world_config world;
    uint8_t pseudonym_key[64];
    const char *pki_dir;    /* --pki */
    const char *url;        /* --url, of the ingest door */
    const char *truth_path; /* --truth; NULL = none */
    unsigned parallel;      /* --parallel, requests in flight */
    const char *trace_kind; /* --kind */
    const char *trace_path; /* --out */
    unsigned trace_seconds; /* --seconds */
};

/* The verbs. Each returns the program's exit code. */
int sim_print_events(const struct sim_options *opt);
int sim_print_vehicles(const struct sim_options *opt);
int sim_drive(const struct sim_options *opt);

/* Writes the ground truth to opt->truth_path, when there is one. False, with a message, when that fails. */
bool sim_write_truth(const struct sim_options *opt, const struct world *w);
/* The numbers of a run as the members of a JSON object, to stdout or stderr. */
void sim_put_counters(FILE *out, const struct world *w);

#endif
