/* temp_dir: a folder of its own for a test, and its removal with everything in it. */
#ifndef TEMP_DIR_H
#define TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct temp_dir {
    char path[64];
};

static inline struct temp_dir temp_dir_make(void)
{
    struct temp_dir d = {"/tmp/vsoc-test-XXXXXX"};

    if (mkdtemp(d.path) == NULL)
        abort();
    return d;
}

static inline int temp_dir_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static inline void temp_dir_remove(const struct temp_dir *d)
{
    if (nftw(d->path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        abort();
}

#endif
