/* plan_files: the rule files below some paths, read and handed on one by one.
 *
 * Folders are read in byte order of their names, so that a plan does not depend on the file system; *.yml and *.yaml
 * count, *.test.yml are tests and do not. Beside a single file, the pipelines of its folder (*.pipeline.yml) are read
 * as well, so that a rule means the same alone and among its neighbours.
 * Bounds: PATH_DEPTH_MAX folders deep; the file's size is bounded by whoever reads it. */
#ifndef DETECT_SIGMA_PLAN_FILES_H
#define DETECT_SIGMA_PLAN_FILES_H

#include "detect/sigma/diag.h"

#define PATH_DEPTH_MAX 16

/* `text` is borrowed for the call. */
typedef void plan_file_fn(void *ctx, const char *path, struct slice text);

/* False when something could not be read, with the reason in diag; the rest is handed on all the same. */
bool plan_files_walk(const char *path, struct diag *d, plan_file_fn *each, void *ctx);

#endif
