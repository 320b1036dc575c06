/* edge_commands: the verbs of `vsoc-edge`, and what learn and scan share. Each verb gets argv from its own name on and
 * returns the exit code: 0 ok, 1 findings, 2 bad usage or bad input. */
#ifndef APP_EDGE_COMMANDS_H
#define APP_EDGE_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "edge/learn/learner.h"

int edge_learn(int argc, char **argv);
int edge_scan(int argc, char **argv);
int edge_run(int argc, char **argv);

/* A model made from recordings; see edge_model.c. */
struct edge_training {
    const char *const *trace;
    unsigned trace_count;
    const char *dbc; /* path or NULL */
    const char *bus; /* only this segment; NULL = all */
    double until_s;  /* train on the first seconds of each recording; 0 = all */
    uint32_t bitrate;
    bool lenient; /* take descriptions that the strict reader refuses */
};

/* Reads, learns and says on stderr what was learned. 0 and a blob to free, or 2 after saying what is wrong. */
int edge_model_learn(const struct edge_training *t, uint8_t **ret_blob, size_t *ret_size);
/* Reads a whole file of at most max bytes; NULL after saying what is wrong. The caller frees. */
uint8_t *edge_file_read(const char *path, size_t max, size_t *ret_size);
/* A number of seconds, such as "30" or "0.5"; false when the text is none. */
bool edge_seconds(const char *text, double *ret);
/* Bits per second, from 1 to 2^32 - 1; false when the text is no such number. */
bool edge_bitrate(const char *text, uint32_t *ret);

#endif
