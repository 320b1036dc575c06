#include "app/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                                                   \
    (READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |      \
     LANDLOCK_ACCESS_FS_MAKE_DIR)
#define ALL_RIGHTS                                                                                                     \
    (WRITE_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |        \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                     \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

/* A path that is not there grants nothing, which is not an error: many systems lack one of those a library looks for.
 */
static bool allow(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    struct stat st;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return true;
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return result == 0;
}

static enum confine_result confine_files(const struct confine_paths *paths)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
    long made = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    bool ok = true;

    if (made < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? CONFINE_NO_LANDLOCK : CONFINE_FAILED;
    int ruleset = (int)made;
    for (size_t i = 0; paths->read[i] != NULL; i++)
        ok = ok && allow(ruleset, paths->read[i], READ_RIGHTS);
    for (size_t i = 0; paths->write[i] != NULL; i++)
        ok = ok && allow(ruleset, paths->write[i], WRITE_RIGHTS);
    ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return ok ? CONFINE_FULL : CONFINE_FAILED;
}

/* No role starts a program, looks into another process, loads kernel code, mounts or changes who it is. */
static bool confine_calls(void)
{
    static const int FORBIDDEN[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(setuid),
        SCMP_SYS(setgid),
        SCMP_SYS(setresuid),
        SCMP_SYS(setresgid),
        SCMP_SYS(unshare),
        SCMP_SYS(setns),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(userfaultfd),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = ctx != NULL;

    for (size_t i = 0; ok && i < sizeof FORBIDDEN / sizeof FORBIDDEN[0]; i++)
        ok = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), FORBIDDEN[i], 0) == 0;
    ok = ok && seccomp_load(ctx) == 0;
    seccomp_release(ctx);
    return ok;
}

enum confine_result confine_process(const struct confine_paths *paths)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return CONFINE_FAILED;
    enum confine_result files = confine_files(paths);
    if (files == CONFINE_FAILED || !confine_calls())
        return CONFINE_FAILED;
    return files;
}
