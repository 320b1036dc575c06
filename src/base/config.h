/* config: one declarative table per program, one reader for all of them.
 *
 * A configuration is a YAML mapping of sections of keys, two levels deep at most: `data_dir: x` and `ingest: {port: 0}`
 * are the keys "data_dir" and "ingest.port". The table says for each key its type, bounds, default and meaning, and
 * where in the caller's struct the value goes. Unknown keys, wrong types and values out of bounds are errors with file
 * and line; nothing is taken from a file that has one. The same table prints the manual (config_describe). Memory: the
 * struct and the table are the caller's. Threads: reentrant. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdio.h>

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

enum config_type {
    CONFIG_TEXT, /* char[max]: copied */
    CONFIG_PATH, /* char[max]: made relative to the file's folder unless absolute or empty */
    CONFIG_BOOL, /* bool */
    CONFIG_U16,  /* uint16_t, min to max */
    CONFIG_U32   /* uint32_t, min to max */
};

struct config_option {
    const char *key;
    enum config_type type;
    size_t offset;       /* in the caller's struct */
    uint32_t min;        /* of a number */
    uint32_t max;        /* of a number, or bytes of the text array */
    const char *initial; /* default as text */
    bool required;       /* must stand in the file and not be empty */
    const char *text;    /* what it means, with its unit */
};

struct config_error {
    unsigned line; /* 0 when the whole file is meant */
    char text[256];
};

/* Fills the struct with the defaults. */
void config_defaults(const struct config_option *option, size_t count, void *target);
/* Reads a file over the defaults. On failure target is unchanged. */
VS_MUST_USE enum vs_err config_read(const char *path, const struct config_option *option, size_t count, void *target,
                                    size_t target_size, struct config_error *ret_error);
/* One line per option: key, default, meaning. */
void config_describe(FILE *out, const struct config_option *option, size_t count);

#endif
