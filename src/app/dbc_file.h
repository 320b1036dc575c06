/* dbc_file: a network description read from a file, with the memory that it needs.
 *
 * Memory: heap, sized from the text before it is read; at most DBC_FILE_SIZE_MAX of text. Threads: read-only once open.
 */
#ifndef APP_DBC_FILE_H
#define APP_DBC_FILE_H

#include "codec/dbc.h"

#define DBC_FILE_SIZE_MAX (64u * 1024 * 1024)

struct dbc_file {
    struct dbc dbc;
    char error[512]; /* after a failure: "file:line:column: reason" */
    void *memory;
};

/* options: enum dbc_option. On failure f->error says why and f needs no close. */
VS_MUST_USE enum vs_err dbc_file_open(struct dbc_file *f, const char *path, unsigned options);
void dbc_file_close(struct dbc_file *f);

#endif
