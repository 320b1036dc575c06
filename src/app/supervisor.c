#include "app/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/confine.h"
#include "app/log_line.h"
#include "app/wall_clock.h"

#define ROLES_MAX      8
#define HEALTHY_RUN_US INT64_C(60000000)
#define POLL_MS        100
#define STOP_GRACE_US  INT64_C(10000000)

struct role_link {
    int ready_fd; /* pipe to the supervisor; the role writes its port */
};

struct child {
    const struct role *role;
    pid_t pid; /* 0 = not running */
    int ready_fd;
    bool ready;
    uint16_t port;
    int64_t started_us;
    int64_t restart_at_us;
    int64_t pause_ms;
};

/* Signal handlers can reach nothing but a variable of this kind. */
static volatile sig_atomic_t stop_asked, reload_asked;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    reload_asked = 1;
}

static void catch_signals(void)
{
    struct sigaction sa;

    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_stop;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = on_reload;
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

void role_ready(struct role_link *link, uint16_t port)
{
    ssize_t n = write(link->ready_fd, &port, sizeof port);
    (void)n;
}

bool role_stopping(const struct role_link *link)
{
    (void)link;
    return stop_asked != 0;
}

bool role_reload_asked(struct role_link *link)
{
    bool asked = reload_asked != 0;

    (void)link;
    reload_asked = 0;
    return asked;
}

static void data_path(const struct vsocd_config *cfg, const char *name, char buf[VSOCD_PATH_MAX])
{
    snprintf(buf, VSOCD_PATH_MAX, "%s/%s", cfg->data_dir, name);
}

/* What every role may read (libraries, time zones, randomness, its own configuration), and its own folders. */
static void confine_role(const struct role *role, const struct vsocd_config *cfg)
{
    char write_path[4][VSOCD_PATH_MAX], read_path[4][VSOCD_PATH_MAX];
    const char *write_list[6] = {0};
    const char *read_list[24] = {"/usr",         "/lib",       "/lib64", "/etc", "/proc", "/sys/devices/system/cpu",
                                 "/dev/urandom", "/dev/random"};
    unsigned w = 0, r = 8;
    const char *config_path[] = {cfg->ingest.tls_cert, cfg->ingest.tls_key, cfg->ingest.vehicle_ca,
                                 cfg->ingest.pseudonym_key};
    const char *api_path[] = {cfg->api.console, cfg->api.vault_key, cfg->api.tls_cert, cfg->api.tls_key};

    for (unsigned i = 0; i < 4 && role->may_write[i] != NULL; i++) {
        data_path(cfg, role->may_write[i], write_path[i]);
        write_list[w++] = write_path[i];
    }
    write_list[w++] = "/dev/null";
    for (unsigned i = 0; i < 4 && role->may_read[i] != NULL; i++) {
        data_path(cfg, role->may_read[i], read_path[i]);
        read_list[r++] = read_path[i];
    }
    bool ingests = strcmp(role->name, "ingest") == 0;
    for (unsigned i = 0; i < 4; i++) {
        const char *path = ingests ? config_path[i] : strcmp(role->name, "api") == 0 ? api_path[i] : "";
        if (path[0] != '\0')
            read_list[r++] = path;
    }
    if (!ingests)
        read_list[r++] = cfg->detect.rules;
    if (!ingests && cfg->respond.budgets[0] != '\0')
        read_list[r++] = cfg->respond.budgets;
    struct confine_paths paths = {read_list, write_list};
    switch (confine_process(&paths)) {
    case CONFINE_FULL:
        break;
    case CONFINE_NO_LANDLOCK:
        log_line(role->name, "confine.partial", "this kernel has no Landlock; files are not confined");
        break;
    case CONFINE_FAILED:
        log_line(role->name, "confine.failed", "%s", strerror(errno));
        _exit(3);
    }
}

static void start_child(struct child *c, const struct vsocd_config *cfg)
{
    int fd[2];
    pid_t parent = getpid();

    if (pipe2(fd, O_CLOEXEC) != 0)
        return;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct role_link link = {fd[1]};

        close(fd[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(3);
        prctl(PR_SET_NAME, c->role->name);
        confine_role(c->role, cfg);
        int code = c->role->run(cfg, &link);
        fflush(NULL);
        exit(code);
    }
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return;
    }
    c->pid = pid;
    c->ready_fd = fd[0];
    c->ready = false;
    c->started_us = monotonic_clock_us();
}

/* Prints the one line that scripts wait for. */
static void announce(const struct child *child, unsigned count)
{
    printf("{\"ready\":true,\"pid\":%d", (int)getpid());
    for (unsigned i = 0; i < count; i++)
        if (child[i].port != 0)
            printf(",\"%s_port\":%u", child[i].role->name, child[i].port);
    printf("}\n");
    fflush(stdout);
}

static void take_ready(struct child *c)
{
    uint16_t port = 0;

    if (c->ready || read(c->ready_fd, &port, sizeof port) != (ssize_t)sizeof port)
        return;
    c->ready = true;
    c->port = port;
    log_line("supervisor", "role.ready", "%s port %u", c->role->name, port);
}

static void wait_ready(struct child *child, unsigned count)
{
    struct pollfd fd[ROLES_MAX];

    for (unsigned i = 0; i < count; i++) {
        fd[i].fd = child[i].pid != 0 && !child[i].ready ? child[i].ready_fd : -1;
        fd[i].events = POLLIN;
        fd[i].revents = 0;
    }
    if (poll(fd, count, POLL_MS) <= 0)
        return;
    for (unsigned i = 0; i < count; i++)
        if (fd[i].revents & POLLIN)
            take_ready(&child[i]);
        else if (fd[i].revents & POLLHUP)
            poll(NULL, 0, 10);
}

static void note_end(struct child *c, int status)
{
    int64_t now_us = monotonic_clock_us();
    bool healthy = now_us - c->started_us > HEALTHY_RUN_US;

    c->pid = 0;
    close(c->ready_fd);
    c->pause_ms = healthy || c->pause_ms == 0 ? RESTART_PAUSE_MS : c->pause_ms * 2;
    if (c->pause_ms > RESTART_PAUSE_MS_MAX)
        c->pause_ms = RESTART_PAUSE_MS_MAX;
    c->restart_at_us = now_us + c->pause_ms * 1000;
    if (stop_asked)
        return;
    if (WIFSIGNALED(status))
        log_line("supervisor", "role.died", "%s: signal %d", c->role->name, WTERMSIG(status));
    else
        log_line("supervisor", "role.died", "%s: exit code %d", c->role->name, WEXITSTATUS(status));
}

static bool reap(struct child *child, unsigned count)
{
    int status;
    pid_t pid;
    bool any = false;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (unsigned i = 0; i < count; i++)
            if (child[i].pid == pid)
                note_end(&child[i], status);
    for (unsigned i = 0; i < count; i++)
        any = any || child[i].pid != 0;
    return any;
}

static void stop_children(struct child *child, unsigned count)
{
    int64_t deadline_us = monotonic_clock_us() + STOP_GRACE_US;

    for (unsigned i = 0; i < count; i++)
        if (child[i].pid != 0)
            kill(child[i].pid, SIGTERM);
    while (reap(child, count)) {
        if (monotonic_clock_us() > deadline_us)
            for (unsigned i = 0; i < count; i++)
                if (child[i].pid != 0)
                    kill(child[i].pid, SIGKILL);
        poll(NULL, 0, 20);
    }
}

static bool make_folders(const struct vsocd_config *cfg)
{
    static const char *const NAME[] = {"", "log", "state", "certs", "snapshot"};
    char path[VSOCD_PATH_MAX];

    for (unsigned i = 0; i < sizeof NAME / sizeof NAME[0]; i++) {
        data_path(cfg, NAME[i], path);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            fprintf(stderr, "%s: cannot make the folder: %s\n", path, strerror(errno));
            return false;
        }
    }
    return true;
}

/* Roles that have nothing to load again take no notice. */
static void pass_on_reload(const struct child *child, unsigned count)
{
    if (reload_asked == 0)
        return;
    reload_asked = 0;
    for (unsigned i = 0; i < count; i++)
        if (child[i].pid != 0)
            kill(child[i].pid, SIGHUP);
}

int supervisor_run(const struct role *role, unsigned count, const struct vsocd_config *cfg)
{
    struct child child[ROLES_MAX] = {0};
    bool announced = false;

    assert(count <= ROLES_MAX);
    if (!make_folders(cfg))
        return 2;
    catch_signals();
    for (unsigned i = 0; i < count; i++)
        child[i].role = &role[i];
    while (!stop_asked) {
        bool all_ready = true;

        reap(child, count);
        pass_on_reload(child, count);
        for (unsigned i = 0; i < count; i++) {
            if (child[i].pid == 0 && monotonic_clock_us() >= child[i].restart_at_us)
                start_child(&child[i], cfg);
            all_ready = all_ready && child[i].ready;
        }
        if (all_ready && !announced) {
            announce(child, count);
            announced = true;
        }
        wait_ready(child, count);
    }
    stop_children(child, count);
    return 0;
}
