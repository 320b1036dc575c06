/* confine: takes from a process what it will never need again (Landlock for files, a system call filter for the rest).
 *
 * Called once, after the fork of a role and before it reads a byte from outside. Both mechanisms are the kernel's and
 * cannot be undone. A kernel without Landlock runs the role without the file part and says so, since refusing to run at
 * all would leave the fleet unwatched. Source: landlock(7), seccomp(2). */
#ifndef APP_CONFINE_H
#define APP_CONFINE_H

#include <stdbool.h>

struct confine_paths {
    const char *const *read;  /* NULL-terminated; files or folders that may be read */
    const char *const *write; /* NULL-terminated; folders below which files may be made, written and removed */
};

enum confine_result { CONFINE_FULL, CONFINE_NO_LANDLOCK, CONFINE_FAILED };

enum confine_result confine_process(const struct confine_paths *paths);

#endif
