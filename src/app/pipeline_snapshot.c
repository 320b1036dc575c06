/* Snapshots: the state behind the pipeline in a file, and back.
 *
 * Files are called detect-<number>.snap, numbered on; the newest PIPELINE_SNAPSHOTS_KEPT stay. A snapshot is taken
 * directly after a commit, so it is never ahead of the database, and nothing in it waits to be written. Sections:
 *
 *     log         partitions:count (next:u64 received_us:i64)* now_us:i64 records events dead_lettered alert_changes
 *                 damaged:u64 deferred:u8
 *     normalise   normalise_save         facts   member_facts_save
 *     engine      engine_save            part:<name>, one for each part that saves itself
 *
 * What is in the database is not in the snapshot: the registry, the rollups (written before), the ledger. */
#include "app/pipeline_internal.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION   1 /* of all sections together; a layout that changes counts it on */
#define PATH_ROOM 1024
#define NICENESS  5 /* of the process that writes one */

static void path_of(const struct log_pipeline *p, uint64_t number, char buf[PATH_ROOM])
{
    snprintf(buf, PATH_ROOM, "%s/detect-%012llu.snap", p->cfg.snapshot_dir, (unsigned long long)number);
}

/* The number in a file's name; 0 when it is no snapshot of ours. */
static uint64_t number_in(const char *name)
{
    static const char HEAD[] = "detect-";
    char *end = NULL;

    if (strncmp(name, HEAD, sizeof HEAD - 1) != 0)
        return 0;
    unsigned long long number = strtoull(name + sizeof HEAD - 1, &end, 10);
    return strcmp(end, ".snap") == 0 ? number : 0;
}

/* The highest number below `below`; 0 when there is none. */
static uint64_t newest_below(const struct log_pipeline *p, uint64_t below)
{
    DIR *dir = opendir(p->cfg.snapshot_dir);
    const struct dirent *entry;
    uint64_t newest = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        uint64_t number = number_in(entry->d_name);
        if (number > newest && number < below)
            newest = number;
    }
    if (dir != NULL)
        closedir(dir);
    return newest;
}

/* ---- saving */

static void save_log(const struct log_pipeline *p, struct snapshot_writer *w)
{
    snapshot_put_u64(w, p->partition_count);
    for (uint32_t i = 0; i < p->partition_count; i++) {
        snapshot_put_u64(w, p->partition[i].next);
        snapshot_put_i64(w, p->partition[i].received_us);
    }
    snapshot_put_i64(w, p->progress.now_us);
    snapshot_put_u64(w, p->progress.records);
    snapshot_put_u64(w, p->progress.events);
    snapshot_put_u64(w, p->progress.dead_lettered);
    snapshot_put_u64(w, p->progress.alert_changes);
    snapshot_put_u64(w, p->progress.damaged);
    snapshot_put_u8(w, p->deferred);
}

static void part_section(const struct pipeline_part *part, char buf[SNAPSHOT_NAME_MAX + 1])
{
    snprintf(buf, SNAPSHOT_NAME_MAX + 1, "part:%s", part->name);
}

static void save_parts(const struct log_pipeline *p, struct snapshot_writer *w)
{
    char name[SNAPSHOT_NAME_MAX + 1];

    for (size_t i = 0; pipeline_parts[i] != NULL; i++) {
        if (pipeline_parts[i]->save == NULL)
            continue;
        part_section(pipeline_parts[i], name);
        snapshot_begin(w, name);
        pipeline_parts[i]->save(p->part[i], w);
        snapshot_end(w);
    }
}

static enum vs_err save_all(const struct log_pipeline *p, uint64_t number)
{
    struct snapshot_writer *w = NULL;
    char path[PATH_ROOM];

    path_of(p, number, path);
    enum vs_err err = snapshot_create(path, VERSION, &w);
    if (err != VS_OK)
        return err;
    snapshot_begin(w, "log");
    save_log(p, w);
    snapshot_end(w);
    snapshot_begin(w, "normalise");
    normalise_save(p->normalise, w);
    snapshot_end(w);
    snapshot_begin(w, "facts");
    member_facts_save(&p->facts, w);
    snapshot_end(w);
    snapshot_begin(w, "engine");
    engine_save(p->engine, w);
    snapshot_end(w);
    save_parts(p, w);
    return snapshot_finish(w, NULL);
}

