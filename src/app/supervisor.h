/* supervisor: runs the roles of vsocd as child processes, each confined to what it needs, and keeps them running.
 *
 * A role that dies is started again after a pause that doubles from RESTART_PAUSE_MS up to RESTART_PAUSE_MS_MAX and is
 * reset once it has run for a minute. SIGTERM and SIGINT end all roles and then the supervisor. When the supervisor
 * itself dies, however it dies, its roles die with it, so that no second set ever runs beside an orphaned first one.
 * When every role has told that it is ready, one JSON line with their ports goes to stdout. */
#ifndef APP_SUPERVISOR_H
#define APP_SUPERVISOR_H

#include "app/vsocd_config.h"

#define RESTART_PAUSE_MS     250
#define RESTART_PAUSE_MS_MAX 30000

struct role {
    const char *name;
    int (*run)(const struct vsocd_config *cfg, struct role_link *link);
    /* What the process may touch below data_dir, as folder names; NULL ends the list. */
    const char *may_write[4];
    const char *may_read[4];
};

/* Runs until SIGTERM. Returns the exit code of the program. */
int supervisor_run(const struct role *role, unsigned count, const struct vsocd_config *cfg);

#endif