static void remove_old(struct log_pipeline *p)
{
    uint64_t number = p->snapshot_number + 1;
    char path[PATH_ROOM];

    for (unsigned kept = 0; (number = newest_below(p, number)) != 0; kept++)
        if (kept >= PIPELINE_SNAPSHOTS_KEPT) {
            path_of(p, number, path);
            unlink(path);
        }
}

/* Everything that was read is in the database, the rollups included, and nothing is under way. */
static enum vs_err come_to_rest(struct log_pipeline *p)
{
    if (p->cfg.snapshot_dir == NULL)
        return VS_ERR_UNSUPPORTED;
    if (p->behind || p->backfill != NULL || p->snapshot_pid != 0)
        return VS_ERR_BUSY;
    enum vs_err err = pipeline_commit(p);
    if (err != VS_OK || rollup_pending(p->rollup) == 0)
        return err;
    err = pipeline_begin(p);
    if (err == VS_OK)
        err = pipeline_flush_rollups(p);
    if (err == VS_OK)
        err = store_commit(p->cfg.store);
    p->writing = p->writing && err != VS_OK;
    return err;
}

enum vs_err pipeline_snapshot(struct log_pipeline *p)
{
    enum vs_err err = come_to_rest(p);

    if (err == VS_OK)
        err = save_all(p, p->snapshot_number + 1);
    if (err != VS_OK)
        return err;
    p->snapshot_number++;
    remove_old(p);
    return VS_OK;
}

/* The copy shares the memory until one of both changes it. It must not touch the database, whose file belongs to the
 * parent, and ends with the parent. */
enum vs_err pipeline_snapshot_start(struct log_pipeline *p)
{
    enum vs_err err = come_to_rest(p);
    pid_t parent = getpid();

    if (err != VS_OK)
        return err;
    pid_t pid = fork();
    if (pid < 0)
        return VS_ERR_IO;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(3);
        if (nice(NICENESS) == -1)
            errno = 0; /* only a matter of manners */
        _exit(save_all(p, p->snapshot_number + 1) == VS_OK ? 0 : 1);
    }
    p->snapshot_pid = pid;
    return VS_OK;
}

bool pipeline_snapshot_ended(struct log_pipeline *p, enum vs_err *ret_err)
{
    int status = 0;

    if (p->snapshot_pid == 0 || waitpid(p->snapshot_pid, &status, WNOHANG) == 0)
        return false;
    p->snapshot_pid = 0;
    *ret_err = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? VS_OK : VS_ERR_IO;
    if (*ret_err == VS_OK) {
        p->snapshot_number++;
        remove_old(p);
    }
    return true;
}

void pipeline_snapshot_cancel(struct log_pipeline *p)
{
    if (p->snapshot_pid == 0)
        return;
    kill(p->snapshot_pid, SIGKILL);
    waitpid(p->snapshot_pid, NULL, 0);
    p->snapshot_pid = 0;
}

/* ---- loading */

/* VS_ERR_CONFLICT: the snapshot knows more than the database or the log, or counts less than the rollups need. */
static enum vs_err load_log(struct log_pipeline *p, struct snapshot_in *in)
{
    if (snapshot_get_count(in, 16) != p->partition_count)
        return VS_ERR_CONFLICT;
    for (uint32_t i = 0; i < p->partition_count; i++) {
        struct pipeline_partition *part = &p->partition[i];

        part->next = snapshot_get_u64(in);
        part->received_us = snapshot_get_i64(in);
        if (part->next > part->committed || part->next > part->counted || part->next > stream_end(p->cfg.stream, i))
            return VS_ERR_CONFLICT;
    }
    p->progress.now_us = snapshot_get_i64(in);
    p->progress.records = snapshot_get_u64(in);
    p->progress.events = snapshot_get_u64(in);
    p->progress.dead_lettered = snapshot_get_u64(in);
    p->progress.alert_changes = snapshot_get_u64(in);
    p->progress.damaged = snapshot_get_u64(in);
    p->deferred = snapshot_get_u8(in) != 0;
    return snapshot_in_done(in);
}

static enum vs_err load_facts(struct log_pipeline *p, struct snapshot_in *in)
{
    enum vs_err err = member_facts_load(&p->facts, in);

    return err == VS_OK ? snapshot_in_done(in) : err;
}

static enum vs_err load_engine(struct log_pipeline *p, struct snapshot_in *in)
{
    enum vs_err err = engine_load(p->engine, in);

    return err == VS_OK ? snapshot_in_done(in) : err;
}

static enum vs_err load_normalise(struct log_pipeline *p, struct snapshot_in *in)
{
    return normalise_load(p->normalise, in);
}

/* A part that saves itself must be in the file: what it missed it could not know. */
static enum vs_err load_parts(struct log_pipeline *p, const struct snapshot *s)
{
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && pipeline_parts[i] != NULL; i++) {
        char name[SNAPSHOT_NAME_MAX + 1];
        struct snapshot_in in;

        if (pipeline_parts[i]->load == NULL)
            continue;
        part_section(pipeline_parts[i], name);
        err = snapshot_section(s, name, &in);
        if (err == VS_OK)
            err = pipeline_parts[i]->load(p->part[i], &in);
    }
    return err;
}

static enum vs_err load_all(struct log_pipeline *p, const struct snapshot *s)
{
    static const struct {
        const char *name;
        enum vs_err (*load)(struct log_pipeline *p, struct snapshot_in *in);
    } SECTION[] = {{"log", load_log}, {"normalise", load_normalise}, {"facts", load_facts}, {"engine", load_engine}};
    enum vs_err err = VS_OK;

    for (size_t i = 0; err == VS_OK && i < sizeof SECTION / sizeof SECTION[0]; i++) {
        struct snapshot_in in;

        err = snapshot_section(s, SECTION[i].name, &in);
        if (err == VS_OK)
            err = SECTION[i].load(p, &in);
    }
    return err == VS_OK ? load_parts(p, s) : err;
}

static enum vs_err load_one(struct log_pipeline *p, uint64_t number)
{
    struct snapshot *s = NULL;
    char path[PATH_ROOM];

    path_of(p, number, path);
    enum vs_err err = snapshot_open(path, VERSION, &s, NULL);
    if (err == VS_OK)
        err = load_all(p, s);
    snapshot_close(s);
    return err;
}

/* As if nothing had been read. */
static void forget(struct log_pipeline *p)
{
    pipeline_state_close(p);
    memset(&p->progress, 0, sizeof p->progress);
    p->deferred = false;
    for (uint32_t i = 0; i < p->partition_count; i++) {
        p->partition[i].next = 0;
        p->partition[i].received_us = 0;
    }
}

enum vs_err pipeline_snapshot_restore(struct log_pipeline *p, struct pipeline_error *e)
{
    enum vs_err err = pipeline_state_open(p, e);
    uint64_t number = UINT64_MAX;

    if (err != VS_OK || p->cfg.snapshot_dir == NULL)
        return err;
    if (mkdir(p->cfg.snapshot_dir, 0700) != 0 && errno != EEXIST)
        return pipeline_fail(e, VS_ERR_IO, p->cfg.snapshot_dir, "cannot make the folder");
    p->snapshot_number = newest_below(p, UINT64_MAX);
    while (err == VS_OK && (number = newest_below(p, number)) != 0) {
        enum vs_err why = load_one(p, number);
        if (why == VS_OK) {
            p->progress.from_snapshot = true;
            pipeline_say(p, "snapshot.loaded", "number %llu: %llu records", (unsigned long long)number,
                         (unsigned long long)p->progress.records);
            return VS_OK;
        }
        pipeline_say(p, "snapshot.refused", "number %llu: %s", (unsigned long long)number, vs_err_text(why));
        forget(p);
        err = pipeline_state_open(p, e);
    }
    if (p->snapshot_number > 0)
        pipeline_say(p, "snapshot.none", "no snapshot is usable; the whole log is read again");
    return err;
}
